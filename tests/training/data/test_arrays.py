"""Rows I7 (arrays) and S9 (larger than the memory)."""

from __future__ import annotations

import contextlib
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
    assert _dataset("mine", x_train=(IMAGES // 16).astype("float32")).notes == notes
    assert _dataset(x_train=IMAGES // 16 / 255).notes == ()  # scaled by whoever saved them


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
        ({"y_train": LABELS - 1}, "image 3 of x_train: its label is -1; of 2 classes labels go f"),
        ({"y_test": LABELS + 1}, "image 2 of x_test: its label is 3; of 3 classes labels go from"),
        ({"y_train": np.array([0, 1, 2, 0, 1, 2**40])}, "of class 3, 4, 5, 6, 7, …. Number"),
        ({"y_train": -1 - LABELS}, "one single class"),
        ({"y_train": LABELS * 2}, r"no training image of class 1, 3\. Number the classes"),
        ({"y_train": LABELS * 0, "y_test": LABELS * 0}, "one single class"),
        ({"class_names": np.array(["a", "b"])}, "label is 2; of 2 classes"),
        ({"class_names": np.array(["a", "b", "c", "d"])}, r"no training image of class 3\. Number"),
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


def test_images_without_a_class_are_listed_and_can_be_left_out(tmp_path: Path) -> None:
    labels = np.array([0, 1, 2, -1, 1, 7])
    names = np.array(["a", "b", "c"])
    found = survey_arrays(_arrays(y_train=labels, class_names=names), "", "mine")
    with pytest.raises(DataError) as caught:
        select(found, "keep", 0)
    lines = str(caught.value).splitlines()
    assert [line.split(";")[0] for line in lines[1:]] == [
        "  image 3 of x_train: its label is -1", "  image 5 of x_train: its label is 7"
    ]  # fmt: skip
    data = select(found, "skip", 0)
    assert np.array_equal(data.train.images, IMAGES[[0, 1, 2, 4]])
    assert data.train.labels.tolist() == [0, 1, 2, 1]
    assert data.notes == ("Left out: labels that are no class (2).",)
    labels = np.array([0, 1, 2, -1, 1, 0])
    twice = survey_arrays(_arrays(x_train=IMAGES[[0, 1, 2, 3, 1, 4]], y_train=labels), "", "")
    assert [p.where for p in twice.problems if p.kind == "duplicate"] == ["image 4 of x_train"]


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.8, 0.99])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_an_archive_that_was_cut_short_or_changed_is_named(
    tmp_path: Path, save: Any, keep: float
) -> None:
    path = tmp_path / "some.npz"
    save(path, **_arrays())
    whole = path.read_bytes()
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(DataError, match=r"some\.npz cannot be read as an \.npz file"):
        survey_npz(path)
    rng = np.random.default_rng(int(100 * keep))
    for _ in range(40):
        changed = bytearray(whole)
        for place in rng.integers(0, len(whole), 4):
            changed[place] = rng.integers(0, 256)
        path.write_bytes(changed)
        with contextlib.suppress(DataError):
            survey_npz(path)


def test_members_that_are_no_arrays_are_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "raw.npz", "w") as archive:
        for name in ("x_train", "y_train", "x_test", "y_test"):
            archive.writestr(name, b"\0" * 12)
    with pytest.raises(DataError, match="x_train, y_train, x_test, y_test is no array"):
        survey_npz(tmp_path / "raw.npz")


def test_another_kind_of_file_is_told_what_data_are(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(DataError, match=r"photo\.png is no \.npz file\. Data are an \.npz file"):
        survey_npz(tmp_path / "photo.png")


@pytest.mark.parametrize("content", [b"", b"PK\3\4 but no archive", b"\x93NUMPY"])
def test_a_file_that_is_no_npz_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.npz").write_bytes(content)
    with pytest.raises(DataError, match=r"bad\.npz cannot be read as an \.npz file"):
        survey_npz(tmp_path / "bad.npz")


def test_a_single_array_is_told_from_an_archive(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", IMAGES)
    with pytest.raises(DataError, match=r"is a single array, not an \.npz with x_train"):
        survey_npz(tmp_path / "one.npy")
