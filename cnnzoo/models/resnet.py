"""ResNets and ResNeXt-50 (32x4d): two blocks, the columns of three tables.

He, Zhang, Ren, Sun, "Deep Residual Learning for Image Recognition", CVPR 2016, Table 1, and
section 4.2 for the thin networks of CIFAR-10. https://arxiv.org/abs/1512.03385
Xie, Girshick, Dollár, Tu, He, "Aggregated Residual Transformations for Deep Neural Networks",
CVPR 2017. https://arxiv.org/abs/1611.05431 (its Table 1 prints both 50-layer columns.)
"""

from dataclasses import dataclass
from functools import partial

from keras import layers

from cnnzoo.models import blocks


@dataclass(frozen=True)
class Dialect:
    """What the authors' Caffe, Keras and torch write differently."""

    halves_at: int = 1  # the convolution of a bottleneck that carries the stride; torch says 2
    bias: bool = False  # whether convolutions have one, as in the weights of Keras
    epsilon: float = 1.001e-5
    pool_pad: int = 1  # around the first pooling


KERAS = Dialect(bias=True)
TORCH = Dialect(halves_at=2, epsilon=1e-5)
DIALECTS = {"v1": KERAS, "v1.5": TORCH, "v1-2017": Dialect(bias=True, epsilon=1e-3, pool_pad=0)}

# fmt: off
#              conv2 conv3 conv4 conv5     blocks in each stage, by the name of the network
BLOCKS = {
    18:        (  2,    2,    2,    2),
    34:        (  3,    4,    6,    3),
    50:        (  3,    4,    6,    3),
    101:       (  3,    4,   23,    3),
    152:       (  3,    8,   36,    3),
}
FILTERS =      ( 64,  128,  256,  512)   # of the 3x3 convolutions
RESNEXT =      (128,  256,  512, 1024)   # the same, in 32 groups
WIDENED =      (256,  512, 1024, 2048)   # what a bottleneck gives
CIFAR =        ( 16,   32,   64)         # at 32x32, 16x16 and 8x8 pixels
# fmt: on


def _basic_resnet(image, *, depth, shortcut, stem):
    """(N, 224, 224, 3) -> (N, 7, 7, 512)."""
    x = _stem(image, TORCH, stem)
    for stage, (count, filters) in enumerate(zip(BLOCKS[depth], FILTERS, strict=True), start=2):
        for i in range(1, count + 1):
            stride = 2 if i == 1 and stage > 2 else 1
            x = basic(x, filters, stride, shortcut, name=f"conv{stage}_block{i}")
    return x


def _bottleneck_resnet(image, *, depth, stem, variant="v1", widths=FILTERS, groups=1, dialect=None):
    """(N, 224, 224, 3) -> (N, 7, 7, 2048)."""
    dialect = dialect or DIALECTS[variant]
    x = _stem(image, dialect, stem)
    columns = zip(BLOCKS[depth], widths, WIDENED, strict=True)
    for stage, (count, width, filters) in enumerate(columns, start=2):
        for i in range(1, count + 1):
            stride = 2 if i == 1 and stage > 2 else 1
            name = f"conv{stage}_block{i}"
            x = bottleneck(x, width, filters, stride, groups, dialect, name=name)
    return x


