"""The eight networks that Keras has too: same weights in the same order, same outputs."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import cnnzoo

# fmt: off
THEIRS = {  # name -> (their function, two input sizes that both accept)
    "vgg16":               ("VGG16",             (32, 48)),
    "vgg19":               ("VGG19",             (32, 48)),
    "resnet50":            ("ResNet50",          (64, 97)),
    "resnet101":           ("ResNet101",         (64, 97)),
    "resnet152":           ("ResNet152",         (64, 97)),
    "inception_v3":        ("InceptionV3",       (75, 139)),
    "inception_resnet_v2": ("InceptionResNetV2", (75, 139)),
    "xception":            ("Xception",          (71, 139)),
}
# fmt: on
SAME_NAMES = ("vgg16", "vgg19", "resnet50", "resnet101", "resnet152")


def _pair(name: str, **arguments: object) -> tuple[keras.Model, keras.Model]:
    theirs = getattr(keras.applications, THEIRS[name][0])(weights=None, **arguments)
    if "classes" in arguments:
        arguments["num_classes"] = arguments.pop("classes")
    return cnnzoo.build(name, **arguments), theirs


def _randomise_statistics(model: keras.Model) -> None:
    """Fresh batch-norm statistics are 0 and 1 and would hide a wrong epsilon or a wrong order."""
    numbers = np.random.default_rng(7)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.set_weights(
                [
                    numbers.uniform(0.5, 1.5, weight.shape).astype("float32")
                    for weight in layer.get_weights()
                ]
            )


def _difference(ours: keras.Model, theirs: keras.Model, size: int) -> float:
    """Largest difference of the outputs, relative to the largest output."""
    images = np.random.default_rng(size).uniform(-1, 1, (2, size, size, 3)).astype("float32")
    a, b = ours(images, training=False), theirs(images, training=False)
    a, b = keras.ops.convert_to_numpy(a), keras.ops.convert_to_numpy(b)
    assert a.shape == b.shape
    return float(np.abs(a - b).max() / np.abs(b).max())


@pytest.mark.parametrize("name", THEIRS)
def test_trunk_takes_their_weights_and_gives_their_features_at_two_sizes(name):
    ours, theirs = _pair(name, include_top=False, input_shape=(None, None, 3))
    _randomise_statistics(theirs)
    ours.set_weights(theirs.get_weights())
    for size in THEIRS[name][1]:
        assert _difference(ours, theirs, size) <= 1e-5
    keras.backend.clear_session()


@pytest.mark.parametrize("name", THEIRS)
def test_classifier_takes_their_weights_and_gives_their_probabilities(name):
    size = THEIRS[name][1][1]
    ours, theirs = _pair(name, classes=7, input_shape=(size, size, 3), classifier_activation=None)
    _randomise_statistics(theirs)
    ours.set_weights(theirs.get_weights())
    assert _difference(ours, theirs, size) <= 1e-5
    keras.backend.clear_session()


@pytest.mark.parametrize("name", SAME_NAMES)
def test_layers_with_weights_are_called_as_theirs(name):
    with keras.StatelessScope(initialize_variables=False):
        ours, theirs = _pair(name)
    assert [x.name for x in ours.layers if x.weights] == [
        x.name for x in theirs.layers if x.weights
    ]


@pytest.mark.parametrize("name", THEIRS)
def test_layers_stand_in_their_order_and_are_of_their_kind(name):
    with keras.StatelessScope(initialize_variables=False):
        ours, theirs = _pair(name)
    kinds = {"ScaledAdd": "CustomScaleLayer"}
    ours_kinds = [type(x).__name__ for x in ours.layers]
    assert [kinds.get(k, k) for k in ours_kinds] == [type(x).__name__ for x in theirs.layers]
