from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from cnnzoo import machine
from cnnzoo.training.fast_steps import fast_steps


def _model(
    dtype: str = "mixed_bfloat16", side: int | None = 4, channels: int = 64, **settings: Any
) -> keras.Model:
    keras.utils.set_random_seed(1)
    image = keras.Input((side, side, channels))
    options = {"filters": 129, "kernel_size": 3, "padding": "same", "name": "conv"} | settings
    conv = layers.Conv2D(**options, dtype=dtype)
    return keras.Model(image, conv(image))


def _gradients(model: keras.Model, images: tf.Tensor) -> list[np.ndarray]:
    """Of the images and of the weights, for a loss that is no sum."""

    @tf.function
    def of(images: tf.Tensor) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(images)
            answers = model(images, training=True)
            loss = tf.reduce_sum(tf.square(tf.cast(answers, "float32")))
        return tape.gradient(loss, [images, *(v.value for v in model.trainable_variables)])

    return [np.array(gradient, np.float32) for gradient in of(images)]


SMALL = {"side": 4, "channels": 64}  # with 129 filters just over 512 products for each pixel
TINY = {"side": 4, "channels": 1017}  # just over 8,192


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("size", [(3, 3), (2, 4), (4, 3)])
@pytest.mark.parametrize("more", [{}, {"use_bias": False}, {"activation": "relu"}], ids=str)
@pytest.mark.parametrize(
    ("place", "dtype"), [(SMALL, "mixed_bfloat16"), (TINY, "mixed_bfloat16"), (TINY, "float32")]
)
def test_gradients_are_those_of_the_plain_layer(
    padding: str, size: tuple[int, int], more: dict[str, Any], place: dict[str, int], dtype: str
) -> None:
    images = tf.random.stateless_normal((128, 4, 4, place["channels"]), (1, 2))
    settings = {"padding": padding, "kernel_size": size, **place, **more}
    model = _model(dtype, **settings)
    exact = _model("float32", **settings)
    exact.set_weights(model.get_weights())
    plain = _gradients(model, images)
    with fast_steps(model):
        assert "call" in vars(model.get_layer("conv"))
        fast = _gradients(model, images)
    close, closer = (0.03, 2**-7) if dtype == "mixed_bfloat16" else (1e-5, 1e-5)
    for ours, keras_own, truth in zip(fast, plain, _gradients(exact, images), strict=True):
        assert ours.shape == truth.shape
        np.testing.assert_allclose(ours, truth, atol=close * np.abs(truth).max())
        np.testing.assert_allclose(ours, keras_own, atol=closer * np.abs(truth).max())


@pytest.mark.parametrize("size", [(3, 3), (6, 5)])
@pytest.mark.parametrize("dtype", ["mixed_bfloat16", "float32"])
def test_answers_on_tiny_maps_are_those_of_the_plain_layer(
    size: tuple[int, int], dtype: str
) -> None:
    """A window of 6x5 lies over the map of 2x2 with weights that never meet a pixel."""
    model = _model(dtype, side=2, channels=256, kernel_size=size, padding="same")
    images = tf.random.stateless_normal((5, 2, 2, 256), (1, 2))
    before, gradients = np.array(model(images), np.float32), _gradients(model, images)
    with fast_steps(model):
        after, fast = np.array(model(images), np.float32), _gradients(model, images)
    near = 0.01 if dtype == "mixed_bfloat16" else 1e-5
    for ours, keras_own in zip([after, *fast], [before, *gradients], strict=True):
        np.testing.assert_allclose(ours, keras_own, atol=near * np.abs(keras_own).max())


@pytest.mark.parametrize("side", [2, 3, 5, None])
def test_a_layer_may_meet_images_of_another_size(side: int | None) -> None:
    """As where small images are shown first, and in networks that use a layer twice."""
    model = _model("float32", **TINY, padding="same")
    conv = model.get_layer("conv")
    image = keras.Input((side, side, TINY["channels"]))
    other = keras.Model(image, conv(image))
    images = tf.random.stateless_normal((3, side or 4, side or 4, TINY["channels"]), (1, 2))
    plain = [np.array(conv(images)), *_gradients(other, images)]
    with fast_steps(model):
        assert "call" in vars(conv)
        fast = [np.array(conv(images)), *_gradients(other, images)]
    for ours, keras_own in zip(fast, plain, strict=True):
        np.testing.assert_allclose(ours, keras_own, atol=1e-5 * np.abs(keras_own).max())


@pytest.mark.parametrize("side", [5, None])
def test_a_map_that_is_larger_or_of_no_known_size_is_left_to_keras(side: int | None) -> None:
    model = _model(**SMALL)

    def kernels(side: int | None) -> set[str]:
        """Which of TensorFlow's do a step on maps of this size."""

        @tf.function(input_signature=[tf.TensorSpec((None, side, side, SMALL["channels"]))])
        def step(images: tf.Tensor) -> Any:
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(model.get_layer("conv")(images))
            return tape.gradient(loss, model.get_layer("conv").kernel.value)

        return {operation.type for operation in step.get_concrete_function().graph.get_operations()}

    with fast_steps(model):
        assert "Conv2DBackpropFilter" in kernels(side)
        assert "Conv2DBackpropFilter" not in kernels(4)


def test_answers_do_not_change_and_the_layer_is_what_it_was_afterwards() -> None:
    model = _model()
    images = tf.random.stateless_normal((2, 4, 4, 64), (1, 2))
    before = np.array(model(images), np.float32)
    with fast_steps(model):
        assert "call" in vars(model.get_layer("conv"))
        assert np.array_equal(np.array(model(images), np.float32), before)
        again = keras.models.clone_model(model)
        assert "call" not in vars(again.get_layer("conv"))
    assert "call" not in vars(model.get_layer("conv"))


@pytest.mark.parametrize(
    "settings",
    [
        {"side": 5},
        {"filters": 127},
        {"side": None},
        {"dtype": "float32"},
        {**TINY, "dtype": "float32", "filters": 128},
        {**TINY, "dtype": "float32", "side": 5, "channels": 2048},
        {**TINY, "dtype": "mixed_float16"},
        {"strides": 2},
        {"dilation_rate": 2},
        {"groups": 4, "filters": 128},
        {"kernel_size": 1},
    ],
    ids=str,
)
def test_other_layers_are_left_alone(settings: dict[str, Any]) -> None:
    model = _model(**settings)
    with fast_steps(model):
        assert "call" not in vars(model.get_layer("conv"))


def test_accelerators_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "hardware", lambda: {"accelerators": ["a GPU"]})
    model = _model()
    with fast_steps(model):
        assert "call" not in vars(model.get_layer("conv"))
