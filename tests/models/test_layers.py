"""The layers Keras lacks, against independent computations."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnzoo.models import layers_1998, lenet
from cnnzoo.models.layers import (
    EvenConv2D,
    LocalResponseNormalization,
    PixelNormalization,
    ScaledAdd,
)


def _random(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype("float32")


def _numpy(x: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(x)


# The paper's formula with its constants on eight channels of 10, 20, … 80, by hand.
NORMALISED = [5.651837, 10.708635, 14.866754, 17.999542, 20.19233, 21.619856, 26.028212, 31.330757]


def test_local_response_normalization_is_the_papers_formula():
    image = np.arange(10, 90, 10, dtype="float32").reshape(1, 1, 1, 8)
    assert np.allclose(_numpy(LocalResponseNormalization()(image)).ravel(), NORMALISED, rtol=1e-6)


def test_local_response_normalization_in_channels_first_works_on_the_channels():
    image = np.arange(10, 90, 10, dtype="float32").reshape(1, 8, 1, 1)
    layer = LocalResponseNormalization(data_format="channels_first")
    assert np.allclose(_numpy(layer(image)).ravel(), NORMALISED, rtol=1e-6)


def test_local_response_normalization_equals_tensorflows():
    image = 30 * _random(2, 5, 6, 16)
    ours = LocalResponseNormalization(size=5, bias=1.0, alpha=2e-3, beta=0.75)(image)
    theirs = tf.nn.local_response_normalization(image, 2, bias=1.0, alpha=2e-3, beta=0.75)
    assert np.allclose(_numpy(ours), theirs.numpy(), rtol=1e-5)


def test_local_response_normalization_survives_float16():
    image = np.full((1, 1, 1, 8), 300.0, "float16")  # its square is beyond float16
    layer = LocalResponseNormalization(dtype="float16")
    assert np.isfinite(_numpy(layer(image))).all()


def test_even_convolution_pads_both_sides_alike():
    images = _random(2, 8, 8, 3)
    layer = EvenConv2D(4, 7, strides=2)
    ours = _numpy(layer(images))
    padded = np.pad(images, ((0, 0), (3, 3), (3, 3), (0, 0)))
    assert np.allclose(ours, tf.nn.conv2d(padded, layer.kernel.value, 2, "VALID"), atol=1e-5)
    same = tf.nn.conv2d(images, layer.kernel.value, 2, "SAME").numpy()
    assert ours.shape == same.shape
    assert not np.allclose(ours, same, atol=1e-2)


def test_even_convolution_knows_its_shape_before_it_runs():
    image = keras.Input((None, 225, 3))
    assert EvenConv2D(4, 7, strides=2)(image).shape == (None, None, 113, 4)


def test_scaled_add_scales_the_residual():
    assert np.allclose(_numpy(ScaledAdd(0.1)([np.ones((1, 2)), np.full((1, 2), 5.0)])), 1.5)


@pytest.mark.parametrize(
    ("mean", "scale", "bgr", "expected"),
    [
        ([103.939, 116.779, 123.68], [1, 1, 1], True, [30 - 103.939, 20 - 116.779, 10 - 123.68]),
        ([127.5] * 3, [127.5] * 3, False, [10 / 127.5 - 1, 20 / 127.5 - 1, 30 / 127.5 - 1]),
    ],
)
def test_pixel_normalization_is_the_rule_as_numbers(mean, scale, bgr, expected):
    pixels = np.array([10, 20, 30], "uint8").reshape(1, 1, 1, 3)
    assert np.allclose(_numpy(PixelNormalization(mean, scale, bgr)(pixels)).ravel(), expected)


def test_squash_is_lecuns_sigmoid():
    x = np.array([-2.0, 0.0, 1.0], "float32")
    assert np.allclose(_numpy(layers_1998.squash(x)), 1.7159 * np.tanh(2 * x / 3), rtol=1e-6)


def test_subsampling_weighs_the_sum_of_four_and_adds_a_bias():
    layer = layers_1998.Subsampling2D()
    image = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    layer.build(image.shape)
    layer.set_weights([np.array([2.0]), np.array([1.0])])
    sums = [[0 + 1 + 4 + 5, 2 + 3 + 6 + 7], [8 + 9 + 12 + 13, 10 + 11 + 14 + 15]]
    assert np.allclose(_numpy(layer(image))[0, :, :, 0], 2 * np.array(sums) + 1)


def test_connection_table_convolution_is_a_convolution_with_the_missing_links_at_zero():
    images = _random(2, 9, 9, 6)
    layer = layers_1998.ConnectionTableConv2D(lenet.C3, 5)
    ours = _numpy(layer(images))
    sparse, dense = _numpy(layer.kernel), np.zeros((5, 5, 6, 16), "float32")
    links = [(source, target) for target, row in enumerate(lenet.C3) for source in row]
    for i, (source, target) in enumerate(links):
        dense[:, :, source, target] = sparse[:, :, i]
    assert np.allclose(ours, tf.nn.conv2d(images, dense, 1, "VALID").numpy(), atol=1e-5)
    assert layer.count_params() == 1_516


def test_rbf_output_is_minus_the_squared_distance_to_each_code():
    codes = [[1, -1, 1], [-1, -1, -1]]
    answer = _numpy(layers_1998.EuclideanRBF(codes)(np.array([[1.0, 0.0, 0.5]])))
    assert np.allclose(answer, [[-(0 + 1 + 0.25), -(4 + 1 + 2.25)]])
    assert layers_1998.EuclideanRBF(codes).weights == []


def test_rbf_codes_are_different_signs_for_any_number_of_classes():
    for count in (10, 7):
        codes = np.array(lenet.codes(count))
        assert codes.shape == (count, 84)
        assert set(codes.ravel()) == {-1, 1}
        assert len(np.unique(codes, axis=0)) == count
