"""Files that are not what they are called, or that nobody should open, are named as such."""

from __future__ import annotations

import io
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from weight_files import bytes_of

from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.load import load_weights

HDF5 = b"\x89HDF\r\n\x1a\n" + bytes(100)
SAFETENSORS = (2).to_bytes(8, "little") + b"{}"
canary: list[str] = []


class Canary:
    """Would sing when unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return canary.append, ("sung",)


def _npz() -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, weights=np.array([Canary()], dtype=object))
    return buffer.getvalue()


FILES = {
    "empty": ("x.h5", b"", "is empty"),
    "page": ("x.h5", b"<!DOCTYPE html><title>Sign in</title>", "a web page titled 'Sign in'"),
    "page as safetensors": ("x.safetensors", b"<html>", "a web page"),
    "LFS pointer": ("x.h5", b"version https://git-lfs.github.com/spec/v1\n", "git-LFS pointer"),
    "pickle": ("x.pkl", pickle.dumps(Canary()), "a pickle, which can carry code"),
    "pickle called h5": ("x.h5", pickle.dumps(Canary()), "HDF5, but its bytes look like torch"),
    "damaged model": ("x.keras", b"PK\x03\x04", "no intact Keras model"),
    "NumPy archive called keras": ("x.keras", _npz(), "no Keras model: it has no model.weights.h5"),
    "NumPy archive": ("x.npz", _npz(), "NumPy archive"),
    "NumPy archive called h5": ("x.h5", _npz(), "HDF5, but its bytes look like torch"),
    "TensorFlow graph": ("x.pb", b"\x08\x01", "TensorFlow graph"),
    "checkpoint": ("x.ckpt", b"abc", "TensorFlow checkpoint"),
    "Caffe": ("x.caffemodel", b"abc", "ONNX form"),
    "archive": ("x.tar.gz", b"abc", "Unpack it first"),
    "no suffix": ("weights", HDF5, "looks? like HDF5"),
    "unknown suffix": ("x.dat", b"abc", "no known format"),
    "HDF5 called safetensors": ("x.safetensors", HDF5, "safetensors, but its bytes look like HDF5"),
    "safetensors called HDF5": ("x.h5", SAFETENSORS, "HDF5, but its bytes look like safetensors"),
    "nothing known": ("x.h5", b"abcdefgh", "like nothing known"),
    "damaged HDF5": ("x.h5", HDF5, "no intact HDF5 file"),
    "no tensors": ("x.safetensors", SAFETENSORS, "no tensors"),
}


@pytest.mark.parametrize("what", FILES)
def test_file_is_refused_by_name(what, small, tmp_path):
    name, content, words = FILES[what]
    (tmp_path / name).write_bytes(content)
    before = bytes_of(small)
    with pytest.raises(WeightsError, match=words) as caught:
        load_weights(small, tmp_path / name)
    assert bytes_of(small) == before
    assert not canary
    if what != "no tensors":
        assert str(tmp_path / name) in str(caught.value)


def test_what_is_no_file_is_refused(small, tmp_path):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    os.mkfifo(tmp_path / "pipe.h5")
    for name, words in (
        ("absent.h5", "does not exist"),
        (".", "a folder"),
        ("saved", "SavedModel"),
        ("pipe.h5", "no regular file"),
        ("x.h5/y.h5", "does not exist"),
        ("nul\0.h5", "cannot be read"),
    ):
        with pytest.raises(WeightsError, match=words):
            load_weights(small, tmp_path / name)


def test_path_may_be_text_and_suffixes_any_case(small, tmp_path):
    path = tmp_path / "mine.weights.h5"
    small.save_weights(path)
    upper = path.rename(tmp_path / "MINE.H5")
    assert load_weights(small, str(upper), classifier=("predictions",)).loaded == 9


@pytest.mark.parametrize("format", ["safetensors", "onnx", "torch"])
def test_published_file_must_be_of_the_format_its_entry_states(format, small, tmp_path):
    path = Path(tmp_path / "blob")
    path.write_bytes(HDF5)
    with path.open("rb") as file, pytest.raises(WeightsError, match="begins otherwise"):
        load_weights(small, file, format=format)
