"""What is frozen stays, bit by bit; what trains trains; counts are right."""

from __future__ import annotations

import logging

import keras
import numpy as np
import pytest
from keras import layers

import cnnzoo
from cnnzoo.analysis.measure import forms, sketch
from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.catalogue.registry import register_model, unregister_model
from cnnzoo.errors import UnknownNameError, UsageError
from cnnzoo.training.trunk import stage_ends, trunk_end

STAGED = [spec for spec in NETWORKS if spec.stages]


def _blocks() -> keras.Model:
    """Three blocks of convolution and batch norm, the second with a shortcut; a dense head."""
    x = image = keras.Input((8, 8, 3), name="image")
    for i in (1, 2, 3):
        left = layers.Conv2D(4, 1, name=f"short{i}")(x) if i == 2 else None
        x = layers.Conv2D(4, 3, padding="same", name=f"conv{i}")(x)
        x = layers.BatchNormalization(name=f"bn{i}")(x)
        x = x if left is None else layers.Add(name=f"add{i}")([x, left])
        x = layers.Activation("relu", name=f"relu{i}")(x)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(image, layers.Dense(2, name="dense")(x), name="mine")


def _changed(model: keras.Model, optimizer: keras.optimizers.Optimizer | None = None) -> set[str]:
    """The layers of which one step of training changes a weight."""
    model.compile(optimizer or keras.optimizers.SGD(0.1), loss="mse")
    before = {layer.name: layer.get_weights() for layer in model.layers}
    images = np.random.default_rng(0).normal(3, 2, (6, *model.input.shape[1:])).astype("float32")
    model.train_on_batch(images, np.ones((6, *model.output.shape[1:]), "float32"))
    return {
        name
        for name, was in before.items()
        for old, new in zip(was, model.get_layer(name).get_weights(), strict=True)
        if old.tobytes() != new.tobytes()
    }


@pytest.fixture
def staged():
    """`_blocks` as a network of the registry, under another name."""
    register_model(
        "staged", lambda image: image, input_shape=(8, 8, 3), stages=("relu1", "relu2", "relu3")
    )
    yield _blocks()
    unregister_model("staged")


@pytest.mark.parametrize("spec", STAGED, ids=lambda spec: spec.name)
def test_every_form_has_the_stages_of_the_registry_in_order(spec):
    for options in ({}, *forms(spec)):
        model = sketch(spec, name="another", **options)
        assert stage_ends(model) == spec.stage_ends
        names = [layer.name for layer in model.layers]
        places = [names.index(layer) for layer in spec.stages]
        assert places == sorted(set(places))
        assert model.get_layer(spec.stages[-1]).output is trunk_end(model)


@pytest.mark.parametrize("spec", STAGED, ids=lambda spec: spec.name)
def test_a_new_stage_is_where_the_image_becomes_smaller(spec):
    model = sketch(spec)
    sides = [model.get_layer(layer).output.shape[1] for layer in spec.stages]
    assert sides == sorted(sides, reverse=True)
    assert len(set(sides)) >= len(sides) - 1  # a stem may end before its pooling


def test_a_network_that_was_cut_keeps_the_stages_that_are_left():
    whole = sketch("resnet50")
    model = keras.Model(whole.input, whole.get_layer("conv4_block6_out").output)
    assert stage_ends(model)["stage3"] == "conv4_block6_out"
    assert "stage4" not in stage_ends(model)


def test_what_two_layers_names_have_in_common_does_not_make_a_network():
    x = image = keras.Input((8, 8, 1))
    for name in ("pool1", "pool2"):  # as in AlexNet
        x = layers.MaxPooling2D(2, name=name)(x)
    assert stage_ends(keras.Model(image, x)) == {}


def test_upto_a_layer_freezes_what_it_is_computed_by_and_nothing_beside_it():
    model = _blocks()
    found = cnnzoo.freeze(model, "bn2", batch_norm="train")
    assert _changed(model) == {"short2", "conv3", "bn3", "dense"}
    assert (found.layers, found.frozen_layers, found.changed) == (8, 4, 4)


def test_batch_norms_of_the_trunk_keep_their_statistics_unless_asked(staged):
    cnnzoo.freeze(staged, "stem")
    assert _changed(staged) == {"short2", "conv2", "conv3", "dense"}
    cnnzoo.unfreeze(staged, 1.0, batch_norm="train")
    assert _changed(staged) == {layer.name for layer in staged.layers if layer.weights}


