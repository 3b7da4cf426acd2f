from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnzoo.errors import DataError, UnknownNameError, UsageError
from cnnzoo.pictures import ImageFiles
from cnnzoo.training.data.dataset import Part
from cnnzoo.training.data.load import load_data


def _save(path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 6, 6), np.uint8)
    labels = np.arange(20) % 10
    np.savez(path, x_train=images, y_train=labels, x_test=255 - images, y_test=labels)


def test_digits_are_the_1797_of_scikit_learn() -> None:
    data = load_data("digits")
    assert isinstance(data.train.images, np.ndarray)
    assert (len(data.train), len(data.test)) == (1438, 359)
    assert data.train.images.shape == (1438, 8, 8, 1)
    assert data.train.images.dtype == np.uint8
    assert data.train.images.max() == 255
    assert data.class_names == tuple("0123456789")
    assert str(data) == "digits: 1,438 training and 359 test images of 10 classes"


def test_digits_give_every_class_the_same_share_of_the_test_part() -> None:
    assert np.bincount(load_data("digits").test.labels).tolist() == [
        36, 36, 35, 37, 36, 36, 36, 36, 35, 36
    ]  # fmt: skip


def test_the_test_part_is_fixed_unless_another_seed_is_asked_for() -> None:
    first, again, other = load_data("digits"), load_data("Digits"), load_data("digits", seed=1)
    assert np.array_equal(first.test.images, again.test.images)
    assert not np.array_equal(first.test.images, other.test.images)


def test_a_path_to_an_npz_is_read(tmp_path: Path) -> None:
    _save(tmp_path / "mine.npz")
    assert load_data(tmp_path / "mine.npz").name == "mine"
    assert load_data(str(tmp_path / "mine.npz")).name == "mine"


def test_a_folder_called_like_a_dataset_is_read_when_given_as_a_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "digits").mkdir()
    monkeypatch.chdir(tmp_path)
    for path in ("./digits", "digits/", Path("digits")):
        with pytest.raises(DataError, match="has no classes"):
            load_data(path)


@pytest.mark.parametrize("source", ["", None, 5, ("x", "y")])
def test_what_is_no_source_is_refused(source: Any) -> None:
    with pytest.raises(UsageError, match="neither the name of a dataset nor a path"):
        load_data(source)


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        UnknownNameError, match=r"No dataset is named 'minst'\. Did you mean 'mnist'"
    ):
        load_data("minst")


@pytest.mark.parametrize("source", ["nowhere/", "nowhere.npz", Path("nowhere")])
def test_a_path_that_does_not_exist_is_named(source: str | Path) -> None:
    with pytest.raises(
        DataError, match=r"nowhere.* does not exist\. Give an \.npz file, a CSV list, a folder"
    ):
        load_data(source)


def test_an_unknown_way_with_bad_data_is_refused_before_anything_is_read() -> None:
    with pytest.raises(UsageError, match=r"bad_data='skp' is none of .* Did you mean 'skip'"):
        load_data("nowhere", bad_data="skp")


def test_a_device_is_no_dataset() -> None:
    """I8: it is told at once, and nothing is read from it."""
    with pytest.raises(DataError, match="/dev/zero is neither a file nor a folder"):
        load_data("/dev/zero")


def test_a_path_that_may_not_be_looked_at_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """S8: told by the call that fails, because root may look at everything."""

    def refused(self: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "stat", refused)
    with pytest.raises(DataError, match="secret/data cannot be read: Permission denied"):
        load_data("secret/data")


@pytest.mark.parametrize("fault", ["deleted", "damaged"])
def test_a_file_that_goes_bad_after_the_look_is_named(tmp_path: Path, fault: str) -> None:
    """S7: whoever reads it later, in the middle of an epoch, learns which one it was."""
    for name, seed in (("a", 0), ("b", 10)):
        (tmp_path / name).mkdir()
        for i in range(3):
            noise = np.random.default_rng(seed + i).integers(0, 256, (4, 4), np.uint8)
            Image.fromarray(noise).save(tmp_path / name / f"{i}.png")
    images = load_data(tmp_path).train.images
    assert isinstance(images, ImageFiles)
    path = images.paths[0]
    path.unlink() if fault == "deleted" else path.write_bytes(path.read_bytes()[:50])
    with pytest.raises(DataError, match=rf"{path.name}: it cannot be"):
        images[0]


def test_the_order_of_classes_is_part_of_a_dataset(tmp_path: Path) -> None:
    """S6: whoever predicts compares names, not numbers."""
    images = np.arange(20 * 4, dtype=np.uint8).reshape(20, 2, 2)
    arrays = {"x": images, "y": np.arange(20) % 2, "class_names": np.array(["dog", "cat"])}
    np.savez(tmp_path / "a.npz", **arrays)
    assert load_data(tmp_path / "a.npz").class_names == ("dog", "cat")


def test_rows_of_a_part_keep_images_and_labels_together() -> None:
    files = ImageFiles([Path(f"{i}.png") for i in range(4)])
    chosen = Part(files, np.array([5, 6, 7, 8])).rows(np.array([3, 0]))
    assert [path.name for path in chosen.images.paths] == ["3.png", "0.png"]  # type: ignore[union-attr]
    assert chosen.labels.tolist() == [8, 5]
