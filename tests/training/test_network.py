from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from cnnzoo.builder import build
from cnnzoo.catalogue.labels import labels_of
from cnnzoo.errors import UsageError
from cnnzoo.training.network import PlannedNetwork, knows, make_loss
from cnnzoo.training.plan import make_plan
from cnnzoo.training.schedules import Phase

CIFAR = tuple(label.name for label in labels_of("CIFAR-10"))
TEN = tuple("abcdefghij")
HEAD, ALL = Phase("head", 0, 1, 0.1), Phase("all", 1, 1, 0.1)


def _network(names: tuple[str, ...] = TEN, **settings: Any) -> PlannedNetwork:
    plan = make_plan("resnet20", weights="cifar10", settings=settings)
    return PlannedNetwork(plan, names)


def _trained(network: PlannedNetwork, phase: Phase) -> set[str]:
    model, _ = network.enter(phase, 100)
    return {variable.path for variable in model.trainable_variables}


def test_as_many_classes_are_not_the_same_classes() -> None:
    """The classifier of airplanes and frogs is no beginning for ten letters."""
    published = build("resnet20", weights="cifar10").get_layer("predictions").get_weights()
    same, other = _network(CIFAR), _network(TEN)
    kept = same.model.get_layer("predictions").get_weights()
    renewed = other.model.get_layer("predictions").get_weights()
    assert np.array_equal(kept[0], published[0])
    assert not np.array_equal(renewed[0], published[0])
    assert np.abs(renewed[0]).max() < 0.4  # Glorot's uniform limit for 64 and 10 is 0.285
    assert not renewed[1].any()


def test_classes_are_known_by_name_and_never_from_a_file(tmp_path: Path) -> None:
    plan = make_plan("resnet20", weights="cifar10")
    assert knows(plan, CIFAR)
    assert knows(plan, tuple(name.title() for name in CIFAR))
    assert not knows(plan, CIFAR[::-1])
    assert not knows(plan, tuple("0123456789"))  # which the classes of CIFAR-10 are numbered by
    assert knows(make_plan("lenet5", weights="mnist"), tuple("0123456789"))
    assert not knows(make_plan("resnet20", weights=str(tmp_path / "own.safetensors")), CIFAR)


def test_what_is_new_and_what_trains_is_said() -> None:
    said: list[str] = []
    plan = make_plan("resnet20", weights="cifar10", settings={"freeze": "stage2"})
    network = PlannedNetwork(plan, TEN, said.append)
    for phase in (HEAD, ALL):
        network.enter(phase, 100)
    assert said[0] == "resnet20: the classifier 'predictions' is new, for classes of its own."
    assert said[1].startswith("phase head: 38 of 39 layers with weights are frozen, ")
    assert "; 650 train." in said[1]
    assert said[2].startswith("phase all: ")
    trained = sum(int(np.prod(v.shape)) for v in network.enter(ALL, 1)[0].trainable_variables)
    assert f"; {trained:,} train." in said[2]
    said.clear()
    PlannedNetwork(make_plan("lenet5"), TEN, said.append).enter(ALL, 100)
    assert said == []


@pytest.mark.parametrize("half", ["0.5", 0.5])
def test_a_share_of_the_layers_can_be_frozen(half: Any) -> None:
    trained = _trained(_network(freeze=half), ALL)
    weighted = [layer.name for layer in _network().model.layers if layer.weights]
    frozen = set(weighted[: round(0.5 * len(weighted))])
    assert "predictions/kernel" in trained
    assert not {path.split("/")[0] for path in trained} & frozen
    with pytest.raises(UsageError, match=r"upto=1\.5 is neither a name nor a fraction"):
        _network(freeze="1.5").enter(ALL, 100)


def test_the_head_phase_trains_the_classifier_alone() -> None:
    assert _trained(_network(), HEAD) == {"predictions/kernel", "predictions/bias"}


