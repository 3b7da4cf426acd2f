"""Weights of a network into a file: safetensors, under the network's own names."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save

from cnnzoo import files
from cnnzoo.errors import UsageError
from cnnzoo.pretrained.assign import variables

SUFFIX = ".safetensors"


def save_weights(model: keras.Model, path: str | Path, note: str = "") -> Path:
    """Write every variable as float32 and return the path; equal weights give equal bytes.

    Tensors are called ``layer/variable``, as in ``conv1_conv/kernel``. ``cnnzoo.build`` reads the
    file by ``weights=path``, in the order and with the shapes of Keras.

    Args:
        note: What the file says about itself: where the weights come from, their licence.

    Raises:
        UsageError: The path ends otherwise than in ``.safetensors``.
        StorageError: The file cannot be written; an older one is left as it was.
    """
    path = Path(path)
    if path.suffix != SUFFIX:
        raise UsageError(f"{path} must end in {SUFFIX}, the format that is written.")
    tensors = {
        name: np.ascontiguousarray(keras.ops.convert_to_numpy(variable.value), dtype="float32")
        for name, variable in variables(model).items()
    }
    content = save(tensors, {"note": note} if note else None)  # of several keys the order is chance
    with files.replacing(path) as temporary:
        temporary.write_bytes(content)
    return path
