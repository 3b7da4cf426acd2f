from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnzoo.pictures import ImageFiles
from cnnzoo.training.datasets import Part
from cnnzoo.training.metrics import score
from cnnzoo.training.report import confusions, mistakes, render

NAMES = ("cat", "<script>alert(1)</script>", 'd"o&g')
TRUE = np.array([0, 0, 1, 1, 2, 2])
PREDICTED = [0, 1, 1, 0, 2, 1]
SURE = [0.9, 0.7, 0.8, 0.95, 0.6, 0.5]


@pytest.fixture
def test_part() -> Part:
    return Part(np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), np.uint8), TRUE)


@pytest.fixture
def page(test_part: Part, probabilities: Callable[..., np.ndarray]) -> str:
    rows = probabilities(PREDICTED, SURE, 3)
    history = [
        {"epoch": i, "loss": 1 / i, "accuracy": 0.5, "val_loss": 1 / i, "val_accuracy": 0.5}
        for i in (1, 2)
    ]
    metrics = score(TRUE, rows, NAMES) | {
        "best_epoch": 2,
        "best_epoch_by": "highest validation accuracy",
        "epochs": 2,
        "seconds": 75.0,
    }
    return render(_config(), history, metrics, test_part, rows)


def _config(**changed: Any) -> dict[str, Any]:
    arguments = {
        "network": "lenet5", "options": {"original": True}, "weights": None,
        "input_shape": [32, 32, 1], "augment": "none", "seed": 0,
    }  # fmt: skip
    config = {
        "command": "cnnzoo finetune lenet5 --data 'a & b.npz'",
        "started": "2026-01-02T03:04:05+00:00",
        "arguments": arguments,
        "network": {"name": "lenet5", "title": "LeNet-5", "parameters": 61706},
        "data": {
            "name": "pets", "source": "/home/pets", "training_images": 1295,
            "validation_images": 143, "test_images": 6, "class_names": list(NAMES),
            "notes": ["1 test image is also in the training part"],
        },
        "versions": {"python": "3.11"},
        "hardware": {"cpu": "some processor", "cores": 2},
    }  # fmt: skip
    return config | changed


def test_the_page_says_what_came_out(page: str) -> None:
    text = " ".join(re.sub(r"<[^>]+>", " ", page.partition("<body>")[2]).split())
    assert "LeNet-5 on pets 50.00 % test accuracy" in text
    assert "misclassified 3 of 6" in text
    assert "training time 1 min 15 s" in text
    assert "best epoch 2 of 2" in text
    assert "parameters 61,706" in text
    assert "1 test image is also in the training part" in text
    assert "options original=True" in text
    assert "input shape 32 × 32 × 1" in text


def test_the_page_asks_for_nothing_from_elsewhere(page: str) -> None:
    sources = re.findall(r"""(?:src|href|url\()\s*=?\s*["']?([^"')>\s]+)""", page)
    assert sources
    assert all(source.startswith(("data:image/png;base64,", "#plot")) for source in sources)
    assert "http" not in page
    assert "<script" not in page
    assert "@import" not in page


def test_the_page_escapes_what_it_did_not_write(page: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "d&#34;o&amp;g" in page
    assert "&#39;a &amp; b.npz&#39;" in page


def test_the_heat_map_shows_the_counts(page: str) -> None:
    cells = re.findall(
        r'<rect class="(hit|miss)"[^>]*><title>true (\w+), predicted (\w+): (\d+)', page
    )
    assert ("hit", "cat", "cat", "1") in cells
    assert len(re.findall(r'class="miss"', page)) == 3
    assert re.findall(r'<text class="count[^>]*>(\d+)<', page) == ["1"] * 6


def test_the_class_table_shows_a_dash_for_what_is_not_defined(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    rows = probabilities([0] * 6, [0.9] * 6, 3)
    history = [{"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5}]
    metrics = score(TRUE, rows, NAMES) | {
        "best_epoch": 1, "best_epoch_by": "", "epochs": 1, "seconds": 1.0
    }  # fmt: skip
    page = render(_config(command=None), history, metrics, test_part, rows)
    assert page.count("<td>–</td>") == 2  # the precision of the two classes never predicted
    assert "handed over in Python" in page


def test_the_gallery_titles_true_and_predicted_with_the_probability(page: str) -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert (
        captions[1] == "cat : <em>&lt;script&gt;alert(1)&lt;/script&gt;</em><small>70.0 %</small>"
    )


def test_mistakes_come_surest_first(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    found = mistakes(test_part, probabilities(PREDICTED, SURE, 3), NAMES)
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
    first = mistakes(test_part, probabilities(PREDICTED, SURE, 3), NAMES)[0]
    image = Image.open(io.BytesIO(base64.b64decode(first.image.partition(",")[2])))
    assert np.array_equal(np.asarray(image), test_part.images[3][..., 0])
    assert first.small


def test_mistakes_are_at_most_as_many_as_asked_for(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    assert len(mistakes(test_part, probabilities(PREDICTED, SURE, 3), NAMES, most=2)) == 2


def test_mistakes_shrink_photographs(
    tmp_path: Path, probabilities: Callable[..., np.ndarray]
) -> None:
    Image.new("RGB", (400, 200)).save(tmp_path / "a.jpg")
    part = Part(ImageFiles([tmp_path / "a.jpg"]), np.array([0]))
    (found,) = mistakes(part, probabilities([1], [0.9], 2), ("a", "b"))
    assert Image.open(io.BytesIO(base64.b64decode(found.image.partition(",")[2]))).size == (96, 48)
    assert not found.small


def test_confusions_list_the_pairs_mistaken_most_often() -> None:
    matrix = [[5, 1, 0], [3, 9, 0], [0, 2, 7]]
    assert confusions(matrix, "abc") == [("b", "a", 3), ("c", "b", 2), ("a", "b", 1)]
    assert confusions(matrix, "abc", most=1) == [("b", "a", 3)]


def test_a_run_without_mistakes_says_so(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    rows = probabilities(TRUE.tolist(), [0.9] * 6, 3)
    history = [{"loss": 0.0, "accuracy": 1.0, "val_loss": 0.0, "val_accuracy": 1.0}]
    metrics = score(TRUE, rows, NAMES) | {
        "best_epoch": 1, "best_epoch_by": "", "epochs": 1, "seconds": 1.0
    }  # fmt: skip
    page = render(_config(), history, metrics, test_part, rows)
    assert "every test image was classified correctly" in page
    assert "Mistaken most often" not in page
