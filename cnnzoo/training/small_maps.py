"""Convolutions of many channels on small maps, as products of matrices.

On a map of 3x3 pixels two fifths of what windows of 3x3 see is margin. TensorFlow's own kernels
multiply those zeros, and in bfloat16 their gradient of the kernel leaves the processor's matrix
units waiting. Two rules, both measured (docs/decisions/0014-small-maps.md): maps of a few pixels
are computed wholly as products of what is there, place by place; on larger ones, in bfloat16, only
the gradient of the kernel is, weight by weight of the window. Where a map is large for its
channels, TensorFlow's own kernels are faster.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from itertools import product
from typing import Any

from keras import layers

FEW_PIXELS = 16  # of the map, for the first rule
MANY_CHANNELS = 8192  # for each of them: products of channels, in by out
CHANNELS = 512  # for each pixel, for the second rule


def gains(layer: layers.Layer) -> bool:
    """Whether this is a convolution that learns faster so."""
    return (
        type(layer) is layers.Conv2D
        and layer.data_format == "channels_last"
        and (layer.strides, layer.dilation_rate, layer.groups) == ((1, 1), (1, 1), 1)
        and min(layer.kernel_size) > 1  # else it is one product of matrices anyway
        and (_by_place(layer, layer.input.shape) or _by_weight(layer, layer.input.shape))
    )


def _by_place(layer: layers.Conv2D, shape: Sequence[int | None]) -> bool:
    """The first rule, for images of the shape (N, h, w, C)."""
    pixels, products = _pixels_and_products(layer, shape)
    few = pixels <= FEW_PIXELS and bool(products >= MANY_CHANNELS * pixels)
    return few and layer.compute_dtype in ("bfloat16", "float32")


def _by_weight(layer: layers.Conv2D, shape: Sequence[int | None]) -> bool:
    """The second rule."""
    pixels, products = _pixels_and_products(layer, shape)
    return bool(products >= CHANNELS * pixels) and layer.compute_dtype == "bfloat16"


def _pixels_and_products(layer: layers.Conv2D, shape: Sequence[int | None]) -> tuple[float, int]:
    """Of the map, infinitely many where its size is not known; and of channels, in by out."""
    height, width, channels = shape[1:]
    pixels = math.inf if height is None or width is None else height * width
    return pixels, channels * layer.filters


def faster(layer: layers.Conv2D) -> Callable[[Any], Any]:
    """What the layer does, by products of matrices."""
    import tensorflow as tf

    padding = layer.padding.upper()
    size = layer.kernel_size
    # The larger half of an even window is behind the image, as in tf.nn.conv2d.
    before = tuple((side - 1) // 2 if padding == "SAME" else 0 for side in size)
    behind = tuple(side - 1 - margin for side, margin in zip(size, before, strict=True))

    def forward(images: Any, kernel: Any) -> Any:
        if _by_place(layer, images.shape):
            lost = (0, 0) if padding == "SAME" else (size[0] - 1, size[1] - 1)
            shape = (images.shape[1] - lost[0], images.shape[2] - lost[1])
            return _answers(images, kernel, before, shape)
        return tf.nn.conv2d(images, kernel, 1, padding)

    def backward(answer: Any, kernel: Any, images: Any) -> Any:
        if _by_place(layer, images.shape):
            turned = tf.transpose(tf.reverse(kernel, [0, 1]), (0, 1, 3, 2))
            return _answers(answer, turned, behind, images.shape[1:3])
        return tf.raw_ops.Conv2DBackpropInput(
            input_sizes=tf.shape(images), filter=kernel, out_backprop=answer,
            strides=[1, 1, 1, 1], padding=padding,
        )  # fmt: skip

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def convolve(images: Any, kernel: Any, bias: Any) -> Any:
        def gradients(answer: Any) -> tuple[Any, Any, Any]:
            in_full = tf.cast(answer, "float32")  # a sum of many in bfloat16 loses its end
            return (
                backward(answer, kernel, images),
                _of_kernel(images, answer, size, before),
                tf.cast(tf.reduce_sum(in_full, (0, 1, 2)), bias.dtype),
            )

        return tf.nn.bias_add(forward(images, kernel), bias), gradients

    def call(images: Any) -> Any:
        if not (_by_place(layer, images.shape) or _by_weight(layer, images.shape)):
            return type(layer).call(layer, images)  # images of another size than the layer's own
        kernel = tf.cast(layer.kernel, images.dtype)
        bias = layer.bias if layer.use_bias else tf.zeros(layer.filters)
        answer = convolve(images, kernel, tf.cast(bias, images.dtype))
        return answer if layer.activation is None else layer.activation(answer)

    return call


def _answers(images: Any, kernel: Any, before: Sequence[int], shape: Sequence[int]) -> Any:
    """(N, h, w, C), (k, l, C, F) -> (N, *shape, F): one product for each place of the answer."""
    import tensorflow as tf

    channels, filters = kernel.shape[2:]
    products = []
    for place in product(*map(range, shape)):
        (i, rows), (j, columns) = _inside(place, kernel.shape, before, images.shape[1:])
        length = math.prod(part.stop - part.start for part in (i, j)) * channels
        seen = tf.reshape(images[:, rows, columns], (-1, length))
        products.append(tf.matmul(seen, tf.reshape(kernel[i, j], (length, filters))))
    return tf.reshape(tf.stack(products, axis=1), (-1, *shape, filters))


def _of_kernel(images: Any, answer: Any, size: Sequence[int], before: Sequence[int]) -> Any:
    """(N, h, w, C), (N, h', w', F) -> (*size, C, F): one product for each weight of the window."""
    import tensorflow as tf

    channels, filters = images.shape[-1], answer.shape[-1]
    products = []
    for weight in product(*map(range, size)):
        (i, rows), (j, columns) = _inside(weight, answer.shape[1:], before, images.shape[1:])
        seen = tf.reshape(images[:, rows, columns], (-1, channels))
        said = tf.reshape(answer[:, i, j], (-1, filters))
        products.append(tf.matmul(seen, said, transpose_a=True))
    return tf.reshape(tf.stack(products), (*size, channels, filters))


def _inside(
    fixed: Sequence[int], counts: Sequence[int], before: Sequence[int], sides: Sequence[int]
) -> list[tuple[slice, slice]]:
    """For rows and for columns: what meets the image, and the pixels that it meets.

    Place p of the answer and weight i of the window meet in pixel p + i - before. So the same sum
    finds the weights that a place sees, out of ``counts``, and the places that a weight serves.
    """
    found = []
    for one, count, margin, side in zip(fixed, counts, before, sides, strict=False):
        first = max(0, margin - one)
        last = max(first, min(count, side + margin - one))
        found.append((slice(first, last), slice(first + one - margin, last + one - margin)))
    return found
