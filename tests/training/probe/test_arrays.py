from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from cnnzoo.errors import DataError, StorageError
from cnnzoo.store import FEATURES
from cnnzoo.training.probe import arrays

KEY, OTHER = 32 * "a", 32 * "b"
ROWS = np.arange(12, dtype="float32").reshape(4, 3)
MIB = 1 / 1024  # in GiB


def _put(key: str = KEY, rows: np.ndarray = ROWS) -> np.ndarray:
    blocks = iter([rows[:1], rows[1:]])
    return arrays.put(key, "net: data", "keras float32", rows.shape, blocks)


def test_what_is_put_is_got_and_mapped_from_the_disk(cache: Path) -> None:
    assert arrays.get(KEY) is None
    put, found = _put(), arrays.get(KEY)
    assert found is not None
    for array in (put, found[0], np.load(cache / "features" / KEY / "features.npy")):
        np.testing.assert_array_equal(array, ROWS)
    assert isinstance(found[0], np.memmap)
    assert found[1] == "keras float32"
    assert [entry.title for entry in FEATURES.entries()] == ["net: data"]


def test_what_fails_on_the_way_or_ends_too_early_is_not_kept() -> None:
    def blocks() -> Iterator[np.ndarray]:
        yield ROWS[:2]
        raise DataError("no more")

    with pytest.raises(DataError, match="no more"):
        arrays.put(KEY, "", "", ROWS.shape, blocks())
    with pytest.raises(ValueError, match="2 rows came, 4 were announced"):
        arrays.put(KEY, "", "", ROWS.shape, iter([ROWS[:2]]))
    assert arrays.get(KEY) is None


def test_room_is_made_before_anything_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FEATURES.variable, str(1.5 * MIB))
    megabyte = np.zeros((2**10, 2**8), "float32")
    _put(KEY, megabyte)

    def blocks() -> Iterator[np.ndarray]:
        assert FEATURES.entries() == []
        yield megabyte

    arrays.put(OTHER, "", "", megabyte.shape, blocks())
    assert [entry.path.name for entry in FEATURES.entries()] == [OTHER]


def test_more_than_may_be_kept_is_there_for_now(
    monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    monkeypatch.setenv(FEATURES.variable, "0")
    found = _put()
    np.testing.assert_array_equal(found, ROWS)
    found[0, 0] = 7
    assert found[0, 0] == 7
    assert not cache.exists()


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(arrays, "_write", full)
    with pytest.raises(StorageError, match=r"No space left on device.*CNNZOO_CACHE"):
        _put()
    with pytest.raises(StorageError, match=r"No space left on device.*TMPDIR"):
        arrays.scratch(ROWS.shape, iter([ROWS]))
