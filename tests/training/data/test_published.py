"""Named datasets: every form in ``CNNZOO_DATA``, and the network, played by a loopback server."""

from __future__ import annotations

import gzip
import hashlib
import http.server
import io
import struct
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from cnnzoo.catalogue.datasets import DatasetEntry, DatasetFile, DatasetForm
from cnnzoo.errors import DataError, DownloadError, IntegrityError, OfflineError, UsageError
from cnnzoo.pretrained import fetch
from cnnzoo.pretrained.transfer import Limits
from cnnzoo.training.data import published
from cnnzoo.training.data.load import load_data

RNG = np.random.default_rng(0)
LABELS = (np.arange(20) % 10).astype(np.uint8)
GREY = {
    "x_train": RNG.integers(0, 256, (20, 28, 28), np.uint8),
    "y_train": LABELS,
    "x_test": RNG.integers(0, 256, (10, 28, 28), np.uint8),
    "y_test": LABELS[:10],
}
STEMS = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}


def _idx(array: np.ndarray) -> bytes:
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def _npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **GREY)
    return buffer.getvalue()


def _records(seed: int) -> bytes:
    rows = np.random.default_rng(seed).integers(0, 256, (10, 3073), np.uint8)
    rows[:, 0] = np.arange(10)
    return rows.tobytes()


BATCHES = {f"data_batch_{i}.bin": _records(i) for i in range(1, 6)} | {
    "test_batch.bin": _records(6)
}


def _tar() -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in BATCHES.items():
            entry = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


# What is published of the two datasets of this test, by file name.
MNIST = {f"{stem}.gz": gzip.compress(_idx(GREY[key])) for key, stem in STEMS.items()}
MNIST["mnist.npz"] = _npz()
CIFAR = {"cifar-10-binary.tar.gz": _tar()}


def _form(dataset: str, form: str, files: dict[str, bytes]) -> DatasetForm:
    entries = (
        DatasetFile(
            dataset=dataset,
            file=name,
            urls=(f"https://127.0.0.1:1/{name}",),
            size_bytes=len(data),
            hash=f"sha256:{hashlib.sha256(data).hexdigest()}",
            hash_stated_by="this test",
        )
        for name, data in files.items()
    )
    return DatasetForm(form=form, files=tuple(entries))


def _entry(name: str, title: str, *forms: DatasetForm) -> DatasetEntry:
    return DatasetEntry(
        name=name,
        title=title,
        words="noise",
        labels=title,
        train=20,
        test=10,
        licence="none",
        origin="this test",
        forms=forms,
    )


ENTRIES = {
    "mnist": _entry(
        "mnist",
        "MNIST",
        _form("mnist", "npz", {"mnist.npz": MNIST["mnist.npz"]}),
        _form("mnist", "idx", {f"{stem}.gz": MNIST[f"{stem}.gz"] for stem in STEMS.values()}),
    ),
    "cifar10": _entry(
        "cifar10",
        "CIFAR-10",
        _form("cifar10", "cifar-python", {"cifar-10-python.tar.gz": b"nowhere"}),
        _form("cifar10", "cifar-binary", CIFAR),
    ),
}


