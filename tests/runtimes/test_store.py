"""Entries are whole or absent, damaged ones vanish, the oldest make room."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cnnzoo.errors import StorageError
from cnnzoo.runtimes.store import ABANDONED_SECONDS, Store, key_of

A, B, C = (key_of(letter) for letter in "abc")


def _writer(text: str = "weights"):
    def write(folder: Path) -> None:
        (folder / "model.bin").write_text(text)

    return write


def test_an_entry_is_found_again_under_its_key_only(tmp_path):
    store = Store(tmp_path / "runtimes")
    assert store.get(A) is None
    path = store.put(A, "small for openvino", _writer())
    assert (path / "model.bin").read_text() == "weights"
    assert store.get(A) == path
    assert store.get(B) is None
    (entry,) = store.entries()
    assert entry.title == "small for openvino"
    assert entry.is_intact()


def test_a_key_changes_with_each_part_and_its_place():
    assert len({key_of(), key_of("a", "b"), key_of("b", "a"), key_of("ab"), key_of("a", "c")}) == 5


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / "model.bin").write_text("w"),
        lambda path: (path / "model.bin").write_text("weightz"),
        lambda path: (path / "model.bin").unlink(),
        lambda path: (path / "entry.json").unlink(),
        lambda path: (path / "entry.json").write_text("[]"),
    ],
)
def test_a_damaged_entry_is_removed_and_made_anew(tmp_path, damage):
    store = Store(tmp_path)
    damage(store.put(A, "small", _writer()))
    assert not store.entries()[0].is_intact()
    assert store.get(A) is None
    assert not (tmp_path / A).exists()
    assert (store.put(A, "small", _writer()) / "model.bin").read_text() == "weights"


def test_a_writer_that_fails_leaves_nothing(tmp_path):
    store = Store(tmp_path)

    def write(folder):
        (folder / "model.bin").write_text("half")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        store.put(A, "small", write)
    assert [path.name for path in tmp_path.iterdir()] == ["CACHEDIR.TAG"]


def test_a_killed_writer_leaves_no_entry_and_its_rest_is_removed_later(tmp_path):
    script = f"""
import os, pathlib
from cnnzoo.runtimes.store import Store
def write(folder):
    (folder / "model.bin").write_text("half")
    os._exit(9)
Store(pathlib.Path({str(tmp_path)!r})).put({A!r}, "small", write)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == 9
    store = Store(tmp_path)
    assert store.get(A) is None
    assert store.entries() == []
    (rest,) = tmp_path.glob(".part.*")
    store.put(B, "other", _writer())
    assert rest.exists()  # it might be another process at work
    long_ago = time.time() - ABANDONED_SECONDS - 60
    os.utime(rest, (long_ago, long_ago))
    store.put(C, "third", _writer())
    assert not rest.exists()


def test_what_was_used_longest_ago_makes_room(tmp_path):
    store = Store(tmp_path, cap_bytes=1300)
    for age, key in enumerate((A, B)):
        path = store.put(key, "small", _writer("w" * 400))
        then = time.time() - 1000 + age
        os.utime(path / "entry.json", (then, then))
    assert store.get(A)  # used now, so B is the oldest
    store.put(C, "small", _writer("w" * 400))
    assert {entry.path.name for entry in store.entries()} == {A, C}


def test_an_entry_larger_than_the_room_is_kept_until_the_next_one(tmp_path):
    store = Store(tmp_path, cap_bytes=10)
    assert store.get(store.put(A, "small", _writer()).name)
    store.put(B, "small", _writer())
    assert [entry.path.name for entry in store.entries()] == [B]


def test_prune_removes_what_is_damaged_or_everything_and_nothing_of_others(tmp_path):
    store = Store(tmp_path)
    damaged = store.put(A, "small", _writer())
    (damaged / "model.bin").write_text("w")
    store.put(B, "small", _writer())
    (tmp_path / "notes").mkdir()
    assert [(entry.path.name, why) for entry, why in store.prune()] == [(A, "damaged")]
    assert [(entry.path.name, why) for entry, why in store.prune(everything=True)] == [
        (B, "not kept")
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["CACHEDIR.TAG", "notes"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="CNNZOO_CACHE"):
        Store(tmp_path / "file" / "runtimes").put(A, "small", _writer())


def test_two_writers_of_one_entry_do_not_harm_each_other(tmp_path):
    store = Store(tmp_path)

    def write(folder):
        (folder / "model.bin").write_text("weights")
        if not (tmp_path / A).exists():
            store.put(A, "small", _writer())

    assert (store.put(A, "small", write) / "model.bin").read_text() == "weights"
    assert len(store.entries()) == 1
