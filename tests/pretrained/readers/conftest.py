"""A network that takes no time."""

from __future__ import annotations

from collections.abc import Iterator

import keras
import pytest
from weight_files import randomise


@pytest.fixture
def small() -> Iterator[keras.Model]:
    """Every kind of layer that name maps speak of, small."""
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(4, 3, name="stem_conv", use_bias=False)(image)
    x = keras.layers.BatchNormalization(name="stem_bn")(x)
    x = keras.layers.SeparableConv2D(6, 3, name="sep", use_bias=False)(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    x = keras.layers.Dense(5, name="predictions")(x)
    model = keras.Model(image, x, name="small")
    randomise(model, seed=1)
    yield model
    keras.backend.clear_session()