def test_everything_but_batch_norm_is_trained_afterwards() -> None:
    network = _network()
    _trained(network, HEAD)
    paths = _trained(network, ALL)
    assert "conv1_conv/kernel" in paths
    assert not any("bn" in path for path in paths)
    assert any("bn" in path for path in _trained(_network(batch_norm="train"), ALL))


def test_what_a_recipe_freezes_is_never_trained() -> None:
    paths = _trained(_network(freeze="stage2"), ALL)
    assert all(path.startswith(("conv4", "predictions")) for path in paths)
    assert any(path.startswith("conv4") for path in paths)


def test_stages_nearer_to_the_image_learn_more_slowly() -> None:
    network = _network(stage_decay=0.5)
    network.enter(ALL, 100)
    shares = network._shares()
    in_turn = [
        shares[f"{name}/kernel"]
        for name in ("conv1_conv", "conv2_block1_1_conv", "conv3_block1_1_conv",
                     "conv4_block1_1_conv")
    ]  # fmt: skip
    assert in_turn == sorted(in_turn)
    assert in_turn[0] < in_turn[-1] == 0.5
    assert "predictions/kernel" not in shares  # the whole rate


def test_probabilities_have_all_digits_whatever_the_precision() -> None:
    plan = make_plan("lenet5", settings={"precision": "mixed_bfloat16"})
    network = PlannedNetwork(plan, TEN)
    assert network.model.layers[2].compute_dtype == "bfloat16"
    assert network.model.layers[-1].compute_dtype == "float32"
    assert keras.config.dtype_policy().name == "float32"
    answers = network.model.predict_on_batch(np.zeros((1, 32, 32, 1), "uint8"))
    assert answers.sum() == pytest.approx(1, abs=1e-6)


def test_a_recipe_may_normalise_pixels_in_its_own_way() -> None:
    plan = make_plan("lenet5", settings={"pixels": "minus-one-one"})
    pixels = PlannedNetwork(plan, TEN).model.get_layer("pixels")
    seen = keras.ops.convert_to_numpy(pixels(np.full((1, 1, 1, 1), 255, "float32")))
    assert seen.item() == 1


def test_a_recipe_that_leaves_nothing_to_train_is_refused() -> None:
    with pytest.raises(UsageError, match="leaves nothing to train"):
        _network(freeze="predictions").enter(ALL, 100)


def test_the_mistake_of_taking_probabilities_for_logits_can_be_repeated() -> None:
    right, wrong = (
        make_loss(make_plan("lenet5", settings={"loss": loss}).recipe)
        for loss in ("crossentropy", "softmax-twice")
    )
    truth, answer = np.array([[1.0, 0.0]]), np.array([[1.0, 0.0]])
    assert float(right(truth, answer)) == pytest.approx(0, abs=1e-6)
    assert float(wrong(truth, answer)) == pytest.approx(np.log(1 + np.exp(-1)), abs=1e-5)


def test_images_that_grow_train_the_same_layers_with_the_same_optimizer() -> None:
    network = _network(first_size=0.5)
    trained, optimizer = network.enter(ALL, 100)
    small = network.of_size(16, 20)
    assert network.of_size(32, 32) is trained
    assert network.of_size(16, 20) is small
    assert small.optimizer is optimizer
    assert [id(v) for v in small.variables] == [id(v) for v in trained.variables]
    before = np.array(trained.trainable_variables[0])
    labels = np.eye(10, dtype="float32")[:2]
    small.train_on_batch(np.full((2, 16, 20, 3), 50, "float32"), labels)
    assert not np.array_equal(trained.trainable_variables[0], before)
    assert network.model.input_shape == (None, 32, 32, 3)


@pytest.mark.parametrize(
    ("name", "share"), [("lenet5", 0.5), ("inception_v3", 0.1)], ids=["flattened", "too small"]
)
def test_images_that_a_network_cannot_take_are_refused(name: str, share: float) -> None:
    plan = make_plan(name, settings={"first_size": share})
    with pytest.raises(UsageError, match="Leave first_size out, or make it larger"):
        PlannedNetwork(plan, TEN).enter(ALL, 100)
