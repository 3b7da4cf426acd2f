"""The few sequences every network is made of. Tensor in, tensor out.

Padding is the one thing on which papers, frameworks and weight files disagree, so it is always
said: ``"valid"`` and ``"same"`` as in Keras, or ``"even"``, which pads both sides alike. At
stride 2 ``"same"`` pads the right and bottom more than the left and top, ``"even"`` does not;
what was trained in Caffe or torch needs ``"even"``.
"""

import keras
from keras import layers

from cnnzoo.models.grouped import GroupedConv2D
from cnnzoo.models.layers import EvenConv2D


def channel_axis():
    """Axis of the channels; the only place that asks for the data format."""
    return -1 if keras.config.image_data_format() == "channels_last" else 1


def channels(x):
    """Number of channels of a feature map."""
    return x.shape[channel_axis()]


def size(x):
    """Height and width of a feature map; ``None`` where unknown."""
    return x.shape[1:3] if channel_axis() == -1 else x.shape[2:4]


def conv(
    x, filters, kernel, *, stride=1, padding="same", groups=1, bias=True, activation=None, name
):
    """(N, H, W, C) -> (N, H / stride, W / stride, filters) under ``"same"`` and ``"even"``.

    ``kernel`` is a side or ``(height, width)``. Grouped convolutions keep the parameters of
    ``keras.layers.Conv2D(groups=...)`` and are trainable at a bearable speed on a CPU.
    """
    arguments = dict(strides=stride, use_bias=bias, activation=activation, name=name)
    if padding == "even":
        return EvenConv2D(filters, kernel, **arguments)(x)
    if groups > 1:
        return GroupedConv2D(filters, kernel, groups=groups, padding=padding, **arguments)(x)
    return layers.Conv2D(filters, kernel, padding=padding, **arguments)(x)


def conv_relu(x, filters, kernel, *, name, **arguments):
    """Convolution with bias and ReLU in one layer, as before batch normalisation."""
    return conv(x, filters, kernel, activation="relu", name=name, **arguments)


def batch_norm(x, *, scale=True, epsilon=1e-3, name):
    """Normalise each channel; the default epsilon is that of Keras and of all Inceptions."""
    return layers.BatchNormalization(axis=channel_axis(), scale=scale, epsilon=epsilon, name=name)(
        x
    )


def conv_bn(x, filters, kernel, *, bias=False, scale=True, epsilon=1e-3, name, **arguments):
    """Convolution ``{name}_conv``, batch normalisation ``{name}_bn``."""
    x = conv(x, filters, kernel, bias=bias, name=f"{name}_conv", **arguments)
    return batch_norm(x, scale=scale, epsilon=epsilon, name=f"{name}_bn")


def conv_bn_relu(x, filters, kernel, *, name, **arguments):
    """Convolution ``{name}_conv``, batch normalisation ``{name}_bn``, ReLU ``{name}_relu``."""
    x = conv_bn(x, filters, kernel, name=name, **arguments)
    return layers.Activation("relu", name=f"{name}_relu")(x)


def concat(branches, name):
    """Branches side by side, along the channels."""
    return layers.Concatenate(axis=channel_axis(), name=name)(branches)


def max_pool(x, size=3, *, stride=2, padding="valid", name):
    return layers.MaxPooling2D(size, strides=stride, padding=padding, name=name)(x)


def avg_pool(x, size=3, *, stride=1, padding="same", name):
    """Average of what lies inside the image: ``"same"`` does not count its padding."""
    return layers.AveragePooling2D(size, strides=stride, padding=padding, name=name)(x)
