from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnzoo.errors import DataError
from cnnzoo.pictures import ImageFiles
from cnnzoo.training.datasets import Dataset, load_data


def _fill(folder: Path, count: int, mode: str = "RGB", start: int = 0) -> None:
    """``count`` different images; the same ``start`` in another folder gives the same images."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        noise = np.random.default_rng(start + i).integers(0, 256, (5, 6, 3), np.uint8)
        Image.fromarray(noise).convert(mode).save(folder / f"{i}.png")


def _names(data: Dataset, part: str) -> list[str]:
    images = getattr(data, part).images
    assert isinstance(images, ImageFiles)
    return [f"{path.parent.name}/{path.name}" for path in images.paths]


def test_class_folders_are_split_by_class(tmp_path: Path) -> None:
    _fill(tmp_path / "pets" / "dog", 10)
    _fill(tmp_path / "pets" / "cat", 5, start=50)
    data = load_data(tmp_path / "pets")
    assert data.name == "pets"
    assert data.class_names == ("cat", "dog")
    assert np.bincount(data.train.labels).tolist() == [4, 8]
    assert np.bincount(data.test.labels).tolist() == [1, 2]
    assert not set(_names(data, "train")) & set(_names(data, "test"))
    for part in ("train", "test"):
        folders = [name.split("/")[0] for name in _names(data, part)]
        assert folders == [data.class_names[label] for label in getattr(data, part).labels]
    assert data.notes == ()


def test_train_and_test_folders_are_kept_apart(tmp_path: Path) -> None:
    _fill(tmp_path / "train" / "a", 3)
    _fill(tmp_path / "train" / "b", 2, start=10)
    _fill(tmp_path / "test" / "b", 1, start=20)
    _fill(tmp_path / "test" / "a", 1, start=30)
    data = load_data(tmp_path)
    assert _names(data, "test") == ["a/0.png", "b/0.png"]
    assert data.test.labels.tolist() == [0, 1]
    assert len(data.train) == 5


def test_hidden_and_littered_files_are_passed_over(tmp_path: Path) -> None:
    _fill(tmp_path / "a", 2)
    _fill(tmp_path / "b", 2, start=10)
    _fill(tmp_path / ".ipynb_checkpoints", 1)
    for litter in ("a/.DS_Store", "b/Thumbs.db", ".hidden"):
        (tmp_path / litter).write_text("")
    data = load_data(tmp_path)
    assert len(data.train) + len(data.test) == 4
    assert data.notes == ()


def test_grey_files_make_a_grey_dataset_and_one_coloured_file_does_not(tmp_path: Path) -> None:
    _fill(tmp_path / "a", 2, "L")
    _fill(tmp_path / "b", 2, "L", start=10)
    assert load_data(tmp_path).channels == 1
    _fill(tmp_path / "b", 3, "RGB", start=10)
    assert load_data(tmp_path).channels == 3


def test_a_class_called_train_is_a_class_when_it_holds_images(tmp_path: Path) -> None:
    _fill(tmp_path / "train", 2)
    _fill(tmp_path / "plane", 2, start=10)
    assert load_data(tmp_path).class_names == ("plane", "train")


def test_files_in_both_parts_are_noted_whatever_their_names(tmp_path: Path) -> None:
    _fill(tmp_path / "train" / "a", 2)
    _fill(tmp_path / "train" / "b", 2, start=10)
    _fill(tmp_path / "test" / "a", 1)
    _fill(tmp_path / "test" / "b", 1, start=20)
    (tmp_path / "test" / "a" / "0.png").rename(tmp_path / "test" / "a" / "new.png")
    (note,) = load_data(tmp_path).notes
    assert note.startswith("1 test image is also in the training part")


def test_what_is_not_used_is_noted(tmp_path: Path) -> None:
    for part, start in (("train", 0), ("test", 50), ("val", 90)):
        _fill(tmp_path / part / "a", 2, start=start)
        _fill(tmp_path / part / "b", 2, start=start + 10)
    (tmp_path / "train" / "labels.csv").write_text("")
    (tmp_path / "train" / "c").mkdir()
    _fill(tmp_path / "train" / "c", 1, start=200)
    assert load_data(tmp_path).notes == (
        "Beside the class folders, not used: labels.csv.",
        "No test images of c.",
        "Beside the class folders, not used: val.",
    )


def test_every_problem_is_named_in_one_message(tmp_path: Path) -> None:
    _fill(tmp_path / "train" / "a", 2)
    _fill(tmp_path / "train" / "b", 2, start=10)
    (tmp_path / "train" / "empty").mkdir()
    (tmp_path / "train" / "a" / "cut.png").write_bytes(
        (tmp_path / "train" / "a" / "0.png").read_bytes()[:60]
    )
    (tmp_path / "train" / "b" / "notes.txt").write_text("no image")
    (tmp_path / "train" / "b" / "lost.png").symlink_to(tmp_path / "nowhere.png")
    (tmp_path / "train" / "b" / "more").mkdir()
    os.mkfifo(tmp_path / "train" / "a" / "pipe.png")
    _fill(tmp_path / "test" / "other", 1)
    with pytest.raises(DataError) as caught:
        load_data(tmp_path)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{tmp_path} has 7 problems:"
    for name, reason in [
        ("train/b/more", "is a folder inside a class folder"),
        ("train/empty", "the class has no images"),
        ("test/other", "the training part has no such class"),
        ("train/a/cut.png", "cannot be"),
        ("train/a/pipe.png", "not a regular file"),
        ("train/b/lost.png", "No such file"),
        ("train/b/notes.txt", "no JPEG, PNG, WEBP, BMP or GIF image"),
    ]:
        assert any(f"{tmp_path / name}: " in line and reason in line for line in lines[1:]), name


def test_a_folder_without_classes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no class folders; a classifier needs at least two"):
        load_data(tmp_path)


def test_a_test_folder_without_images_is_refused(tmp_path: Path) -> None:
    _fill(tmp_path / "train" / "a", 2)
    _fill(tmp_path / "train" / "b", 2, start=10)
    (tmp_path / "test").mkdir()
    with pytest.raises(DataError, match="test: there are no class folders"):
        load_data(tmp_path)


def test_one_single_class_is_refused(tmp_path: Path) -> None:
    _fill(tmp_path / "only", 3)
    with pytest.raises(DataError, match="one class folder, 'only'; a classifier needs"):
        load_data(tmp_path)


def test_a_class_of_one_image_cannot_be_split(tmp_path: Path) -> None:
    _fill(tmp_path / "a", 5)
    _fill(tmp_path / "b", 1, start=10)
    with pytest.raises(
        DataError, match="'b' has only one image, so no test image can be set aside"
    ):
        load_data(tmp_path)


def test_a_train_folder_without_test_is_answered_with_what_to_do(tmp_path: Path) -> None:
    _fill(tmp_path / "train" / "a", 1)
    with pytest.raises(DataError, match=r"none called test\. Add test/<class>/, or pass .*train"):
        load_data(tmp_path)


def test_a_class_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    _fill(tmp_path / "a", 2)
    _fill(Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9")), 2, start=10)
    with pytest.raises(DataError, match=r"caf\\xe9: the name is not valid UTF-8"):
        load_data(tmp_path)
