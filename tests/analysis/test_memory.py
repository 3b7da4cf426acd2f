"""Activation memory against hands that counted small graphs."""

from __future__ import annotations

import gc
import weakref
from math import prod

import keras
import pytest
import tensorflow as tf
from keras import layers

from cnnzoo.analysis import memory
from cnnzoo.analysis.graph import steps
from cnnzoo.analysis.measure import measure, sketch
from cnnzoo.builder import build
from cnnzoo.catalogue.facts import DTYPE_BYTES
from cnnzoo.errors import UsageError


def _facts(inputs, outputs):
    return measure(keras.Model(inputs, outputs))


def test_chain_holds_one_tensor_and_the_next():
    image = keras.Input((8, 8, 1))  # 64
    x = layers.Conv2D(4, 3, padding="same")(image)  # 256
    x = layers.Conv2D(2, 3, padding="same")(x)  # 128
    facts = _facts(image, layers.GlobalAveragePooling2D()(x))  # 2
    assert facts.activation_elements == 64 + 256 + 128 + 2
    assert facts.peak_activation_elements == 256 + 128
    assert facts.training_activation_elements == 64 + 256 + 2  # what convolutions read; the result


def test_residual_holds_the_shortcut_while_the_branch_works():
    image = keras.Input((4, 4, 2))  # 32
    wide = layers.Conv2D(8, 1)(image)  # 128
    branch = layers.Conv2D(8, 1)(layers.Conv2D(4, 1)(wide))  # 64, then 128
    model = keras.Model(image, layers.Add()([wide, branch]))  # 128
    held = memory.held(steps(model))
    assert held == [32, 32 + 128, 128 + 64, 128 + 64 + 128, 128 + 128 + 128]
    assert memory.kept(steps(model)) == [32, 128, 64, 0, 128]


def test_concatenation_holds_every_branch_and_the_result():
    image = keras.Input((4, 4, 2))  # 32
    branches = [layers.Conv2D(n, 1)(image) for n in (1, 2, 3)]  # 16, 32, 48
    facts = _facts(image, layers.Concatenate()(branches))  # 96
    assert facts.peak_activation_elements == 16 + 32 + 48 + 96
    assert facts.training_activation_elements == 32 + 96


def test_nested_model_is_counted_as_if_it_were_flat():
    def block(x):
        wide = layers.Conv2D(8, 1)(x)
        return layers.Add()([wide, layers.Conv2D(8, 1, activation="relu")(wide)])

    inner_image = keras.Input((4, 4, 2))
    inner = keras.Model(inner_image, block(inner_image))
    image = keras.Input((4, 4, 2))
    nested = _facts(image, layers.Dense(3)(layers.Flatten()(inner(image))))
    flat = _facts(image, layers.Dense(3)(layers.Flatten()(block(image))))
    assert nested == flat
    assert nested.peak_activation_elements == 3 * 128


def test_outputs_of_the_model_are_held_to_the_end():
    image = keras.Input((10,))
    early = layers.Dense(50)(image)
    late = layers.Dense(7)(layers.Dense(5)(early))
    assert memory.held(steps(keras.Model(image, late))) == [10, 60, 55, 12]
    assert memory.held(steps(keras.Model(image, [early, late]))) == [10, 60, 55, 62]


def test_views_and_dropout_take_no_memory_to_infer_and_dropout_a_mask_to_train():
    image = keras.Input((4, 4, 2))  # 32
    x = layers.Dropout(0.5)(layers.Flatten()(image))
    model = keras.Model(image, layers.Dense(3)(x))
    assert memory.held(steps(model)) == [32, 32, 32, 35]
    assert memory.kept(steps(model)) == [0, 0, 32 + 32, 3]  # the mask, and what the dense read


def test_training_keeps_what_each_kind_of_gradient_needs():
    image = keras.Input((8, 8, 1))  # 64
    x = layers.Conv2D(2, 3, padding="same")(image)  # 128, which the normalisation reads
    x = layers.BatchNormalization()(x)  # 128, which nobody needs again
    x = layers.ReLU()(x)  # 128
    x = layers.MaxPooling2D()(x)  # 32
    model = keras.Model(image, layers.GlobalAveragePooling2D()(x))  # 2
    assert memory.kept(steps(model)) == [64, 128, 0, 128, 32, 2]


def test_activation_inside_a_layer_is_kept_and_no_tensor_of_its_own():
    image = keras.Input((8, 8, 1))
    x = layers.Conv2D(2, 3, padding="same", activation="relu")(image)
    model = keras.Model(image, layers.AveragePooling2D(2)(x))
    assert memory.kept(steps(model)) == [64, 128, 32]
    assert memory.held(steps(model)) == [64, 64 + 128, 128 + 32]


