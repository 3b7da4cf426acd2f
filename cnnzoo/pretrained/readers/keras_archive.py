"""A whole Keras 3 model, ``.keras``: of the archive only the weights are opened, never the code.

The archive holds ``config.json``, which can carry code, and ``model.weights.h5``, which cannot.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.readers import keras_h5
from cnnzoo.pretrained.readers.tensor import Tensors

_MEMBER = "model.weights.h5"
_MOST_UNPACKED = 20  # times the size of the archive; weights hardly shrink, Keras stores them plain
_DAMAGE = (zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError, RuntimeError)


@contextlib.contextmanager
def tensors(file: BinaryIO, name: str) -> Iterator[Tensors]:
    """``layer/variable`` -> tensor, as `keras_h5.tensors` gives them.

    Raises:
        WeightsError: The archive is damaged, holds no weights, or unpacks to far more than it is.
    """
    with tempfile.TemporaryFile() as weights:
        try:
            _unpack(file, name, weights)
        except _DAMAGE as error:
            if isinstance(error, WeightsError):
                raise
            raise WeightsError(
                f"{name} is no intact Keras model ({type(error).__name__}: {error})."
            ) from error
        weights.seek(0)
        with keras_h5.tensors(weights, name) as found:
            yield found


def _unpack(file: BinaryIO, name: str, target: BinaryIO) -> None:
    size = file.seek(0, 2)
    with zipfile.ZipFile(file) as archive:
        if archive.namelist().count(_MEMBER) != 1:
            raise WeightsError(f"{name} is a zip archive, but no Keras model: it has no {_MEMBER}.")
        member = archive.getinfo(_MEMBER)
        if member.file_size > _MOST_UNPACKED * size:
            raise WeightsError(
                f"{name} has {size:,} bytes and claims to hold weights of {member.file_size:,}."
            )
        with archive.open(member) as packed:  # stops at the size it claims
            shutil.copyfileobj(packed, target, 2**20)
