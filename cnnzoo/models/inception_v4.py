"""Inception v4: the Inception idea in one uniform grid of blocks.

Szegedy, Ioffe, Vanhoucke, Alemi, "Inception-v4, Inception-ResNet and the Impact of Residual
Connections on Learning", AAAI 2017, Figures 3 to 9. https://arxiv.org/abs/1602.07261
The order of 1x7 and 7x1 inside B and C is that of the released weights, not of the figures.
"""

from functools import partial

from keras import layers

from cnnzoo.models import blocks, heads, inception_v3
from cnnzoo.models.blocks import avg_pool, concat, max_pool

conv = partial(blocks.conv_bn_relu, scale=False)  # as trained: batch normalisation without gamma


def inception_v4(image, aux, stem):
    """(N, 299, 299, 3) -> (N, 8, 8, 1536)."""
    x = branched_stem(image, stem)  # (N, 35, 35, 384)
    for i in range(1, 5):
        x = inception_a(x, name=f"inception_a{i}")
    x = reduction_a(x, name="reduction_a")  # (N, 17, 17, 1024)
    for i in range(1, 8):
        x = inception_b(x, name=f"inception_b{i}")
    x = reduction_b(x, name="reduction_b")  # (N, 8, 8, 1536)
    for i in range(1, 4):
        x = inception_c(x, name=f"inception_c{i}")
    return x


def branched_stem(image, stem):
    """Figure 3: (N, 299, 299, 3) -> (N, 35, 35, 384)."""
    stride = 1 if stem == "small" else 2
    x = conv(image, 32, 3, stride=stride, padding="valid", name="conv1")
    x = conv(x, 32, 3, padding="valid", name="conv2")
    x = conv(x, 64, 3, name="conv3")
    a = max_pool(x, stride=stride, name="stem1_pool")
    b = conv(x, 96, 3, stride=stride, padding="valid", name="stem1_3x3")
    x = concat([a, b], "stem1")  # (N, 73, 73, 160)
    a = conv(x, 64, 1, name="stem2_3x3_1")
    a = conv(a, 96, 3, padding="valid", name="stem2_3x3_2")
    b = conv(x, 64, 1, name="stem2_7x7_1")
    b = conv(b, 64, (1, 7), name="stem2_7x7_2")
    b = conv(b, 64, (7, 1), name="stem2_7x7_3")
    b = conv(b, 96, 3, padding="valid", name="stem2_7x7_4")
    x = concat([a, b], "stem2")  # (N, 71, 71, 192)
    a = conv(x, 192, 3, stride=2, padding="valid", name="stem3_3x3")
    b = max_pool(x, name="stem3_pool")
    return concat([a, b], "stem3")


def inception_a(x, *, name):
    """Figure 4."""
    a = conv(x, 96, 1, name=f"{name}_1x1")
    b = conv(x, 64, 1, name=f"{name}_3x3_1")
    b = conv(b, 96, 3, name=f"{name}_3x3_2")
    c = conv(x, 64, 1, name=f"{name}_3x3dbl_1")
    c = conv(c, 96, 3, name=f"{name}_3x3dbl_2")
    c = conv(c, 96, 3, name=f"{name}_3x3dbl_3")
    d = avg_pool(x, name=f"{name}_pool")
    d = conv(d, 96, 1, name=f"{name}_pool_proj")
    return concat([a, b, c, d], name)


def reduction_a(x, *, name):
    """Figure 7 with k, l, m, n = 192, 224, 256, 384."""
    a = conv(x, 384, 3, stride=2, padding="valid", name=f"{name}_3x3")
    b = conv(x, 192, 1, name=f"{name}_3x3dbl_1")
    b = conv(b, 224, 3, name=f"{name}_3x3dbl_2")
    b = conv(b, 256, 3, stride=2, padding="valid", name=f"{name}_3x3dbl_3")
    c = max_pool(x, name=f"{name}_pool")
    return concat([a, b, c], name)


def inception_b(x, *, name):
    """Figure 5."""
    a = conv(x, 384, 1, name=f"{name}_1x1")
    b = conv(x, 192, 1, name=f"{name}_7x7_1")
    b = conv(b, 224, (1, 7), name=f"{name}_7x7_2")
    b = conv(b, 256, (7, 1), name=f"{name}_7x7_3")
    c = conv(x, 192, 1, name=f"{name}_7x7dbl_1")
    c = conv(c, 192, (7, 1), name=f"{name}_7x7dbl_2")
    c = conv(c, 224, (1, 7), name=f"{name}_7x7dbl_3")
    c = conv(c, 224, (7, 1), name=f"{name}_7x7dbl_4")
    c = conv(c, 256, (1, 7), name=f"{name}_7x7dbl_5")
    d = avg_pool(x, name=f"{name}_pool")
    d = conv(d, 128, 1, name=f"{name}_pool_proj")
    return concat([a, b, c, d], name)


def reduction_b(x, *, name):
    """Figure 8."""
    a = conv(x, 192, 1, name=f"{name}_3x3_1")
    a = conv(a, 192, 3, stride=2, padding="valid", name=f"{name}_3x3_2")
    b = conv(x, 256, 1, name=f"{name}_7x7x3_1")
    b = conv(b, 256, (1, 7), name=f"{name}_7x7x3_2")
    b = conv(b, 320, (7, 1), name=f"{name}_7x7x3_3")
    b = conv(b, 320, 3, stride=2, padding="valid", name=f"{name}_7x7x3_4")
    c = max_pool(x, name=f"{name}_pool")
    return concat([a, b, c], name)


def inception_c(x, *, name):
    """Figure 6."""
    a = conv(x, 256, 1, name=f"{name}_1x1")
    b = conv(x, 384, 1, name=f"{name}_3x3_1")
    b1 = conv(b, 256, (1, 3), name=f"{name}_3x3_2a")
    b2 = conv(b, 256, (3, 1), name=f"{name}_3x3_2b")
    b = concat([b1, b2], f"{name}_3x3_2")
    c = conv(x, 384, 1, name=f"{name}_3x3dbl_1")
    c = conv(c, 448, (3, 1), name=f"{name}_3x3dbl_2")
    c = conv(c, 512, (1, 3), name=f"{name}_3x3dbl_3")
    c1 = conv(c, 256, (1, 3), name=f"{name}_3x3dbl_4a")
    c2 = conv(c, 256, (3, 1), name=f"{name}_3x3dbl_4b")
    c = concat([c1, c2], f"{name}_3x3dbl_4")
    d = avg_pool(x, name=f"{name}_pool")
    d = conv(d, 256, 1, name=f"{name}_pool_proj")
    return concat([a, b, c, d], name)


def classifier(features, num_classes, activation, **_):
    """(N, 8, 8, 1536) -> (N, num_classes)."""
    x = layers.GlobalAveragePooling2D(keepdims=True, name="avg_pool")(features)
    x = layers.Dropout(0.2, name="dropout")(x)
    x = layers.Flatten(name="flatten")(x)
    return heads.classify(x, num_classes, activation)


def auxiliary(tensor_of, num_classes, activation, **_):
    """Output of the last inception B -> [(N, num_classes)]."""
    x = tensor_of("inception_b7")
    return [inception_v3.auxiliary_classifier(x, num_classes, activation)]
