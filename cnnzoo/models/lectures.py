"""The small networks that three university courses build in class, layer by layer.

A. Horzyk, AGH Kraków: ``agh_mnist``, ``agh_cifar10``, ``agh_example``; S. Alzahrani, Taif:
``taif_mnist``, ``taif_cifar10``; O. Khriyenko, Jyväskylä: ``jyu_mnist_bn``, ``jyu_fashion``.

Convolutions are 3x3 throughout and, as the lectures leave Keras' default, "valid" unless said
otherwise: every one of those takes a pixel from each side. Convolutions before a batch
normalisation keep their biases. Where a lecture writes softmax as a layer of its own, it is part of
the last dense layer here, as in every network of the zoo.
"""

from keras import layers

from cnnzoo.models import blocks, heads


def agh_mnist(image):
    """(N, 28, 28, 1) -> (N, 3, 3, 512)."""
    x = blocks.conv_relu(image, 32, 3, padding="valid", name="conv1")
    x = _pool(x, "1", dropout=0.20)  # (N, 13, 13, 32)
    x = blocks.conv_relu(x, 64, 3, name="conv2")
    x = _pool(x, "2", dropout=0.25)  # (N, 6, 6, 64)
    x = blocks.conv_relu(x, 128, 3, name="conv3")
    x = _pool(x, "3", dropout=0.30)  # (N, 3, 3, 128)
    x = blocks.conv_relu(x, 256, 3, name="conv4")  # the poolings from here on are commented out
    x = layers.Dropout(0.40, name="drop4")(x)
    x = blocks.conv_relu(x, 512, 3, name="conv5")
    return layers.Dropout(0.50, name="drop5")(x)


def agh_cifar10(image):
    """(N, 32, 32, 3) -> (N, 3, 3, 256)."""
    x = image
    rows = ((64, "valid", 0.25), (128, "same", 0.25), (256, "same", 0.35))
    for i, (filters, padding, dropout) in enumerate(rows, start=1):
        x = blocks.conv_relu(x, filters, 3, padding=padding, name=f"conv{i}a")
        x = blocks.conv_relu(x, filters, 3, padding=padding, name=f"conv{i}b")
        x = _pool(x, f"{i}", dropout)  # (N, 14, 14, 64), (N, 7, 7, 128), (N, 3, 3, 256)
    return x


def agh_classifier(features, num_classes, activation):
    """(N, 3, 3, C) -> (N, num_classes), of both networks that the lecture trains."""
    x = layers.Flatten(name="flatten")(features)
    x = layers.Dense(256, activation="relu", name="fc1")(x)
    x = layers.Dropout(0.35, name="fc1_dropout")(x)
    x = layers.Dense(128, activation="relu", name="fc2")(x)
    x = layers.Dropout(0.25, name="fc2_dropout")(x)
    return heads.classify(x, num_classes, activation)


def agh_example(image):
    """(N, 28, 28, 1) -> (N, 3, 3, 64)."""
    x = blocks.conv_relu(image, 32, 3, padding="valid", name="conv1")
    x = _pool(x, "1")  # (N, 13, 13, 32)
    x = blocks.conv_relu(x, 64, 3, padding="valid", name="conv2")
    x = _pool(x, "2")  # (N, 5, 5, 64)
    return blocks.conv_relu(x, 64, 3, padding="valid", name="conv3")


def agh_example_classifier(features, num_classes, activation):
    """(N, 3, 3, 64) -> (N, num_classes)."""
    x = layers.Flatten(name="flatten")(features)
    x = layers.Dense(64, activation="relu", name="fc1")(x)
    return heads.classify(x, num_classes, activation)


def taif_mnist(image):
    """(N, 28, 28, 1) -> (N, 12, 12, 32)."""
    x = image
    for name in ("conv1", "conv2"):
        x = blocks.conv(x, 32, 3, padding="valid", name=f"{name}_conv")
        x = layers.Activation("relu", name=f"{name}_relu")(x)
    return _pool(x, "1")


def taif_mnist_classifier(features, num_classes, activation):
    """(N, 12, 12, 32) -> (N, num_classes)."""
    x = layers.Flatten(name="flatten")(features)
    x = layers.Dense(64, name="fc1")(x)
    x = layers.Activation("relu", name="fc1_relu")(x)
    return heads.classify(x, num_classes, activation)


def taif_cifar10(image):
    """(N, 32, 32, 3) -> (N, 2, 2, 128)."""
    x = image
    rows = ((32, "same", 0.2), (64, "same", 0.2), (128, "valid", 0.5))
    for i, (filters, padding, dropout) in enumerate(rows, start=1):
        for letter in "ab":
            x = _conv_bn(x, filters, padding, "elu", name=f"conv{i}{letter}")
        x = _pool(x, f"{i}", dropout)  # (N, 16, 16, 32), (N, 8, 8, 64), (N, 2, 2, 128)
    return x


def taif_cifar10_classifier(features, num_classes, activation):
    """(N, 2, 2, 128) -> (N, num_classes)."""
    return heads.classify(layers.Flatten(name="flatten")(features), num_classes, activation)


def jyu_mnist_bn(image):
    """(N, 28, 28, 1) -> (N, 4, 4, 64)."""
    x = image
    for i, filters in ((1, 32), (2, 64)):
        for letter in "ab":
            x = _conv_bn(x, filters, "valid", "relu", name=f"conv{i}{letter}")
        x = _pool(x, f"{i}")  # (N, 12, 12, 32), (N, 4, 4, 64)
    return x


def jyu_mnist_bn_classifier(features, num_classes, activation):
    """(N, 4, 4, 64) -> (N, num_classes)."""
    x = layers.Flatten(name="flatten")(features)
    x = layers.Dense(512, name="fc1")(x)
    x = blocks.batch_norm(x, name="fc1_bn")
    x = layers.Activation("relu", name="fc1_relu")(x)
    x = layers.Dropout(0.2, name="fc1_dropout")(x)
    return heads.classify(x, num_classes, activation)


def jyu_fashion(image):
    """(N, 28, 28, 1) -> (N, 12, 12, 64)."""
    x = blocks.conv_relu(image, 32, 3, padding="valid", name="conv1")
    x = blocks.conv_relu(x, 64, 3, padding="valid", name="conv2")
    return _pool(x, "2", dropout=0.25)


def jyu_fashion_classifier(features, num_classes, activation):
    """(N, 12, 12, 64) -> (N, num_classes)."""
    x = layers.Flatten(name="flatten")(features)
    x = layers.Dense(128, activation="relu", name="fc1")(x)
    x = layers.Dropout(0.5, name="fc1_dropout")(x)
    return heads.classify(x, num_classes, activation)


def _pool(x, number, dropout=None):
    """Half the height and width; what is left over at the border is dropped."""
    x = blocks.max_pool(x, 2, name=f"pool{number}")
    return x if dropout is None else layers.Dropout(dropout, name=f"drop{number}")(x)


def _conv_bn(x, filters, padding, activation, name):
    x = blocks.conv_bn(x, filters, 3, padding=padding, bias=True, name=name)
    return layers.Activation(activation, name=f"{name}_{activation}")(x)
