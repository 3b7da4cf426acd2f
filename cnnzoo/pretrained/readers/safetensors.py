"""safetensors: a JSON header that describes exactly the bytes behind it, nothing more or less.

Read here rather than by the package, because the bytes must come from the open file that was
verified, and because the package maps whole files into memory.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.readers.tensor import Tensor, Tensors, aligned, from_bfloat16

_LARGEST_HEADER_BYTES = 2**24
# Name in the file -> ours and bytes per element. What is no float can be passed over, not loaded.
_DTYPES = {
    "F16": ("float16", 2),
    "BF16": ("bfloat16", 2),
    "F32": ("float32", 4),
    "F64": ("float64", 8),
    "I64": ("int64", 8),
    "I32": ("int32", 4),
    "I16": ("int16", 2),
    "I8": ("int8", 1),
    "U8": ("uint8", 1),
    "BOOL": ("bool", 1),
}


@contextlib.contextmanager
def tensors(file: BinaryIO, name: str) -> Iterator[Tensors]:
    """Name -> tensor, in the order of the bytes.

    Raises:
        WeightsError: The header is damaged, or does not describe the bytes without gap or overlap.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    length = int.from_bytes(file.read(8), "little")
    if not 2 <= length <= min(_LARGEST_HEADER_BYTES, size - 8):
        raise WeightsError(
            f"{name} is no intact safetensors file: its header would have {length} bytes."
        )
    rows = sorted(_rows(file.read(length), name), key=lambda row: row[2])
    found = {}
    end = 0
    for tensor_name, (kind, width), begin, stop, shape in rows:
        if begin != end or stop - begin != math.prod(shape) * width:
            raise WeightsError(
                f"{name} is no intact safetensors file: {tensor_name} of shape {shape} lies at "
                f"bytes {begin} to {stop}."
            )
        end = stop
        read = partial(_read, file, 8 + length + begin, stop - begin, kind, shape, name)
        found[tensor_name] = Tensor(shape, kind, read)
    if 8 + length + end != size:
        raise WeightsError(
            f"{name} has {size} bytes, but its header describes {8 + length + end}. Fetch it again."
        )
    yield found


def _rows(
    header: bytes, name: str
) -> Iterator[tuple[str, tuple[str, int], int, int, tuple[int, ...]]]:
    """Name, dtype, first byte, end and shape of every tensor."""
    try:
        table = json.loads(header.decode("utf-8"), object_pairs_hook=_no_duplicates)
        for tensor_name, row in table.items():
            if tensor_name == "__metadata__":
                continue
            begin, stop = (_whole(number) for number in row["data_offsets"])
            shape = tuple(_whole(side) for side in row["shape"])
            yield tensor_name, _DTYPES[row["dtype"]], begin, stop, shape
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise WeightsError(
            f"{name} is no intact safetensors file: its header is damaged "
            f"({type(error).__name__}: {str(error)[:100]})."
        ) from error


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise ValueError("a name stands twice")
    return table


def _whole(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError(f"{number!r} is no size")
    return number


def _read(
    file: BinaryIO, begin: int, size: int, kind: str, shape: tuple[int, ...], name: str
) -> NDArray[Any]:
    stored = np.dtype("uint16" if kind == "bfloat16" else kind).newbyteorder("<")
    values = aligned(shape, stored)
    file.seek(begin)
    if file.readinto(values.reshape(-1).view(np.uint8)) != size:  # type: ignore[attr-defined]
        raise WeightsError(f"{name} became shorter while it was read.")
    return from_bfloat16(values) if kind == "bfloat16" else values
