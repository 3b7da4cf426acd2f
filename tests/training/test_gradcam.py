from __future__ import annotations

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

import cnnzoo
from cnnzoo.errors import UsageError
from cnnzoo.training.gradcam import gradcam

IMAGES = np.random.default_rng(0).integers(0, 256, (5, 12, 10, 3)).astype("float32") / 255


def _cam_network(activation: str | None = "softmax") -> keras.Model:
    """Convolution, mean over the image, one dense layer: CAM is defined for it."""
    keras.utils.set_random_seed(1)
    image = keras.Input((12, 10, 3))
    x = layers.Conv2D(6, 3, padding="same", activation="relu", name="features")(image)
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(4, activation=activation, name="classes")(x))


def _cam(model: keras.Model, images: np.ndarray, classes: list[int]) -> np.ndarray:
    """Zhou et al., "Learning Deep Features for Discriminative Localization", 2016, equation 2."""
    features = keras.Model(model.input, model.get_layer("features").output).predict_on_batch(images)
    kernel = model.get_layer("classes").get_weights()[0]
    maps = np.maximum(np.einsum("nhwk,kn->nhw", features, kernel[:, classes]), 0)
    return maps / maps.max(axis=(1, 2), keepdims=True)


@pytest.mark.parametrize("activation", ["softmax", None])
def test_gradcam_equals_the_class_activation_map_where_that_is_defined(
    activation: str | None,
) -> None:
    model, classes = _cam_network(activation), [0, 1, 2, 3, 1]
    expected = _cam(model, IMAGES, classes)
    assert np.ptp(expected) == 1
    np.testing.assert_allclose(gradcam(model, IMAGES, classes), expected, atol=1e-5)


def test_gradcam_of_a_network_that_is_certain_does_not_vanish() -> None:
    model = _cam_network()
    last = model.get_layer("classes")
    last.set_weights([1e4 * value for value in last.get_weights()])
    assert model.predict_on_batch(IMAGES).max(axis=1).tolist() == [1.0] * 5
    predicted = model.predict_on_batch(IMAGES).argmax(axis=1)
    np.testing.assert_allclose(
        gradcam(model, IMAGES), _cam(model, IMAGES, list(predicted)), atol=1e-5
    )


def test_gradcam_does_not_depend_on_the_batches() -> None:
    model = _cam_network()
    whole = gradcam(model, IMAGES)
    np.testing.assert_allclose(gradcam(model, IMAGES, batch_size=2), whole, atol=1e-6)
    assert gradcam(model, IMAGES[:0]).shape == (0, 12, 10)


def test_gradcam_finds_the_corner_that_decides() -> None:
    image = keras.Input((16, 16, 1))
    x = layers.Conv2D(1, 1, use_bias=False, kernel_initializer="ones", name="see")(image)
    x = layers.Flatten()(layers.MaxPooling2D(2)(x))
    model = keras.Model(image, layers.Dense(2, kernel_initializer="ones")(x))
    picture = np.zeros((1, 16, 16, 1), "float32")
    picture[0, 2:5, 11:14] = 1
    (found,) = gradcam(model, picture, [1])
    assert found[2:5, 11:14].min() == 1
    assert found.sum() == 9


def test_gradcam_leaves_the_network_as_it_was() -> None:
    model = _cam_network()
    before = model.predict_on_batch(IMAGES)
    gradcam(model, IMAGES)
    assert np.array_equal(model.predict_on_batch(IMAGES), before)
    assert len(model.layers) == 4


def test_gradcam_refuses_a_layer_that_can_be_passed_by() -> None:
    image = keras.Input((8, 8, 2))
    branch = layers.Conv2D(2, 3, padding="same", name="branch")(image)
    joined = layers.Add(name="joined")([image, branch])
    flat = layers.GlobalAveragePooling2D()(joined)
    model = keras.Model(image, layers.Dense(2)(flat))
    images = np.ones((1, 8, 8, 2), "float32")
    assert gradcam(model, images, [0], layer="joined").shape == (1, 8, 8)
    with pytest.raises(UsageError, match="'branch'"):
        gradcam(model, images, [0], layer="branch")
    with pytest.raises(UsageError, match="'brunch'"):
        gradcam(model, images, [0], layer="brunch")


def test_gradcam_refuses_a_network_without_feature_maps() -> None:
    image = keras.Input((4, 4, 1))
    model = keras.Model(image, layers.Dense(2)(layers.Flatten()(image)))
    with pytest.raises(UsageError, match="no feature map"):
        gradcam(model, np.ones((1, 4, 4, 1), "float32"))


@pytest.mark.parametrize("options", [{}, {"original": True}], ids=["taught", "original"])
def test_gradcam_of_lenet5_takes_the_map_before_the_one_of_1x1(options: dict[str, bool]) -> None:
    keras.utils.set_random_seed(0)
    model = cnnzoo.build("lenet5", include_preprocessing=True, **options)
    images = np.random.default_rng(0).integers(0, 256, (10, 32, 32, 1)).astype("float32")
    maps = gradcam(model, images, range(10))
    assert maps.shape == (10, 32, 32)
    assert maps.dtype == np.float32
    assert maps.min() >= 0
    assert set(maps.max(axis=(1, 2)).tolist()) <= {0.0, 1.0}
    assert maps.max() == 1


BY_BACKEND = """
import sys, keras, numpy as np
from keras import layers
from cnnzoo.training.gradcam import gradcam

image = keras.Input((8, 8, 2))
x = layers.BatchNormalization()(layers.Conv2D(5, 3, activation="relu", name="features")(image))
x = layers.Dense(3, activation="softmax")(layers.Flatten()(layers.MaxPooling2D()(x)))
model = keras.Model(image, x)
numbers = np.random.default_rng(0)
model.set_weights([numbers.random(w.shape).astype("float32") - 0.4 for w in model.get_weights()])
for layer in model.layers:
    if isinstance(layer, layers.BatchNormalization):
        layer.moving_variance.assign(np.ones(5))
np.save(sys.argv[1], gradcam(model, numbers.random((4, 8, 8, 2)), [0, 1, 2, 1]))
"""


@pytest.mark.slow
def test_gradcam_is_the_same_on_every_backend(tmp_path) -> None:
    found = []
    for backend in ("tensorflow", "jax", "torch"):
        target = tmp_path / f"{backend}.npy"
        subprocess.run(
            [sys.executable, "-c", BY_BACKEND, str(target)],
            env=os.environ | {"KERAS_BACKEND": backend},
            check=True,
        )
        found.append(np.load(target))
    assert found[0].max() == 1
    np.testing.assert_allclose(found[1], found[0], atol=1e-5)
    np.testing.assert_allclose(found[2], found[0], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", cnnzoo.list_models())
def test_gradcam_works_on_every_network_of_the_zoo(name: str) -> None:
    from cnnzoo.catalogue.registry import get_spec

    keras.utils.set_random_seed(0)
    spec = get_spec(name)
    model = cnnzoo.build(name, include_preprocessing=True, num_classes=7)
    images = np.random.default_rng(0).integers(0, 256, (1, *spec.input_shape))
    (found,) = gradcam(model, images, [3])
    assert found.shape == spec.input_shape[:2]
    assert 0 <= found.min() <= found.max() <= 1
