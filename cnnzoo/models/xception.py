"""Xception: Inception taken to its extreme, one filter per channel and then a 1x1.

Chollet, "Xception: Deep Learning with Depthwise Separable Convolutions", CVPR 2017, Figure 5.
https://arxiv.org/abs/1610.02357
The paper trains with dropout 0.5 before the dense layer; like Keras, the graph leaves it out.
"""

from keras import layers

from cnnzoo.models import blocks


def xception(image, stem):
    """(N, 299, 299, 3) -> (N, 10, 10, 2048)."""
    return exit_flow(middle_flow(entry_flow(image, stem)))


def entry_flow(x, stem):
    """(N, 299, 299, 3) -> (N, 19, 19, 728)."""
    x = _conv_relu(x, 32, stride=1 if stem == "small" else 2, name="block1_conv1")
    x = _conv_relu(x, 64, stride=1, name="block1_conv2")
    x = halving(x, (128, 128), first_relu=False, name="block2")
    x = halving(x, (256, 256), name="block3")
    return halving(x, (728, 728), name="block4")


def middle_flow(x):
    """(N, 19, 19, 728) -> (N, 19, 19, 728), eight times the same."""
    for i in range(5, 13):
        shortcut = x
        for step in (1, 2, 3):
            x = relu_sepconv_bn(x, 728, name=f"block{i}_sepconv{step}")
        x = layers.Add(name=f"block{i}_add")([x, shortcut])
    return x


def exit_flow(x):
    """(N, 19, 19, 728) -> (N, 10, 10, 2048)."""
    x = halving(x, (728, 1024), name="block13")
    for step, filters in ((1, 1536), (2, 2048)):
        x = _sepconv_bn(x, filters, name=f"block14_sepconv{step}")
        x = layers.Activation("relu", name=f"block14_sepconv{step}_act")(x)
    return x


def halving(x, filters, *, first_relu=True, name):
    """Two separable convolutions and a pooling, around them a 1x1 with stride 2."""
    shortcut = blocks.conv_bn(x, filters[1], 1, stride=2, name=f"{name}_shortcut")
    first = relu_sepconv_bn if first_relu else _sepconv_bn
    x = first(x, filters[0], name=f"{name}_sepconv1")
    x = relu_sepconv_bn(x, filters[1], name=f"{name}_sepconv2")
    x = blocks.max_pool(x, padding="same", name=f"{name}_pool")
    return layers.Add(name=f"{name}_add")([x, shortcut])


def relu_sepconv_bn(x, filters, *, name):
    x = layers.Activation("relu", name=f"{name}_act")(x)
    return _sepconv_bn(x, filters, name=name)


def _sepconv_bn(x, filters, *, name):
    x = layers.SeparableConv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
    return blocks.batch_norm(x, name=f"{name}_bn")


def _conv_relu(x, filters, *, stride, name):
    x = blocks.conv(x, filters, 3, stride=stride, padding="valid", bias=False, name=name)
    x = blocks.batch_norm(x, name=f"{name}_bn")
    return layers.Activation("relu", name=f"{name}_act")(x)
