"""Inception v1, GoogLeNet: nine modules that look at four scales at once.

Szegedy et al., "Going Deeper with Convolutions", CVPR 2015, Table 1.
https://arxiv.org/abs/1409.4842
The normalisation is that of the BVLC Caffe model, which the paper leaves open: five channels,
k = 1, alpha = 1e-4 divided by five. ``torchvision`` and ``slim`` are the batch-normalised forms
with public weights; both have a 3x3 convolution in the branch the paper calls 5x5.
"""

from dataclasses import dataclass
from functools import partial

from keras import layers

from cnnzoo.models import blocks, heads
from cnnzoo.models.layers import LocalResponseNormalization

# Table 1: #1x1, #3x3 reduce, #3x3, #5x5 reduce, #5x5, pool proj.
# fmt: off
MODULES = {
    "3a": ( 64,  96, 128, 16,  32,  32),
    "3b": (128, 128, 192, 32,  96,  64),
    "4a": (192,  96, 208, 16,  48,  64),
    "4b": (160, 112, 224, 24,  64,  64),
    "4c": (128, 128, 256, 24,  64,  64),
    "4d": (112, 144, 288, 32,  64,  64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
# fmt: on


@dataclass(frozen=True)
class Form:
    batch_norm: bool
    scale: bool = True  # of the batch normalisation
    five: int = 3  # side of the kernel in the 5x5 branch
    stem: str = "even"  # padding of conv1
    pool4: int = 2  # side of the pooling before 5a


FORMS = {
    "paper": Form(batch_norm=False, five=5, pool4=3),
    "torchvision": Form(batch_norm=True),
    "slim": Form(batch_norm=True, scale=False, stem="same"),
}


def inception_v1(image, variant, aux, stem):
    """(N, 224, 224, 3) -> (N, 7, 7, 1024)."""
    form = FORMS[variant]
    conv = partial(blocks.conv_bn_relu, scale=form.scale) if form.batch_norm else blocks.conv_relu
    small = stem == "small"
    x = conv(image, 64, 7, stride=1 if small else 2, padding=form.stem, name="conv1")
    x = x if small else blocks.max_pool(x, padding="same", name="pool1")  # (N, 56, 56, 64)
    x = x if form.batch_norm else _normalize(x, "norm1")
    x = conv(x, 64, 1, name="conv2_reduce")
    x = conv(x, 192, 3, name="conv2")
    x = x if form.batch_norm else _normalize(x, "norm2")
    x = blocks.max_pool(x, padding="same", name="pool2")  # (N, 28, 28, 192)
    for name, row in MODULES.items():
        if name == "4a":
            x = blocks.max_pool(x, padding="same", name="pool3")  # (N, 14, 14, 480)
        if name == "5a":
            x = blocks.max_pool(x, form.pool4, padding="same", name="pool4")  # (N, 7, 7, 832)
        x = inception(x, row, conv, form.five, name=f"inception_{name}")
    return x


def inception(x, row, conv, five, *, name):
    """Figure 2b: 1x1, 3x3 and 5x5 behind narrow 1x1s, and a pooling, side by side."""
    one, three_reduce, three, five_reduce, five_filters, projection = row
    a = conv(x, one, 1, name=f"{name}_1x1")
    b = conv(x, three_reduce, 1, name=f"{name}_3x3_reduce")
    b = conv(b, three, 3, name=f"{name}_3x3")
    c = conv(x, five_reduce, 1, name=f"{name}_5x5_reduce")
    c = conv(c, five_filters, five, name=f"{name}_5x5")
    d = blocks.max_pool(x, stride=1, padding="same", name=f"{name}_pool")
    d = conv(d, projection, 1, name=f"{name}_pool_proj")
    return blocks.concat([a, b, c, d], name)


def classifier(features, num_classes, activation, **_):
    """(N, 7, 7, 1024) -> (N, num_classes)."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(features)
    x = layers.Dropout(0.4, name="dropout")(x)
    return heads.classify(x, num_classes, activation)


def auxiliary(tensor_of, num_classes, activation, variant, **_):
    """Outputs of 4a and 4d -> two (N, num_classes); each loss weighs 0.3 (section 5)."""
    form = FORMS[variant]
    conv = partial(blocks.conv_bn_relu, scale=form.scale) if form.batch_norm else blocks.conv_relu
    outputs = []
    for name, module in (("aux1", "inception_4a"), ("aux2", "inception_4d")):
        x = blocks.avg_pool(tensor_of(module), 5, stride=3, padding="valid", name=f"{name}_pool")
        x = conv(x, 128, 1, name=f"{name}_conv")
        x = layers.Flatten(name=f"{name}_flatten")(x)
        x = layers.Dense(1024, activation="relu", name=f"{name}_fc")(x)
        x = layers.Dropout(0.7, name=f"{name}_dropout")(x)
        outputs.append(heads.classify(x, num_classes, activation, name=f"{name}_predictions"))
    return outputs


def _normalize(x, name):
    return LocalResponseNormalization(size=5, bias=1.0, alpha=1e-4 / 5, beta=0.75, name=name)(x)
