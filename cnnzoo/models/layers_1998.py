"""The layers of LeNet-5 as printed in 1998, which nobody uses today.

LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition",
Proceedings of the IEEE 86(11), section II.B.
"""

import keras
import numpy as np
from keras import layers, ops

from cnnzoo.models.layers import ImageLayer, register


@register
def squash(x):
    """``1.7159 tanh(2x / 3)``, the sigmoid of LeNet-5 (LeCun et al. 1998, equation 6)."""
    return 1.7159 * ops.tanh(x * (2.0 / 3.0))


@register
class Subsampling2D(ImageLayer):
    """(N, H, W, C) -> (N, H/2, W/2, C): ``coefficient * sum of 2x2 + bias``, one of each per map.

    LeCun et al. 1998, section II.B: what pooling was before it had no parameters.
    """

    def build(self, input_shape):
        maps = input_shape[self.axis]
        start = keras.initializers.Constant(0.25)  # the average
        self.coefficient = self.add_weight(shape=(maps,), initializer=start, name="coefficient")
        self.bias = self.add_weight(shape=(maps,), initializer="zeros", name="bias")

    def call(self, inputs):
        summed = 4.0 * ops.average_pool(inputs, 2, strides=2, data_format=self.data_format)
        return summed * self.per_channel(self.coefficient) + self.per_channel(self.bias)

    def window(self):
        return 2, 2

    def compute_output_shape(self, input_shape):
        return tuple(
            size if i in (0, self.axis) or size is None else size // 2
            for i, size in enumerate(input_shape)
        )


@register
class ConnectionTableConv2D(ImageLayer):
    """Convolution whose output maps see only the input maps a table names; "valid", with bias.

    (N, H, W, C) -> (N, H - k + 1, W - k + 1, maps), k the kernel's side. Only the connections of
    the table have weights (LeCun et al. 1998, Table I).

    Args:
        table: For every output map, the input maps it sees.
    """

    def __init__(self, table, kernel_size, activation=None, **arguments):
        super().__init__(**arguments)
        self.table = [list(row) for row in table]
        self.kernel_size = kernel_size
        self.activation = keras.activations.get(activation)

    def build(self, input_shape):
        maps, k = input_shape[self.axis], self.kernel_size
        links = [(source, target) for target, row in enumerate(self.table) for source in row]
        # Row i of `placement` puts link i where a plain kernel (k, k, maps in, maps out) wants it.
        self.placement = np.zeros((len(links), maps * len(self.table)), "float32")
        for i, (source, target) in enumerate(links):
            self.placement[i, source * len(self.table) + target] = 1.0
        fan = k * k * max(len(row) for row in self.table)
        start = keras.initializers.RandomUniform(-((3 / fan) ** 0.5), (3 / fan) ** 0.5)
        self.kernel = self.add_weight(shape=(k, k, len(links)), initializer=start, name="kernel")
        self.bias = self.add_weight(shape=(len(self.table),), initializer="zeros", name="bias")
        self.maps = maps

    def call(self, inputs):
        k = self.kernel_size
        placement = ops.cast(ops.convert_to_tensor(self.placement), self.compute_dtype)
        flat = ops.reshape(ops.cast(self.kernel, self.compute_dtype), (k * k, -1))
        kernel = ops.reshape(ops.matmul(flat, placement), (k, k, self.maps, len(self.table)))
        x = ops.conv(inputs, kernel, padding="valid", data_format=self.data_format)
        return self.activation(x + self.per_channel(self.bias))

    def compute_output_shape(self, input_shape):
        lost = self.kernel_size - 1
        return tuple(
            len(self.table) if i == self.axis else n if i == 0 or n is None else n - lost
            for i, n in enumerate(input_shape)
        )

    def window(self):
        return self.kernel_size, 1

    def multiply_accumulates(self, output_shape):
        """Of one image: only the connections of the table are counted."""
        pixels = np.prod([n for i, n in enumerate(output_shape) if i not in (0, self.axis)])
        return int(pixels) * self.kernel_size**2 * sum(map(len, self.table))

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        numbers = {"table": self.table, "kernel_size": self.kernel_size, "activation": activation}
        return super().get_config() | numbers


@register
class EuclideanRBF(layers.Layer):
    """(N, units) -> (N, classes): minus the squared distance to the fixed code of each class.

    LeCun et al. 1998, section II.B. The sign makes the nearest class the largest number, so that
    ``activation="softmax"`` gives probabilities; ``activation=None`` gives minus the penalty.

    Args:
        codes: One row of -1 and +1 per class; never trained.
    """

    def __init__(self, codes, activation=None, **arguments):
        super().__init__(**arguments)
        self.codes = [list(row) for row in codes]
        self.activation = keras.activations.get(activation)

    def call(self, inputs):
        codes = ops.cast(ops.convert_to_tensor(np.array(self.codes, "float32")), inputs.dtype)
        distance = ops.sum(ops.square(ops.expand_dims(inputs, 1) - codes), axis=-1)
        return self.activation(-distance)

    def compute_output_shape(self, input_shape):
        return (input_shape[0], len(self.codes))

    def get_config(self):
        activation = keras.activations.serialize(self.activation)
        return super().get_config() | {"codes": self.codes, "activation": activation}
