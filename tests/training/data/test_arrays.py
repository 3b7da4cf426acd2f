"""Rows I7 (arrays) and S9 (larger than the memory)."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnzoo.errors import DataError
from cnnzoo.training.data import arrays
from cnnzoo.training.data.arrays import survey_arrays, survey_npz
from cnnzoo.training.data.dataset import Dataset
from cnnzoo.training.data.select import select

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (6, 4, 5, 3), np.uint8)
LABELS = np.array([0, 1, 2, 0, 1, 2])


def _arrays(**changed: Any) -> dict[str, Any]:
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_test": 255 - IMAGES, "y_test": LABELS}
    return {name: value for name, value in (arrays | changed).items() if value is not None}


def _load(tmp_path: Path, **changed: Any) -> Any:
    np.savez(tmp_path / "some.npz", **_arrays(**changed))
    return select(survey_npz(tmp_path / "some.npz"), "keep", 0)


def _dataset(source: str = "", **changed: Any) -> Dataset:
    return select(survey_arrays(_arrays(**changed), "", source), "keep", 0)


def test_an_npz_becomes_a_dataset(tmp_path: Path) -> None:
    data = _load(tmp_path)
    assert (data.name, data.source) == ("some", str(tmp_path / "some.npz"))
    assert np.array_equal(data.train.images, IMAGES)
    assert np.array_equal(data.test.labels, LABELS)
    assert data.class_names == ("0", "1", "2")
    assert data.channels == 3
    assert data.notes == ()


def test_class_names_come_from_the_file(tmp_path: Path) -> None:
    data = _load(tmp_path, class_names=np.array(["ant", "bee", "cat"]))
    assert data.class_names == ("ant", "bee", "cat")


@pytest.mark.parametrize(
    "images",
    [
        IMAGES.astype(np.float32),
        IMAGES.astype(np.int64),
        IMAGES / 255,
        (IMAGES / 255).astype(np.float32),
    ],
)
def test_pixels_of_other_types_are_recognised(images: np.ndarray) -> None:
    data = _dataset(x_train=images)
    assert isinstance(data.train.images, np.ndarray)
    assert data.train.images.dtype == np.uint8
    assert np.array_equal(data.train.images, IMAGES)


def test_shares_between_two_pixel_values_are_rounded() -> None:
    shares = np.full((6, 2, 2), 0.701)
    data = _dataset(x_train=shares, x_test=shares)
    assert np.unique(data.train.images).tolist() == [179]  # 178.755


@pytest.mark.parametrize("shape", [(6, 20, 3), (6, 20, 3, 1)])
def test_grey_images_may_lack_their_channel(shape: tuple[int, ...]) -> None:
    grey = IMAGES.reshape(shape)
    data = _dataset(x_train=grey, x_test=grey)
    assert isinstance(data.train.images, np.ndarray)
    assert data.train.images.shape == (6, 20, 3, 1)
    assert data.channels == 1


def test_labels_may_be_a_column() -> None:
    data = _dataset(y_train=LABELS[:, None].astype(np.uint8))
    assert data.train.labels.tolist() == LABELS.tolist()
    assert data.train.labels.dtype == np.int64


def test_images_in_both_parts_are_noted_when_they_are_kept() -> None:
    test = IMAGES.copy()
    test[0] = 7
    (note,) = _dataset(x_test=test).notes
    assert note.startswith("5 images are in more than one part")


def test_x_and_y_alone_are_split(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (20, 3, 3), np.uint8)
    np.savez(tmp_path / "one.npz", x=images, y=np.arange(20) % 2)
    data = select(survey_npz(tmp_path / "one.npz"), "refuse", 0)
    assert (len(data.train), len(data.test)) == (16, 4)


def test_an_npz_may_bring_validation_images(tmp_path: Path) -> None:
    data = _load(tmp_path, x_val=IMAGES // 2, y_val=LABELS)
    assert data.validation is not None
    assert np.array_equal(data.validation.images, IMAGES // 2)


def test_an_npz_larger_than_the_memory_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S9: a small file can unpack to far more than there is."""
    monkeypatch.setattr(arrays, "MEMORY_BYTES", 2**20)
    monkeypatch.setattr(np, "load", lambda *_, **__: pytest.fail("it was read"))
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x_train.npy", bytes(2**21))
    with pytest.raises(DataError, match=r"unpacks to 2\.0 MiB.*CSV file, are read batch by batch"):
        survey_npz(tmp_path / "bomb.npz")


def test_dark_images_are_noted() -> None:
    notes = _dataset("mine", x_train=IMAGES // 16).notes
    assert "brightest pixel of x_train of mine is 15" in notes[0]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"y_test": None}, r"no array 'y_test'.*It holds: x_train, y_train, x_test"),
        ({"x_train": None, "X_train": IMAGES}, r"no array 'x_train'\. Did you mean 'X_train'"),
        ({"x_train": IMAGES[0, 0]}, r"shape \(5, 3\); wanted is"),
        ({"x_train": IMAGES[..., :2]}, r"shape \(6, 4, 5, 2\)"),
        ({"x_train": IMAGES[:0]}, "none of them 0"),
        ({"x_train": IMAGES.transpose(0, 3, 1, 2)}, r"transpose\(0, 2, 3, 1\)"),
        ({"x_train": IMAGES - 300.0}, "float64 from -300.0 to"),
        ({"x_train": IMAGES + np.nan}, "from nan to nan.*without NaN"),
        ({"x_train": IMAGES.astype(complex)}, "is complex128"),
        ({"x_train": IMAGES * 1.5 / 2}, "wanted is uint8 from 0 to 255, or float from 0 to 1"),
        ({"x_train": IMAGES[:5]}, "5 images but y_train 6 labels"),
        ({"x_test": IMAGES[..., :1]}, "same number of channels"),
        ({"y_train": np.eye(3)[LABELS]}, r"One-hot labels: try \.argmax\(axis=1\)"),
        ({"y_train": LABELS * 1.0}, "is float64; wanted are whole numbers"),
        ({"y_train": LABELS - 1}, "y_train .* holds the label -1"),
        ({"y_test": LABELS + 1}, "y_test .* label 3; with 3 classes labels go from 0 to 2"),
        ({"y_train": LABELS * 2}, r"no training image of class 1, 3\. Number the classes"),
        ({"y_train": LABELS * 0, "y_test": LABELS * 0}, "one single class"),
        ({"class_names": np.array(["a", "b"])}, "label 2; with 2 classes"),
        ({"class_names": np.array(["a", "b", "a"])}, "each name once"),
        ({"class_names": np.array([1, 2, 3])}, "must be text"),
    ],
)
def test_arrays_that_cannot_be_used_are_refused(
    tmp_path: Path, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        _load(tmp_path, **changed)


def test_objects_in_an_npz_are_not_unpickled(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be read as an \.npz file"):
        _load(tmp_path, y_train=np.array([{}, 1, 2, 3, 4, 5], dtype=object))


@pytest.mark.parametrize("content", [b"", b"PK\3\4 but no archive", b"\x93NUMPY"])
def test_a_file_that_is_no_npz_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.npz cannot be read as an \.npz file"):
        survey_npz(tmp_path / "bad.npz")


def test_a_single_array_is_told_from_an_archive(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", IMAGES)
    with pytest.raises(DataError, match=r"is a single array, not an \.npz with x_train"):
        survey_npz(tmp_path / "one.npy")
