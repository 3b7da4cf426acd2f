"""Rows S2, S3, S4 and S8 (what a tree of files can be), and I1 and I8 inside one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnzoo.errors import DataError
from cnnzoo.pictures import ImageFiles, picture
from cnnzoo.training.data.dataset import Dataset
from cnnzoo.training.data.load import load_data


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


def test_a_renamed_copy_in_another_part_is_refused_and_can_be_kept_or_left_out(
    tmp_path: Path,
) -> None:
    """S4."""
    _fill(tmp_path / "train" / "a", 2)
    _fill(tmp_path / "train" / "b", 2, start=10)
    _fill(tmp_path / "test" / "a", 1)
    _fill(tmp_path / "test" / "b", 1, start=20)
    (tmp_path / "test" / "a" / "0.png").rename(tmp_path / "test" / "a" / "new.png")
    with pytest.raises(DataError, match=r"train/a/0\.png: the same picture as .*test/a/new\.png"):
        load_data(tmp_path)
    kept = load_data(tmp_path, bad_data="keep")
    assert kept.notes == ("1 image is in more than one part, so the test result flatters.",)
    skipped = load_data(tmp_path, bad_data="skip")
    assert skipped.notes == ("Left out: pictures in more than one part (1).",)
    assert _names(skipped, "train") == ["a/1.png", "b/0.png", "b/1.png"]
    assert _names(skipped, "test") == ["a/new.png", "b/0.png"]


def test_a_copy_in_another_format_is_the_same_picture(tmp_path: Path) -> None:
    """S4: pixels are compared, not bytes."""
    _fill(tmp_path / "train" / "a", 2)
    _fill(tmp_path / "train" / "b", 2, start=10)
    _fill(tmp_path / "test" / "b", 2, start=20)
    (tmp_path / "test" / "a").mkdir()
    with Image.open(tmp_path / "train" / "a" / "0.png") as image:
        image.save(tmp_path / "test" / "a" / "0.bmp")
    with pytest.raises(DataError, match=r"train/a/0\.png: the same picture as .*test/a/0\.bmp"):
        load_data(tmp_path)


@pytest.mark.parametrize("seed", range(4))
def test_no_picture_is_on_both_sides_of_a_split_or_twice_in_the_test_part(
    tmp_path: Path, seed: int
) -> None:
    """S4: our own split must not make the leak, nor test what is left of a class for all of it."""
    _fill(tmp_path / "a", 10)
    _fill(tmp_path / "b", 10, start=50)
    for copy in range(20):
        for number in range(0, 10, 2):
            name = f"{number}copy{copy}.png"
            (tmp_path / "a" / name).write_bytes((tmp_path / "a" / f"{number}.png").read_bytes())
    data = load_data(tmp_path, seed=seed)
    train, test = (
        {picture(part.images, row).tobytes() for row in range(len(part))}
        for part in (data.train, data.test)
    )
    assert not train & test
    assert np.bincount(data.test.labels).tolist() == [2, 2]
    assert len(test) == 4
    unused = 120 - len(data.train) - len(data.test)
    told = (f"Copies of test images, not used: {unused}.",) if unused else ()
    assert data.notes == ("Duplicates within a part: 100.", *told)
    assert len(load_data(tmp_path, bad_data="skip").train) == 16


def test_a_class_of_copies_of_one_picture_cannot_be_split(tmp_path: Path) -> None:
    _fill(tmp_path / "a", 10)
    _fill(tmp_path / "b", 1, start=50)
    (tmp_path / "b" / "copy.png").write_bytes((tmp_path / "b" / "0.png").read_bytes())
    with pytest.raises(DataError, match="'b' has only one image, copies aside"):
        load_data(tmp_path)


def test_one_picture_under_two_labels_is_refused_and_left_out_under_both(tmp_path: Path) -> None:
    _fill(tmp_path / "a", 6)
    _fill(tmp_path / "b", 6, start=5)
    with pytest.raises(DataError) as caught:
        load_data(tmp_path)
    assert f"{tmp_path}/a/5.png: labelled 'a', and 'b' as {tmp_path}/b/0.png." in str(caught.value)
    data = load_data(tmp_path, bad_data="skip")
    assert "a/5.png" not in _names(data, "train") + _names(data, "test")
    assert len(data.train) + len(data.test) == 10


@pytest.mark.parametrize("name", ["val", "valid", "validation"])
def test_a_validation_folder_is_a_part(tmp_path: Path, name: str) -> None:
    for number, part in enumerate(("train", "test", name)):
        _fill(tmp_path / part / "a", 2, start=100 * number)
        _fill(tmp_path / part / "b", 2, start=100 * number + 10)
    data = load_data(tmp_path)
    assert data.notes == ()
    assert _names(data, "validation") == ["a/0.png", "a/1.png", "b/0.png", "b/1.png"]


def test_what_is_not_used_is_noted(tmp_path: Path) -> None:
    for part, start in (("train", 0), ("test", 50), ("extra", 90)):
        _fill(tmp_path / part / "a", 2, start=start)
        _fill(tmp_path / part / "b", 2, start=start + 10)
    (tmp_path / "train" / "labels.csv").write_text("")
    _fill(tmp_path / "train" / "c", 2, start=200)
    assert load_data(tmp_path).notes == (
        "c: the test part has no image of it.",
        "Beside the class folders, not used: extra, labels.csv.",
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
    assert (
        lines[0] == f"{tmp_path} has 7 problems; bad_data='skip' (--bad-data skip) leaves them out:"
    )
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
    with pytest.raises(DataError, match="has no classes; a classifier needs at least two"):
        load_data(tmp_path)


def test_a_test_folder_without_images_is_refused(tmp_path: Path) -> None:
    _fill(tmp_path / "train" / "a", 2)
    _fill(tmp_path / "train" / "b", 2, start=10)
    (tmp_path / "test").mkdir()
    with pytest.raises(DataError, match="test: there are no class folders"):
        load_data(tmp_path)


def test_one_single_class_is_refused(tmp_path: Path) -> None:
    _fill(tmp_path / "only", 3)
    with pytest.raises(DataError, match="one class, 'only'; a classifier needs"):
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


def test_what_is_wrong_is_left_out_with_its_count(tmp_path: Path) -> None:
    """S1, S2, S3."""
    _fill(tmp_path / "a", 6)
    _fill(tmp_path / "b", 6, start=10)
    (tmp_path / "empty").mkdir()
    (tmp_path / "a" / "deep").mkdir()
    (tmp_path / "a" / "page.jpg").write_text("<html>")
    (tmp_path / "b" / "zeros.png").write_bytes(bytes(500))
    (tmp_path / "b" / "cut.png").write_bytes((tmp_path / "b" / "0.png").read_bytes()[:60])
    data = load_data(tmp_path, bad_data="skip")
    assert data.class_names == ("a", "b")
    assert len(data.train) + len(data.test) == 12
    assert data.notes == (
        "Left out: unreadable or damaged files (1).",
        "Left out: files that are no images (2).",
        "Left out: folders inside class folders (1).",
        "Left out: classes without images (1).",
    )


def test_labels_follow_when_a_class_is_left_out(tmp_path: Path) -> None:
    """S2."""
    for number, name in enumerate("abc"):
        _fill(tmp_path / name, 5, start=10 * number)
    for path in (tmp_path / "b").iterdir():
        path.write_bytes(b"")
    data = load_data(tmp_path, bad_data="skip")
    assert data.class_names == ("a", "c")
    folders = [name.split("/")[0] for name in _names(data, "train")]
    assert folders == [data.class_names[label] for label in data.train.labels]


def test_nothing_left_to_train_on_is_said(tmp_path: Path) -> None:
    for name in "ab":
        _fill(tmp_path / name, 2)
    with pytest.raises(DataError, match="no class with images; a classifier needs"):
        load_data(tmp_path, bad_data="skip")


def test_a_suffix_that_lies_does_no_harm(tmp_path: Path) -> None:
    """S3: a GIF called .jpg is read as what it is."""
    _fill(tmp_path / "a", 5)
    _fill(tmp_path / "b", 5, start=10)
    with Image.open(tmp_path / "a" / "0.png") as image:
        image.save(tmp_path / "a" / "new.jpg", "GIF")
    (tmp_path / "a" / "0.png").unlink()
    data = load_data(tmp_path)
    assert len(data.train) + len(data.test) == 10
    assert data.notes == ()


def test_an_animation_counts_with_its_first_frame_and_a_note(tmp_path: Path) -> None:
    """I6."""
    _fill(tmp_path / "a", 5)
    _fill(tmp_path / "b", 5, start=10)
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green")]
    frames[0].save(tmp_path / "a" / "moves.gif", save_all=True, append_images=frames[1:])
    assert load_data(tmp_path).notes == ("Animations, of which the first frame is used: 1.",)


@pytest.mark.parametrize("what", ["file", "class"])
def test_a_link_out_of_the_folder_is_refused_unless_asked_for(tmp_path: Path, what: str) -> None:
    """S3."""
    _fill(tmp_path / "data" / "a", 3)
    _fill(tmp_path / "data" / "b", 3, start=10)
    _fill(tmp_path / "elsewhere", 3, start=20)
    link = {"file": "a/link.png", "class": "c"}[what]
    target = {"file": tmp_path / "elsewhere" / "0.png", "class": tmp_path / "elsewhere"}[what]
    (tmp_path / "data" / link).symlink_to(target)
    with pytest.raises(DataError, match=rf"{link}: it links out of the dataset; see follow_links"):
        load_data(tmp_path / "data")
    data = load_data(tmp_path / "data", follow_links=True)
    assert len(data.train) + len(data.test) == {"file": 7, "class": 9}[what]


def test_links_inside_the_folder_and_a_link_to_it_are_followed(tmp_path: Path) -> None:
    """S3."""
    _fill(tmp_path / "data" / "a", 3)
    _fill(tmp_path / "data" / "b", 3, start=10)
    (tmp_path / "data" / "a" / "again.png").symlink_to("1.png")
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert load_data(tmp_path / "link").notes == ("Duplicates within a part: 1.",)


def test_a_loop_of_links_is_named(tmp_path: Path) -> None:
    """S3, I8."""
    _fill(tmp_path / "a", 3)
    _fill(tmp_path / "b", 3, start=10)
    (tmp_path / "b" / "loop.png").symlink_to("loop.png")
    with pytest.raises(DataError, match=r"loop\.png: it cannot be read: Too many levels of"):
        load_data(tmp_path)


def test_class_names_that_differ_in_case_are_noted(tmp_path: Path) -> None:
    """S3."""
    _fill(tmp_path / "Cat", 3)
    _fill(tmp_path / "cat", 3, start=10)
    assert load_data(tmp_path).notes == ("Class names that differ in case only: 1.",)


@pytest.mark.skipif(os.name == "nt", reason="root decides on POSIX only")
@pytest.mark.parametrize("where", ["", "a"])
def test_a_folder_without_permission_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    """S8: told by the call that fails, because root may read everything."""
    _fill(tmp_path / "a", 3)
    _fill(tmp_path / "b", 3, start=10)
    iterdir = Path.iterdir

    def refused(self: Path) -> object:
        if self == tmp_path / where:
            raise PermissionError(13, "Permission denied", str(self))
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        load_data(tmp_path)


def test_memory_does_not_grow_with_the_number_of_images(tmp_path: Path) -> None:
    """S9: 162 MB of pictures in a process that may grow by half of that."""
    for name, colours in (("a", range(12)), ("b", range(12, 24))):
        (tmp_path / name).mkdir()
        for colour in colours:
            image = Image.new("RGB", (1500, 1500), (colour, 0, 0))
            image.save(tmp_path / name / f"{colour}.png", compress_level=1)
    script = f"""
import os, re
from pathlib import Path
from cnnzoo.training.data.load import load_data
import cnnzoo.training.data.sources

def peak_kib():  # not ru_maxrss, which begins with that of the process that started this one
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])

os.cpu_count = lambda: 2
before = peak_kib()
data = load_data({str(tmp_path)!r})
for image in data.train.images:
    pass
print(len(data.train), peak_kib() - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    count, grown_kib = map(int, done.stdout.split())
    assert count == 20
    assert grown_kib < 80_000, done.stdout
