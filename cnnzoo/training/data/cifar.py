"""CIFAR-10's two formats: Python batches and binary records, in a folder or still in the tar."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from cnnzoo.errors import DataError

TRAIN = tuple(f"data_batch_{number}" for number in range(1, 6))
TEST = "test_batch"
ARCHIVES = ("cifar-10-python.tar.gz", "cifar-10-binary.tar.gz")
FOLDERS = ("cifar-10-batches-py", "cifar-10-batches-bin")
_BATCH_BYTES = 64 * 2**20  # a batch has 31 MB
_ARCHIVE_BYTES = 512 * 2**20  # the whole archive has 186 MB unpacked
_PIXELS = 3 * 32 * 32


def read_cifar(path: Path) -> dict[str, np.ndarray]:
    """Read x_train, y_train, x_test, y_test from an archive or a folder of batches.

    Nothing is unpacked to disk, and nothing in a batch is executed.

    Raises:
        DataError: Not those files, damaged, or far larger than CIFAR-10.
    """
    try:
        members = dict(_folder(path) if path.is_dir() else _archive(path))
    except (OSError, EOFError, zlib.error, tarfile.TarError) as error:
        raise DataError(f"{path} cannot be read: {error}.") from error
    missing = [name for name in (*TRAIN, TEST) if name not in members]
    if missing:
        raise DataError(
            f"{path} has no {', '.join(missing)}; it is not CIFAR-10, or not all of it."
        )
    train = [members[name] for name in TRAIN]
    return {
        "x_train": np.concatenate([images for images, _ in train]),
        "y_train": np.concatenate([labels for _, labels in train]),
        "x_test": members[TEST][0],
        "y_test": members[TEST][1],
    }


def is_cifar_folder(path: Path) -> bool:
    return any((path / f"{TEST}{suffix}").is_file() for suffix in ("", ".bin"))


_Members = Iterator[tuple[str, tuple[np.ndarray, np.ndarray]]]


def _folder(path: Path) -> _Members:
    for name in (*TRAIN, TEST):
        for file in (path / name, path / f"{name}.bin"):
            if file.is_file():
                with file.open("rb") as opened:
                    yield name, _batch(file.name, opened.read(_BATCH_BYTES + 1), str(file))


def _archive(path: Path) -> _Members:
    with (
        gzip.open(path, "rb") as unpacked,
        tarfile.open(fileobj=_Bounded(unpacked, path), mode="r|") as archive,
    ):
        for member in archive:
            name = member.name.rpartition("/")[2]
            if not member.isreg() or name.removesuffix(".bin") not in (*TRAIN, TEST):
                continue
            if member.size > _BATCH_BYTES:
                raise DataError(f"{path}: {name} has {member.size:,} bytes, too many for a batch.")
            file = archive.extractfile(member)
            data = file.read() if file else b""
            yield name.removesuffix(".bin"), _batch(name, data, f"{path}: {name}")


class _Bounded(io.RawIOBase):
    """Ends in an error before a small archive fills the memory."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file: BinaryIO = file
        self._path = path
        self._left = _ARCHIVE_BYTES

    def read(self, size: int = -1) -> bytes:
        self._left -= size if size >= 0 else self._left + 1
        if self._left < 0:
            raise DataError(f"{self._path} unpacks to more than {_ARCHIVE_BYTES:,} bytes.")
        return self._file.read(size)


def _batch(name: str, data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """(N, 32, 32, 3) and (N,), uint8, of the bytes of one batch."""
    planes, labels = _binary(data, where) if name.endswith(".bin") else _python(data, where)
    if len(planes) != len(labels) or not len(labels) or labels.max() > 9:
        raise DataError(f"{where} does not hold images and their labels from 0 to 9.")
    return planes.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), labels


def _binary(data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    if len(data) % (1 + _PIXELS):
        raise DataError(f"{where} is cut short, or no CIFAR-10 batch.")
    records = np.frombuffer(data, np.uint8).reshape(-1, 1 + _PIXELS)
    return records[:, 1:], records[:, 0]


def _python(data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    try:
        batch = _Batch(io.BytesIO(data), encoding="latin1").load()
        planes = np.frombuffer(batch["data"].data, np.uint8).reshape(-1, _PIXELS)
        return planes, np.array(batch["labels"], np.uint8)
    except DataError:
        raise
    except Exception as error:  # what a damaged or hostile pickle provokes
        raise DataError(f"{where} is no CIFAR-10 batch: {error!r:.200}.") from error


class _Stored:
    """What a batch says about its array; no code of numpy runs for it."""

    data = b""

    def __setstate__(self, state: Any) -> None:
        raw = state[-1]  # version, shape, type, order, bytes
        self.data = raw.encode("latin1") if isinstance(raw, str) else bytes(raw)


class _Type:
    def __setstate__(self, state: Any) -> None:
        """Nothing is done with it: the pixels are bytes."""


def _stored(*_: Any) -> _Stored:
    return _Stored()


def _type(*_: Any) -> _Type:
    return _Type()


def _encode(text: str, *_: Any) -> bytes:
    return text.encode("latin1")


_KNOWN = {
    ("numpy.core.multiarray", "_reconstruct"): _stored,
    ("numpy._core.multiarray", "_reconstruct"): _stored,
    ("numpy", "ndarray"): _stored,
    ("numpy", "dtype"): _type,
    ("_codecs", "encode"): _encode,
}


class _Batch(pickle._Unpickler):
    """Reads the pickles of CIFAR-10 and can call nothing but the four functions above.

    The variant in Python, not the one in C: a hostile file cannot make it claim memory ahead.
    """

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KNOWN[module, name]
        except KeyError:
            raise DataError(
                f"The batch wants to call {module}.{name}, which no batch of CIFAR-10 does. "
                "It was not called."
            ) from None
