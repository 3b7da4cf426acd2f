from __future__ import annotations

import gzip
import io
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnzoo.errors import DataError
from cnnzoo.training.data import cifar
from cnnzoo.training.data.cifar import TEST, TRAIN, read_cifar
from cnnzoo.training.data.load import load_data

NAMES = (*TRAIN, TEST)
PLANES = {
    name: np.random.default_rng(i).integers(0, 256, (10, 3072), np.uint8)
    for i, name in enumerate(NAMES)
}
LABELS = list(range(10))


def python_2(array: np.ndarray, labels: list[int]) -> bytes:
    """A batch as Python 2 and the NumPy of 2009 wrote it: protocol 2, bytes as ``str``."""

    def text(data: bytes) -> bytes:
        return b"T" + len(data).to_bytes(4, "little") + data

    shape = b"(" + b"".join(b"J" + n.to_bytes(4, "little") for n in array.shape) + b"t"
    dtype = b"cnumpy\ndtype\n(" + text(b"u1") + b"K\0K\1tR" + b"(K\3" + text(b"|") + b"NNNtb"
    stored = (
        b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\0t"
        + text(b"b")
        + b"tR(K\1"
        + shape
        + dtype
        + b"\x89"
        + text(array.tobytes())
        + b"tb"
    )
    rows = b"](" + b"".join(b"K" + bytes([n]) for n in labels) + b"e"
    return (
        b"\x80\2}(" + text(b"data") + stored + text(b"labels") + rows
        + text(b"batch_label") + text(b"one of two") + b"u."
    )  # fmt: skip


def python_3(array: np.ndarray, labels: list[int]) -> bytes:
    return pickle.dumps({"data": array, "labels": labels}, protocol=2)


def binary(array: np.ndarray, labels: list[int]) -> bytes:
    return np.concatenate([np.array(labels, np.uint8)[:, None], array], axis=1).tobytes()


def tar(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in members.items():
            entry = tarfile.TarInfo(f"cifar-10/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def _members(write: Any, suffix: str = "") -> dict[str, bytes]:
    return {f"{name}{suffix}": write(PLANES[name], LABELS) for name in NAMES}


WRITERS = {"python 2": (python_2, ""), "python 3": (python_3, ""), "binary": (binary, ".bin")}


@pytest.mark.parametrize("form", WRITERS)
@pytest.mark.parametrize("packed", [True, False])
def test_both_forms_are_read_packed_or_not(tmp_path: Path, form: str, packed: bool) -> None:
    members = _members(*WRITERS[form])
    path = tmp_path / "cifar.tar.gz"
    if packed:
        path.write_bytes(tar({"readme.html": b"<html>", **members}))
    else:
        path.mkdir()
        for name, data in members.items():
            (path / name).write_bytes(data)
    arrays = read_cifar(path)
    assert arrays["x_train"].shape == (50, 32, 32, 3)
    assert arrays["y_test"].tolist() == LABELS
    first = arrays["x_test"][3]
    assert first[5, 7].tolist() == PLANES[TEST][3].reshape(3, 32, 32)[:, 5, 7].tolist()
    assert load_data(path).channels == 3
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cifar.tar.gz"]  # nothing is unpacked


class Evil:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def _with(tmp_path: Path, data: bytes, name: str = TEST) -> Path:
    path = tmp_path / "cifar-10-python.tar.gz"
    path.write_bytes(tar(_members(python_2) | {name: data}))
    return path


@pytest.mark.parametrize(
    "call",
    [
        (os.system, "touch {mark}"),
        (eval, "open('{mark}', 'w')"),
        (getattr, os, "system"),
        (np.load, "{mark}"),
    ],
)
def test_a_batch_cannot_call_anything(tmp_path: Path, call: tuple[Any, ...]) -> None:
    mark = tmp_path / "mark"
    function, *rest = call
    texts = [a.format(mark=mark) if isinstance(a, str) else "os" for a in rest]
    batch = {"data": Evil(function, *texts), "labels": LABELS}
    with pytest.raises(DataError, match=r"no batch of CIFAR-10 does\. It was not called"):
        read_cifar(_with(tmp_path, pickle.dumps(batch, protocol=2)))
    assert not mark.exists()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"not a pickle",
        python_2(PLANES[TEST], LABELS)[:-2000],
        b"\x80\2r\xff\xff\xff\x7fN.",  # a memo of two thousand million entries
        b"\x80\2X\xff\xff\xff\x7fab.",
        pickle.dumps([1, 2], protocol=2),
        pickle.dumps({"data": b"x" * 3072, "labels": LABELS}, protocol=2),
        python_2(PLANES[TEST], LABELS[:-1]),
        python_2(PLANES[TEST][:, :-1].copy(), LABELS),
        python_2(PLANES[TEST], [*LABELS[:-1], 10]),
    ],
)
def test_a_damaged_batch_is_named(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DataError, match=r"cifar-10-python\.tar\.gz: test_batch "):
        read_cifar(_with(tmp_path, data))


def test_a_batch_that_is_absent_is_named(tmp_path: Path) -> None:
    members = _members(binary, ".bin")
    del members["data_batch_3.bin"]
    (tmp_path / "a.tar.gz").write_bytes(tar(members))
    with pytest.raises(DataError, match=r"a\.tar\.gz has no data_batch_3; it is not CIFAR-10"):
        read_cifar(tmp_path / "a.tar.gz")


@pytest.mark.parametrize("content", [b"", b"<html>", gzip.compress(b"<html>" * 1000)])
def test_what_is_no_archive_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"a\.tar\.gz (cannot be read|has no data_batch_1)"):
        read_cifar(tmp_path / "a.tar.gz")


def test_a_member_as_large_as_no_batch_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cifar, "_BATCH_BYTES", 10_000)
    with pytest.raises(DataError, match=r"data_batch_1 has .* bytes, too many for a batch"):
        read_cifar(_with(tmp_path, b""))


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE])
def test_an_archive_that_never_ends_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: bytes
) -> None:
    monkeypatch.setattr(cifar, "_ARCHIVE_BYTES", 100_000)
    entry = tarfile.TarInfo("zeros")
    entry.type, entry.size = kind, 10**7
    packed = gzip.compress(entry.tobuf(tarfile.USTAR_FORMAT) + bytes(10**7))
    (tmp_path / "bomb.tar.gz").write_bytes(packed)
    with pytest.raises(DataError, match="unpacks to more than 100,000 bytes"):
        read_cifar(tmp_path / "bomb.tar.gz")