def _cifar_resnet(image, *, depth, shortcut):
    """(N, 32, 32, 3) -> (N, 8, 8, 64): 6n + 2 layers, n blocks in each of three stages."""
    x = blocks.conv_bn_relu(image, CIFAR[0], 3, epsilon=TORCH.epsilon, name="conv1")
    for stage, filters in enumerate(CIFAR, start=2):
        for i in range(1, (depth - 2) // 6 + 1):
            stride = 2 if i == 1 and stage > 2 else 1
            x = basic(x, filters, stride, shortcut, name=f"conv{stage}_block{i}")
    return x


resnet18 = partial(_basic_resnet, depth=18)
resnet34 = partial(_basic_resnet, depth=34)
resnet50 = partial(_bottleneck_resnet, depth=50)
resnet101 = partial(_bottleneck_resnet, depth=101)
resnet152 = partial(_bottleneck_resnet, depth=152)
resnet20 = partial(_cifar_resnet, depth=20)
resnet32 = partial(_cifar_resnet, depth=32)
resnet44 = partial(_cifar_resnet, depth=44)
resnet56 = partial(_cifar_resnet, depth=56)
resnet110 = partial(_cifar_resnet, depth=110)
resnext50 = partial(
    _bottleneck_resnet, depth=50, widths=RESNEXT, groups=32, dialect=Dialect(halves_at=2)
)


def _stem(image, dialect, stem):
    """(N, 224, 224, 3) -> (N, 56, 56, 64), or (N, 32, 32, 3) -> (N, 32, 32, 64) when small."""
    small = stem == "small"
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    norm = dict(bias=dialect.bias, epsilon=dialect.epsilon)
    stride = 1 if small else 2
    x = blocks.conv_bn_relu(x, 64, 7, stride=stride, padding="valid", name="conv1", **norm)
    if small:
        return x
    if dialect.pool_pad:
        x = layers.ZeroPadding2D(dialect.pool_pad, name="pool1_pad")(x)
    return blocks.max_pool(x, name="pool1_pool")


def basic(x, filters, stride, shortcut, *, name):
    """Two 3x3 convolutions, the first with the stride; the shortcut is added last, if any."""
    left = SHORTCUTS[shortcut](x, filters, stride, name=f"{name}_0")
    padding = "same"
    if stride == 2:  # "same" would pad unevenly
        x, padding = layers.ZeroPadding2D(1, name=f"{name}_1_pad")(x), "valid"
    first = dict(stride=stride, padding=padding, epsilon=TORCH.epsilon)
    x = blocks.conv_bn_relu(x, filters, 3, name=f"{name}_1", **first)
    x = blocks.conv_bn(x, filters, 3, epsilon=TORCH.epsilon, name=f"{name}_2")
    if left is not None:
        x = layers.Add(name=f"{name}_add")([left, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def bottleneck(x, width, filters, stride, groups, dialect, *, name):
    """1x1 narrows, 3x3 looks around, 1x1 widens; the shortcut is added last."""
    norm = dict(bias=dialect.bias, epsilon=dialect.epsilon)
    first, second = (stride, 1) if dialect.halves_at == 1 else (1, stride)
    left = projection(x, filters, stride, name=f"{name}_0", **norm)
    x = blocks.conv_bn_relu(x, width, 1, stride=first, name=f"{name}_1", **norm)
    padding = "same"
    if dialect.halves_at == 2:  # "same" would pad unevenly at stride 2
        x, padding = layers.ZeroPadding2D(1, name=f"{name}_2_pad")(x), "valid"
    grouped = dict(stride=second, padding=padding, groups=groups)
    x = blocks.conv_bn_relu(x, width, 3, name=f"{name}_2", **grouped, **norm)
    x = blocks.conv_bn(x, filters, 1, name=f"{name}_3", **norm)
    x = layers.Add(name=f"{name}_add")([left, x])
    return layers.Activation("relu", name=f"{name}_out")(x)


def projection(x, filters, stride, *, name, bias=False, epsilon=TORCH.epsilon):
    """Option B of the paper: a 1x1 convolution where the shape changes, else nothing."""
    if stride == 1 and blocks.channels(x) == filters:
        return x
    return blocks.conv_bn(x, filters, 1, stride=stride, bias=bias, epsilon=epsilon, name=name)


def zero_padding(x, filters, stride, *, name):
    """Option A: every second pixel, and new channels of zeros, half of them on either side."""
    missing = filters - blocks.channels(x)
    if stride != 1:
        x = layers.AveragePooling2D(1, strides=stride, name=f"{name}_pool")(x)
    if missing:  # a layer that pads height and width pads channels when told the other format
        first, pad = blocks.channel_axis() == 1, (missing // 2, missing - missing // 2)
        around = dict(padding=(pad, (0, 0)), data_format="channels_last")
        if not first:
            around = dict(padding=((0, 0), pad), data_format="channels_first")
        x = layers.ZeroPadding2D(**around, name=f"{name}_zeros")(x)
    return x


def none(x, filters, stride, *, name):
    """The paper's plain networks."""


SHORTCUTS = {"projection": projection, "zero-padding": zero_padding, "none": none}
