"""int8 on a small network that has learned something."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from cnnzoo.runtimes.choose import compile
from cnnzoo.store import RUNTIMES


@pytest.fixture(scope="module")
def bars():
    """Pictures with a bar that lies, stands or does both, and their classes."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 60, (240, 12, 12, 1))
    labels = np.arange(240) % 3
    for picture, label in zip(pixels, labels, strict=True):
        row, column = rng.integers(1, 10, 2)
        if label != 1:
            picture[row : row + 2] += 180
        if label != 0:
            picture[:, column : column + 2] += 180
    return np.minimum(pixels, 255).astype("uint8"), labels


@pytest.fixture(scope="module")
def trained(bars):
    keras.utils.set_random_seed(0)
    image = keras.Input((12, 12, 1))
    x = layers.Rescaling(1 / 255)(image)
    x = layers.Conv2D(8, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D()(x)
    x = layers.Flatten()(layers.Conv2D(8, 3, activation="relu")(x))
    model = keras.Model(image, layers.Dense(3, activation="softmax")(x), name="bars")
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(bars[0][:160].astype("float32"), bars[1][:160], epochs=12, verbose=0)
    return model


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_int8_is_as_right_as_float32(trained, bars, runtime):
    pixels, labels = bars[0][160:], bars[1][160:]
    runner = compile(trained, runtime, "int8", calibration=bars[0][:64])
    assert (runner.runtime, runner.precision) == (runtime, "int8")
    assert runner.note.startswith(f"{runtime} in int8 differs from Keras in float32 by ")
    known = trained.predict(pixels, verbose=0)
    answers = runner(pixels)
    assert (known.argmax(1) == labels).mean() > 0.95
    assert (answers.argmax(1) == labels).mean() > 0.95
    assert np.abs(answers - known).max() > 1e-4  # eight bits were used


def test_other_calibration_pictures_make_another_network(trained, bars):
    for pictures in (bars[0][:32], bars[0][32:64]):
        compile(trained, "onnxruntime", "int8", calibration=pictures)
    titles = [entry.title for entry in RUNTIMES.entries()]
    assert titles.count("bars in int8") == 2
    assert titles.count("bars for onnxruntime") == 1
