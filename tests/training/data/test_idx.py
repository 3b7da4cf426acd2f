from __future__ import annotations

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest

from cnnzoo.errors import DataError
from cnnzoo.training.data import idx
from cnnzoo.training.data.idx import idx_files, read_idx
from cnnzoo.training.data.load import load_data

IMAGES = np.random.default_rng(0).integers(0, 256, (20, 3, 4), np.uint8)


def idx_bytes(array: np.ndarray) -> bytes:
    """The format, written down once more: magic number, shape, bytes."""
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("array", [IMAGES, np.arange(20, dtype=np.uint8)])
@pytest.mark.parametrize("name", ["a.gz", "a-ubyte"])
def test_an_idx_file_is_read_packed_or_not(tmp_path: Path, array: np.ndarray, name: str) -> None:
    data = idx_bytes(array)
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert np.array_equal(read_idx(tmp_path / name), array)


GOOD = idx_bytes(IMAGES)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (gzip.compress(GOOD)[:-20], "cannot be read as an idx file"),
        (gzip.compress(GOOD[:-1]), r"does not hold the 240 bytes of the shape \(20, 3, 4\)"),
        (gzip.compress(GOOD + b"x"), "does not hold the 240 bytes"),
        (b"<html>", "cannot be read as an idx file: Not a gzipped file"),
        (b"", "cannot be read as an idx file"),
        (gzip.compress(b"\0\0\x0d\3" + GOOD[4:]), "is no idx file of unsigned bytes"),
        (gzip.compress(b"\0\0\x08\x09" + GOOD[4:]), "is no idx file of unsigned bytes"),
        (gzip.compress(struct.pack(">HBB3I", 0, 8, 3, *[2**31] * 3)), "more than the memory"),
    ],
)
def test_what_is_no_idx_file_is_named(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "bad.gz").write_bytes(content)
    with pytest.raises(DataError, match=rf"bad\.gz.*{reason}"):
        read_idx(tmp_path / "bad.gz")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says how much it holds; more than that is never read."""
    monkeypatch.setattr(idx, "MEMORY_BYTES", 1000)
    data = struct.pack(">HBBI", 0, 8, 1, 900) + bytes(10**7)
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(data))
    with pytest.raises(DataError, match="does not hold the 900 bytes"):
        read_idx(tmp_path / "bomb.gz")


def test_a_folder_of_the_four_files_is_a_dataset(tmp_path: Path) -> None:
    labels = (np.arange(20) % 10).astype(np.uint8)
    arrays = {"x_train": IMAGES, "y_train": labels, "x_test": 255 - IMAGES, "y_test": labels}
    names = {
        "x_train": "train-images.idx3-ubyte",  # as unpacked by some programs
        "y_train": "train-labels-idx1-ubyte",
        "x_test": "t10k-images-idx3-ubyte.gz",
        "y_test": "t10k-labels-idx1-ubyte.gz",
    }
    for key, array in arrays.items():
        data = idx_bytes(array)
        packed = gzip.compress(data) if names[key].endswith("gz") else data
        (tmp_path / names[key]).write_bytes(packed)
    data = load_data(tmp_path)
    assert data.train.images.shape == (20, 3, 4, 1)  # type: ignore[union-attr]
    assert np.array_equal(data.test.labels, labels)
    (tmp_path / names["y_test"]).unlink()
    assert idx_files(tmp_path) == {}
