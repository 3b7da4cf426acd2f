"""Row S5 (lists of labels), and S3 for the paths in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnzoo.errors import DataError
from cnnzoo.pictures import ImageFiles
from cnnzoo.training.data.load import load_data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Twenty pictures called 0.png to 19.png."""
    (tmp_path / "data").mkdir()
    for i in range(20):
        noise = np.random.default_rng(i).integers(0, 256, (4, 4, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "data" / f"{i}.png")
    return tmp_path / "data"


def _write(folder: Path, *rows: str, header: str = "path,label", name: str = "list.csv") -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return path


def _cats_and_dogs(count: int = 10) -> list[str]:
    return [f"{i}.png,{'cat' if i % 2 else 'dog'}" for i in range(count)]


def _problems(path: Path) -> list[str]:
    with pytest.raises(DataError) as caught:
        load_data(path)
    return str(caught.value).splitlines()[1:]


def test_a_list_without_splits_has_a_fifth_set_aside(folder: Path) -> None:
    data = load_data(_write(folder, *_cats_and_dogs()))
    assert (data.name, data.source) == ("list", str(folder / "list.csv"))
    assert data.class_names == ("cat", "dog")
    assert (len(data.train), len(data.test)) == (8, 2)
    assert isinstance(data.train.images, ImageFiles)
    for path, label in zip(data.train.images.paths, data.train.labels, strict=True):
        assert label == (int(path.stem) + 1) % 2


@pytest.mark.parametrize("validation", ["val", "Validation"])
def test_splits_become_parts(folder: Path, validation: str) -> None:
    splits = ["train"] * 4 + ["test"] * 4 + [validation] * 2
    rows = [f"{row},{split}" for row, split in zip(_cats_and_dogs(), splits, strict=True)]
    data = load_data(_write(folder, *rows, header="path,label,split"))
    assert data.validation is not None
    assert [len(part) for part in (data.train, data.test, data.validation)] == [4, 4, 2]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_delimiter_byte_order_mark_and_column_order_do_not_matter(
    folder: Path, delimiter: str
) -> None:
    """S5."""
    rows = [f"{label},x,{path}" for path, label in (row.split(",") for row in _cats_and_dogs())]
    path = _write(folder, *rows, header="\ufeffLabel,comment,PATH")
    path.write_text(path.read_text("utf-8").replace(",", delimiter), "utf-8")
    assert load_data(path).class_names == ("cat", "dog")


def test_numbers_are_ordered_by_value(folder: Path) -> None:
    rows = [f"{i}.png,{(2, 10)[i % 2]}" for i in range(10)]
    assert load_data(_write(folder, *rows)).class_names == ("2", "10")


def test_some_classes_may_be_called_by_numbers_and_others_by_names(folder: Path) -> None:
    rows = [f"{i}.png,{'3A'[i % 2]}" for i in range(8)]
    assert load_data(_write(folder, *rows)).class_names == ("3", "A")
    rows = [f"{i}.png,{'357'[i % 3]}" for i in range(9)]
    misspelt = [
        f"{i}.png,{name}" for i, name in zip(range(9, 13), ("l", "O", "l0", "x"), strict=True)
    ]
    assert load_data(_write(folder, *rows, *misspelt), bad_data="skip").class_names == tuple("357")


def test_one_path_with_two_labels_is_left_out_under_both(folder: Path) -> None:
    data = load_data(_write(folder, *_cats_and_dogs(), "1.png,cow", "1.png,cat"), bad_data="skip")
    assert data.notes == ("Left out: rows of the list that make no sense (3).",)
    assert len(data.train) + len(data.test) == 9
    assert data.class_names == ("cat", "dog")


def test_every_row_that_makes_no_sense_is_named_with_its_line(folder: Path) -> None:
    """S5: all of them in one message."""
    (folder / "text.png").write_text("no image")
    header = "path,label,split"
    rows = [f"{row},{'train' if i < 6 else 'test'}" for i, row in enumerate(_cats_and_dogs())]
    bad = {
        "10.png,,train": "the label is missing ('')",
        "11.png,NaN,train": "the label is missing ('NaN')",
        "12.png,-1,train": "the label '-1' is a number, and no whole number from 0",
        "13.png,1.5,train": "the label '1.5' is a number, and no whole number from 0",
        "14.png,inf,train": "the label 'inf' is a number",
        "15.png,cow,test": "no training row has its label 'cow'",
        "16.png,cat,dev": "the split 'dev' is none of train, val, test",
        ",cat,train": "the path is empty",
        "0.png,dog,train": "the same path stands in line 2.",
        "1.png,dog,train": "the same path stands in line 3, there as 'cat'",
        "absent.png,cat,train": "cannot be read: No such file",
        "text.png,cat,train": "it is no JPEG",
        "17.png,cat,train,more": "4 fields under 3 columns",
        "18.png": "1 fields under 3 columns",
        "19.png,3,train": "'3' is one of few that are numbers",
        "a\0b.png,cat,train": "the path holds the character NUL",
    }
    lines = _problems(_write(folder, *rows, *bad, header=header))
    assert len(lines) == len(bad) + 1
    first = "line 3: 1.png: the same path stands in line 21, there as 'dog'"
    assert any(first in line for line in lines)
    for number, reason in enumerate(bad.values(), start=len(rows) + 2):
        assert any(f"line {number}: " in line or f"line {number}:" in line for line in lines)
        assert any(f"list.csv, line {number}" in line and reason in line for line in lines), reason


def test_bad_rows_are_left_out_with_their_count(folder: Path) -> None:
    data = load_data(_write(folder, *_cats_and_dogs(), "11.png,-1", "12.png,"), bad_data="skip")
    assert data.notes == ("Left out: rows of the list that make no sense (2).",)
    assert len(data.train) + len(data.test) == 10


@pytest.mark.parametrize("path", ["../secret.png", "link.png", "{outside}/secret.png"])
def test_paths_do_not_leave_the_folder_unless_asked_to(folder: Path, path: str) -> None:
    """S3."""
    outside = folder.parent
    (folder / "0.png").rename(outside / "secret.png")
    (folder / "link.png").symlink_to(outside / "secret.png")
    rows = [*_cats_and_dogs()[1:], f"{path.format(outside=outside)},dog"]
    (line,) = _problems(_write(folder, *rows))
    assert "leads out of the folder of the list; see follow_links" in line
    assert "line 11" in line
    assert len(load_data(folder / "list.csv", follow_links=True).train) == 8


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "none called 'path'"),
        (b"file,label\n", "columns 'file', 'label' in its first line, and none called 'path'"),
        (b"path|label\n", "divided by comma, semicolon or tab"),
        (b"path,label\n\xff.png,a\n", "cannot be read as CSV in UTF-8"),
        (b'path,label\n"a.png,b\n', "cannot be read as CSV in UTF-8"),
        (b"path,label\n" + 20_000 * b"a" + b",b\n", "cannot be read as CSV in UTF-8"),
        (b"path,label\n", "has no classes"),
        (b"path,label\na.png,x\n", "has one class, 'x'"),
        (b"path,label,split\na.png,x,train\nb.png,y,train\n", "no usable row of test"),
    ],
)
def test_a_list_that_is_none_is_refused(folder: Path, content: bytes, reason: str) -> None:
    (folder / "list.csv").write_bytes(content)
    with pytest.raises(DataError, match=reason):
        load_data(folder / "list.csv")
