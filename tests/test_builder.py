"""`build`: every argument does what it says, and what cannot work never reaches a graph."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import cnnzoo
from cnnzoo.analysis.measure import sketch
from cnnzoo.errors import UnknownNameError, UnknownOptionError, UsageError

# fmt: off
REFUSED = [  # arguments, what the message must name
    (dict(num_classes=0),                              "whole number from 1"),
    (dict(num_classes=-1),                             "whole number from 1"),
    (dict(num_classes=True),                           "whole number from 1"),
    (dict(num_classes=2.5),                            "whole number from 1"),
    (dict(num_classes="10"),                           "whole number from 1"),
    (dict(num_classes=10**9),                          "16,384 GB"),
    (dict(classes=0),                                  "classes=0"),
    (dict(classes=10, num_classes=10),                 "two names of one argument"),
    (dict(include_top="yes"),                          "neither True nor False"),
    (dict(include_top=1),                              "neither True nor False"),
    (dict(include_preprocessing=None),                 "neither True nor False"),
    (dict(include_top=False, num_classes=10),          "no meaning with include_top=False"),
    (dict(include_top=False, classifier_activation="relu"), "no meaning with include_top=False"),
    (dict(include_top=False, pooling="mean"),          "None, 'avg' or 'max'"),
    (dict(include_top=False, pooling=True),            "None, 'avg' or 'max'"),
    (dict(include_top=False, pooling="maxx"),          "Did you mean 'max'"),
    (dict(pooling="avg"),                              "only acts with include_top=False"),
    (dict(classifier_activation="sofmax"),             "Did you mean 'softmax'"),
    (dict(classifier_activation=3),                    "neither a name, a function nor None"),
    (dict(weights="imagenet-nonsense"),                "imagenet-nonsense"),
    (dict(input_shape=(64, 64)),                       "(height, width, channels)"),
    (dict(input_shape=(1, 64, 64, 3)),                 "(height, width, channels)"),
    (dict(input_shape=64),                             "(height, width, channels)"),
    (dict(input_shape="224"),                          "(height, width, channels)"),
    (dict(input_shape=(31, 64, 3)),                    "below 32"),
    (dict(input_shape=(3, 224, 224)),                  "channels in the wrong place"),
    (dict(input_shape=(0, 64, 3)),                     "whole numbers from 1"),
    (dict(input_shape=(-64, 64, 3)),                   "whole numbers from 1"),
    (dict(input_shape=(64.0, 64, 3)),                  "whole numbers from 1"),
    (dict(input_shape=("64", 64, 3)),                  "whole numbers from 1"),
    (dict(input_shape=(64, True, 3)),                  "whole numbers from 1"),
    (dict(input_shape=(64, 64, None)),                 "channels open"),
    (dict(input_shape=(None, None, 3)),                "include_top=False"),
    (dict(input_tensor=np.zeros((1, 64, 64, 3))),      "keras.Input"),
    (dict(name=""),                                    "model's name"),
    (dict(name="a/b"),                                 "model's name"),
]
# fmt: on


@pytest.mark.parametrize(("arguments", "says"), REFUSED, ids=[str(a) for a, _ in REFUSED])
def test_what_cannot_work_is_a_usage_error_that_names_what_would(arguments, says):
    with pytest.raises(UsageError) as caught:
        cnnzoo.build("vgg16", **arguments)
    assert says in str(caught.value)
    assert isinstance(caught.value, ValueError)


def test_unknown_option_is_also_a_type_error_and_names_the_options():
    with pytest.raises(UnknownOptionError, match=r"resnet50 has no option 'varaint'.*'variant'"):
        cnnzoo.build("resnet50", varaint="v1.5")
    with pytest.raises(TypeError, match="It has none"):
        cnnzoo.build("vgg16", dropout=0.5)


def test_misspelt_argument_is_met_with_the_argument():
    with pytest.raises(UnknownOptionError, match="Did you mean 'num_classes'"):
        cnnzoo.build("vgg16", num_clases=10)


@pytest.mark.parametrize("value", ["v2", 1.5, True, None])
def test_unknown_form_is_refused_with_those_that_exist(value):
    with pytest.raises(UsageError, match=r"'v1', 'v1\.5'"):
        cnnzoo.build("resnet50", variant=value)


def test_truth_value_of_an_option_is_not_a_number():
    with pytest.raises(UsageError, match="False, True"):
        cnnzoo.build("inception_v1", aux=1)


@pytest.mark.parametrize(
    "name", ["ResNet-50", "resnet_50", "RESNET50", "ResNet50", "  resnet 50 ", "resnet50"]
)
def test_spelling_of_names_is_forgiven(name):
    assert sketch(name).name == "resnet50"


@pytest.mark.parametrize(
    ("alias", "name"),
    [
        ("googlenet", "inception_v1"),
        ("GoogLeNet", "inception_v1"),
        ("inceptionv3", "inception_v3"),
        ("InceptionResNetV2", "inception_resnet_v2"),
        ("resnext50_32x4d", "resnext50"),
        ("LeNet-5", "lenet5"),
        ("lenet", "lenet5"),
        ("VGG-16", "vgg16"),
    ],
)
def test_aliases_lead_to_the_network(alias, name):
    from cnnzoo.catalogue.registry import get_spec

    assert get_spec(alias).name == name


def test_unknown_network_is_met_with_the_nearest():
    with pytest.raises(UnknownNameError, match="'resnext50' or 'resnet50'") as caught:
        cnnzoo.build("resnex50")
    assert isinstance(caught.value, LookupError)


def test_number_of_classes_goes_by_either_name_and_numpy_integers_count():
    for arguments in ({"num_classes": 7}, {"classes": 7}, {"num_classes": np.int64(7)}):
        assert sketch("vgg16", **arguments).output.shape == (None, 7)


@pytest.mark.parametrize("activation", [None, "sigmoid", keras.activations.relu])
@pytest.mark.parametrize("name", ["lenet5", "vgg16", "inception_v4", "xception"])
def test_activation_is_that_of_the_last_layer(name, activation):
    model = sketch(name, classifier_activation=activation)
    assert model.layers[-1].activation is keras.activations.get(activation)


def test_auxiliary_outputs_get_the_classes_and_the_activation_too():
    model = sketch("inception_v1", aux=True, num_classes=5, classifier_activation=None)
    assert [tuple(output.shape) for output in model.outputs] == [(None, 5)] * 3
    assert model.output_names == ["predictions", "aux1_predictions", "aux2_predictions"]
    last = [model.get_layer(name).activation for name in model.output_names]
    assert last == [keras.activations.linear] * 3


def test_auxiliary_outputs_need_the_classifier_and_a_size():
    with pytest.raises(UsageError, match="Leave one of the two out"):
        sketch("inception_v3", aux=True, include_top=False)
    with pytest.raises(UsageError, match="leaves height or width open"):
        sketch("inception_v3", aux=True, input_shape=(None, None, 3))


def test_classifier_that_pools_takes_unknown_sizes():
    assert sketch("resnet50", input_shape=(None, None, 3)).output.shape == (None, 1000)


def test_small_images_are_offered_the_form_that_takes_them():
    with pytest.raises(UsageError, match="Or pass padding='same' for 28"):
        sketch("lenet5", input_shape=(28, 28, 1))
    assert sketch("lenet5", input_shape=(28, 28, 1), padding="same").output.shape == (None, 10)
    assert sketch("lenet5", padding="same").input.shape == (None, 28, 28, 1)


def test_input_tensor_is_built_upon_with_everything_before_it():
    image = keras.Input((40, 48, 1), name="pixels")
    model = sketch("resnet50", input_tensor=keras.layers.Rescaling(1 / 255)(image), num_classes=3)
    assert model.inputs[0] is image
    assert model.output.shape == (None, 3)


def test_input_tensor_must_agree_with_input_shape():
    image = keras.Input((64, 64, 3))
    assert sketch("vgg16", input_tensor=image, input_shape=(64, 64, 3)).inputs[0] is image
    with pytest.raises(UsageError, match="contradicts"):
        sketch("vgg16", input_tensor=image, input_shape=(32, 32, 3))
    with pytest.raises(UsageError, match="below 32"):
        sketch("vgg16", input_tensor=keras.Input((16, 16, 3)))
    with pytest.raises(UsageError, match="not a batch of images"):
        sketch("vgg16", input_tensor=keras.Input((64, 64)))


def test_name_is_the_models_only():
    assert sketch("vgg16", name="mine").name == "mine"


@pytest.mark.parametrize("name", ["lenet5", "vgg16", "inception_v3", "resnext50"])
def test_preprocessing_in_the_graph_is_preprocess_input_outside_it(name):
    channels = 1 if name == "lenet5" else 3
    arguments = dict(include_top=False, input_shape=(80, 80, channels))
    inside = cnnzoo.build(name, include_preprocessing=True, **arguments)
    outside = cnnzoo.build(name, **arguments)
    outside.set_weights(inside.get_weights())
    pixels = np.random.default_rng(0).integers(0, 256, (2, 80, 80, channels), "uint8")
    a = keras.ops.convert_to_numpy(inside(pixels.astype("float32"), training=False))
    ready = cnnzoo.preprocess_input(pixels, name)
    b = keras.ops.convert_to_numpy(outside(ready, training=False))
    assert np.allclose(a, b, rtol=1e-4, atol=1e-4 * np.abs(b).max())


@pytest.mark.parametrize(("name", "options"), [("inception_v1", {"aux": True}), ("resnext50", {})])
def test_graph_is_flat(name, options):
    layers = sketch(name, include_preprocessing=True, **options).layers
    assert [layer.name for layer in layers if isinstance(layer, keras.Model)] == []


def test_two_networks_stand_in_one_graph():
    image = keras.Input((64, 64, 3))
    arguments = dict(include_top=False, pooling="avg", input_shape=(64, 64, 3))
    parts = [sketch(name, **arguments) for name in ("vgg16", "resnet50")]
    both = keras.Model(image, keras.layers.Concatenate()([part(image) for part in parts]))
    assert both.output.shape == (None, 512 + 2048)
