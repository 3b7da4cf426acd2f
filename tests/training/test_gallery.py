from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnzoo.pictures import ImageFiles
from cnnzoo.training.data.dataset import Part
from cnnzoo.training.gallery import confusions, mistakes, overlay, sheet

NAMES = ("cat", "dog", "fox")
TRUE = np.array([0, 0, 1, 1, 2, 2])
PREDICTED = [0, 1, 1, 0, 2, 1]
SURE = [0.9, 0.7, 0.8, 0.95, 0.6, 0.5]


@pytest.fixture
def test_part() -> Part:
    return Part(np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), np.uint8), TRUE)


def test_mistakes_come_surest_first(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    found, _ = mistakes(test_part, probabilities(PREDICTED, SURE, 3), NAMES)
    assert [(m.row, m.true, m.predicted) for m in found] == [
        (3, NAMES[1], "cat"),
        (1, "cat", NAMES[1]),
        (5, NAMES[2], NAMES[1]),
    ]
    assert [m.probability for m in found] == [0.95, 0.7, 0.5]
    assert found[0].of_true == pytest.approx(0.025)


def test_mistakes_hold_the_pixels_themselves(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    first = mistakes(test_part, probabilities(PREDICTED, SURE, 3), NAMES)[0][0]
    image = Image.open(io.BytesIO(base64.b64decode(first.image.address.partition(",")[2])))
    assert np.array_equal(np.asarray(image), test_part.images[3][..., 0])
    assert first.image.small


def test_mistakes_are_at_most_as_many_as_asked_for(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    found, _ = mistakes(test_part, probabilities(PREDICTED, SURE, 3), NAMES, most=2)
    assert len(found) == 2


def test_mistakes_shrink_photographs(
    tmp_path: Path, probabilities: Callable[..., np.ndarray]
) -> None:
    Image.new("RGB", (400, 200)).save(tmp_path / "a.jpg")
    part = Part(ImageFiles([tmp_path / "a.jpg"]), np.array([0]))
    ((found,), _) = mistakes(part, probabilities([1], [0.9], 2), ("a", "b"))
    assert Image.open(io.BytesIO(base64.b64decode(found.image.address.partition(",")[2]))).size == (
        96,
        48,
    )
    assert not found.image.small


def test_confusions_list_the_pairs_mistaken_most_often_with_the_surest_images(
    probabilities: Callable[..., np.ndarray],
) -> None:
    true, taken = [0, 1, 1, 1, 2, 2, 0], [1, 0, 0, 0, 1, 1, 0]
    images = np.arange(7, dtype=np.uint8)[:, None, None, None] * np.ones((1, 2, 2, 1), np.uint8)
    rows = probabilities(taken, [0.8, 0.7, 0.9, 0.8, 0.6, 0.7, 0.9], 3)
    found = confusions(Part(images, np.array(true)), rows, "abc")
    assert [(c.true, c.predicted, c.count) for c in found] == [
        ("b", "a", 3), ("c", "b", 2), ("a", "b", 1)
    ]  # fmt: skip
    assert len(confusions(Part(images, np.array(true)), rows, "abc", most=1)) == 1
    shown = [base64.b64decode(s.address.partition(",")[2]) for s in found[0].examples]
    assert [np.asarray(Image.open(io.BytesIO(file)))[0, 0] for file in shown] == [2, 3, 1]


def test_the_overlay_leaves_alone_what_said_nothing_and_colours_what_did() -> None:
    pixels = np.full((2, 2, 1), 100, np.uint8)
    covered = np.asarray(overlay(pixels, np.array([[0, 1], [0.5, 0]], "float32")))
    assert covered[0, 0].tolist() == covered[1, 1].tolist() == [100, 100, 100]
    # inferno ends in (252.0, 254.6, 164.5); it covers 70 %.
    assert covered[0, 1].tolist() == [206, 208, 145]


def test_the_sheet_keeps_rows_and_columns() -> None:
    shown = sheet(np.zeros((3, 5, 4, 4, 1), np.uint8))
    assert [len(row) for row in shown] == [5, 5, 5]
