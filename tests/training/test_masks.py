from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from cnnzoo.training.fast_steps import fast_steps


def _model(layer: layers.Layer) -> keras.Model:
    image = keras.Input((None, None, 3))
    return keras.Model(image, layer(image))


def _dropped(rate: float, shape: tuple[int, ...], times: int = 1) -> list[np.ndarray]:
    """What becomes of ones, as a compiled step computes it."""
    model = _model(layers.Dropout(rate, seed=7))
    with fast_steps(model):
        step = tf.function(lambda ones: model(ones, training=True))
        return [step(tf.ones(shape)).numpy() for _ in range(times)]


@pytest.mark.parametrize("rate", [0.2, 0.5, 0.9])
def test_a_share_is_dropped_and_the_rest_makes_up_for_it(rate: float) -> None:
    (found,) = _dropped(rate, (100, 20, 20, 3))
    assert abs((found == 0).mean() - rate) < 5 * np.sqrt(rate * (1 - rate) / found.size)
    np.testing.assert_allclose(found[found != 0], 1 / (1 - rate), rtol=1e-3)


@pytest.mark.parametrize("shape", [(1, 1, 1, 3), (3, 5, 7, 3), (2, 4, 4, 3)])
def test_any_number_of_units_has_its_mask(shape: tuple[int, ...]) -> None:
    assert _dropped(0.5, shape)[0].shape == shape


def test_every_step_has_a_mask_of_its_own_that_the_seed_decides() -> None:
    first, second = _dropped(0.5, (4, 9, 9, 3), times=2)
    again = _dropped(0.5, (4, 9, 9, 3), times=2)
    assert not np.array_equal(first, second)
    assert np.array_equal([first, second], again)
    flat = first.reshape(-1)
    assert 0.4 < (flat[::2] == flat[1::2]).mean() < 0.6  # two of one number are no twins


def test_gradients_go_where_the_units_stayed() -> None:
    model = _model(layers.Dropout(0.5, seed=1))
    ones = tf.ones((2, 6, 6, 3))
    with fast_steps(model), tf.GradientTape() as tape:
        tape.watch(ones)
        found = model(ones, training=True)
    assert np.array_equal(tape.gradient(found, ones), found)


def test_nothing_is_dropped_when_nothing_is_learnt() -> None:
    model = _model(layers.Dropout(0.5))
    ones = tf.ones((2, 6, 6, 3))
    with fast_steps(model):
        assert np.array_equal(model(ones), ones)
        assert np.array_equal(model(ones, training=False), ones)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dropout(0.0),
        layers.Dropout(1.0),
        layers.Dropout(0.999999),
        layers.Dropout(0.5, noise_shape=(None, 1, 1, 3)),
        layers.SpatialDropout2D(0.5),
        layers.GaussianDropout(0.5),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_other_layers_are_left_alone(layer: layers.Layer) -> None:
    with fast_steps(_model(layer)):
        assert "call" not in vars(layer)
