from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cnnzoo.errors import DataError, StorageError, UsageError
from cnnzoo.training.probe import store

KEY, OTHER = 32 * "a", 32 * "b"
ROWS = np.arange(12, dtype="float32").reshape(4, 3)
MIB = 1 / 1024  # in GiB


def _put(key: str = KEY, rows: np.ndarray = ROWS, title: str = "net: data") -> np.ndarray:
    half = len(rows) // 2
    blocks = iter([rows[:half], rows[half:]])
    return store.put(key, rows.shape, blocks, {"title": title, "runtime": "keras"})


def _names(cache: Path) -> list[str]:
    return sorted(path.name for path in (cache / "features").iterdir())


def test_what_is_put_is_got_and_mapped_from_the_disk(cache: Path) -> None:
    put = _put()
    found = store.get(KEY)
    assert found is not None
    np.testing.assert_array_equal(put, ROWS)
    np.testing.assert_array_equal(found[0], ROWS)
    assert found[1]["runtime"] == "keras"
    assert isinstance(found[0], np.memmap)
    assert _names(cache) == [KEY]
    np.testing.assert_array_equal(np.load(cache / "features" / KEY / "features.npy"), ROWS)


def test_what_was_never_put_is_not_got() -> None:
    assert store.get(KEY) is None
    assert store.entries() == ()


@pytest.mark.parametrize("how", ["byte", "short", "note", "other shape", "gone"])
def test_a_damaged_entry_is_deleted_and_made_anew(cache: Path, how: str) -> None:
    _put()
    array, note = (cache / "features" / KEY / name for name in ("features.npy", "entry.json"))
    raw = array.read_bytes()
    if how == "byte":
        array.write_bytes(raw[:-1] + bytes([raw[-1] ^ 1]))
    elif how == "short":
        array.write_bytes(raw[:-4])
    elif how == "note":
        note.write_text("{")
    elif how == "other shape":
        note.write_text(note.read_text().replace("4,", "3,"))
    else:
        array.unlink()
    (entry,) = store.entries()
    assert not entry.is_intact()
    assert store.get(KEY) is None
    assert _names(cache) == []
    np.testing.assert_array_equal(_put(), ROWS)


def test_a_failure_on_the_way_leaves_nothing(cache: Path) -> None:
    def blocks() -> Iterator[np.ndarray]:
        yield ROWS[:2]
        raise DataError("no more")

    with pytest.raises(DataError, match="no more"):
        store.put(KEY, ROWS.shape, blocks(), {"title": ""})
    assert _names(cache) == []


def test_too_few_rows_are_never_kept(cache: Path) -> None:
    with pytest.raises(ValueError, match="2 rows came, 4 were announced"):
        store.put(KEY, ROWS.shape, iter([ROWS[:2]]), {"title": ""})
    assert _names(cache) == []


def test_a_killed_process_leaves_no_entry_and_the_next_one_tidies_up(cache: Path) -> None:
    script = f"""
import time, numpy as np
from cnnzoo.training.probe import store
def blocks():
    yield np.zeros((2, 3), "float32")
    print("half", flush=True)
    time.sleep(60)
store.put({KEY!r}, (4, 3), blocks(), {{"title": ""}})
"""
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, env=dict(os.environ), text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half\n"
        process.send_signal(signal.SIGKILL)
    (left,) = _names(cache)
    assert left.endswith(".part")
    assert store.get(KEY) is None
    _put(OTHER)
    assert _names(cache) == [OTHER]


def test_two_processes_may_make_the_same_entry(cache: Path) -> None:
    def blocks() -> Iterator[np.ndarray]:
        yield ROWS[:2]
        _put()  # another one is faster
        yield ROWS[2:]

    found = store.put(KEY, ROWS.shape, blocks(), {"title": ""})
    np.testing.assert_array_equal(found, ROWS)
    assert _names(cache) == [KEY]


def test_the_entries_unused_for_longest_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(store.LIMIT_VARIABLE, str(2.5 * MIB))
    megabyte = np.zeros((2**10, 2**8), "float32")
    for i, key in enumerate((KEY, OTHER)):
        _put(key, megabyte)
        os.utime(store.folder() / key / "entry.json", (i, i))
    assert store.get(KEY) is not None  # now OTHER is the one unused for longest
    _put(32 * "c", megabyte)
    assert [entry.path.name for entry in store.entries()] == [KEY, 32 * "c"]


def test_more_than_all_the_room_is_not_kept(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    monkeypatch.setenv(store.LIMIT_VARIABLE, "0")
    np.testing.assert_array_equal(_put(), ROWS)
    assert not cache.exists()


@pytest.mark.parametrize("size", ["many", "-1", "nan"])
def test_a_limit_that_is_no_size_is_refused(monkeypatch: pytest.MonkeyPatch, size: str) -> None:
    monkeypatch.setenv(store.LIMIT_VARIABLE, size)
    with pytest.raises(UsageError, match=f"CNNZOO_FEATURES_GIB='{size}' is no size"):
        store.limit_bytes()


def test_prune_deletes_what_is_of_no_use(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for key in (KEY, OTHER):
        _put(key)
    (cache / "features" / OTHER / "features.npy").write_bytes(b"")
    foreign = cache / "features" / "mine"
    foreign.mkdir()
    assert [(entry.path.name, why) for entry, why in store.prune()] == [(OTHER, "damaged")]
    assert store.prune() == ()
    monkeypatch.setenv(store.LIMIT_VARIABLE, "0")
    assert [why for _, why in store.prune()] == ["no room"]
    monkeypatch.undo()
    monkeypatch.setenv("CNNZOO_CACHE", str(cache))
    _put()
    assert [why for _, why in store.prune(everything=True)] == ["not kept"]
    assert _names(cache) == ["mine"]


def test_other_files_in_an_entry_are_never_deleted(cache: Path) -> None:
    _put()
    (cache / "features" / KEY / "notes.txt").write_text("mine")
    with pytest.raises(StorageError, match="cannot be written"):
        store.prune(everything=True)
    assert (cache / "features" / KEY / "notes.txt").read_text() == "mine"


def test_an_entry_says_what_it_is_and_when_it_was_used(cache: Path) -> None:
    before = time.time() - 5
    _put()
    (entry,) = store.entries()
    files = [cache / "features" / KEY / name for name in ("features.npy", "entry.json")]
    assert entry.title == "net: data"
    assert entry.size_bytes == sum(path.stat().st_size for path in files)
    assert entry.used > before
    assert json.loads(files[1].read_text())["shape"] == [4, 3]


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(store, "_write", full)
    with pytest.raises(StorageError, match=r"No space left on device.*CNNZOO_CACHE"):
        _put()
    with pytest.raises(StorageError, match=r"No space left on device.*TMPDIR"):
        store.scratch(ROWS.shape, iter([ROWS]))


def test_a_temporary_array_has_no_name_and_can_be_written(tmp_path: Path) -> None:
    found = store.scratch(ROWS.shape, iter([ROWS]))
    found[0, 0] = 7
    assert found[0, 0] == 7
    np.testing.assert_array_equal(found[1:], ROWS[1:])