def test_a_frozen_batch_norm_normalises_by_its_statistics_while_the_rest_trains():
    model = _blocks()
    cnnzoo.freeze(model)
    images = np.random.default_rng(1).normal(5, 3, (4, 8, 8, 3)).astype("float32")
    training, inference = (
        keras.ops.convert_to_numpy(model(images, training=flag)) for flag in (True, False)
    )
    assert training.tobytes() == inference.tobytes()


def test_batch_norms_of_a_new_head_train():
    x = trunk = _blocks()
    x = layers.BatchNormalization(name="mine")(trunk.get_layer("pool").output)
    model = keras.Model(trunk.input, layers.Dense(2, name="new")(x))
    cnnzoo.freeze(model)
    assert _changed(model) == {"mine", "new"}


def test_layers_called_anew_in_another_graph_are_followed_there():
    x = image = keras.Input((8, 8, 3))
    for layer in [*_blocks().layers[1:4], layers.Flatten(), layers.Dense(2, name="d")]:
        x = layer(x)
    model = keras.Model(image, x)
    assert trunk_end(model).shape == (None, 8, 8, 4)
    cnnzoo.freeze(model, "conv1")
    assert _changed(model) == {"d"}


def test_a_layer_called_twice_is_frozen_with_all_that_leads_to_either_call():
    image = keras.Input((4,))
    twice = layers.Dense(4, name="twice")
    x = layers.Dense(4, name="between")(twice(image))
    model = keras.Model(image, layers.Dense(1, name="last")(twice(x)))
    cnnzoo.freeze(model, "twice")
    assert _changed(model) == {"last"}


def test_augmentation_inside_is_passed_over():
    trunk = _blocks()
    image = keras.Input((8, 8, 3))
    moved = keras.Sequential([layers.RandomFlip()], name="moves")(image)
    x = moved
    for layer in (trunk.get_layer("conv1"), trunk.get_layer("relu1"), layers.Flatten()):
        x = layer(x)
    model = keras.Model(image, layers.Dense(1, name="d")(x))
    assert cnnzoo.freeze(model, "relu1").frozen_layers == 1


def test_upto_the_trunk_leaves_the_head_alone():
    model = _blocks()
    assert _changed(model) >= {"conv1", "bn1", "dense"}
    cnnzoo.freeze(model)
    assert _changed(model) == {"dense"}


def test_adamw_does_not_let_frozen_weights_decay():
    model = _blocks()
    cnnzoo.freeze(model, "relu2")
    decaying = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    assert _changed(model, decaying) == {"conv3", "dense"}


def test_a_fraction_counts_layers_with_weights_from_the_image():
    model = _blocks()
    assert cnnzoo.freeze(model, 0.25, batch_norm="train").frozen_layers == 2
    assert not model.get_layer("bn1").trainable
    assert model.get_layer("conv2").trainable
    assert cnnzoo.freeze(model, 1.0).trainable_parameters == 0
    assert cnnzoo.unfreeze(model, 0.25, batch_norm="train").frozen_layers == 6
    assert _changed(model) == {"bn3", "dense"}


@pytest.mark.parametrize(
    ("last", "trained"),
    [
        (1, {"conv3", "dense"}),
        (2, {"conv2", "short2", "conv3", "dense"}),
        (3, {"conv1", "conv2", "short2", "conv3", "dense"}),
        ("stage2", {"conv3", "dense"}),
        ("stem", {"conv1", "conv2", "short2", "conv3", "dense"}),
        ("conv2", {"conv2", "short2", "conv3", "dense"}),
        ("relu3", {"dense"}),
    ],
)
def test_unfreeze_thaws_the_last_stages_or_all_from_a_layer_on(staged, last, trained):
    cnnzoo.freeze(staged, 1.0)
    cnnzoo.unfreeze(staged, last)
    assert _changed(staged) == trained


def test_unfreeze_opens_a_model_that_was_switched_off_as_a_whole(staged):
    staged.trainable = False
    with pytest.raises(UsageError, match="changed nothing"):
        cnnzoo.freeze(staged, "stem")
    cnnzoo.unfreeze(staged, 1)
    assert _changed(staged) == {"conv3", "dense"}


