"""A new head on any trunk: flat graph, shared weights, the old head gone."""

from __future__ import annotations

import logging

import keras
import numpy as np
import pytest
from keras import layers

import cnnzoo
from cnnzoo.analysis.measure import sketch
from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.errors import UsageError
from cnnzoo.models.layers import PixelNormalization


def _names(model: keras.Model) -> list[str]:
    return [layer.name for layer in model.layers]


@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: spec.name)
def test_every_network_takes_a_head(spec):
    aux = {"aux": True} if any(option.name == "aux" for option in spec.options) else {}
    whole, trunk = sketch(spec, **aux), sketch(spec, include_top=False)
    with keras.StatelessScope(initialize_variables=False):
        model = cnnzoo.add_head(whole, 7, "mlp")
    assert model.name == spec.name
    assert model.output.shape == (None, 7)
    assert not [layer for layer in model.layers if isinstance(layer, keras.Model)]
    new = [name for name in _names(model) if name.startswith("head_")] + ["predictions"]
    assert sorted(_names(model)) == sorted([*_names(trunk), *new])
    kept = [layer.name for layer in model.layers if layer.weights and layer.name not in new]
    assert kept == [layer.name for layer in trunk.layers if layer.weights]


# fmt: off
HEADS = [
    (dict(head="gap"),               ["head_pool", "head_dropout", "predictions"]),
    (dict(head="gap", dropout=0),    ["head_pool", "predictions"]),
    (dict(head="flatten"),           ["head_flatten", "head_dropout", "predictions"]),
    (dict(head="mlp", hidden=9),     ["head_pool", "head_hidden", "head_dropout", "predictions"]),
]
# fmt: on


@pytest.mark.parametrize(("arguments", "names"), HEADS)
def test_heads_are_made_of_the_documented_layers(arguments, names):
    model = cnnzoo.add_head(cnnzoo.build("lenet5"), 3, **arguments)
    assert _names(model)[_names(model).index("c5") + 1 :] == names
    if "hidden" in arguments:
        assert model.get_layer("head_hidden").units == 9
    if "head_dropout" in names:
        assert model.get_layer("head_dropout").rate == 0.2
    answer = keras.ops.convert_to_numpy(model(np.zeros((2, 32, 32, 1), "float32")))
    assert answer.shape == (2, 3)
    assert answer.sum(axis=1) == pytest.approx(1)


def test_the_trunk_is_shared_and_stays_frozen():
    base = cnnzoo.build("lenet5")
    cnnzoo.freeze(base)
    model = cnnzoo.add_head(base, 3)
    assert model.get_layer("c1") is base.get_layer("c1")
    assert [v.path for v in model.trainable_weights] == ["predictions/kernel", "predictions/bias"]


def test_preprocessing_stays_in_the_graph():
    model = cnnzoo.add_head(cnnzoo.build("lenet5", include_preprocessing=True), 3)
    assert isinstance(model.layers[1], PixelNormalization)


def test_a_head_replaces_the_one_that_was_added_before():
    once = cnnzoo.add_head(cnnzoo.build("lenet5"), 3, "mlp")
    twice = cnnzoo.add_head(once, 5, dropout=0)
    assert _names(twice)[-3:] == ["c5", "head_pool", "predictions"]


def test_a_network_without_top_keeps_all_its_layers(caplog):
    caplog.set_level(logging.INFO, "cnnzoo")
    base = cnnzoo.build("lenet5", include_top=False, input_shape=(None, None, 1))
    model = cnnzoo.add_head(base, 3)
    assert _names(model)[: len(base.layers)] == _names(base)
    assert caplog.messages == ["lenet5: head 'gap' for 3 classes on c5 (None, None, 120)"]
    cnnzoo.add_head(cnnzoo.build("lenet5"), 3)
    assert caplog.messages[-1].endswith("(1, 1, 120), in place of flatten, f6, predictions")


def test_pooling_inside_a_block_is_not_taken_for_the_head():
    """A squeeze-and-excitation block pools globally, long before the end."""
    image = keras.Input((8, 8, 4))
    x = layers.Conv2D(4, 3, name="first")(image)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    x = layers.Multiply(name="gated")([x, layers.Conv2D(4, 1, activation="sigmoid")(gate)])
    x = layers.GlobalAveragePooling2D(keepdims=True, name="pool")(x)
    x = layers.Flatten(name="flat")(layers.Conv2D(9, 1, name="classes")(x))
    model = cnnzoo.add_head(keras.Model(image, x), 3, dropout=0)
    assert _names(model)[-3:] == ["gated", "head_pool", "predictions"]


def _two_poolings(x):
    both = [layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)]
    return layers.Concatenate()(both)


