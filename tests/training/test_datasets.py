from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from cnnzoo.errors import DataError, DownloadError, UnknownNameError, UsageError
from cnnzoo.pictures import ImageFiles
from cnnzoo.training.datasets import Part, load_data, split_off_test


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


@pytest.mark.parametrize("name", ["mnist", "cifar10", "fashion_mnist"])
def test_a_published_dataset_is_found_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    _save(tmp_path / f"{name}.npz")
    monkeypatch.setenv("CNNZOO_DATA", str(tmp_path))
    data = load_data(name)
    assert data.name == name
    assert data.source == str(tmp_path / f"{name}.npz")
    assert len(data.class_names) == 10


def test_a_failed_download_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def load() -> None:
        print("Downloading data")
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", load)
    monkeypatch.setenv("CNNZOO_DATA", str(tmp_path))
    with pytest.raises(DownloadError, match="URL fetch failure") as caught:
        load_data("mnist")
    assert f"no file mnist.npz (not in CNNZOO_DATA={tmp_path})" in str(caught.value)
    assert "Put mnist.npz with x_train, y_train, x_test, y_test into a folder" in str(caught.value)
    assert capsys.readouterr().out == ""  # standard output is for results


def test_a_download_is_used_where_there_is_no_data_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    images, labels = np.full((20, 32, 32, 3), 200, np.uint8), (np.arange(20) % 10)[:, None]
    parts = (images, labels), (images - 1, labels)
    monkeypatch.setattr(keras.datasets.cifar10, "load_data", lambda: parts)
    monkeypatch.delenv("CNNZOO_DATA", raising=False)
    data = load_data("cifar10")
    assert data.source == "cifar10, as downloaded by Keras"
    assert data.class_names[:2] == ("airplane", "automobile")


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
        with pytest.raises(DataError, match="has no class folders"):
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
    with pytest.raises(DataError, match=r"nowhere.* does not exist\. Give an \.npz file, a folder"):
        load_data(source)


def test_split_off_test_needs_two_images_of_a_class() -> None:
    images, labels = np.zeros((4, 2, 2, 1), np.uint8), np.array([0, 0, 0, 1])
    with pytest.raises(DataError, match="here: 'b' has only one image"):
        split_off_test(images, labels, ("a", "b"), "here", 0)


def test_rows_of_a_part_keep_images_and_labels_together() -> None:
    files = ImageFiles([Path(f"{i}.png") for i in range(4)])
    chosen = Part(files, np.array([5, 6, 7, 8])).rows(np.array([3, 0]))
    assert [path.name for path in chosen.images.paths] == ["3.png", "0.png"]  # type: ignore[union-attr]
    assert chosen.labels.tolist() == [8, 5]
