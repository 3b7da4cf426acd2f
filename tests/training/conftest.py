"""Three kinds of bars on 12x12 pixels, and a network small enough to learn them in a second."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from keras import layers

from cnnzoo.catalogue.registry import register_model, unregister_model
from cnnzoo.training.data.dataset import Dataset, Part

NAMES = ("lying", "standing", "both")


def _part(count: int, seed: int) -> Part:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    images = rng.integers(0, 60, (count, 12, 12, 1), dtype=np.uint8)
    for image, label, where in zip(images, labels, rng.integers(2, 9, count), strict=True):
        if label in (0, 2):
            image[where : where + 2] = 255
        if label in (1, 2):
            image[:, where : where + 2] = 255
    return Part(images, labels)


@pytest.fixture(scope="session")
def bars() -> Dataset:
    """60 training and 30 test images, grey, balanced."""
    return Dataset("bars", "drawn by the test", _part(60, 1), _part(30, 2), NAMES, channels=1)


@pytest.fixture(scope="module")
def tiny() -> Iterator[str]:
    """The name of a network of 8 filters, registered for one file: others list all networks."""

    def trunk(image: object) -> object:
        return layers.Conv2D(8, 5, strides=2, activation="relu", name="conv")(image)

    register_model("tiny", trunk, input_shape=(12, 12, 1), num_classes=3, min_size=8)
    yield "tiny"
    unregister_model("tiny")


@pytest.fixture
def probabilities() -> Callable[..., np.ndarray]:
    """Makes (N, classes) rows that favour the given predictions, by the given certainties."""

    def make(predicted: list[int], sure: list[float], classes: int) -> np.ndarray:
        rows = np.repeat((1 - np.array(sure)[:, None]) / (classes - 1), classes, axis=1)
        rows[np.arange(len(predicted)), predicted] = sure
        return rows

    return make
