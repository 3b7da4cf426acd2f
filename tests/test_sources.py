"""`build(weights=…)`: tags bring their options, paths are read, nothing half loaded."""

from __future__ import annotations

import io
import logging

import keras
import numpy as np
import pytest
from safetensors.numpy import save

import cnnzoo
from cnnzoo import sources
from cnnzoo.analysis.measure import sketch
from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.weights import all_weights
from cnnzoo.errors import UnknownNameError, UsageError, WeightsError

SMALL = dict(input_shape=(32, 32, 3), num_classes=7)


@pytest.fixture
def _no_download(monkeypatch):
    def refuse(file):
        raise AssertionError(f"{file.name} was asked for")

    monkeypatch.setattr(sources.fetch, "open_verified", refuse)


def _weights(model: keras.Model) -> list[np.ndarray]:
    return [np.array(weight) for weight in model.get_weights()]


@pytest.mark.parametrize(
    "name", ["own.weights.h5", "own.h5"], ids=["Keras 3 weights", "legacy weights"]
)
def test_file_of_ones_own_fills_the_network(tmp_path, name):
    trained = cnnzoo.build("resnet50", **SMALL)
    path = tmp_path / name
    if name.endswith(".weights.h5"):
        trained.save_weights(path)
    else:
        trained.save(path)
    again = cnnzoo.build("resnet50", weights=path, **SMALL)
    for a, b in zip(_weights(trained), _weights(again), strict=True):
        assert np.array_equal(a, b)
    assert cnnzoo.build("resnet50", weights=str(path), **SMALL).count_params() > 0


def test_other_number_of_classes_keeps_the_backbone_and_says_so(tmp_path, caplog):
    trained = cnnzoo.build("lenet5")
    trained.save_weights(tmp_path / "lenet.weights.h5")
    with caplog.at_level(logging.INFO, "cnnzoo"):
        other = cnnzoo.build("lenet5", weights=tmp_path / "lenet.weights.h5", num_classes=4)
    for name in ("c1", "c3", "c5", "f6"):
        assert np.array_equal(trained.get_layer(name).kernel, other.get_layer(name).kernel)
    assert "backbone 8/8 tensors, head new" in caplog.text


def test_classifier_is_left_out_where_the_last_layer_of_the_trunk_has_weights_too(tmp_path):
    trained = cnnzoo.build("lenet5")
    trained.save_weights(tmp_path / "lenet.weights.h5")
    for weights, expected in (
        (tmp_path / "lenet.weights.h5", trained),
        ("mnist", cnnzoo.build("lenet5", weights="mnist")),
    ):
        trunk = cnnzoo.build("lenet5", weights=weights, include_top=False)
        for name in ("c1", "c3", "c5"):
            assert np.array_equal(expected.get_layer(name).kernel, trunk.get_layer(name).kernel)


def test_file_of_another_network_is_refused(tmp_path):
    cnnzoo.build("lenet5").save_weights(tmp_path / "lenet.weights.h5")
    with pytest.raises(WeightsError, match="does not fit"):
        cnnzoo.build("resnet50", weights=tmp_path / "lenet.weights.h5", **SMALL)


def test_absent_file_is_named(tmp_path):
    with pytest.raises(WeightsError, match=r"absent\.weights\.h5"):
        cnnzoo.build("lenet5", weights=tmp_path / "absent.weights.h5")


@pytest.mark.usefixtures("_no_download")
@pytest.mark.parametrize(
    ("name", "arguments", "error", "says"),
    [
        ("resnet50", dict(weights="imagenett"), UnknownNameError, "Did you mean 'imagenet'"),
        (
            "lenet5",
            dict(weights="imagenet"),
            UnknownNameError,
            "lenet5 is named 'imagenet'. Known: mnist",
        ),
        ("resnet50", dict(weights=1), UsageError, "nor a path"),
        ("resnet50", dict(weights=""), UsageError, "nor a path"),
        (
            "resnet50",
            dict(weights="imagenet", variant="v1.5"),
            UsageError,
            "variant='v1.5' contradicts weights='imagenet'",
        ),
        ("vgg16", dict(weights="imagenet", input_shape=(64, 64, 3)), UsageError, "224x224"),
        (
            "vgg16",
            dict(weights="imagenet", include_top=False, input_shape=(64, 64, 4)),
            UsageError,
            "not 4",
        ),
    ],
)
def test_what_cannot_fit_is_refused_before_any_download(name, arguments, error, says):
    with pytest.raises(error, match=says):
        cnnzoo.build(name, **arguments)


@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: spec.name)
def test_every_entry_of_the_catalogue_names_a_form_of_its_network(spec):
    for entry in all_weights().get(spec.name, ()):
        source = sources.Source(entry=entry)
        choices = get_spec(spec.name).choose(sources.options_for(source, spec, {}))
        assert entry.input_size == spec.shape_for(choices)[:2]


@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: spec.name)
def test_no_entry_decides_the_stem_so_that_its_weights_fit_either(spec):
    stem = {"stem": "small"} if any(option.name == "stem" for option in spec.options) else {}
    for entry in all_weights().get(spec.name, ()):
        found = sources.options_for(sources.Source(entry=entry), spec, stem)
        assert found == {**entry.options, **stem}


def test_every_name_map_that_an_entry_names_exists():
    entries = [entry for entries in all_weights().values() for entry in entries]
    named = {entry.name_map for entry in entries if entry.name_map}
    there = {path.stem for path in (sources.weights_folder() / "name_maps").glob("*.tsv")}
    assert named
    assert named <= there


def test_tag_brings_its_options_and_its_preprocessing(monkeypatch):
    """A file in torch's layout, as its publisher would write it, for the form the tag names."""
    made = sketch("resnet50", variant="v1.5")
    numbers = np.random.default_rng(0)
    tensors = {}
    folder = sources.weights_folder() / "name_maps" / "resnet50-torch.tsv"
    for line in folder.read_text().splitlines():
        fields = line.split("\t")
        if line.startswith("#") or len(fields) != 3 or "/" not in fields[0]:
            continue
        layer, _, variable = fields[0].partition("/")
        found = next((w for w in made.get_layer(layer).weights if w.name == variable), None)
        if found is None:
            continue
        shape = tuple(found.shape)
        value = numbers.uniform(0.5, 1.5, shape).astype("float32")
        turned = value.transpose(3, 2, 0, 1) if len(shape) == 4 else value.T
        tensors[fields[1]] = np.ascontiguousarray(turned)
    file = io.BytesIO(save(tensors))
    file.name = "model.safetensors"
    monkeypatch.setattr(sources.fetch, "open_verified", lambda remote: file)
    model = cnnzoo.build("resnet50", weights="imagenet-timm-a1", include_preprocessing=True)
    assert model.count_params() == 25_610_152
    expected = tensors["conv1.weight"].transpose(2, 3, 1, 0)
    assert np.array_equal(model.get_layer("conv1_conv").kernel, expected)
    assert model.get_layer("pixels").mean == pytest.approx([123.675, 116.28, 103.53])
