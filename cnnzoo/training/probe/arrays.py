"""Feature vectors on the disk: (N, F) float32, mapped rather than read, kept or only for now."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import numpy as np

from cnnzoo.files import storage_errors
from cnnzoo.store import FEATURES

ARRAY, RUNTIME = "features.npy", "runtime.txt"
Blocks = Iterable[np.ndarray]


def get(key: str) -> tuple[np.ndarray, str] | None:
    """The vectors that are kept under the key, and what computed them."""
    path = FEATURES.get(key)
    return None if path is None else (_mapped(path), (path / RUNTIME).read_text("utf-8"))


def put(key: str, title: str, runtime: str, shape: tuple[int, int], blocks: Blocks) -> np.ndarray:
    """Keep ``blocks``, row after row, or, if they are more than may be kept, have them for now.

    Raises:
        StorageError: The cache cannot be written or the disk is full.
    """
    size = 4 * shape[0] * shape[1]
    if size > FEATURES.limit_bytes():
        return scratch(shape, blocks)

    def write(folder: Path) -> None:
        with (folder / ARRAY).open("xb") as file:
            _write(file, shape, blocks)
        (folder / RUNTIME).write_text(runtime, encoding="utf-8")

    FEATURES.make_room(size)  # before so much is written, not after
    return _mapped(FEATURES.put(key, title, write))


def scratch(shape: tuple[int, int], blocks: Blocks) -> np.ndarray:
    """(N, F) float32 in a file that has no name and ends with the array.

    Raises:
        StorageError: The temporary folder has no room for it.
    """
    with (
        storage_errors(Path(tempfile.gettempdir()), "set TMPDIR to another folder"),
        tempfile.TemporaryFile() as file,
    ):
        start = _write(file, shape, blocks)
        file.flush()
        return np.memmap(file, np.float32, "r+", start, shape)


def _write(file: BinaryIO, shape: tuple[int, int], blocks: Blocks) -> int:
    """Write a .npy file; returns where in it the numbers start."""
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    start, rows = file.tell(), 0
    for block in blocks:
        file.write(np.ascontiguousarray(block, "<f4").data)
        rows += len(block)
    if rows != shape[0]:
        raise ValueError(f"{rows} rows came, {shape[0]} were announced")
    return start


def _mapped(folder: Path) -> np.ndarray:
    array: np.ndarray = np.load(folder / ARRAY, mmap_mode="r", allow_pickle=False)
    return array
