from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from cnnzoo.training.fast_steps import fast_steps

SHAPE = (6, 5, 3, 8)


def _model(dtype: str = "float32", shape: tuple[int, ...] = SHAPE, **settings: Any) -> keras.Model:
    """With statistics and weights that are not the initial ones."""
    image = keras.Input(shape[1:])
    norm = layers.BatchNormalization(**settings, dtype=dtype, name="norm")
    model = keras.Model(image, norm(image))
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(0.5, 2, weight.shape) for weight in model.get_weights()])
    return model


def _images(shape: tuple[int, ...] = SHAPE) -> tf.Tensor:
    drawn = np.random.default_rng(2).normal(3, 2, shape)
    return tf.constant(drawn, tf.float32)


def _learnt(model: keras.Model, images: tf.Tensor) -> list[np.ndarray]:
    """Answers and gradients of one step, and the weights after it."""

    @tf.function
    def step(images: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            answers = tf.cast(model(images, training=True), "float32")
            loss = tf.reduce_sum(answers**2 * tf.cos(tf.cumsum(answers, axis=1)))
        values = [images, *(v.value for v in model.trainable_variables)]
        return [answers, *tape.gradient(loss, values)]

    return [*(np.array(found) for found in step(images)), *model.get_weights()]


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"scale": False}, {"center": False}, {"epsilon": 1e-6, "momentum": 0.6}, {"axis": 3}],
    ids=str,
)
def test_a_step_is_that_of_the_plain_layer(dtype: str, settings: dict[str, Any]) -> None:
    model, plain = _model(dtype, **settings), _model(dtype, **settings)
    with fast_steps(model):
        assert "call" in vars(model.get_layer("norm"))
        fast = _learnt(model, _images())
    near = 1e-5 if dtype == "float32" else 0.03
    for ours, keras_own in zip(fast, _learnt(plain, _images()), strict=True):
        np.testing.assert_allclose(ours, keras_own, atol=near * np.abs(keras_own).max())


def test_statistics_in_16_bits_are_those_of_32() -> None:
    model, plain = _model("mixed_bfloat16"), _model("mixed_bfloat16")
    images = tf.cast(tf.cast(_images(), "bfloat16"), "float32")
    with fast_steps(model):
        model(images, training=True)
    plain(images, training=True)
    for ours, keras_own in zip(model.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-5)


def test_a_small_epsilon_counts() -> None:
    """TensorFlow's function of this kernel raises it to 1.001e-5 without a word."""
    model = _model(epsilon=1e-6)
    images = _images() / 1000  # their variance is 4e-6
    with fast_steps(model):
        answers = model(images, training=True)
    gamma, beta = model.get_weights()[:2]
    variance = np.var(images, axis=(0, 1, 2))
    expected = gamma**2 * variance / (variance + 1e-6)
    np.testing.assert_allclose(np.var(answers, axis=(0, 1, 2)), expected, rtol=1e-3)
    np.testing.assert_allclose(np.mean(answers, axis=(0, 1, 2)), beta, atol=1e-4)


def test_one_pixel_of_one_image_keeps_its_statistics_finite() -> None:
    model = _model(shape=(1, 1, 1, 8))
    with fast_steps(model):
        found = _learnt(model, _images((1, 1, 1, 8)))
    assert all(np.isfinite(values).all() for values in found)


@pytest.mark.parametrize(("trainable", "training"), [(False, True), (True, False)])
def test_statistics_that_are_fixed_stay_so(trainable: bool, training: bool) -> None:
    model, plain = _model(), _model()
    model.get_layer("norm").trainable = trainable
    before = model.get_weights()
    with fast_steps(model):
        answers = model(_images(), training=training)
    np.testing.assert_array_equal(answers, plain(_images(), training=False))
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.parametrize(
    "settings",
    [
        {"shape": (6, 8)},
        {"axis": 1},
        {"renorm": True},
        {"synchronized": True},
        {"dtype": "mixed_float16"},
    ],
    ids=str,
)
def test_other_layers_are_left_alone(settings: dict[str, Any]) -> None:
    model = _model(**settings)
    with fast_steps(model):
        assert "call" not in vars(model.get_layer("norm"))
