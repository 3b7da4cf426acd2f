"""Multiply-accumulates of each kind of layer, by arithmetic; and TensorFlow's own count."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf
from keras import layers

from cnnzoo.analysis import costs
from cnnzoo.analysis.graph import steps
from cnnzoo.analysis.measure import measure, sketch


def _macs(layer: keras.layers.Layer, *shape: int) -> int | None:
    image = keras.Input(shape)
    return costs.macs(steps(keras.Model(image, layer(image)))[-1])


# fmt: off
BY_ARITHMETIC = [
    (layers.Conv2D(16, 5),                               (28, 28, 1),  24 * 24 * 25 * 16),
    (layers.Conv2D(8, (1, 7), strides=2, padding="same"), (9, 9, 4),   5 * 5 * 7 * 4 * 8),
    (layers.Conv2D(8, 3, groups=4, padding="same"),      (6, 6, 8),    36 * 9 * 2 * 8),
    (layers.Conv2D(8, 3, dilation_rate=2),               (9, 9, 3),    25 * 9 * 3 * 8),
    (layers.Conv1D(4, 3),                                (10, 2),      8 * 3 * 2 * 4),
    (layers.Conv3D(4, 3),                                (5, 5, 5, 2), 27 * 27 * 2 * 4),
    (layers.DepthwiseConv2D(3, depth_multiplier=2),      (8, 8, 3),    36 * 9 * 3 * 2),
    (layers.SeparableConv2D(16, 3, padding="same"),      (8, 8, 3),    64 * (9 * 3 + 3 * 16)),
    (layers.Conv2DTranspose(4, 2, strides=2),            (8, 8, 3),    64 * 4 * 3 * 4),
    (layers.Dense(10),                                   (84,),        840),
    (layers.Dense(10),                                   (7, 84),      7 * 840),
    (layers.MaxPooling2D(),                              (8, 8, 3),    0),
    (layers.BatchNormalization(),                        (8, 8, 3),    0),
    (layers.Lambda(lambda x: x),                         (8,),         None),
    (layers.LSTM(4),                                     (8, 3),       None),
    (layers.EinsumDense("ab,bc->ac", 4),                 (8,),         None),
]
# fmt: on


@pytest.mark.parametrize(("layer", "shape", "expected"), BY_ARITHMETIC, ids=str)
def test_macs_of_a_layer_are_those_of_its_arithmetic(layer, shape, expected):
    assert _macs(layer, *shape) == expected


def test_open_size_cannot_be_counted():
    assert _macs(layers.Conv2D(4, 3), None, None, 3) is None


def test_lectures_bottleneck_saves_a_factor_of_ten():
    """28x28x192 to 32 maps by 5x5, directly and behind a 1x1 of 16 maps: the lectures' example."""
    image = keras.Input((28, 28, 192))
    direct = keras.Model(image, layers.Conv2D(32, 5, padding="same")(image))
    narrow = layers.Conv2D(16, 1)(image)
    behind = keras.Model(image, layers.Conv2D(32, 5, padding="same")(narrow))
    assert measure(direct).macs == 120_422_400
    assert measure(behind).macs == 12_443_648


class _Foreign(layers.Layer):
    def call(self, x):
        return x


class _Counted(_Foreign):
    def multiply_accumulates(self, output_shape):
        return 7 * output_shape[-1]


def test_foreign_layer_is_not_counted_unless_it_counts_itself():
    assert _macs(_Foreign(), 8) is None
    assert _macs(_Counted(), 8) == 56


def test_matmul_operation_is_not_silently_free():
    image = keras.Input((4, 4))
    model = keras.Model(image, keras.ops.matmul(image, image))
    assert costs.macs(steps(model)[-1]) is None
    assert costs.macs(steps(keras.Model(image, keras.ops.relu(image)))[-1]) == 0


def _tensorflow_count(model: keras.Model, size: int) -> int:
    """Floating-point operations TensorFlow's profiler finds in the graph, halved: MACs."""
    from tensorflow.python.framework import ops
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2_as_graph,
    )

    function = tf.function(lambda x: model(x, training=False))
    signature = tf.TensorSpec([1, size, size, 3], tf.float32)
    concrete = function.get_concrete_function(signature)
    _, graph = convert_variables_to_constants_v2_as_graph(concrete)
    total = 0
    with tf.Graph().as_default() as plain:
        tf.graph_util.import_graph_def(graph, name="")
        for operation in plain.get_operations():
            if operation.type in ("Conv2D", "DepthwiseConv2dNative", "MatMul"):
                total += ops.get_stats_for_node_def(plain, operation.node_def, "flops").value
    return total // 2


@pytest.mark.parametrize(("name", "size"), [("resnet50", 64), ("xception", 71), ("vgg16", 32)])
def test_macs_agree_with_tensorflows_own_count(name, size):
    from cnnzoo import build

    model = build(name, input_shape=(size, size, 3), num_classes=10)
    assert _tensorflow_count(model, size) == measure(model).macs


def test_receptive_field_of_two_convolutions_and_a_pooling_is_eight():
    """The lectures' example, whose slide multiplies where it should add."""
    image = keras.Input((32, 32, 1))
    x = layers.Conv2D(4, 3)(image)
    assert measure(keras.Model(image, x)).receptive_field == 3
    x = layers.MaxPooling2D(2)(x)
    assert measure(keras.Model(image, x)).receptive_field == 4
    x = layers.Conv2D(4, 3)(x)
    assert measure(keras.Model(image, x)).receptive_field == 8


# fmt: off
RECEPTIVE_FIELDS = [
    ("lenet5", 32), ("alexnet", 195), ("vgg16", 212), ("vgg19", 268), ("resnet50", 483),
    ("inception_v1", 715), ("inception_v3", 1311), ("inception_v4", 2071),
    ("inception_resnet_v2", 3039), ("xception", 1083), ("resnext50", 427),
]
# fmt: on


@pytest.mark.parametrize(("name", "pixels"), RECEPTIVE_FIELDS)
def test_receptive_fields_of_the_zoo(name, pixels):
    assert measure(sketch(name)).receptive_field == pixels
