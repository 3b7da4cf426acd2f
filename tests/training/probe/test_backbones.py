from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from cnnzoo.builder import build
from cnnzoo.catalogue.registry import register_model, unregister_model
from cnnzoo.errors import UnknownNameError, UnknownOptionError, UsageError, WeightsError
from cnnzoo.store import key_of
from cnnzoo.training.probe.backbones import digest_of, find_backbone


def _key(*arguments: Any, **named: Any) -> str:
    return key_of(find_backbone(*arguments, **named).identity())


def _model(bias: float = 0.0, name: str = "own") -> keras.Model:
    image = keras.Input((12, 12, 1), name="image")
    x = layers.Conv2D(2, 3, kernel_initializer="ones", name="see")(image)
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(image, layers.Dense(3, kernel_initializer="ones", name="end")(x), name=name)
    model.get_layer("see").set_weights([np.ones((3, 3, 1, 2)), np.full(2, bias)])
    return model


def test_the_first_published_weights_are_taken() -> None:
    found = find_backbone("LeNet-5")
    assert (found.name, found.weights) == ("lenet5", "mnist")
    network = found.network()
    expected = build("lenet5", weights="mnist", include_preprocessing=True)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 1)).astype("float32")
    np.testing.assert_allclose(network(pixels), expected(pixels), atol=1e-6)


def test_random_weights_come_by_name_only_and_by_their_seed() -> None:
    with pytest.raises(UsageError, match=r"jyu_fashion has no public weights.*weights='random'"):
        find_backbone("jyu_fashion")
    kernels = [
        find_backbone("lenet5", "random", seed=seed).network().get_layer("c1").get_weights()[0]
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])


@pytest.mark.parametrize("include_top", [True, False])
def test_a_file_may_hold_the_classifier_or_not(tmp_path: Path, include_top: bool) -> None:
    file = tmp_path / "own.weights.h5"
    build("lenet5", include_top=include_top).save_weights(file)
    assert find_backbone("lenet5", file).network().get_layer("c5").built


def test_a_file_that_fits_neither_way_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.weights.h5"
    build("agh_mnist").save_weights(file)
    with pytest.raises(WeightsError, match="does not fit lenet5"):
        find_backbone("lenet5", file).network()


def test_the_key_changes_with_all_that_features_depend_on(tmp_path: Path) -> None:
    files = [tmp_path / f"{i}.weights.h5" for i in range(2)]
    for file in files:
        build("lenet5").save_weights(file)
    keys = [
        _key("lenet5"),
        _key("lenet5", "random"),
        _key("lenet5", "random", seed=1),
        _key("lenet5", "random", {"padding": "same"}),
        _key("lenet5", files[0]),
        _key("lenet5", files[1]),
        _key("resnet20"),
        _key("resnet32", "random"),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == _key("lenet5", "mnist", seed=5)  # trained weights have no seed
    assert all(len(key) == 32 for key in keys)


def test_the_key_changes_with_the_preprocessing(monkeypatch: pytest.MonkeyPatch) -> None:
    before = _key("resnet20")
    known = dict(find_backbone("resnet20").identity())
    assert known["preprocessing"].startswith("Preprocessing(")
    assert "'cifar10'" not in str(known)  # the tag is a name, the hash is the weights
    assert key_of({**known, "preprocessing": "other"}) != before


def test_a_network_of_the_zoo_is_known_without_being_built() -> None:
    script = """
import sys
from cnnzoo.store import key_of
from cnnzoo.training.probe.backbones import find_backbone
print(key_of(find_backbone("resnet20").identity()))
assert not {"keras", "tensorflow"} & sys.modules.keys()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().strip() == _key("resnet20")


def test_a_registered_network_is_known_by_its_layers_and_values(tiny: str) -> None:
    keys = {_key(tiny, "random", seed=seed) for seed in (0, 0, 1)}
    assert len(keys) == 2

    def other(image: object) -> object:
        return layers.Conv2D(8, 5, strides=2, activation="tanh", name="conv")(image)

    register_model("other", other, input_shape=(12, 12, 1), num_classes=3, min_size=8)
    try:
        assert _key("other", "random") not in keys
    finally:
        unregister_model("other")


def test_a_model_is_known_by_its_values(tmp_path: Path) -> None:
    assert digest_of(_model()) == digest_of(_model())
    assert digest_of(_model()) != digest_of(_model(bias=1))
    _model().save(tmp_path / "own.keras")
    stored = find_backbone(tmp_path / "own.keras")
    assert (stored.name, stored.weights) == ("own", "own")
    assert stored.identity() == find_backbone(_model()).identity()


def test_what_cannot_be_probed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="'lenet5'"):
        find_backbone("lenet6")
    with pytest.raises(UnknownNameError, match="Known: mnist"):
        find_backbone("lenet5", "imagenet")
    with pytest.raises(UnknownOptionError, match="lenet5 has no option 'stem'"):
        find_backbone("lenet5", None, {"stem": "small"})
    with pytest.raises(UsageError, match="weights=3 is neither"):
        find_backbone("lenet5", 3)
    with pytest.raises(UsageError, match="'own' has its own weights"):
        find_backbone(_model(), "imagenet")
    with pytest.raises(UsageError, match="not a Keras model"):
        find_backbone(3)
    with pytest.raises(UsageError, match="does not exist"):
        find_backbone(tmp_path / "own.keras")
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        find_backbone("lenet5", tmp_path / "no.h5").identity()
