"""Grouped convolution against separate ones: values and gradients, every way of computing it."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from cnnzoo.models import grouped
from cnnzoo.models.grouped import GroupedConv2D

WAYS = ["native", "merged"]


def _random(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def _apart(images, kernel, groups, stride, padding):
    """The definition: every group by itself."""
    parts = zip(tf.split(images, groups, -1), tf.split(kernel, groups, -1), strict=True)
    return tf.concat([tf.nn.conv2d(x, k, stride, padding.upper()) for x, k in parts], -1)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("groups", [2, 3, 32])
@pytest.mark.parametrize(("stride", "padding"), [(1, "same"), (2, "valid")])
def test_values_and_gradients_are_those_of_separate_convolutions(
    way, groups, stride, padding, monkeypatch
):
    monkeypatch.setattr(grouped, "best_way", lambda *about: way)
    images = tf.constant(_random(2, 9, 9, groups * 3))
    layer = GroupedConv2D(
        groups * 4, 3, groups=groups, strides=stride, padding=padding, bias_initializer="normal"
    )
    layer.build(images.shape)
    kernel, bias = layer.kernel.value, layer.bias.value
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(images)
        ours = layer(images)
        theirs = _apart(images, kernel, groups, stride, padding) + bias
        losses = [tf.reduce_sum(answer**2) for answer in (ours, theirs)]
    assert np.allclose(ours, theirs, atol=1e-5)
    for source in (images, kernel, bias):
        mine, wanted = (tape.gradient(loss, source).numpy() for loss in losses)
        assert np.abs(mine - wanted).max() <= 1e-5 * np.abs(wanted).max()


def test_the_weights_are_those_of_keras():
    ours, theirs = GroupedConv2D(64, 3, groups=32), keras.layers.Conv2D(64, 3, groups=32)
    for layer in (ours, theirs):
        layer.build((None, 9, 9, 32))
    assert [w.shape for w in ours.weights] == [w.shape for w in theirs.weights]
    assert ours.get_config().keys() == theirs.get_config().keys()


def test_an_activation_comes_after_the_bias():
    layer = GroupedConv2D(4, 1, groups=2, activation="relu", kernel_initializer="zeros")
    layer.build((None, 1, 1, 4))
    layer.bias.assign([1.0, -1.0, 2.0, -2.0])
    answer = keras.ops.convert_to_numpy(layer(np.ones((1, 1, 1, 4), "float32")))
    assert answer.ravel().tolist() == [1, 0, 2, 0]


@pytest.mark.parametrize("able", [True, False])
def test_the_native_way_is_taken_only_where_it_has_a_gradient(able, monkeypatch):
    monkeypatch.setattr(grouped, "_tensorflow_has_the_gradient", lambda dtype: able)
    for dtype in ("float32", "bfloat16"):
        assert grouped.best_way("channels_last", dtype) == ("native" if able else "merged")
        assert grouped.best_way("channels_first", dtype) == "merged"
    assert grouped.best_way("channels_last", "float16") == "merged"


def test_the_way_is_chosen_while_a_graph_is_drawn():
    grouped._tensorflow_has_the_gradient.cache_clear()
    model = keras.Sequential([keras.Input((5, 5, 8)), GroupedConv2D(8, 3, groups=4)])
    model.compile("sgd", "mse")
    model.train_on_batch(_random(4, 5, 5, 8), _random(4, 3, 3, 8))
    assert grouped._tensorflow_has_the_gradient.cache_info().currsize == 1


TRAIN = """
import keras, numpy as np
from cnnzoo.models import grouped
print(grouped.best_way("channels_last", "float32"))
model = keras.Sequential([keras.Input((5, 5, 8)), grouped.GroupedConv2D(8, 3, groups=4),
                          keras.layers.GlobalAveragePooling2D()])
model.compile("sgd", "mse")
rng = np.random.default_rng(0)
model.set_weights([rng.standard_normal(w.shape) for w in model.get_weights()])
x, y = rng.standard_normal((16, 5, 5, 8)), rng.standard_normal((16, 8))
print(repr([float(model.train_on_batch(x, y)) for step in range(3)]))
"""


def _trained(**environment):
    """The way chosen and the losses of three steps, in another process."""
    done = subprocess.run(
        [sys.executable, "-c", TRAIN],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    way, losses = done.stdout.splitlines()[-2:]
    return way, np.array(eval(losses))


@pytest.mark.slow
def test_it_trains_alike_without_onednn_and_on_other_backends():
    way, losses = _trained()
    for environment, others in (
        ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "merged"),
        ({"KERAS_BACKEND": "jax"}, "merged"),
        ({"KERAS_BACKEND": "torch"}, "keras"),
    ):
        found, again = _trained(**environment)
        assert found == others
        assert np.allclose(again, losses, rtol=1e-4)
    assert way in WAYS
    assert losses[2] < losses[0]
