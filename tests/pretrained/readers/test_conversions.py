"""Each conversion against the layer it is for, evaluated the way its publisher does."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnzoo.models.grouped import GroupedConv2D
from cnnzoo.pretrained import conversions

NUMBERS = np.random.default_rng(11)


def _random(*shape: int) -> np.ndarray:
    return NUMBERS.normal(size=shape).astype("float32")


def _torch_conv(image: np.ndarray, kernel: np.ndarray, groups: int = 1) -> np.ndarray:
    """(C, H, W), (O, C / groups, h, w) -> (O, H - h + 1, W - w + 1), by its definition."""
    outside, inside, height, width = kernel.shape
    rows, columns = image.shape[1] - height + 1, image.shape[2] - width + 1
    result = np.zeros((outside, rows, columns))
    for o in range(outside):
        first = o // (outside // groups) * inside
        for y in range(rows):
            for x in range(columns):
                window = image[first : first + inside, y : y + height, x : x + width]
                result[o, y, x] = (window * kernel[o]).sum()
    return result


@pytest.mark.parametrize("groups", [1, 2])
def test_convolution_of_torch_gives_the_same_picture(groups):
    image, kernel = _random(4, 6, 7), _random(6, 4 // groups, 3, 2)
    layer = GroupedConv2D(6, (3, 2), groups=groups, use_bias=False)
    x = image.transpose(1, 2, 0)[None]
    layer.build(x.shape)
    assert conversions.CONV.shape(kernel.shape) == layer.kernel.shape
    layer.kernel.assign(conversions.CONV.values(kernel))
    ours = np.array(layer(x))[0].transpose(2, 0, 1)
    np.testing.assert_allclose(ours, _torch_conv(image, kernel, groups), atol=1e-4)


def test_dense_layer_of_torch_is_transposed():
    features, weight = _random(3, 5), _random(2, 5)
    assert conversions.DENSE.shape((2, 5)) == (5, 2)
    np.testing.assert_array_equal(features @ conversions.DENSE.values(weight), features @ weight.T)


@pytest.mark.parametrize("stored", [(4, 18), (4, 2, 3, 3)])
def test_first_dense_layer_sees_the_features_in_its_own_order(stored):
    features, weight = _random(2, 3, 3), _random(*stored)
    rule = conversions.flattened(2, 3, 3)
    assert rule.shape(stored) == (18, 4)
    theirs = weight.reshape(4, 18) @ features.reshape(18)  # channels first
    x = keras.layers.Flatten()(features.transpose(1, 2, 0)[None])
    np.testing.assert_allclose((np.array(x) @ rule.values(weight))[0], theirs, rtol=1e-4, atol=1e-5)


def test_depthwise_kernel_summed_over_groups_is_a_grouped_kernel():
    image, kernel = _random(1, 5, 5, 12), _random(3, 3, 12, 3)  # four groups of three
    rule = conversions.grouped(4)
    assert rule.shape(kernel.shape) == (3, 3, 3, 12)
    theirs = np.array(keras.ops.depthwise_conv(image, kernel))
    theirs = theirs.reshape(1, 3, 3, 4, 3, 3).sum(axis=4).reshape(1, 3, 3, 12)
    layer = GroupedConv2D(12, 3, groups=4, use_bias=False)
    layer.build(image.shape)
    layer.kernel.assign(rule.values(kernel))
    np.testing.assert_allclose(np.array(layer(image)), theirs, atol=1e-4)


def test_background_class_is_dropped_from_kernel_and_bias():
    rule = conversions.without_first(1, conversions.DENSE)
    weight = _random(1001, 4)
    assert rule.shape(weight.shape) == (4, 1000)
    np.testing.assert_array_equal(rule.values(weight), weight[1:].T)
    bias = conversions.without_first(1, conversions.COPY)
    assert bias.shape((1001,)) == (1000,)
    assert bias.shape((1,)) is None


@pytest.mark.parametrize(
    ("rule", "shape"),
    [
        (conversions.CONV, (3, 3)),
        (conversions.DENSE, (3, 3, 3)),
        (conversions.DENSE, ()),
        (conversions.flattened(2, 3, 3), (4, 17)),
        (conversions.flattened(2, 3, 3), ()),
        (conversions.grouped(4), (3, 3, 12, 4)),
        (conversions.grouped(4), (12, 3)),
        (conversions.without_first(1, conversions.DENSE), (3, 3, 3)),
    ],
)
def test_shape_that_a_conversion_cannot_take_is_told_before_reading(rule, shape):
    assert rule.shape(shape) is None


@pytest.mark.parametrize(
    ("mean", "scale"),
    [
        ((103.939, 116.779, 123.68), (1.0, 1.0, 1.0)),
        ((123.675, 116.28, 103.53), (58.395, 57.12, 57.375)),
        ((127.5,) * 3, (127.5,) * 3),
    ],
)
def test_grey_stem_answers_as_the_coloured_one_to_a_grey_image(mean, scale):
    grey = NUMBERS.uniform(0, 255, (1, 6, 6, 1)).astype("float32")
    kernel = _random(3, 3, 3, 5)
    coloured = (np.repeat(grey, 3, axis=3) - np.array(mean)) / np.array(scale)
    theirs = np.array(keras.ops.conv(coloured.astype("float32"), kernel))
    one = (grey - np.mean(mean)) / np.mean(scale)
    ours = np.array(
        keras.ops.conv(
            one.astype("float32"), conversions.grey_kernel(kernel, scale).astype("float32")
        )
    )
    ours = ours + conversions.grey_offset(kernel, mean, scale)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-3 * np.abs(theirs).max())
