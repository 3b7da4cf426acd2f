"""MNIST's format: a magic number, the shape, the bytes (yann.lecun.com/exdb/mnist/)."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from cnnzoo.errors import DataError
from cnnzoo.training.data.arrays import MEMORY_BYTES

STEMS = {
    "x_train": "train-images-idx3-ubyte",
    "y_train": "train-labels-idx1-ubyte",
    "x_test": "t10k-images-idx3-ubyte",
    "y_test": "t10k-labels-idx1-ubyte",
}
_BYTES = 8  # the type code of unsigned bytes, the only one in use


def read_idx(path: Path) -> np.ndarray:
    """Read an idx file of unsigned bytes, packed by gzip or not.

    Raises:
        DataError: Another format, cut short, too long, or larger than the memory.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rb") as file:
            zero, code, dimensions = struct.unpack(">HBB", file.read(4))
            if zero or code != _BYTES or not 1 <= dimensions <= 4:
                raise DataError(f"{path} is no idx file of unsigned bytes.")
            shape = struct.unpack(f">{dimensions}I", file.read(4 * dimensions))
            size = math.prod(shape)
            if size > MEMORY_BYTES:
                raise DataError(f"{path} promises {size:,} bytes, more than the memory holds.")
            data = file.read(size + 1)
    except (OSError, EOFError, zlib.error, struct.error) as error:
        raise DataError(f"{path} cannot be read as an idx file: {error}.") from error
    if len(data) != size:
        raise DataError(f"{path} does not hold the {size:,} bytes of the shape {shape} it states.")
    return np.frombuffer(data, np.uint8).reshape(shape)


def idx_files(folder: Path) -> dict[str, Path]:
    """The four files of a folder, packed or not, by the array they hold; none if one is absent."""
    found = {}
    for key, stem in STEMS.items():
        # Unpacked by hand, the second hyphen often becomes a dot.
        for name in (f"{stem}.gz", stem, stem.replace("-idx", ".idx")):
            if (folder / name).is_file():
                found[key] = folder / name
                break
    return found if len(found) == len(STEMS) else {}
