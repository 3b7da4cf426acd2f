"""Inception-ResNet v2: Inception modules as residuals, scaled down before they are added.

Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning", AAAI 2017. https://arxiv.org/abs/1602.07261
The released model, here and in Keras, has twice the blocks of Figure 15 and the stem of v3.
"""

from functools import partial

from keras import layers

from cnnzoo.models import blocks, inception_v3
from cnnzoo.models.blocks import avg_pool, concat, max_pool
from cnnzoo.models.layers import ScaledAdd

conv = partial(blocks.conv_bn_relu, scale=False)  # as trained: batch normalisation without gamma


def inception_resnet_v2(image, aux, stem):
    """(N, 299, 299, 3) -> (N, 8, 8, 1536)."""
    x = inception_v3.unbranched_stem(image, stem)
    x = mixed_5b(x)  # (N, 35, 35, 320)
    for i in range(1, 11):
        x = residual(x, block35, scale=0.17, name=f"block35_{i}")
    x = mixed_6a(x)  # (N, 17, 17, 1088)
    for i in range(1, 21):
        x = residual(x, block17, scale=0.1, name=f"block17_{i}")
    x = mixed_7a(x)  # (N, 8, 8, 2080)
    for i in range(1, 10):
        x = residual(x, block8, scale=0.2, name=f"block8_{i}")
    x = residual(x, block8, scale=1.0, relu=False, name="block8_10")
    x = blocks.conv(x, 1536, 1, bias=False, name="conv_7b")
    x = blocks.batch_norm(x, scale=False, name="conv_7b_bn")
    return layers.Activation("relu", name="conv_7b_ac")(x)


def residual(x, branches, *, scale, relu=True, name):
    """``relu(x + scale * up(branches(x)))``; ``up`` is a 1x1 with bias that restores the width."""
    mixed = concat(branches(x, name), f"{name}_mixed")
    up = blocks.conv(mixed, blocks.channels(x), 1, name=f"{name}_conv")
    x = ScaledAdd(scale, name=f"{name}_add")([x, up])
    return layers.Activation("relu", name=f"{name}_ac")(x) if relu else x


def block35(x, name):
    """Figure 16."""
    a = conv(x, 32, 1, name=f"{name}_1x1")
    b = conv(x, 32, 1, name=f"{name}_3x3_1")
    b = conv(b, 32, 3, name=f"{name}_3x3_2")
    c = conv(x, 32, 1, name=f"{name}_3x3dbl_1")
    c = conv(c, 48, 3, name=f"{name}_3x3dbl_2")
    c = conv(c, 64, 3, name=f"{name}_3x3dbl_3")
    return [a, b, c]


def block17(x, name):
    """Figure 17."""
    a = conv(x, 192, 1, name=f"{name}_1x1")
    b = conv(x, 128, 1, name=f"{name}_7x7_1")
    b = conv(b, 160, (1, 7), name=f"{name}_7x7_2")
    b = conv(b, 192, (7, 1), name=f"{name}_7x7_3")
    return [a, b]


def block8(x, name):
    """Figure 19."""
    a = conv(x, 192, 1, name=f"{name}_1x1")
    b = conv(x, 192, 1, name=f"{name}_3x3_1")
    b = conv(b, 224, (1, 3), name=f"{name}_3x3_2")
    b = conv(b, 256, (3, 1), name=f"{name}_3x3_3")
    return [a, b]


def mixed_5b(x):
    """(N, 35, 35, 192) -> (N, 35, 35, 320): an Inception-A module."""
    a = conv(x, 96, 1, name="mixed_5b_1x1")
    b = conv(x, 48, 1, name="mixed_5b_5x5_1")
    b = conv(b, 64, 5, name="mixed_5b_5x5_2")
    c = conv(x, 64, 1, name="mixed_5b_3x3dbl_1")
    c = conv(c, 96, 3, name="mixed_5b_3x3dbl_2")
    c = conv(c, 96, 3, name="mixed_5b_3x3dbl_3")
    d = avg_pool(x, name="mixed_5b_pool")
    d = conv(d, 64, 1, name="mixed_5b_pool_proj")
    return concat([a, b, c, d], "mixed_5b")


def mixed_6a(x):
    """(N, 35, 35, 320) -> (N, 17, 17, 1088): Reduction-A."""
    a = conv(x, 384, 3, stride=2, padding="valid", name="mixed_6a_3x3")
    b = conv(x, 256, 1, name="mixed_6a_3x3dbl_1")
    b = conv(b, 256, 3, name="mixed_6a_3x3dbl_2")
    b = conv(b, 384, 3, stride=2, padding="valid", name="mixed_6a_3x3dbl_3")
    c = max_pool(x, name="mixed_6a_pool")
    return concat([a, b, c], "mixed_6a")


def mixed_7a(x):
    """(N, 17, 17, 1088) -> (N, 8, 8, 2080): Reduction-B."""
    a = conv(x, 256, 1, name="mixed_7a_3x3a_1")
    a = conv(a, 384, 3, stride=2, padding="valid", name="mixed_7a_3x3a_2")
    b = conv(x, 256, 1, name="mixed_7a_3x3b_1")
    b = conv(b, 288, 3, stride=2, padding="valid", name="mixed_7a_3x3b_2")
    c = conv(x, 256, 1, name="mixed_7a_3x3dbl_1")
    c = conv(c, 288, 3, name="mixed_7a_3x3dbl_2")
    c = conv(c, 320, 3, stride=2, padding="valid", name="mixed_7a_3x3dbl_3")
    d = max_pool(x, name="mixed_7a_pool")
    return concat([a, b, c, d], "mixed_7a")


def auxiliary(tensor_of, num_classes, activation, **_):
    """Output of the last block17 -> [(N, num_classes)]."""
    x = tensor_of("block17_20_ac")
    return [inception_v3.auxiliary_classifier(x, num_classes, activation)]