class Mirror(http.server.ThreadingHTTPServer):
    """Serves ``/<dataset>/<file>`` from a dictionary, and remembers what it was asked for."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []


class _Answer(http.server.BaseHTTPRequestHandler):
    server: Mirror

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        data = self.server.files.get(self.path)
        self.send_response(404 if data is None else 200)
        self.send_header("Content-Length", str(len(data or b"")))
        self.end_headers()
        self.wfile.write(data or b"")

    def log_message(self, *arguments: Any) -> None:
        """Silence."""


@pytest.fixture(autouse=True)
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """The only network there is, in front of addresses where nobody listens."""
    with Mirror() as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("CNNZOO_MIRROR", f"http://127.0.0.1:{server.server_address[1]}")
        monkeypatch.delenv("CNNZOO_DATA", raising=False)
        monkeypatch.delenv("CNNZOO_OFFLINE", raising=False)
        monkeypatch.setattr(published, "all_datasets", lambda: ENTRIES)
        monkeypatch.setattr(fetch, "LIMITS", Limits(attempts=1, sleep=lambda seconds: None))
        yield server
        server.shutdown()


def test_the_first_form_is_fetched_once(mirror: Mirror) -> None:
    mirror.files["/mnist/mnist.npz"] = MNIST["mnist.npz"]
    data = load_data("MNIST")
    assert (data.name, data.source) == ("mnist", "MNIST: this test")
    assert np.array_equal(data.train.images[..., 0], GREY["x_train"])  # type: ignore[call-overload]
    assert data.class_names == tuple("0123456789")
    assert len(load_data("mnist").test) == 10
    assert mirror.asked == ["/mnist/mnist.npz"]


def test_another_form_is_fetched_when_the_first_is_gone(mirror: Mirror) -> None:
    mirror.files |= {f"/mnist/{stem}.gz": MNIST[f"{stem}.gz"] for stem in STEMS.values()}
    assert np.array_equal(load_data("mnist").train.labels, LABELS)
    mirror.files["/cifar10/cifar-10-binary.tar.gz"] = CIFAR["cifar-10-binary.tar.gz"]
    data = load_data("cifar10")
    assert data.class_names[:2] == ("airplane", "automobile")
    assert (len(data.train), len(data.test)) == (50, 10)


def test_no_network_and_no_file_says_what_to_put_where() -> None:
    with pytest.raises(DownloadError) as caught:
        load_data("mnist")
    message = str(caught.value)
    assert message.startswith("'mnist' cannot be had. mnist.npz could not be downloaded")
    assert "Or put mnist.npz or train-images-idx3-ubyte.gz, train-labels" in message
    assert "into a folder and set CNNZOO_DATA to it; 'digits' needs no network." in message


def test_offline_asks_nobody(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNZOO_OFFLINE", "1")
    with pytest.raises(OfflineError, match="CNNZOO_OFFLINE forbids the network"):
        load_data("mnist")
    assert mirror.asked == []


def test_another_file_than_the_published_one_is_refused(mirror: Mirror) -> None:
    mirror.files["/mnist/mnist.npz"] = MNIST["mnist.npz"][:-1] + b"x"
    with pytest.raises((IntegrityError, DownloadError), match="sha256 of what it sends is"):
        load_data("mnist")


def _unpacked_idx(folder: Path) -> None:
    for key, stem in STEMS.items():
        (folder / stem).write_bytes(_idx(GREY[key]))


def _files(files: dict[str, bytes]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        for name, data in files.items():
            (folder / name).write_bytes(data)

    return write


def _class_folders(folder: Path) -> None:
    for part in ("train", "test"):
        for name in ("ant", "bee"):
            (folder / part / name).mkdir(parents=True)
            noise = RNG.integers(0, 256, (4, 4), np.uint8)
            Image.fromarray(noise).save(folder / part / name / "0.png")


PACKED_IDX = {name: data for name, data in MNIST.items() if name.endswith(".gz")}
HOMES = [
    ("mnist", ".", _files({"mnist.npz": MNIST["mnist.npz"]})),
    ("mnist", "mnist", _files({"mnist.npz": MNIST["mnist.npz"]})),
    ("mnist", ".", _files(PACKED_IDX)),
    ("mnist", "MNIST/raw", _files(PACKED_IDX)),
    ("mnist", "MNIST/raw", _unpacked_idx),
    ("mnist", "mnist", _class_folders),
    ("cifar10", ".", _files(CIFAR)),
    ("cifar10", "cifar-10", _files(CIFAR)),
    ("cifar10", "cifar-10-batches-bin", _files(BATCHES)),
    ("cifar10", "CIFAR10/cifar-10-batches-bin", _files(BATCHES)),
    ("cifar10", "cifar10", _files(BATCHES)),
    ("cifar10", "cifar10", _class_folders),
]


@pytest.mark.parametrize(("name", "home", "write"), HOMES)
def test_the_data_folder_may_hold_any_form(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    mirror: Mirror,
    name: str,
    home: str,
    write: Callable[[Path], None],
) -> None:
    folder = tmp_path / "data" / home
    folder.mkdir(parents=True)
    write(folder)
    monkeypatch.setenv("CNNZOO_DATA", str(tmp_path / "data"))
    data = load_data(name)
    assert data.name == name
    assert str(tmp_path / "data") in data.source
    assert mirror.asked == []


def test_idx_files_of_another_dataset_are_not_taken_for_this_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: Mirror
) -> None:
    """MNIST and Fashion-MNIST are published under the same file names."""
    _files(PACKED_IDX | {"train-labels-idx1-ubyte.gz": gzip.compress(_idx(LABELS[::-1]))})(tmp_path)
    monkeypatch.setenv("CNNZOO_DATA", str(tmp_path))
    mirror.files["/mnist/mnist.npz"] = MNIST["mnist.npz"]
    assert np.array_equal(load_data("mnist").train.labels, LABELS)
    assert mirror.asked == ["/mnist/mnist.npz"]


def test_a_data_folder_that_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNZOO_DATA", str(tmp_path / "absent"))
    with pytest.raises(UsageError, match=r"CNNZOO_DATA='.*absent' is no folder"):
        load_data("mnist")


def test_a_damaged_file_in_the_data_folder_is_named_and_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mirror: Mirror
) -> None:
    (tmp_path / "mnist.npz").write_bytes(b"PK")
    monkeypatch.setenv("CNNZOO_DATA", str(tmp_path))
    with pytest.raises(DataError, match=r"mnist\.npz cannot be read"):
        load_data("mnist")
    assert mirror.asked == []


def test_the_flaws_of_a_published_dataset_are_noted_and_can_be_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copied = GREY | {"x_test": GREY["x_train"][:10]}
    np.savez(tmp_path / "mnist.npz", **copied)
    monkeypatch.setenv("CNNZOO_DATA", str(tmp_path))
    (note,) = load_data("mnist").notes
    assert note.startswith("10 images are in more than one part")
    assert len(load_data("mnist", bad_data="skip").train) == 10
