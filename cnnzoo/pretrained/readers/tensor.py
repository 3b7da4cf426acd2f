"""What every reader gives: tensors that know their shape and are read later, or never."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import WeightsError

_ALIGNMENT_BYTES = 64
NUMBERS = ("float16", "bfloat16", "float32", "float64")


@dataclass(frozen=True)
class Tensor:
    """One tensor of a file.

    Attributes:
        shape: As the file declares it.
        dtype: As NumPy calls it; only those in ``NUMBERS`` can be weights.
        read: Fetch the numbers, into memory of their own; bfloat16 comes as float32, which holds
            it exactly.
    """

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], NDArray[Any]]


Tensors = Mapping[str, Tensor]


def aligned(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """An array without numbers that begins where a tensor of TensorFlow may begin."""
    kind = np.dtype(dtype)
    size = math.prod(shape) * kind.itemsize
    raw = np.empty(size + _ALIGNMENT_BYTES, np.uint8)
    begin = -raw.ctypes.data % _ALIGNMENT_BYTES
    values: NDArray[Any] = raw[begin : begin + size].view(kind).reshape(shape)
    return values


def is_aligned(values: NDArray[Any]) -> bool:
    """Whether an array begins where those of `aligned` do."""
    return values.ctypes.data % _ALIGNMENT_BYTES == 0


def from_bfloat16(halves: NDArray[np.uint16]) -> NDArray[np.float32]:
    """bfloat16 is the upper half of float32."""
    return (halves.astype(np.uint32) << 16).view(np.float32)


def numbers(tensor: Tensor, name: str) -> NDArray[np.float32]:
    """The tensor in float32, without losing anything.

    Raises:
        WeightsError: A number is not finite, or is a float64 that float32 cannot hold.
    """
    values = tensor.read()
    with np.errstate(over="ignore"):
        single = values.astype(np.float32, copy=False)
        if not np.isfinite(np.vdot(single, single)):  # a fast hint; it may only be a large sum
            bad = int(np.size(single) - np.count_nonzero(np.isfinite(values)))
            if bad:
                raise WeightsError(f"{name} holds {bad} numbers that are NaN or infinite.")
    if values.dtype == np.float64 and not np.array_equal(single, values):
        raise WeightsError(
            f"{name} is float64 and does not fit into float32 without loss. Store it as float32."
        )
    return single
