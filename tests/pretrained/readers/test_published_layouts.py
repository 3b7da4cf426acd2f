"""Files written in exactly the published layouts, from random networks of ``keras.applications``.

What they compute with these numbers, ours has to compute after reading the file.
"""

from __future__ import annotations

import re

import h5py
import keras
import numpy as np
import pytest
from weight_files import MAPS, listing, randomise, write_legacy

import cnnzoo
from cnnzoo.pretrained.load import load_weights
from cnnzoo.pretrained.readers.keras_h5 import renumbered

# fmt: off
#   their network        ours                    listing              input  top
FILES = (
    ("VGG16",            "vgg16",               "VGG16",                32, False),
    ("ResNet50",         "resnet50",            "ResNet50",             33, True),
    ("ResNet50",         "resnet50",            "ResNet50_2017",        33, False),
    ("InceptionV3",      "inception_v3",        "InceptionV3",          75, True),
    ("InceptionResNetV2", "inception_resnet_v2", "InceptionResNetV2",   75, False),
    ("Xception",         "xception",            "Xception",             71, True),
)
# fmt: on


@pytest.mark.parametrize(("theirs", "ours", "file", "size", "top"), FILES)
def test_network_computes_what_theirs_does_after_reading_their_file(
    theirs, ours, file, size, top, tmp_path
):
    keras.backend.clear_session()
    shape = (size, size, 3)
    classes = {"classes": 7, "classifier_activation": None} if top else {}
    reference = getattr(keras.applications, theirs)(
        weights=None, include_top=top, input_shape=shape, **classes
    )
    randomise(reference)
    names = list(listing(f"keras_{file}"))[: len(reference.weights)]
    values = [weight for layer in reference.layers for weight in layer.get_weights()]
    shapes = list(listing(f"keras_{file}").values())
    for value, stated in zip(values, shapes, strict=False):
        assert value.shape == stated or stated[-1] == 1000  # we write seven classes
    path = tmp_path / "published.h5"
    write_legacy(path, names, values)
    classes = {"num_classes": 7, "classifier_activation": None} if top else {}
    model = cnnzoo.build(ours, include_top=top, input_shape=shape, **classes)
    report = load_weights(
        model,
        path,
        name_maps=sorted(MAPS.glob(f"{ours}-*.tsv")),
        classifier=("predictions",) if top else (),
    )
    assert report.loaded == report.total == len(names)
    images = np.random.default_rng(3).uniform(-1, 1, (2, *shape)).astype("float32")
    expected = np.array(reference(images, training=False))
    difference = np.abs(np.array(model(images, training=False)) - expected).max()
    assert difference <= 1e-5 * np.abs(expected).max()


def test_keras_3_files_of_their_networks_are_read_too(tmp_path):
    keras.backend.clear_session()
    keras.layers.Conv2D(1, 1)  # so that their first layer is no longer called conv2d
    reference = keras.applications.Xception(
        weights=None, include_top=False, input_shape=(71, 71, 3)
    )
    randomise(reference)
    path = tmp_path / "mine.weights.h5"
    reference.save_weights(path)
    model = cnnzoo.build("xception", include_top=False, input_shape=(71, 71, 3))
    load_weights(model, path, name_maps=sorted(MAPS.glob("xception-*.tsv")))
    for ours, theirs in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
def test_what_our_networks_save_is_read_again(tmp_path, suffix):
    path = tmp_path / f"mine{suffix}"
    one = cnnzoo.build("lenet5", original=True)
    if suffix == ".h5":
        with h5py.File(path, "w") as file:
            keras.src.legacy.saving.legacy_h5_format.save_weights_to_hdf5_group(file, one)
    else:
        one.save_weights(path)
    two = cnnzoo.build("lenet5", original=True)
    for weight in two.weights:
        weight.assign(weight + 1)
    load_weights(two, path, classifier=("predictions",))
    for ours, theirs in zip(two.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_layers_nobody_named_are_counted_in_the_order_of_their_numbers():
    names = ["conv2d_1000", "fc1", "conv2d_7", "conv2d", "dense_2", "conv2d_64"]
    assert renumbered(names) == ["conv2d_4", "fc1", "conv2d_2", "conv2d_1", "dense_1", "conv2d_3"]


def test_normalisation_without_scale_is_read_from_keras_3_files(tmp_path):
    path = tmp_path / "mine.weights.h5"
    image = keras.Input((3,), name="image")
    layer = keras.layers.BatchNormalization(scale=False, name="bn")
    model = keras.Model(image, layer(image), name="tiny")
    randomise(model)
    before = model.get_weights()
    model.save_weights(path)
    layer.set_weights([weight * 0 for weight in before])
    load_weights(model, path)
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_whole_model_files_keep_the_same_under_model_weights(small, tmp_path):
    path = tmp_path / "whole.h5"
    names, values = _own(small)
    write_legacy(path, names, values, root="model_weights")
    before = small.get_weights()
    small.set_weights([weight * 0 for weight in before])
    load_weights(small, path, classifier=("predictions",))
    for ours, theirs in zip(small.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_order_in_the_file_does_not_matter(small, tmp_path):
    path = tmp_path / "reversed.h5"
    names, values = _own(small)
    write_legacy(path, names[::-1], values[::-1])
    before = small.get_weights()
    small.set_weights([weight * 0 for weight in before])
    load_weights(small, path, classifier=("predictions",))
    for ours, theirs in zip(small.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_long_lists_of_names_are_split_and_joined(small, tmp_path):
    path = tmp_path / "split.h5"
    names, values = _own(small)
    write_legacy(path, names, values)
    with h5py.File(path, "r+") as file:
        layers = list(file.attrs["layer_names"])
        del file.attrs["layer_names"]
        file.attrs["layer_names0"] = layers[:2]
        file.attrs["layer_names1"] = layers[2:]
    assert load_weights(small, path, classifier=("predictions",)).loaded == len(names)


def test_depthwise_kernels_of_the_keras_file_become_grouped_ones(tmp_path):
    """ResNeXt-50: the graph of ``keras.applications`` 1.0.8 against ours, one block's 3x3."""
    keras.backend.clear_session()
    rows = listing("keras_ResNeXt50")
    numbers = np.random.default_rng(5)
    values = {
        name: numbers.uniform(0.5, 1.5, shape).astype("float32") for name, shape in rows.items()
    }
    path = tmp_path / "resnext.h5"
    write_legacy(path, list(rows), list(values.values()))
    model = cnnzoo.build("resnext50")
    maps = sorted(MAPS.glob("resnext50-*.tsv"))
    assert load_weights(model, path, name_maps=maps, classifier=("predictions",)).loaded == 267
    x = numbers.normal(size=(1, 6, 6, 128)).astype("float32")
    theirs = values["/conv2_block1_2_conv/conv2_block1_2_conv/depthwise_kernel:0"]
    y = np.array(keras.ops.depthwise_conv(x, theirs))  # 4 outputs for each of 128 channels
    y = y.reshape(1, 4, 4, 32, 4, 4).sum(axis=4).reshape(1, 4, 4, 128)
    ours = np.array(model.get_layer("conv2_block1_2_conv")(x))
    np.testing.assert_allclose(ours, y, rtol=1e-4, atol=1e-4)


def _own(model: keras.Model) -> tuple[list[str], list[np.ndarray]]:
    """Names as Keras 2 writes them."""
    names = [f"{x.name}/{x.name}/{w.name}:0" for x in model.layers for w in x.weights]
    assert all(re.fullmatch(r"\w+/\w+/\w+:0", name) for name in names)
    return names, [weight for x in model.layers for weight in x.get_weights()]
