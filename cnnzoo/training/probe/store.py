"""Feature vectors on disk: each entry is whole or absent, the oldest make room for new ones.

```text
<cache>/features/<key>/features.npy    (N, F) float32
                       entry.json      what it is, its shape and its checksum
```
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import socket
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from cnnzoo import files
from cnnzoo.errors import CnnZooError, StorageError, UsageError
from cnnzoo.pretrained.environment import cache_folder
from cnnzoo.pretrained.partial import is_abandoned
from cnnzoo.pretrained.storage import storage_errors
from cnnzoo.units import mebibytes

ARRAY, ENTRY = "features.npy", "entry.json"
LIMIT_VARIABLE, LIMIT_GIB = "CNNZOO_FEATURES_GIB", 4.0
_KEY = re.compile(r"[0-9a-f]{32}")
_CHUNK_BYTES = 2**24
Blocks = Iterable[np.ndarray]


@dataclass(frozen=True, slots=True)
class Entry:
    """One folder of the store.

    Attributes:
        title: What it holds, for people.
        size_bytes: Of both files.
        used: When it was last read or written, in seconds since 1970.
    """

    path: Path
    title: str
    size_bytes: int
    used: float

    def is_intact(self) -> bool:
        """Whether the vectors are those that were written; reads them all."""
        try:
            return _read(self.path) is not None
        except StorageError:
            return False


def folder() -> Path:
    return cache_folder() / "features"


def limit_bytes() -> int:
    """How much the store may hold: ``CNNZOO_FEATURES_GIB``, 4 unless set; 0 keeps nothing.

    Raises:
        UsageError: The variable is no number from 0.
    """
    text = os.environ.get(LIMIT_VARIABLE, "") or str(LIMIT_GIB)
    try:
        size = float(text) * 2**30
        if not 0 <= size < 2**63:
            raise ValueError
    except ValueError:
        raise UsageError(
            f"{LIMIT_VARIABLE}={text!r} is no size. Set it to a number of GiB, such as 4, or to 0 "
            "to keep no features."
        ) from None
    return int(size)


def get(key: str) -> tuple[np.ndarray, dict[str, Any]] | None:
    """The vectors, mapped from the disk, and what was noted of them; None unless whole.

    A damaged entry is deleted, so that it is made anew.
    """
    path = folder() / key
    found = _read(path)
    if found is None:
        with contextlib.suppress(StorageError):  # what is made anew says what is wrong
            _delete(path)
        return None
    with contextlib.suppress(OSError):  # a cache that may only be read has no need of it
        os.utime(path / ENTRY)
    return found


def put(
    key: str, shape: tuple[int, int], blocks: Blocks, about: Mapping[str, Any]
) -> np.ndarray:  # fmt: skip
    """Keep ``blocks``, row after row, under ``key``; returns them mapped from the disk.

    The entries that were not used for longest are deleted when there is no room. What is more
    than all the room goes to a temporary file.

    Args:
        about: What to note of them; ``title`` is shown to people.

    Raises:
        StorageError: The cache cannot be written or the disk is full.
    """
    if 4 * shape[0] * shape[1] > limit_bytes():
        return scratch(shape, blocks)
    target = folder() / key
    make_room(4 * shape[0] * shape[1])
    with storage_errors(target), _beside(target) as temporary:
        with (temporary / ARRAY).open("xb") as file:
            checksum = _write(file, shape, blocks)
        files.sync(temporary / ARRAY)
        noted = json.dumps({**about, "shape": list(shape), "crc32": checksum}, indent=2)
        (temporary / ENTRY).write_text(noted + "\n", encoding="utf-8")
        files.sync(temporary / ENTRY)
        try:
            temporary.rename(target)
        except OSError:
            if not target.is_dir():  # else another process was faster; its vectors are the same
                raise
        files.sync(target.parent)
    found = get(key)
    if found is None:
        raise StorageError(
            f"{target} was deleted as soon as it was written. Another process needs the room: set "
            f"{LIMIT_VARIABLE} to more than {limit_bytes() / 2**30:g}."
        )
    return found[0]


def scratch(shape: tuple[int, int], blocks: Blocks) -> np.ndarray:
    """(N, F) float32 in a file that has no name and ends with the array.

    Raises:
        StorageError: The temporary folder has no room for it.
    """
    size = 4 * shape[0] * shape[1]
    try:
        with tempfile.TemporaryFile() as file:
            _write(file, shape, blocks)
            file.flush()
            return np.memmap(file, np.float32, "r+", file.tell() - size, shape)
    except OSError as error:
        if isinstance(error, CnnZooError):  # of what makes the blocks
            raise
        raise StorageError(
            f"{tempfile.gettempdir()} cannot hold {mebibytes(size)} of features: "
            f"{error.strerror or error}. Free some space, or set TMPDIR to another folder."
        ) from error


def entries() -> tuple[Entry, ...]:
    """What the store holds, in the order of use; nothing is read but what is noted."""
    return tuple(sorted(_entries(), key=lambda entry: entry.used))


def make_room(size_bytes: int) -> None:
    """Delete what was not used for longest until so much more may be kept."""
    held = entries()
    total = sum(entry.size_bytes for entry in held) + size_bytes
    for entry in held:
        if total <= limit_bytes():
            break
        with contextlib.suppress(StorageError):  # Windows keeps what is being read
            _delete(entry.path)
            total -= entry.size_bytes


def prune(everything: bool = False) -> tuple[tuple[Entry, str], ...]:
    """Delete what is of no use, or all; returns each with the reason.

    Of no use is what is damaged, what a killed process left behind, and what is more than the
    store may hold.
    """
    removed = []
    for path in _folders():
        if is_abandoned(path):
            removed.append((_entry(path), "abandoned features"))
    for entry in entries():
        if everything or not entry.is_intact():
            removed.append((entry, "not kept" if everything else "damaged"))
    for entry, _ in removed:
        _delete(entry.path)
    before = entries()
    make_room(0)
    left = {entry.path for entry in entries()}
    return (*removed, *((entry, "no room") for entry in before if entry.path not in left))


def _write(file: BinaryIO, shape: tuple[int, int], blocks: Blocks) -> int:
    """Write a .npy file; returns the checksum of its numbers."""
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    checksum = rows = 0
    for block in blocks:
        raw = np.ascontiguousarray(block, "<f4").data.cast("B") if block.size else b""
        checksum = zlib.crc32(raw, checksum)
        file.write(raw)
        rows += len(block)
    if rows != shape[0]:
        raise ValueError(f"{rows} rows came, {shape[0]} were announced")
    return checksum


def _read(path: Path) -> tuple[np.ndarray, dict[str, Any]] | None:
    try:
        about = json.loads((path / ENTRY).read_text("utf-8"))
        array: np.ndarray = np.load(path / ARRAY, mmap_mode="r", allow_pickle=False)
        if array.dtype != np.float32 or list(array.shape) != about["shape"]:
            return None
        return (array, about) if _checksum(array) == about["crc32"] else None
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def _checksum(array: np.ndarray) -> int:
    found, step = 0, max(1, _CHUNK_BYTES // (4 * array.shape[1]))
    for start in range(0, len(array), step):
        found = zlib.crc32(np.ascontiguousarray(array[start : start + step]).data.cast("B"), found)
    return found


@contextlib.contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A new folder beside ``target``, deleted in the end unless it was renamed."""
    host = re.sub(r"[^\w-]", "-", socket.gethostname()) or "unknown"
    name = f".cnnzoo.{host}.{os.getpid()}.{secrets.token_hex(4)}.part"  # `is_abandoned` reads it
    target.parent.mkdir(parents=True, exist_ok=True)
    for path in _folders():
        if is_abandoned(path):
            _delete(path)
    temporary = target.with_name(name)
    temporary.mkdir()
    try:
        yield temporary
    finally:
        _delete(temporary)


def _folders() -> list[Path]:
    """The folders in the store; links are not followed."""
    if not folder().is_dir():
        return []
    return sorted(path for path in folder().iterdir() if path.is_dir() and not path.is_symlink())


def _entries() -> Iterator[Entry]:
    for path in _folders():
        if _KEY.fullmatch(path.name):
            yield _entry(path)


def _entry(path: Path) -> Entry:
    """Whatever is wrong with it, it can be listed and deleted."""
    size, used, title = 0, 0.0, ""
    for name in (ARRAY, ENTRY):
        with contextlib.suppress(OSError):
            status = (path / name).stat()
            size, used = size + status.st_size, status.st_mtime
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        title = str(json.loads((path / ENTRY).read_text("utf-8"))["title"])
    return Entry(path, title or "features, unreadable", size, used)


def _delete(path: Path) -> None:
    """Delete our two files, what says "whole" first, and the folder; nothing else is touched.

    Raises:
        StorageError: It cannot be deleted.
    """
    with storage_errors(path), contextlib.suppress(FileNotFoundError):
        for name in (ENTRY, ARRAY):
            (path / name).unlink(missing_ok=True)
        path.rmdir()