# fmt: off
OTHER_HEADS = {
    "two poolings": _two_poolings,
    "a mean": lambda x: keras.ops.mean(x, (1, 2)),
    "a pooling of the whole map": lambda x: layers.Reshape((4,))(layers.AveragePooling2D(6)(x)),
    "gated by the input": lambda x: layers.Flatten()(
        layers.Multiply(name="gated")([x, layers.ReLU()(x)])
    ),
    "a gate of vectors": lambda x: layers.Multiply()(
        [layers.GlobalAveragePooling2D()(x), layers.Dense(4)(layers.Flatten()(x))]
    ),
}
# fmt: on


@pytest.mark.parametrize("name", OTHER_HEADS)
def test_the_head_of_a_foreign_network_is_found_whatever_it_is_made_of(name):
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(4, 3, name="last")(image)
    old = layers.Dense(10, activation="softmax", name="old")(OTHER_HEADS[name](x))
    model = cnnzoo.add_head(keras.Model(image, old), 3)
    assert "old" not in _names(model)
    last = "gated" if name == "gated by the input" else "last"
    assert model.get_layer("head_pool").input is model.get_layer(last).output
    assert model.output.shape == (None, 3)


def test_where_not_all_goes_through_one_map_the_output_is_what_there_is():
    image = keras.Input((8, 8, 3))
    branches = [layers.GlobalMaxPooling2D()(layers.Conv2D(4, 3)(image)) for _ in range(2)]
    model = cnnzoo.add_head(keras.Model(image, layers.Concatenate(name="both")(branches)), 3)
    assert model.get_layer("predictions").input.shape == (None, 8)


def test_vectors_and_sequential_models_take_a_head():
    model = keras.Sequential([keras.Input((5,)), layers.Dense(4, name="features")])
    found = cnnzoo.add_head(model, 3, "mlp", hidden=2, dropout=0)
    assert _names(found)[1:] == ["features", "head_hidden", "predictions"]
    assert found.output.shape == (None, 3)


def test_logits_and_mixed_precision_are_as_in_build():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = cnnzoo.add_head(cnnzoo.build("lenet5"), 3, classifier_activation=None)
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.layers[-1].activation is keras.activations.linear
    assert model.layers[-1].compute_dtype == "float32"
    assert model.get_layer("head_pool").compute_dtype == "bfloat16"


def test_a_saved_model_with_a_new_head_answers_alike(tmp_path):
    model = cnnzoo.add_head(cnnzoo.build("lenet5"), 3, "mlp")
    model.save(tmp_path / "model.keras")
    images = np.random.default_rng(0).normal(size=(2, 32, 32, 1)).astype("float32")
    again = keras.models.load_model(tmp_path / "model.keras")
    ours, theirs = (keras.ops.convert_to_numpy(each(images)) for each in (model, again))
    assert ours.tobytes() == theirs.tobytes()


def _open_size() -> keras.Model:
    return cnnzoo.build("lenet5", include_top=False, input_shape=(None, None, 1))


def _clash() -> keras.Model:
    return keras.Sequential([keras.Input((5,)), layers.Dense(4, name="predictions")])


def _sequence() -> keras.Model:
    return keras.Sequential([keras.Input((5, 3)), layers.LSTM(4, return_sequences=True)])


# fmt: off
REFUSED = [
    (dict(num_classes=None),                    "needs to know its number of classes"),
    (dict(num_classes=0),                       "whole number from 1"),
    (dict(num_classes=2.5),                     "whole number from 1"),
    (dict(num_classes=10**9),                   "could take"),
    (dict(head="max"),                          "head='max' is unknown"),
    (dict(head="flaten"),                       "Did you mean 'flatten'"),
    (dict(dropout=1),                           "Use 0 to below 1"),
    (dict(dropout=-0.1),                        "Use 0 to below 1"),
    (dict(dropout="half"),                      "Use 0 to below 1"),
    (dict(hidden=0),                            "not a number of units"),
    (dict(classifier_activation="softmx"),      "Did you mean 'softmax'"),
    (dict(model=_open_size, head="flatten"),    "needs to know height and width"),
    (dict(model=_clash),                        "a layer called 'predictions'"),
    (dict(model=_sequence),                     "neither a feature map"),
    (dict(model=lambda: "resnet50"),            "not a Keras model"),
]
# fmt: on


@pytest.mark.parametrize(("arguments", "message"), REFUSED)
def test_what_cannot_work_is_refused(arguments, message):
    more = {"num_classes": 3} | arguments
    model = more.pop("model", lambda: cnnzoo.build("lenet5"))()
    with pytest.raises(UsageError, match=message):
        cnnzoo.add_head(model, **more)


def test_a_model_inside_a_model_is_named():
    base = cnnzoo.build("lenet5", include_top=False)
    nested = keras.Sequential([keras.Input((32, 32, 1)), base, layers.Flatten()])
    with pytest.raises(UsageError, match=r"Pass model.get_layer\('lenet5'\) itself"):
        cnnzoo.add_head(nested, 3)
