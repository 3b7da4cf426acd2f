"""Which format is this? Name and first bytes have to agree; what cannot be read is named."""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.content import HEAD_BYTES, impostor
from cnnzoo.pretrained.readers import keras_archive, keras_h5, onnx, safetensors, torch
from cnnzoo.pretrained.readers.tensor import Tensors

Reader = Callable[[BinaryIO, str], AbstractContextManager[Tensors]]

_READABLE = "Readable: .keras, .h5, .weights.h5, .safetensors, .onnx, and .pth of torch."


class Format(NamedTuple):
    """A kind of file: its reader, the ends of its names, and how its bytes begin."""

    title: str
    read: Reader
    suffixes: tuple[str, ...]
    begins: Callable[[bytes], bool]


_ZIP = b"PK\x03\x04"
_HDF5 = Format(
    "HDF5",
    keras_h5.tensors,
    (".h5", ".hdf5"),
    lambda head: head.startswith(b"\x89HDF\r\n\x1a\n"),
)
FORMATS = {
    "keras-h5": _HDF5,
    "keras3-h5": _HDF5,
    "safetensors": Format(
        "safetensors", safetensors.tensors, (".safetensors",), lambda head: head[8:9] == b"{"
    ),
    "onnx": Format("ONNX", onnx.tensors, (".onnx",), lambda head: head[:1] == b"\x08"),
    "torch": Format(
        "torch",
        torch.tensors,
        (".pth", ".pt", ".th", ".bin"),
        lambda head: head.startswith((_ZIP, b"\x80")),
    ),
    "keras": Format(
        "a Keras model", keras_archive.tensors, (".keras",), lambda head: head.startswith(_ZIP)
    ),
}
_SAVE = "Save the weights alone: model.save_weights('name.weights.h5')."
_REFUSED = {
    ".pkl": "a pickle, which can carry code. It is never opened",
    ".pickle": "a pickle, which can carry code. It is never opened",
    ".npz": f"a NumPy archive without a layout. {_READABLE}",
    ".npy": f"a NumPy array. {_READABLE}",
    ".pb": f"a TensorFlow graph. {_SAVE}",
    ".ckpt": f"a TensorFlow checkpoint. {_SAVE}",
    ".index": f"a TensorFlow checkpoint. {_SAVE}",
    ".caffemodel": "a Caffe model. Take its ONNX form",
    ".zip": f"an archive. Unpack it first. {_READABLE}",
    ".gz": f"an archive. Unpack it first. {_READABLE}",
    ".tar": f"an archive. Unpack it first. {_READABLE}",
}


def open_weights(path: Path) -> BinaryIO:
    """Open what a user points at, after looking at what it is.

    Raises:
        WeightsError: It is missing, a folder, a pipe, or cannot be read.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            saved = (path / "saved_model.pb").exists()
            what = "a SavedModel of TensorFlow" if saved else "a folder"
            raise WeightsError(f"{path} is {what}. {_SAVE if saved else _READABLE}")
        if not stat.S_ISREG(mode):  # opening a pipe would wait for ever
            raise WeightsError(f"{path} is no regular file. {_READABLE}")
        return path.open("rb")
    except (OSError, ValueError) as error:
        if isinstance(error, WeightsError):
            raise
        missing = isinstance(error, OSError) and error.errno == errno.ENOENT
        what = "does not exist" if missing else f"cannot be read: {error}"
        raise WeightsError(f"The weight file {path} {what}. {_READABLE}") from error


def by_name_and_bytes(file: BinaryIO, path: Path) -> Format:
    """The format of a user's own file.

    Raises:
        WeightsError: The name or the bytes are of no known format, or contradict each other.
    """
    suffix = path.suffix.lower()
    if suffix in _REFUSED:
        raise WeightsError(f"{path} is {_REFUSED[suffix].rstrip('.')}.")
    head = _head(file, str(path))
    named = next((known for known in FORMATS.values() if suffix in known.suffixes), None)
    if named and named.begins(head):
        return named
    found = next((known for known in FORMATS.values() if known.begins(head)), None)
    if named is None:
        looks = f" Its bytes look like {found.title}." if found else ""
        raise WeightsError(
            f"{path} ends in {suffix!r}, which is no known format.{looks} {_READABLE}"
        )
    looks = f" like {found.title}" if found else f" like nothing known ({head[:8].hex(' ')})"
    raise WeightsError(f"{path} is called {named.title}, but its bytes look{looks}.")


def by_catalogue(file: BinaryIO, name: str, key: str) -> Format:
    """The format an entry states, if the bytes are of it.

    Raises:
        WeightsError: They are not.
    """
    head = _head(file, name)
    if not FORMATS[key].begins(head):
        raise WeightsError(f"{name} should be {FORMATS[key].title}, but begins otherwise.")
    return FORMATS[key]


def _head(file: BinaryIO, name: str) -> bytes:
    file.seek(0)
    head = file.read(HEAD_BYTES)
    file.seek(0)
    if not head:
        raise WeightsError(f"{name} is empty. Fetch it again.")
    if what := impostor(head):
        raise WeightsError(f"{name} is {what}. Fetch the file itself.")
    return head