def test_counts_are_returned_shown_and_logged(caplog):
    caplog.set_level(logging.INFO, "cnnzoo")
    model = _blocks()
    found = cnnzoo.freeze(model, "relu1")
    assert (found.parameters, found.trainable_before) == (486, 462)
    # conv1 with 112 and three batch norms with 16 each are frozen; 20 + 148 + 148 + 10 train.
    assert (found.frozen_parameters, found.trainable_parameters) == (160, 326)
    assert (found.batch_norms, found.frozen_batch_norms) == (3, 3)
    assert repr(found) == str(found) == caplog.messages[-1]
    assert str(found) == (
        "mine: 4 of 8 layers with weights are frozen, 160 of 486 parameters; 326 train, 462 "
        "before. 3 of 3 batch normalisations keep their statistics, scale and shift."
    )


def test_a_model_compiled_before_is_said_to_need_it_again(caplog):
    model = _blocks()
    model.compile("sgd", "mse")
    assert cnnzoo.freeze(model).compiled
    assert caplog.records[-1].levelname == "WARNING"
    assert "compile it again" in caplog.messages[-1]


def test_what_changes_nothing_is_refused_and_what_is_refused_changes_nothing():
    model = _blocks()
    with pytest.raises(UsageError, match=r"unfreeze\(last=1.0\) changed nothing"):
        cnnzoo.unfreeze(model, 1.0)
    assert model.get_layer("bn1").trainable
    cnnzoo.freeze(model, "relu2")
    with pytest.raises(UsageError, match=r"freeze\(upto='conv2'\) changed nothing"):
        cnnzoo.freeze(model, "conv2")
    with pytest.raises(UsageError, match="changed nothing"):
        cnnzoo.freeze(model, "image")


def test_where_only_batch_norms_are_frozen_there_is_nothing_to_thaw_unless_asked(staged):
    cnnzoo.freeze(staged, "stem")
    with pytest.raises(UsageError, match="kept by batch_norm='frozen'"):
        cnnzoo.unfreeze(staged, 1)
    assert cnnzoo.unfreeze(staged, 1, batch_norm="train").changed == 1


# fmt: off
REFUSED = [
    (lambda m: cnnzoo.freeze(m, "relu9"),                 UnknownNameError, "Did you mean 'relu"),
    (lambda m: cnnzoo.freeze(m, "stage3"),                UnknownNameError, "no network of the r"),
    (lambda m: cnnzoo.freeze(m, 0.0),                     UsageError, "fraction above 0.0"),
    (lambda m: cnnzoo.freeze(m, 1.5),                     UsageError, "fraction above 0.0"),
    (lambda m: cnnzoo.freeze(m, 3),                       UsageError, "neither a name nor a frac"),
    (lambda m: cnnzoo.freeze(m, float("nan")),            UsageError, "fraction above 0.0"),
    (lambda m: cnnzoo.freeze(m, batch_norm="freeze"),     UsageError, "Did you mean 'frozen'"),
    (lambda m: cnnzoo.unfreeze(m, 2),                     UsageError, "counts stages"),
    (lambda m: cnnzoo.unfreeze(m, True),                  UsageError, "neither a number of stages"),
    (lambda m: cnnzoo.unfreeze(m, None),                  UsageError, "neither a number of stages"),
    (lambda m: cnnzoo.unfreeze(m, 0.5, batch_norm=None),  UsageError, "batch_norm=None"),
    (lambda m: cnnzoo.freeze("resnet50"),                 UsageError, "not a Keras model"),
    (lambda m: cnnzoo.freeze(keras.Sequential()),         UsageError, "has no graph"),
    (lambda m: cnnzoo.freeze(keras.Sequential([keras.Input((8, 8, 3)), m])),
                                                          UsageError, "hides the layers of the"),
]
# fmt: on


@pytest.mark.parametrize(("call", "error", "message"), REFUSED)
def test_what_cannot_work_is_refused(call, error, message):
    model = _blocks()
    with pytest.raises(error, match=message):
        call(model)
    assert all(layer.trainable for layer in model.layers)


def test_a_number_of_stages_is_one_the_network_has(staged):
    with pytest.raises(UsageError, match=r"which has 3: stem, stage1, stage2. Use 1 to 3"):
        cnnzoo.unfreeze(staged, 4)
