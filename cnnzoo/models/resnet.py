"""ResNet-50 and ResNeXt-50 (32x4d): one bottleneck, two columns of one table.

He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, Table 1.
https://arxiv.org/abs/1512.03385
Xie, Girshick, Dollár, Tu, He, "Aggregated Residual Transformations for Deep Neural Networks",
CVPR 2017. https://arxiv.org/abs/1611.05431 (its Table 1 prints the two columns side by side.)
"""

from dataclasses import dataclass
from functools import partial

from keras import layers

from cnnzoo.models import blocks


@dataclass(frozen=True)
class Column:
    widths: tuple[int, ...]  # filters of the 3x3 convolution, conv2 to conv5
    groups: int = 1  # the cardinality of ResNeXt
    halves_at: int = 1  # the convolution that carries the stride; torch says 2
    bias: bool = False  # whether convolutions have one, as in the weights of Keras
    epsilon: float = 1.001e-5
    pool_pad: int = 1  # around the first pooling


# fmt: off
STAGES = ("conv2", "conv3", "conv4", "conv5")
DEPTHS = (      3,       4,       6,       3)
OUTPUT = (    256,     512,    1024,    2048)
RESNET_50 = {
    "v1":      Column(widths=( 64, 128, 256,  512), bias=True),
    "v1.5":    Column(widths=( 64, 128, 256,  512), halves_at=2, epsilon=1e-5),
    "v1-2017": Column(widths=( 64, 128, 256,  512), bias=True, epsilon=1e-3, pool_pad=0),
}
RESNEXT_50 = Column(widths=(128, 256, 512, 1024), groups=32, halves_at=2)
# fmt: on


def resnet50(image, variant):
    """(N, 224, 224, 3) -> (N, 7, 7, 2048)."""
    return _trunk(image, RESNET_50[variant])


def resnext50(image):
    """(N, 224, 224, 3) -> (N, 7, 7, 2048)."""
    return _trunk(image, RESNEXT_50)


def _trunk(x, column):
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    stem = dict(stride=2, padding="valid", bias=column.bias, epsilon=column.epsilon)
    x = blocks.conv_bn_relu(x, 64, 7, name="conv1", **stem)
    if column.pool_pad:
        x = layers.ZeroPadding2D(column.pool_pad, name="pool1_pad")(x)
    x = blocks.max_pool(x, name="pool1_pool")  # (N, 56, 56, 64)
    for stage, depth, width, filters in zip(STAGES, DEPTHS, column.widths, OUTPUT, strict=True):
        for i in range(1, depth + 1):
            stride = 2 if i == 1 and stage != "conv2" else 1
            x = bottleneck(x, width, filters, stride, column, name=f"{stage}_block{i}")
    return x


def bottleneck(x, width, filters, stride, column, *, name):
    """1x1 narrows, 3x3 looks around, 1x1 widens; the shortcut is added last."""
    conv_bn = partial(blocks.conv_bn, bias=column.bias, epsilon=column.epsilon)
    conv_bn_relu = partial(blocks.conv_bn_relu, bias=column.bias, epsilon=column.epsilon)
    first, second = (stride, 1) if column.halves_at == 1 else (1, stride)
    shortcut = x
    if stride != 1 or blocks.channels(x) != filters:
        shortcut = conv_bn(x, filters, 1, stride=stride, name=f"{name}_0")
    x = conv_bn_relu(x, width, 1, stride=first, name=f"{name}_1")
    padding = "same"
    if column.halves_at == 2:  # "same" would pad unevenly at stride 2
        x, padding = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x), "valid"
    grouped = dict(stride=second, padding=padding, groups=column.groups)
    x = conv_bn_relu(x, width, 3, name=f"{name}_2", **grouped)
    x = conv_bn(x, filters, 1, name=f"{name}_3")
    x = layers.Add(name=f"{name}_add")([shortcut, x])
    return layers.Activation("relu", name=f"{name}_out")(x)
