"""Files are whole or absent, whatever happens while they are written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnzoo.errors import StorageError
from cnnzoo.files import replacing, write_json, write_text, write_with


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
