"""The small networks that university courses build in class.

A lecture is no first publication, so none of them has a year: they come after the networks of the
papers in every list. ``table`` names the lecture's notebook cell or heading.
"""

from __future__ import annotations

from typing import Any

from cnnzoo.catalogue.spec import ModelSpec, Paper

_AGH = dict(
    authors="A. Horzyk",
    title="Convolutional Neural Networks",
    year=0,
    venue="course Knowledge-based Computational Intelligence and Data Mining in Biomedicine, "
    "AGH University of Science and Technology, Kraków",
    url="http://home.agh.edu.pl/~horzyk/lectures/ahdydkbcidmbm.php",
)
_TAIF = dict(
    authors="S. Alzahrani",
    title="Deep Learning: Lecture Notes for MSc. in Data Science",
    year=0,
    venue="chapter on convolutional neural networks, Taif University",
    url="",
)
_JYVASKYLA = dict(
    authors="O. Khriyenko",
    title="Lecture 3: AutoEncoders and Convolutional Neural Networks (CNN)",
    year=0,
    venue="course TIES4911 Deep-Learning for Cognitive Computing for Developers, spring 2024, "
    "University of Jyväskylä",
    url="",
)
_MNIST = (28, 28, 1)
_CIFAR10 = (32, 32, 3)
_ADADELTA = (
    "Adadelta() stood for a learning rate of 1.0 in the Keras of the lecture and stands for 0.001 "
    "in Keras 3: pass learning_rate=1.0 to train as the lecture did."
)


def _lecture(
    name: str, lecture: dict[str, Any], table: str, input_shape: tuple[int, int, int], **more: Any
) -> ModelSpec:
    more = {
        "preprocessing": "zero-one",
        "top": f"cnnzoo.models.lectures:{name}_classifier",
    } | more
    return ModelSpec(
        name=name,
        family="lecture",
        paper=Paper(table=table, **lecture),
        input_shape=input_shape,
        num_classes=10,
        trunk=f"cnnzoo.models.lectures:{name}",
        flat_top=True,
        **more,
    )


AGH_MNIST = _lecture(
    "agh_mnist",
    _AGH,
    "MNIST notebook, In [6]",
    _MNIST,
    title="AGH MNIST",
    idea="Five convolutions, dropout that grows with depth",
    dataset="MNIST",
    min_size=10,
    top="cnnzoo.models.lectures:agh_classifier",
    notes=(
        "The lecture's 99.63 % is that of the test set, by which it also lowered the learning "
        "rate: no held-out figure.",
        _ADADELTA,
    ),
)
AGH_CIFAR10 = _lecture(
    "agh_cifar10",
    _AGH,
    "CIFAR-10 notebook, In [6]",
    _CIFAR10,
    title="AGH CIFAR-10",
    idea="Convolutions in pairs, dropout after every pooling",
    dataset="CIFAR-10",
    min_size=12,
    top="cnnzoo.models.lectures:agh_classifier",
    notes=(
        "The lecture's 83.85 % is that of the test set, by which it also lowered the learning "
        "rate; three epochs earlier it was 84.77 %.",
        _ADADELTA,
    ),
)
AGH_EXAMPLE = _lecture(
    "agh_example",
    _AGH,
    "CNN Structure",
    _MNIST,
    title="AGH example",
    idea="The shape of a CNN: convolve and pool, then dense layers",
    dataset="MNIST",
    min_size=18,
    notes=(
        "The lecture prints the summary, 93,322 parameters, and neither dataset nor activations: "
        "28x28x1 follows from the shapes; MNIST, ReLU and softmax are what fits them.",
    ),
)
TAIF_MNIST = _lecture(
    "taif_mnist",
    _TAIF,
    "A CNN example with Keras and MNIST, In [13]",
    _MNIST,
    title="Taif MNIST",
    idea="Two convolutions and one pooling on raw pixels",
    dataset="MNIST",
    preprocessing="raw-0-255",
    min_size=6,
    notes=(
        "The lecture's 67.05 % is of pixels 0 to 255, fed unscaled, and of five epochs of "
        "'adadelta', most likely at the 0.001 that is its default since TensorFlow 2.",
    ),
)
TAIF_CIFAR10 = _lecture(
    "taif_cifar10",
    _TAIF,
    "A CNN example with Keras and CIFAR-10, In [5]",
    _CIFAR10,
    title="Taif CIFAR-10",
    idea="Batch norm before every ELU, one dense layer",
    dataset="CIFAR-10",
    preprocessing="standardised-cifar10",
    min_size=24,
    notes=(
        "The first four convolutions are padded, the last two are not.",
        "The lecture's 78.46 % is that of the test set, which served as validation set too; "
        "training images were turned by up to 90 degrees.",
    ),
)
JYU_MNIST_BN = _lecture(
    "jyu_mnist_bn",
    _JYVASKYLA,
    "Convolution NN on MNIST dataset with Keras",
    _MNIST,
    title="JYU MNIST (BN)",
    idea="Batch norm before every ReLU, the dense one included",
    dataset="MNIST",
    min_size=16,
    notes=(
        "The lecture ends in a softmax and trains with from_logits=True, which applies a second "
        "one; it prints no accuracy.",
    ),
)
JYU_FASHION = _lecture(
    "jyu_fashion",
    _JYVASKYLA,
    "CNN on Fashion-MNIST dataset",
    _MNIST,
    title="JYU Fashion-MNIST",
    idea="Two convolutions, one pooling, nearly all weights dense",
    dataset="Fashion-MNIST",
    min_size=6,
    notes=(
        "1,179,776 of the 1,199,882 parameters lie in the first dense layer.",
        "The lecture validates on the test set; the accuracy it prints cannot be read.",
    ),
)

LECTURES = (
    *(AGH_MNIST, AGH_CIFAR10, AGH_EXAMPLE),
    *(TAIF_MNIST, TAIF_CIFAR10),
    *(JYU_MNIST_BN, JYU_FASHION),
)
