"""AlexNet: five convolutions, three dense layers, and the first ImageNet won by a network.

Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks",
NIPS 2012, Figure 2 and section 3.5. The paper says 224x224; its arithmetic needs 227x227.
``variant="torchvision"`` is Krizhevsky, "One weird trick for parallelizing convolutional neural
networks", 2014 (https://arxiv.org/abs/1404.5997): other widths, no normalisation. ``"bvlc"`` has
the constants of normalisation with which the weights of the Caffe group were trained.
"""

from keras import layers

from cnnzoo.models import blocks, heads
from cnnzoo.models.layers import LocalResponseNormalization

# fmt: off
#                 conv1  conv2  conv3  conv4  conv5
PAPER         = (    96,   256,   384,   384,   256)
WEIRD_TRICK   = (    64,   192,   384,   256,   256)
TWO_TOWERS    = (     1,     2,     1,     2,     2)  # groups: conv3 sees both GPUs
ONE_TOWER     = (     1,     1,     1,     1,     1)
# fmt: on
_SECTION_3_3 = dict(bias=2.0, alpha=1e-4)
NORMALISATION = {
    "two-tower": _SECTION_3_3,
    "one-tower": _SECTION_3_3,
    "bvlc": dict(bias=1.0, alpha=1e-4 / 5),  # Caffe divides alpha by the five channels
}


def alexnet(image, variant):
    """(N, 227, 227, 3) -> (N, 6, 6, 256)."""
    normalisation = NORMALISATION.get(variant)
    filters = WEIRD_TRICK if variant == "torchvision" else PAPER
    groups = TWO_TOWERS if variant in ("two-tower", "bvlc") else ONE_TOWER
    x = image
    if variant == "torchvision":
        x = layers.ZeroPadding2D(2, name="conv1_pad")(x)
    x = blocks.conv_relu(x, filters[0], 11, stride=4, padding="valid", name="conv1")
    x = _normalize_and_pool(x, normalisation, "1")  # (N, 27, 27, 96)
    x = blocks.conv_relu(x, filters[1], 5, groups=groups[1], name="conv2")
    x = _normalize_and_pool(x, normalisation, "2")  # (N, 13, 13, 256)
    for i in (2, 3, 4):
        x = blocks.conv_relu(x, filters[i], 3, groups=groups[i], name=f"conv{i + 1}")
    return blocks.max_pool(x, name="pool5")


def classifier(features, num_classes, activation, variant):
    """(N, 6, 6, 256) -> (N, num_classes)."""
    x = layers.Flatten(name="flatten")(features)
    for name in ("fc6", "fc7"):
        x = layers.Dense(4096, activation="relu", name=name)(x)
        x = layers.Dropout(0.5, name=f"{name}_dropout")(x)
    return heads.classify(x, num_classes, activation, name="fc8")


def _normalize_and_pool(x, constants, number):
    if constants is not None:
        x = LocalResponseNormalization(size=5, beta=0.75, name=f"norm{number}", **constants)(x)
    return blocks.max_pool(x, name=f"pool{number}")
