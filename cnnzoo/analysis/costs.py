"""Multiply-accumulates and receptive-field geometry of each kind of layer.

One MAC is one multiplication and one addition; FLOPs are exactly twice the MACs. Convolutions of
every kind and dense layers are counted, for one image; biases, normalisation, activations and
pooling are not, as in the papers. A layer of another kind may count itself with a method
``multiply_accumulates(output_shape)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from keras import layers

from cnnzoo.analysis.graph import Shape, Step

CONVOLUTIONS = (layers.Conv1D, layers.Conv2D, layers.Conv3D)
DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)
TRANSPOSED = (layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose)
WEIGHTED = (*CONVOLUTIONS, *DEPTHWISE, *SEPARABLE, *TRANSPOSED, layers.Dense)
POOLINGS = (
    layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D,
    layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D,
)  # fmt: skip
# Kinds of Keras that multiply and are not counted.
MULTIPLYING = (
    layers.Attention, layers.AdditiveAttention, layers.MultiHeadAttention,
    layers.GroupQueryAttention, layers.EinsumDense, layers.Dot, layers.RNN, layers.Wrapper,
    layers.Lambda,
)  # fmt: skip
MULTIPLYING_OPS = frozenset(
    {
        "Conv", "ConvTranspose", "Correlate", "DepthwiseConv", "Dot", "Einsum", "Inner", "Matmul",
        "Outer", "SeparableConv", "Tensordot", "Vdot",
    }
)  # fmt: skip
RESAMPLING = (layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D)


def is_weighted(layer: object) -> bool:
    """Whether the layer counts towards the depth of the papers, "VGG-16", "ResNet-50"."""
    return isinstance(layer, WEIGHTED) or hasattr(layer, "multiply_accumulates")


def macs(step: Step) -> int | None:
    """Multiply-accumulates of one image; ``None`` where a size is unknown or the kind is."""
    layer = step.layer
    try:
        if hasattr(layer, "multiply_accumulates"):
            return int(layer.multiply_accumulates(step.outputs[0]))
        if isinstance(layer, SEPARABLE):
            return _separable(step)
        if isinstance(layer, DEPTHWISE):
            pixels, _ = _split(step.outputs[0], layer.data_format)
            _, channels = _split(step.inputs[0], layer.data_format)
            return int(pixels * prod(layer.kernel_size) * channels * layer.depth_multiplier)
        if isinstance(layer, TRANSPOSED):
            pixels, channels = _split(step.inputs[0], layer.data_format)
            return int(pixels * prod(layer.kernel_size) * channels * layer.filters)
        if isinstance(layer, CONVOLUTIONS):
            pixels, _ = _split(step.outputs[0], layer.data_format)
            _, channels = _split(step.inputs[0], layer.data_format)
            per_group = channels // layer.groups
            return int(pixels * prod(layer.kernel_size) * per_group * layer.filters)
        if isinstance(layer, layers.Dense):
            return prod(_known(step.outputs[0][1:])) * _known(step.inputs[0][-1:])[0]
    except _UnknownSize:
        return None
    return 0 if is_free(layer) else None


def _separable(step: Step) -> int:
    pixels, filters = _split(step.outputs[0], step.layer.data_format)
    _, channels = _split(step.inputs[0], step.layer.data_format)
    between = channels * step.layer.depth_multiplier
    return int(pixels * between * (prod(step.layer.kernel_size) + filters))


def between(step: Step) -> int:
    """Elements of the tensor between the halves of a separable convolution, for one image."""
    if not isinstance(step.layer, SEPARABLE):
        return 0
    pixels, _ = _split(step.outputs[0], step.layer.data_format)
    _, channels = _split(step.inputs[0], step.layer.data_format)
    return int(pixels * channels * step.layer.depth_multiplier)


def is_free(layer: object) -> bool:
    """Whether the layer is of a kind known to have no multiply-accumulates by convention."""
    package = type(layer).__module__.partition(".")[0]
    if package == "cnnzoo":
        return True  # ours that multiply say so themselves
    if package != "keras":
        return False
    if isinstance(layer, layers.Layer):
        return not isinstance(layer, MULTIPLYING)
    return type(layer).__name__ not in MULTIPLYING_OPS


@dataclass(frozen=True, slots=True)
class Window:
    """What one unit sees of its layer's input: ``kernel`` positions, ``stride`` to the next unit.

    Height and width; a stride below one makes the image larger.
    """

    kernel: tuple[int, int] = (1, 1)
    stride: tuple[float, float] = (1.0, 1.0)


def window(layer: Any) -> Window:
    """The window of a layer; one position for layers that work on each position alone.

    A layer of another kind may state its own with a method ``window() -> (kernel, stride)``, both
    sides alike.
    """
    if hasattr(layer, "window"):
        kernel, stride = layer.window()
        return Window((kernel, kernel), (stride, stride))
    if isinstance(layer, TRANSPOSED):
        sides = zip(_pair(layer.kernel_size), _pair(layer.strides), strict=True)
        height, width = (-(-side // stride) for side, stride in sides)
        vertical, horizontal = _pair(layer.strides)
        return Window((height, width), (1 / vertical, 1 / horizontal))
    if isinstance(layer, (*CONVOLUTIONS, *DEPTHWISE, *SEPARABLE)):
        sides = zip(_pair(layer.kernel_size), _pair(layer.dilation_rate), strict=True)
        height, width = ((side - 1) * dilation + 1 for side, dilation in sides)
        return Window((height, width), _pair(layer.strides))
    if isinstance(layer, POOLINGS):
        return Window(_pair(layer.pool_size), _pair(layer.strides))
    if isinstance(layer, RESAMPLING):
        vertical, horizontal = _pair(layer.size)
        return Window((1, 1), (1 / vertical, 1 / horizontal))
    return Window()


def _pair(sizes: int | tuple[int, ...]) -> tuple[int, int]:
    """Height and width of one size, or of one, two or three of them."""
    if isinstance(sizes, int):
        return sizes, sizes
    return sizes[0], sizes[1] if len(sizes) > 1 else 1


class _UnknownSize(Exception):
    """A size the count needs is ``None``."""


def _known(shape: Shape) -> tuple[int, ...]:
    sizes = tuple(size for size in shape if size is not None)
    if len(sizes) != len(shape):
        raise _UnknownSize
    return sizes


def _split(shape: Shape, data_format: str) -> tuple[int, int]:
    """Number of positions in the image, and of channels."""
    sizes = _known(shape[1:])
    if data_format == "channels_last":
        return prod(sizes[:-1]), sizes[-1]
    return prod(sizes[1:]), sizes[0]
