"""Small networks, and a cache of their own for each test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The cache; the processor has no bfloat16 of its own unless a test says so."""
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CNNZOO_OFFLINE", "1")
    monkeypatch.setattr("cnnzoo.machine.has_native_bfloat16", lambda: False)
    return tmp_path / "cache" / "runtimes"


@pytest.fixture
def network() -> Callable[..., keras.Model]:
    """Makes a classifier of (8, 8, 3) pictures 0 to 255 into 4 classes, random by its seed."""

    def make(seed: int = 0, name: str = "small") -> keras.Model:
        keras.utils.set_random_seed(seed)
        image = keras.Input((8, 8, 3))
        x = layers.Rescaling(1 / 255)(image)
        x = layers.Conv2D(8, 3, padding="same")(x)
        x = layers.ReLU()(layers.BatchNormalization()(x))
        x = layers.GlobalAveragePooling2D()(layers.Add()([x, layers.MaxPooling2D(3, 1, "same")(x)]))
        return keras.Model(image, layers.Dense(4, activation="softmax")(x), name=name)

    return make


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (11, 8, 8, 3), dtype="uint8")
