"""Layers that Keras lacks, on ``keras.ops``, so that every backend runs them."""

import keras
from keras import layers, ops

register = keras.saving.register_keras_serializable("cnnzoo")


class ImageLayer(layers.Layer):
    """A layer that knows which axis holds the channels, also after it was saved and reloaded."""

    def __init__(self, data_format=None, **arguments):
        super().__init__(**arguments)
        self.data_format = data_format or keras.config.image_data_format()
        self.axis = 3 if self.data_format == "channels_last" else 1

    def per_channel(self, values):
        """(C,) -> a shape that broadcasts over images."""
        return ops.reshape(values, (1, 1, 1, -1) if self.axis == 3 else (1, -1, 1, 1))

    def get_config(self):
        return super().get_config() | {"data_format": self.data_format}


@register
class LocalResponseNormalization(ImageLayer):
    """``x / (bias + alpha * sum of squares of the neighbouring channels) ** beta``, same shape.

    Krizhevsky et al. 2012, section 3.3. ``size`` channels are summed, the channel itself in the
    middle. Caffe, ONNX and torch divide alpha by ``size``: pass their alpha divided by it.
    """

    def __init__(self, size=5, bias=2.0, alpha=1e-4, beta=0.75, **arguments):
        super().__init__(**arguments)
        self.size, self.bias, self.alpha, self.beta = size, bias, alpha, beta

    def call(self, inputs):
        x = ops.cast(inputs, "float32")  # squares overflow float16 above 255
        around = [(0, 0)] * 4
        around[self.axis] = ((self.size - 1) // 2, self.size // 2)
        squares = ops.pad(ops.square(x), around)
        total = 0.0
        for offset in range(self.size):
            window = [slice(None)] * 4
            window[self.axis] = slice(offset, offset + x.shape[self.axis])
            total = total + squares[tuple(window)]
        return ops.cast(x / ops.power(self.bias + self.alpha * total, self.beta), inputs.dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        numbers = dict(size=self.size, bias=self.bias, alpha=self.alpha, beta=self.beta)
        return super().get_config() | numbers


@register
class EvenConv2D(layers.Conv2D):
    """``keras.layers.Conv2D`` that pads both sides alike by half a kernel, as Caffe and torch do.

    (N, H, W, C) -> (N, ceil(H / stride), ceil(W / stride), filters) for odd kernels.
    """

    def __init__(self, filters, kernel_size, padding="valid", **arguments):
        super().__init__(filters, kernel_size, padding=padding, **arguments)

    def call(self, inputs):
        around = [(0, 0)] * 4
        for axis, side in zip(self._image_axes(), self.kernel_size, strict=True):
            around[axis] = (side // 2, side // 2)
        return super().call(ops.pad(inputs, around))

    def compute_output_shape(self, input_shape):
        padded = list(input_shape)
        for axis, side in zip(self._image_axes(), self.kernel_size, strict=True):
            if padded[axis] is not None:
                padded[axis] += 2 * (side // 2)
        return super().compute_output_shape(padded)

    def _image_axes(self):
        return (1, 2) if self.data_format == "channels_last" else (2, 3)


@register
class ScaledAdd(layers.Layer):
    """``[x, residual] -> x + scale * residual`` (Szegedy et al. 2016, section 3.3)."""

    def __init__(self, scale, **arguments):
        super().__init__(**arguments)
        self.scale = scale

    def call(self, inputs):
        x, residual = inputs
        return x + residual * self.scale

    def compute_output_shape(self, input_shape):
        return input_shape[0]

    def get_config(self):
        return super().get_config() | {"scale": self.scale}


@register
class PixelNormalization(ImageLayer):
    """Pixels 0 to 255 -> ``(pixels - mean) / scale`` per channel, RGB flipped to BGR if ``bgr``."""

    def __init__(self, mean, scale, bgr=False, **arguments):
        super().__init__(**arguments)
        self.mean, self.scale = [float(x) for x in mean], [float(x) for x in scale]
        self.bgr = bgr

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        x = ops.flip(x, axis=self.axis) if self.bgr else x
        x = (x - self.per_channel(self.mean)) / self.per_channel(self.scale)
        return ops.cast(x, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return super().get_config() | {"mean": self.mean, "scale": self.scale, "bgr": self.bgr}
