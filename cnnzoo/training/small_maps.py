"""Kernel gradients of convolutions of many channels on small maps, by the matrix units.

There TensorFlow's own in bfloat16 leave the processor's matrix units waiting: for 256 to 512
channels on maps of 3x3 they take four times as long as the same sums written as nine products of
matrices, and 1.3 times on 14x14 with 512 channels (two cores with AMX, 128 images). Where a map is
large for its channels, and in float32, its own are faster.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import layers

CHANNELS = 512  # products of channels, in by out, that a pixel of the map must stand for


def gains(layer: layers.Layer) -> bool:
    """Whether this is a convolution that learns faster so."""
    return (
        type(layer) is layers.Conv2D
        and layer.compute_dtype == "bfloat16"
        and layer.data_format == "channels_last"
        and (layer.strides, layer.dilation_rate, layer.groups) == ((1, 1), (1, 1), 1)
        and min(layer.kernel_size) > 1  # else it is one product of matrices anyway
        and _is_small(layer)
    )


def _is_small(layer: layers.Conv2D) -> bool:
    height, width, channels = layer.input.shape[1:]
    if height is None or width is None:
        return False
    return bool(CHANNELS * height * width <= channels * layer.filters)


def faster(layer: layers.Conv2D) -> Callable[[Any], Any]:
    """What the layer does, with gradients of ours for its kernel and its bias."""
    import tensorflow as tf

    padding = layer.padding.upper()

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def convolve(images: Any, kernel: Any, bias: Any) -> Any:
        def gradients(answer: Any) -> tuple[Any, Any, Any]:
            of_images = tf.raw_ops.Conv2DBackpropInput(
                input_sizes=tf.shape(images), filter=kernel, out_backprop=answer,
                strides=[1, 1, 1, 1], padding=padding,
            )  # fmt: skip
            of_kernel = _of_kernel(images, answer, layer.kernel_size, padding)
            in_full = tf.cast(answer, "float32")  # a sum of many in bfloat16 loses its end
            return of_images, of_kernel, tf.cast(tf.reduce_sum(in_full, (0, 1, 2)), bias.dtype)

        return tf.nn.bias_add(tf.nn.conv2d(images, kernel, 1, padding), bias), gradients

    def call(images: Any) -> Any:
        kernel = tf.cast(layer.kernel, images.dtype)
        bias = layer.bias if layer.use_bias else tf.zeros(layer.filters)
        answer = convolve(images, kernel, tf.cast(bias, images.dtype))
        return answer if layer.activation is None else layer.activation(answer)

    return call


def _of_kernel(images: Any, answer: Any, size: tuple[int, int], padding: str) -> Any:
    """(N, h, w, C), (N, h', w', F) -> (*size, C, F): one product for each weight of the window."""
    import tensorflow as tf

    if padding == "SAME":  # the larger half is behind the image, as in tf.nn.conv2d
        around = [((side - 1) // 2, side // 2) for side in size]
        images = tf.pad(images, [(0, 0), *around, (0, 0)])
    height, width, filters = answer.shape[1:]
    flat = tf.reshape(answer, (-1, filters))
    channels = images.shape[-1]
    products = [
        tf.matmul(
            tf.reshape(images[:, i : i + height, j : j + width], (-1, channels)),
            flat,
            transpose_a=True,
        )
        for i in range(size[0])
        for j in range(size[1])
    ]
    return tf.reshape(tf.stack(products), (*size, channels, filters))
