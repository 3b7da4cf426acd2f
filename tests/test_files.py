"""Files are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from cnnzoo.errors import DownloadError, StorageError
from cnnzoo.files import (
    replacing,
    replacing_folder,
    storage_errors,
    write_json,
    write_text,
    write_with,
)


def test_block_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with pytest.raises(ZeroDivisionError), replacing(target) as temporary:
        temporary.write_text(str(1 / 0))
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_reader_sees_the_old_file_until_the_new_one_is_whole(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"


def test_reader_that_has_the_old_file_open_keeps_it_whole(tmp_path):
    target = tmp_path / "a.txt"
    write_text(target, "old")
    with target.open() as reader:
        write_text(target, "new")
        assert reader.read() == "old"


def test_temporary_name_ends_like_the_target(tmp_path):
    seen = []

    def write(path: str) -> None:
        seen.append(path)
        Path(path).write_text("x")

    write_with(tmp_path / "model.weights.h5", write)
    assert seen[0].endswith("model.weights.h5")


def test_folders_are_made_and_numbers_that_json_lacks_are_refused(tmp_path):
    target = tmp_path / "new" / "a.json"
    write_json(target, {"x": 1.5})
    assert json.loads(target.read_text()) == {"x": 1.5}
    with pytest.raises(ValueError, match="JSON"):
        write_json(target, {"x": float("nan")})
    assert json.loads(target.read_text()) == {"x": 1.5}


def test_folder_that_cannot_be_written_is_a_storage_error(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="cannot be written"):
        write_text(tmp_path / "file" / "a.txt", "x")


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "Free some space, or take"),
        (errno.EDQUOT, "Free some space, or take"),
        (errno.EROFS, "Check the permissions, or take"),
        (errno.ENAMETOOLONG, "Check the folder, or take"),
    ],
)
def test_what_the_system_refuses_is_told_with_the_way_out(number: int, advice: str) -> None:
    with pytest.raises(StorageError) as caught, storage_errors(Path("a"), "take the stick"):
        raise OSError(number, os.strerror(number))
    assert str(caught.value) == f"a cannot be written: {os.strerror(number)}. {advice} the stick."
    assert caught.value.errno == number


@pytest.mark.parametrize("inner", [StorageError("no room"), DownloadError("no network")])
def test_an_error_that_says_what_to_do_is_not_told_again(inner: OSError) -> None:
    with pytest.raises(type(inner)) as caught, storage_errors(Path("a")):
        raise inner
    assert caught.value is inner


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "out"
    target.mkdir()
    (target / "old.txt").write_text("old")
    rename = Path.rename

    def refuse(self: Path, other: Path) -> Path:
        if self.name.startswith(".part."):
            raise PermissionError(13, "Permission denied")
        return rename(self, other)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(StorageError, match="Permission denied"), replacing_folder(target) as part:
        (part / "new.txt").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in target.iterdir()] == ["old.txt"]


def test_a_folder_is_replaced_whole_or_stays_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "out"
    with replacing_folder(target) as part:
        (part / "one.txt").write_text("1")
    with pytest.raises(UnicodeEncodeError), replacing_folder(target) as part:
        (part / "two.txt").write_text("\N{SNOWMAN}", encoding="ascii")  # the file is there, empty
    assert [path.name for path in target.iterdir()] == ["one.txt"]
    with replacing_folder(target) as part:
        (part / "three.txt").write_text("3")
    assert [path.name for path in target.iterdir()] == ["three.txt"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
