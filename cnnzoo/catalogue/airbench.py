"""The network made for training on CIFAR-10 in no time."""

from __future__ import annotations

from cnnzoo.catalogue.spec import ModelSpec, Paper

AIRBENCH94 = ModelSpec(
    name="airbench94",
    title="airbench94",
    family="airbench",
    idea="Wide and shallow, the first layer set from the data",
    paper=Paper(
        authors="K. Jordan",
        title="94% on CIFAR-10 in 3.29 Seconds on a Single GPU",
        year=2024,
        venue="arXiv 2404.00498",
        url="https://arxiv.org/abs/2404.00498",
        table="Section 3 and the code",
    ),
    input_shape=(32, 32, 3),
    min_size=9,
    num_classes=10,
    preprocessing="standardised-cifar10",
    trunk="cnnzoo.models.airbench:airbench94",
    top="cnnzoo.models.airbench:airbench94_classifier",
    stages=("whiten_gelu", "block1b_gelu", "block2b_gelu", "block3b_gelu"),
    dataset="CIFAR-10",
    notes=(
        "The recipe 'speedrun' sets the first layer from the training images and never trains it; "
        "built without it, it is random like any other.",
    ),
)
