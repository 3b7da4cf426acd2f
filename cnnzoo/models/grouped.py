"""Grouped convolution that trains at the speed of the machine, whatever the backend lacks.

On a CPU, XLA is hundreds of times slower at the gradient than need be, and Keras goes through it
on TensorFlow as JAX does. TensorFlow's own kernels are fast where oneDNN is at work, and have no
gradient where it is not.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import cache

import keras
from keras import layers, ops

from cnnzoo.models.layers import register

MERGED = 8  # parts at most; fastest of 1, 2, 4, 8, 16 and 32 for the 32 groups of ResNeXt-50


@register
class GroupedConv2D(layers.Conv2D):
    """``keras.layers.Conv2D(groups=...)``: the same weights, the same numbers, three ways.

    The backend's own kernels where they are known to work; else the groups are merged into at most
    ``MERGED`` plain convolutions whose kernels are zero between groups.
    """

    def call(self, inputs):
        way = "keras" if self.groups == 1 else best_way(self.data_format, self.compute_dtype)
        if way == "keras":
            return super().call(inputs)
        kernel = ops.cast(self.kernel, self.compute_dtype)
        convolve = self._native if way == "native" else self._merged
        x = convolve(inputs, kernel)
        if self.use_bias:
            shape = (1, 1, 1, -1) if self.data_format == "channels_last" else (1, -1, 1, 1)
            x = x + ops.reshape(ops.cast(self.bias, self.compute_dtype), shape)
        return self.activation(x) if self.activation is not None else x

    def _native(self, inputs, kernel):
        """TensorFlow's kernels; they see the groups by the shape of the kernel."""
        import tensorflow as tf

        padding = self.padding.upper()
        return tf.nn.conv2d(inputs, kernel, self.strides, padding, dilations=self.dilation_rate)

    def _merged(self, inputs, kernel):
        parts = next(n for n in range(min(self.groups, MERGED), 0, -1) if self.groups % n == 0)
        axis = 3 if self.data_format == "channels_last" else 1
        outputs = [
            ops.conv(
                x,
                _block_diagonal(k, self.groups // parts),
                strides=self.strides,
                padding=self.padding,
                data_format=self.data_format,
                dilation_rate=self.dilation_rate,
            )
            for x, k in zip(
                ops.split(inputs, parts, axis=axis), ops.split(kernel, parts, axis=-1), strict=True
            )
        ]
        return ops.concatenate(outputs, axis=axis)


def best_way(data_format, dtype):
    """``"keras"``, ``"native"`` or ``"merged"``: the fastest that has a gradient here."""
    backend = keras.backend.backend()
    if backend == "tensorflow":
        fits = data_format == "channels_last" and dtype in ("float32", "bfloat16")
        return "native" if fits and _tensorflow_has_the_gradient(dtype) else "merged"
    if backend == "jax":
        return "merged" if _jax_computes_on_a_cpu() else "keras"
    return "keras"


@cache
def _tensorflow_has_the_gradient(dtype):
    """Try it on ones, where the answer is known: no flag tells whether oneDNN is at work."""
    import tensorflow as tf

    @tf.function(autograph=False)
    def gradients():
        images, kernel = tf.ones((1, 3, 3, 4), dtype), tf.ones((3, 3, 2, 4), dtype)
        with tf.GradientTape() as tape:
            tape.watch(images)
            tape.watch(kernel)
            answer = tf.nn.conv2d(images, kernel, 1, "SAME")
        return tape.gradient(answer, [images, kernel])

    def is_right():
        try:
            of_images, of_kernel = gradients()
        except tf.errors.OpError:
            return False
        return float(of_images[0, 1, 1, 0]) == 18 and float(of_kernel[1, 1, 0, 0]) == 9

    with ThreadPoolExecutor(1) as fresh:  # a graph may be being drawn in this thread
        return fresh.submit(is_right).result()


@cache
def _jax_computes_on_a_cpu():
    import jax

    return jax.default_backend() == "cpu"


def _block_diagonal(kernel, groups):
    """(h, w, c, groups * o) -> (h, w, groups * c, groups * o), zero between groups."""
    if groups == 1:
        return kernel
    height, width, inside, outside = kernel.shape
    per_group = outside // groups
    kernel = ops.reshape(kernel, (height, width, 1, inside, groups, per_group))
    diagonal = [[float(i == j) for j in range(groups)] for i in range(groups)]
    mask = ops.convert_to_tensor(diagonal, dtype=kernel.dtype)
    mask = ops.reshape(mask, (1, 1, groups, 1, groups, 1))
    return ops.reshape(kernel * mask, (height, width, groups * inside, outside))
