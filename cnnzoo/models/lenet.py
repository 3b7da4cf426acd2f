"""LeNet-5: two convolutions with sub-sampling, a third that sees everything, two dense layers.

LeCun, Bottou, Bengio, Haffner, "Gradient-Based Learning Applied to Document Recognition",
Proceedings of the IEEE 86(11), 1998, Figure 2 and Table I. https://doi.org/10.1109/5.726791

What is taught today departs from the paper in three places: plain average pooling where the paper
trains a coefficient and a bias per map, a C3 that sees all six maps, and a softmax output.
``original=True`` is the paper: 60,000 trained parameters.
"""

import numpy as np
from keras import layers

from cnnzoo.models import blocks, heads
from cnnzoo.models.layers_1998 import ConnectionTableConv2D, EuclideanRBF, Subsampling2D, squash

# Table I: the maps of S2 that each map of C3 sees.
# fmt: off
C3 = (
    (0, 1, 2), (1, 2, 3), (2, 3, 4), (3, 4, 5), (0, 4, 5), (0, 1, 5),
    (0, 1, 2, 3), (1, 2, 3, 4), (2, 3, 4, 5), (0, 3, 4, 5), (0, 1, 4, 5), (0, 1, 2, 5),
    (0, 1, 3, 4), (1, 2, 4, 5), (0, 2, 3, 5),
    (0, 1, 2, 3, 4, 5),
)
# The 84 units of F6 are a 7x12 picture of the digit; drawn by us after Figure 3, 7 bits a row.
DIGITS = (
    "00 1c 36 63 63 63 63 63 36 1c 00 00", "00 0c 1c 3c 0c 0c 0c 0c 0c 3f 00 00",
    "00 3e 63 63 03 06 0c 18 30 7f 00 00", "00 3e 63 03 03 1e 03 03 63 3e 00 00",
    "00 06 0e 1e 36 66 7f 06 06 06 00 00", "00 7f 60 60 7e 63 03 03 63 3e 00 00",
    "00 1e 30 60 7e 63 63 63 63 3e 00 00", "00 7f 63 03 06 06 0c 0c 18 18 00 00",
    "00 3e 63 63 63 3e 63 63 63 3e 00 00", "00 3e 63 63 63 3f 03 03 06 3c 00 00",
)
# fmt: on


def lenet5(image, original, padding):
    """(N, 32, 32, 1) -> (N, 1, 1, 120)."""
    tanh = squash if original else "tanh"
    x = layers.Conv2D(6, 5, padding=padding, activation=tanh, name="c1")(image)
    x = _subsample(x, original, "s2")  # (N, 14, 14, 6)
    if original:
        x = ConnectionTableConv2D(C3, 5, activation=tanh, name="c3")(x)
    else:
        x = layers.Conv2D(16, 5, activation=tanh, name="c3")(x)
    x = _subsample(x, original, "s4")  # (N, 5, 5, 16)
    return layers.Conv2D(120, 5, activation=tanh, name="c5")(x)


def classifier(features, num_classes, activation, original, padding):
    """(N, 1, 1, 120) -> (N, num_classes)."""
    x = layers.Flatten(name="flatten")(features)
    x = layers.Dense(84, activation=squash if original else "tanh", name="f6")(x)
    if original:
        arguments = dict(activation=activation, dtype=heads.last_dtype(), name="predictions")
        return EuclideanRBF(codes(num_classes), **arguments)(x)
    return heads.classify(x, num_classes, activation)


def codes(num_classes):
    """One code of 84 signs per class: the digits' pictures for ten classes, else random signs."""
    if num_classes == len(DIGITS):
        rows = [[f"{int(row, 16):07b}" for row in digit.split()] for digit in DIGITS]
        return [[1 if bit == "1" else -1 for bit in "".join(digit)] for digit in rows]
    return np.random.default_rng(1998).choice((-1, 1), (num_classes, 84)).tolist()


def _subsample(x, original, name):
    if not original:
        return blocks.avg_pool(x, 2, stride=2, padding="valid", name=name)
    x = Subsampling2D(name=name)(x)
    return layers.Activation(squash, name=f"{name}_squash")(x)
