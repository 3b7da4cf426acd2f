"""`preprocess_input`: the arithmetic, and what is no image."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import cnnzoo
from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.errors import DataError

KERAS = {
    "vgg16": "vgg16",
    "resnet50": "resnet50",
    "inception_v3": "inception_v3",
    "inception_resnet_v2": "inception_resnet_v2",
    "xception": "xception",
}


def _pixels(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, "uint8")


@pytest.mark.parametrize("name", KERAS)
def test_rule_is_that_of_keras_applications(name):
    pixels = _pixels(2, 5, 6, 3)
    theirs = getattr(keras.applications, KERAS[name]).preprocess_input(pixels.astype("float32"))
    assert np.allclose(cnnzoo.preprocess_input(pixels, name), theirs, atol=1e-4)


def test_weights_of_another_publisher_bring_their_own_rule():
    pixels = _pixels(4, 4, 3)
    expected = (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    ready = cnnzoo.preprocess_input(pixels, "resnet50", weights="imagenet-torchvision")
    assert np.allclose(ready, expected, atol=1e-4)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: spec.name)
def test_any_number_of_channels_is_normalised(spec, channels):
    ready = cnnzoo.preprocess_input(_pixels(4, 4, channels), spec.name)
    assert ready.shape == (4, 4, channels)
    assert ready.dtype == np.float32


def test_channels_first_images_are_normalised_along_their_channels():
    pixels = _pixels(2, 5, 6, 3)
    expected = cnnzoo.preprocess_input(pixels, "vgg16")
    keras.config.set_image_data_format("channels_first")
    try:
        turned = cnnzoo.preprocess_input(pixels.transpose(0, 3, 1, 2), "vgg16")
    finally:
        keras.config.set_image_data_format("channels_last")
    assert np.array_equal(turned.transpose(0, 2, 3, 1), expected)


def test_input_is_left_as_it_was():
    pixels = _pixels(4, 4, 3).astype("float32")
    before = pixels.copy()
    cnnzoo.preprocess_input(pixels, "vgg16")
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize(
    ("images", "says"),
    [
        (np.full((4, 4, 3), np.nan), "from 0 to 255"),
        (np.full((4, 4, 3), -1.0), "from 0 to 255"),
        (np.full((4, 4, 3), 256.0), "from 0 to 255"),
        (np.zeros((4, 4)), "holds no images"),
        (np.zeros((1, 2, 4, 4, 3)), "holds no images"),
        (np.full((4, 4, 3), "a"), "holds no images"),
        (np.full((4, 4, 3), None), "holds no images"),
    ],
    ids=str,
)
def test_what_is_no_image_is_refused(images, says):
    with pytest.raises(DataError, match=says):
        cnnzoo.preprocess_input(images, "vgg16")
