"""Inception v3: large filters factorised into small and into one-dimensional ones.

Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception Architecture for Computer
Vision", CVPR 2016. https://arxiv.org/abs/1512.00567
The widths are those of the released model, which differ from the paper's Table 1. Blocks are
named ``mixed0`` to ``mixed10`` as there and in Keras; the figure of each stands in its docstring.
"""

from functools import partial

from keras import layers

from cnnzoo.models import blocks, heads
from cnnzoo.models.blocks import avg_pool, concat, max_pool

conv = partial(blocks.conv_bn_relu, scale=False)  # as trained: batch normalisation without gamma


def _padded_avg_pool(x, *, name):
    """As torch by default: the padding counts as zeros."""
    x = layers.ZeroPadding2D(1, name=f"{name}_pad")(x)
    return avg_pool(x, padding="valid", name=name)


AVERAGE = {"keras": avg_pool, "torchvision": _padded_avg_pool}


def inception_v3(image, variant, aux, stem):
    """(N, 299, 299, 3) -> (N, 8, 8, 2048)."""
    average = AVERAGE[variant]
    x = unbranched_stem(image, stem)
    x = inception_a(x, average, projection=32, name="mixed0")  # (N, 35, 35, 256)
    x = inception_a(x, average, projection=64, name="mixed1")  # (N, 35, 35, 288)
    x = inception_a(x, average, projection=64, name="mixed2")
    x = reduction_a(x, name="mixed3")  # (N, 17, 17, 768)
    x = inception_b(x, average, width=128, name="mixed4")
    x = inception_b(x, average, width=160, name="mixed5")
    x = inception_b(x, average, width=160, name="mixed6")
    x = inception_b(x, average, width=192, name="mixed7")
    x = reduction_b(x, name="mixed8")  # (N, 8, 8, 1280)
    x = inception_c(x, average, name="mixed9")  # (N, 8, 8, 2048)
    return inception_c(x, average, name="mixed10")


def unbranched_stem(image, stem):
    """(N, 299, 299, 3) -> (N, 35, 35, 192); Inception-ResNet v2 begins alike."""
    small = stem == "small"
    x = conv(image, 32, 3, stride=1 if small else 2, padding="valid", name="conv1")
    x = conv(x, 32, 3, padding="valid", name="conv2")
    x = conv(x, 64, 3, name="conv3")
    x = x if small else max_pool(x, name="pool1")  # (N, 73, 73, 64)
    x = conv(x, 80, 1, padding="valid", name="conv4")
    x = conv(x, 192, 3, padding="valid", name="conv5")
    return max_pool(x, name="pool2")


def inception_a(x, average, *, projection, name):
    """Figure 5, with a 5x5 kept in one branch."""
    a = conv(x, 64, 1, name=f"{name}_1x1")
    b = conv(x, 48, 1, name=f"{name}_5x5_1")
    b = conv(b, 64, 5, name=f"{name}_5x5_2")
    c = conv(x, 64, 1, name=f"{name}_3x3dbl_1")
    c = conv(c, 96, 3, name=f"{name}_3x3dbl_2")
    c = conv(c, 96, 3, name=f"{name}_3x3dbl_3")
    d = average(x, name=f"{name}_pool")
    d = conv(d, projection, 1, name=f"{name}_pool_proj")
    return concat([a, b, c, d], name)


def reduction_a(x, *, name):
    """Figure 10: (N, 35, 35, 288) -> (N, 17, 17, 768)."""
    a = conv(x, 384, 3, stride=2, padding="valid", name=f"{name}_3x3")
    b = conv(x, 64, 1, name=f"{name}_3x3dbl_1")
    b = conv(b, 96, 3, name=f"{name}_3x3dbl_2")
    b = conv(b, 96, 3, stride=2, padding="valid", name=f"{name}_3x3dbl_3")
    c = max_pool(x, name=f"{name}_pool")
    return concat([a, b, c], name)


def inception_b(x, average, *, width, name):
    """Figure 6, n = 7."""
    a = conv(x, 192, 1, name=f"{name}_1x1")
    b = conv(x, width, 1, name=f"{name}_7x7_1")
    b = conv(b, width, (1, 7), name=f"{name}_7x7_2")
    b = conv(b, 192, (7, 1), name=f"{name}_7x7_3")
    c = conv(x, width, 1, name=f"{name}_7x7dbl_1")
    c = conv(c, width, (7, 1), name=f"{name}_7x7dbl_2")
    c = conv(c, width, (1, 7), name=f"{name}_7x7dbl_3")
    c = conv(c, width, (7, 1), name=f"{name}_7x7dbl_4")
    c = conv(c, 192, (1, 7), name=f"{name}_7x7dbl_5")
    d = average(x, name=f"{name}_pool")
    d = conv(d, 192, 1, name=f"{name}_pool_proj")
    return concat([a, b, c, d], name)


def reduction_b(x, *, name):
    """(N, 17, 17, 768) -> (N, 8, 8, 1280)."""
    a = conv(x, 192, 1, name=f"{name}_3x3_1")
    a = conv(a, 320, 3, stride=2, padding="valid", name=f"{name}_3x3_2")
    b = conv(x, 192, 1, name=f"{name}_7x7x3_1")
    b = conv(b, 192, (1, 7), name=f"{name}_7x7x3_2")
    b = conv(b, 192, (7, 1), name=f"{name}_7x7x3_3")
    b = conv(b, 192, 3, stride=2, padding="valid", name=f"{name}_7x7x3_4")
    c = max_pool(x, name=f"{name}_pool")
    return concat([a, b, c], name)


def inception_c(x, average, *, name):
    """Figure 7: the last convolutions of two branches stand side by side."""
    a = conv(x, 320, 1, name=f"{name}_1x1")
    b = conv(x, 384, 1, name=f"{name}_3x3_1")
    b = _fork(b, 384, f"{name}_3x3_2")
    c = conv(x, 448, 1, name=f"{name}_3x3dbl_1")
    c = conv(c, 384, 3, name=f"{name}_3x3dbl_2")
    c = _fork(c, 384, f"{name}_3x3dbl_3")
    d = average(x, name=f"{name}_pool")
    d = conv(d, 192, 1, name=f"{name}_pool_proj")
    return concat([a, b, c, d], name)


def auxiliary(tensor_of, num_classes, activation, **_):
    """Output of mixed7 -> [(N, num_classes)]; its loss weighs 0.4 (0.3 in torchvision's recipe)."""
    return [auxiliary_classifier(tensor_of("mixed7"), num_classes, activation)]


def auxiliary_classifier(x, num_classes, activation):
    """(N, 17, 17, C) -> (N, num_classes); the Inceptions after v1 share it."""
    x = avg_pool(x, 5, stride=3, padding="valid", name="aux_pool")  # (N, 5, 5, C)
    x = conv(x, 128, 1, name="aux_conv1")
    x = conv(x, 768, blocks.size(x), padding="valid", name="aux_conv2")
    x = layers.Flatten(name="aux_flatten")(x)
    return heads.classify(x, num_classes, activation, name="aux_predictions")


def _fork(x, filters, name):
    left = conv(x, filters, (1, 3), name=f"{name}a")
    right = conv(x, filters, (3, 1), name=f"{name}b")
    return concat([left, right], name)
