"""VGG-16 and VGG-19: stacks of 3x3 convolutions between poolings.

Simonyan & Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition",
ICLR 2015, Table 1. https://arxiv.org/abs/1409.1556
The paper trains with dropout 0.5 after fc1 and fc2; like Keras, the graph leaves it out.
"""

from keras import layers

from cnnzoo.models import blocks, heads

# Table 1: how many 3x3 convolutions stand before each of the five poolings.
# fmt: off
FILTERS  = (64, 128, 256, 512, 512)
COLUMN_D = ( 2,   2,   3,   3,   3)  # VGG-16
COLUMN_E = ( 2,   2,   4,   4,   4)  # VGG-19
# fmt: on


def vgg16(image):
    """(N, 224, 224, 3) -> (N, 7, 7, 512)."""
    return _trunk(image, COLUMN_D)


def vgg19(image):
    """(N, 224, 224, 3) -> (N, 7, 7, 512)."""
    return _trunk(image, COLUMN_E)


def classifier(features, num_classes, activation):
    """(N, 7, 7, 512) -> (N, num_classes)."""
    x = layers.Flatten(name="flatten")(features)
    x = layers.Dense(4096, activation="relu", name="fc1")(x)
    x = layers.Dense(4096, activation="relu", name="fc2")(x)
    return heads.classify(x, num_classes, activation)


def _trunk(x, column):
    for block, (depth, filters) in enumerate(zip(column, FILTERS, strict=True), start=1):
        for i in range(1, depth + 1):
            x = blocks.conv_relu(x, filters, 3, name=f"block{block}_conv{i}")
        x = blocks.max_pool(x, 2, name=f"block{block}_pool")  # halves H and W
    return x
