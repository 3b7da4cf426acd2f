"""Entries are whole or absent, damaged ones vanish, what was used longest ago makes room.

What a kill leaves behind is tested with the downloads, in tests/pretrained/test_processes.py.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from cnnzoo import files
from cnnzoo.errors import StorageError, UsageError
from cnnzoo.pretrained import partial
from cnnzoo.store import Store, key_of

STORE = Store("things")
A, B, C = (key_of(letter) for letter in "abc")
KIB = 2**-20  # in GiB


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of the store; there is none yet."""
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path))
    return tmp_path / "things"


def _put(key: str = A, text: str = "weights", age: int = 0) -> Path:
    path = STORE.put(key, "a thing", lambda to: (to / "model.bin").write_text(text))
    if age:
        os.utime(path, (time.time() - age, time.time() - age))
    return path


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _keys() -> list[str]:
    return [entry.path.name for entry in STORE.entries()]


def test_an_entry_is_found_again_under_its_key_only(folder: Path) -> None:
    assert STORE.get(A) is None
    path = _put()
    assert STORE.get(A) == path == folder / A
    assert STORE.get(B) is None
    assert (path / "model.bin").read_text() == "weights"
    assert _names(folder) == sorted([A, "CACHEDIR.TAG"])


def test_an_entry_says_what_it_is_and_when_it_was_used() -> None:
    path = _put(age=1000)
    (entry,) = STORE.entries()
    assert (entry.path, entry.title, entry.is_intact()) == (path, "a thing", True)
    assert entry.size_bytes == sum(file.stat().st_size for file in path.iterdir()) > 7
    assert entry.used < time.time() - 900
    STORE.get(A)
    assert STORE.entries()[0].used > time.time() - 900


def test_a_key_changes_with_all_that_is_described_and_its_place() -> None:
    described = [(), ("a", "b"), ("b", "a"), ("ab",), ("a", "c"), {"a": "b"}, {"a": ("b",)}]
    assert len({key_of(one) for one in described}) == len(described)
    assert key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("model.bin", "weight"),
        ("model.bin", "weightz"),
        ("model.bin", None),
        ("entry.json", None),
        ("entry.json", "{"),
        ("entry.json", "[]"),
        ("entry.json", '{"files": {}}'),
    ],
)
def test_a_damaged_entry_is_deleted_and_made_anew(
    folder: Path, name: str, text: str | None
) -> None:
    file = _put() / name
    file.unlink()
    if text is not None:
        file.write_text(text)
    assert not STORE.entries()[0].is_intact()
    assert STORE.get(A) is None
    assert _names(folder) == ["CACHEDIR.TAG"]
    assert (_put() / "model.bin").read_text() == "weights"


def test_a_writer_that_fails_leaves_nothing(folder: Path) -> None:
    def write(to: Path) -> NoReturn:
        (to / "model.bin").write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        STORE.put(A, "", write)
    assert _names(folder) == ["CACHEDIR.TAG"]


def test_two_writers_of_one_entry_do_not_harm_each_other() -> None:
    def write(to: Path) -> None:
        (to / "model.bin").write_text("weights")
        _put()  # another one is faster

    assert (STORE.put(A, "", write) / "model.bin").read_text() == "weights"
    assert _keys() == [A]


@pytest.mark.parametrize(
    ("number", "advice"),
    [(errno.ENOSPC, "Free some space"), (errno.EACCES, "Check the permissions")],
)
def test_a_disk_that_refuses_is_told_and_nothing_is_left(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, advice: str
) -> None:
    _put(B)

    def refuse(path: Path) -> NoReturn:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files, "sync", refuse)
    says = f"{os.strerror(number)}. {advice}, or choose another cache folder with CNNZOO_CACHE"
    with pytest.raises(StorageError, match=says) as caught:
        _put()
    assert str(folder / A) in str(caught.value)
    assert _names(folder) == sorted([B, "CACHEDIR.TAG"])


def test_a_store_that_may_only_be_read_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    _put(), _put(B).joinpath("model.bin").unlink()

    def refuse(*_: object, **__: object) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied")

    for name in ("utime", "mkdir", "rename"):
        monkeypatch.setattr(os, name, refuse)
    assert STORE.get(A) is not None
    assert STORE.get(B) is None
    for write in (lambda: _put(C), STORE.prune):
        with pytest.raises(StorageError, match=r"Permission denied.*CNNZOO_CACHE"):
            write()


def test_what_was_used_longest_ago_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(STORE.variable, str(1.25 * KIB))
    _put(A, "w" * 400, age=2000)
    _put(B, "w" * 400, age=1000)
    assert STORE.get(A)  # so B is the one now
    _put(C, "w" * 400)
    assert _keys() == [A, C]


def test_what_is_larger_than_the_limit_is_kept_until_the_next_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(STORE.variable, "0")
    _put(A)
    _put(B)
    assert _keys() == [B]
    assert [(entry.path.name, why) for entry, why in STORE.prune()] == [(B, "no room")]


@pytest.mark.parametrize("size", ["many", "-1", "nan"])
def test_a_limit_that_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    monkeypatch.setenv("CNNZOO_THINGS_GIB", size)
    with pytest.raises(UsageError, match=f"CNNZOO_THINGS_GIB='{size}' is no size"):
        STORE.limit_bytes()


@pytest.mark.parametrize("clean", [STORE.prune, lambda: _put(C)])
def test_only_writers_that_were_killed_on_this_machine_are_tidied_up(
    folder: Path, monkeypatch: pytest.MonkeyPatch, clean: Callable[[], object]
) -> None:
    _put()
    monkeypatch.setattr(partial, "_host", lambda: "here")
    monkeypatch.setattr(partial, "_runs", lambda pid: pid != 2)
    parts = [f".cnnzoo.{of}.00000000.part" for of in ("here.1", "here.2", "there.2")]
    for name in parts:
        (folder / name).mkdir()
        (folder / name / "model.bin").write_text("half")
    clean()
    assert [name for name in parts if (folder / name).exists()] == [parts[0], parts[2]]
    assert STORE.get(A)


def test_prune_deletes_what_is_of_no_use_or_everything(folder: Path) -> None:
    _put(A, age=10)
    (_put(B) / "model.bin").write_text("w")
    assert [(entry.path.name, why) for entry, why in STORE.prune()] == [(B, "damaged")]
    assert STORE.prune() == []
    assert [(entry.path.name, why) for entry, why in STORE.prune(True)] == [(A, "not kept")]
    assert _names(folder) == ["CACHEDIR.TAG"]


def test_nothing_of_others_is_touched_and_no_link_followed(folder: Path, tmp_path: Path) -> None:
    _put()
    (folder / "notes").mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / B).write_text("mine")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "thesis.txt").write_text("mine")
    (folder / C).symlink_to(tmp_path / "elsewhere")
    assert [entry.path.name for entry, _ in STORE.prune(everything=True)] == [A]
    assert _names(folder) == sorted([B, C, "CACHEDIR.TAG", "notes", "notes.txt"])
    assert (tmp_path / "elsewhere" / "thesis.txt").exists()


@pytest.mark.parametrize("tag", [None, "Signature: 8a477f597d28d172789f06886806bc55\n# theirs\n"])
def test_a_folder_that_is_not_marked_as_ours_holds_nothing_of_ours(
    folder: Path, tag: str | None
) -> None:
    """CNNZOO_CACHE points to somebody's home."""
    (folder / A).mkdir(parents=True)
    if tag:
        (folder / "CACHEDIR.TAG").write_text(tag)
    assert STORE.entries() == STORE.prune(everything=True) == []
    assert (folder / A).exists()
