"""From how others store a tensor to how Keras does. Each knows the shape it will give.

Kernels of Keras are (height, width, in, out), those of torch, Caffe and ONNX (out, in, height,
width); the same holds for grouped convolutions, whose "in" counts one group.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, ...]
Array = NDArray[Any]


class Conversion(NamedTuple):
    """``shape`` tells the new shape, or None for a shape it cannot take; ``values`` the numbers."""

    shape: Callable[[Shape], Shape | None]
    values: Callable[[Array], Array]


def _transposition(*axes: int) -> Conversion:
    return Conversion(
        lambda shape: tuple(shape[i] for i in axes) if len(shape) == len(axes) else None,
        lambda values: values.transpose(axes),
    )


def flattened(channels: int, height: int, width: int) -> Conversion:
    """First dense layer after a flatten: (out, c * h * w) -> (h * w * c, out).

    torch and Caffe flatten channels first. timm stores the same numbers as a convolution
    (out, c, h, w), which is taken as well.
    """
    inside = channels * height * width

    def shape(stored: Shape) -> Shape | None:
        return (inside, stored[0]) if stored and math.prod(stored[1:]) == inside else None

    def values(stored: Array) -> Array:
        split = stored.reshape(-1, channels, height, width)
        return split.transpose(2, 3, 1, 0).reshape(inside, -1)

    return Conversion(shape, values)


def grouped(groups: int) -> Conversion:
    """Depthwise kernel (h, w, F, c) -> grouped kernel (h, w, c, F), with F = groups * c.

    ``keras.applications`` ran the grouped convolutions of ResNeXt as depthwise ones, c outputs for
    each channel, and summed each group's c inputs per output.
    """

    def shape(stored: Shape) -> Shape | None:
        fits = len(stored) == 4 and stored[2] == groups * stored[3]
        return (stored[0], stored[1], stored[3], stored[2]) if fits else None

    def values(stored: Array) -> Array:
        height, width, filters, inside = stored.shape
        apart = stored.reshape(height, width, groups, inside, inside)
        return apart.transpose(0, 1, 3, 2, 4).reshape(height, width, inside, filters)

    return Conversion(shape, values)


COPY = Conversion(lambda shape: shape, lambda values: values)
CONV = _transposition(2, 3, 1, 0)
DENSE = _transposition(1, 0)


def without_first(classes: int, conversion: Conversion) -> Conversion:
    """Drop leading classes, such as "background", from the last axis."""

    def shape(stored: Shape) -> Shape | None:
        new = conversion.shape(stored)
        return (*new[:-1], new[-1] - classes) if new and new[-1] > classes else None

    return Conversion(shape, lambda stored: conversion.values(stored)[..., classes:])


def grey_kernel(kernel: Array, scale: Sequence[float]) -> Array:
    """(h, w, 3, out) -> (h, w, 1, out): the answer to a grey image shown in three channels.

    Each channel of the original saw ``(grey - mean_c) / scale_c``; the one channel left sees
    ``(grey - mean) / scale`` with both averaged. The order of the channels plays no part.
    """
    each = np.asarray(scale, np.float64).reshape(1, 1, 3, 1)
    summed: Array = (kernel * (each.mean() / each)).sum(axis=2, keepdims=True)
    return summed


def grey_offset(kernel: Array, mean: Sequence[float], scale: Sequence[float]) -> Array:
    """(h, w, 3, out) -> (out,): what the averaged mean leaves behind, to be added to the bias.

    Exact wherever the kernel does not reach over the border.
    """
    means = np.asarray(mean, np.float64).reshape(1, 1, 3, 1)
    each = np.asarray(scale, np.float64).reshape(1, 1, 3, 1)
    offset: Array = (kernel * ((means.mean() - means) / each)).sum(axis=(0, 1, 2))
    return offset