def test_separable_convolution_makes_a_tensor_between_its_halves():
    image = keras.Input((8, 8, 3))  # 192
    model = keras.Model(image, layers.SeparableConv2D(4, 3, depth_multiplier=2)(image))  # 144
    assert memory.held(steps(model)) == [192, 192 + 144 + 6 * 6 * 6]
    assert memory.kept(steps(model)) == [192, 144 + 6 * 6 * 6]


class Mine(layers.Layer):
    def call(self, x):
        return x


def test_sketches_leave_nothing_behind_and_never_get_values():
    """Keras would give values to all of them when a layer of the user's own is called."""
    model = sketch("vgg16")
    kernel = model.get_layer("fc1").kernel
    Mine()(keras.Input((5,)))  # ends a stateless scope
    assert kernel._value is None
    gone = weakref.ref(kernel)
    del model, kernel
    gc.collect()
    assert gone() is None


def test_layer_of_an_unknown_kind_is_taken_to_keep_input_and_output():
    image = keras.Input((5,))
    model = keras.Model(image, layers.Activation("relu")(Mine()(image)))
    assert memory.kept(steps(model)) == [5, 5, 5]


@pytest.mark.parametrize("name", ["resnet18", "inception_v1", "vgg16"])
def test_activations_are_the_outputs_of_all_layers(name):
    model = sketch(name)
    outputs = sum(prod(layer.output.shape[1:]) for layer in model.layers)
    assert measure(model).activation_elements == outputs


def test_vgg16_has_the_activations_of_its_well_known_table():
    """Stanford's course notes list every layer's output; ours adds flattening, once more 25,088."""
    sides = {224: [3, 64, 64], 112: [64, 128, 128], 56: [128, *[256] * 3], 28: [256, *[512] * 3]}
    maps = sum(side * side * channels for side, all in sides.items() for channels in all)
    maps += 14 * 14 * 512 * 4 + 7 * 7 * 512
    assert measure(sketch("vgg16")).activation_elements == maps + 25_088 + 4096 + 4096 + 1000


def test_another_shape_is_counted_without_building_anew():
    model = sketch("resnet18", include_top=False)
    facts = measure(model, (64, 64, 3))
    assert facts.input_shape == (64, 64, 3)
    assert facts == measure(sketch("resnet18", include_top=False, input_shape=(64, 64, 3)))


def test_bytes_follow_batch_and_dtype():
    facts = measure(sketch("lenet5"))
    assert {d: facts.weight_bytes_in(d) // facts.total_params for d in DTYPE_BYTES} == DTYPE_BYTES
    assert facts.activation_bytes() == 4 * facts.peak_activation_elements
    trained = facts.activation_bytes(batch_size=8, dtype="bfloat16", training=True)
    assert trained == 8 * 2 * facts.training_activation_elements


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (dict(dtype="float23"), "Did you mean 'float32'"),
        (dict(batch_size=0), "not a number of images"),
        (dict(batch_size=True), "not a number of images"),
    ],
    ids=str,
)
def test_bytes_of_what_is_no_dtype_or_batch_are_refused(arguments, says):
    with pytest.raises(UsageError, match=says):
        measure(sketch("lenet5")).activation_bytes(**arguments)


def test_effective_stride_multiplies_along_the_path_and_upsampling_divides():
    image = keras.Input((32, 32, 1))
    x = layers.MaxPooling2D(2)(layers.Conv2D(2, 3, strides=2, padding="same")(image))
    assert _facts(image, x).effective_stride == 4
    assert _facts(image, layers.UpSampling2D(2)(x)).effective_stride == 2
    assert _facts(image, layers.UpSampling2D(2)(image)).effective_stride == 0.5
    assert _facts(image, layers.Flatten()(x)).effective_stride == 4


def test_auxiliary_classifiers_do_not_decide_the_stride():
    assert measure(sketch("inception_v1", aux=True)).effective_stride == 32


def _captured_by_tensorflow(model, size, batch=2):
    """Elements, for one image, that TensorFlow's backward function takes from the forward one."""
    function = tf.function(lambda x: model(x, training=True))
    concrete = function.get_concrete_function(tf.TensorSpec((batch, size, size, 3)))
    forward, _ = concrete._delayed_rewrite_functions.forward_backward()
    tensors = {tensor.ref(): tensor for tensor in forward.graph.outputs}.values()
    return sum(
        prod(tensor.shape[1:])
        for tensor in tensors
        if tensor.shape.rank and tensor.shape[0] == batch and tensor.op.type not in SAME_TENSOR
    )


SAME_TENSOR = ("Identity", "Reshape")  # other names of a tensor that is there already


@pytest.mark.parametrize(("name", "size"), [("resnet20", 32), ("inception_v3", 96)])
def test_training_keeps_what_tensorflows_backward_pass_takes(name, size):
    model = build(name, input_shape=(size, size, 3), num_classes=10)
    kept = measure(model).training_activation_elements
    assert kept == _captured_by_tensorflow(model, size)
