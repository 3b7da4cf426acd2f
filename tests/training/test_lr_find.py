from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from cnnzoo.builder import build
from cnnzoo.errors import DataError, TrainingError, UnknownNameError, UsageError
from cnnzoo.training import lr_find as module
from cnnzoo.training.data.dataset import Dataset, Part
from cnnzoo.training.lr_find import lr_find
from cnnzoo.training.rate_test import RateTest

QUICK: dict[str, Any] = {"batch_size": 16, "augment": "none", "progress": False, "steps": 40}


@pytest.fixture
def model() -> keras.Model:
    """A classifier with statistics, seeds, a frozen layer, an optimizer and a past."""
    keras.utils.set_random_seed(3)
    built = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 5, strides=2, name="frozen"),
            layers.BatchNormalization(),
            layers.Dropout(0.3),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ],
        name="own",
    )
    built.get_layer("frozen").trainable = False
    built.compile("adam", "categorical_crossentropy")
    images = np.random.default_rng(0).integers(0, 256, (8, 12, 12, 1)).astype("float32")
    built.train_on_batch(images, np.eye(3, dtype="float32")[np.arange(8) % 3])
    return built


def _state(model: keras.Model) -> dict[str, Any]:
    variables = [*model.variables, *model.optimizer.variables]
    return {
        "values": [keras.ops.convert_to_numpy(v).tobytes() for v in variables],
        "flags": [(layer.name, layer.trainable) for layer in model.layers],
        "variables": [v.trainable for v in variables],
    }


def test_a_named_network_is_tried_without_writing_anything(
    tiny: str, bars: Dataset, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = lr_find(tiny, data=bars, **{**QUICK, "batch_size": 60, "steps": 60})
    assert (found.network, found.data) == ("tiny", "bars")
    assert len(found.rates) == len(found.losses) == len(found.smoothed) <= 60
    assert found.losses[0] == pytest.approx(math.log(3), rel=0.5)
    assert found.suggestion is not None
    assert 1e-3 < found.suggestion <= found.lowest
    assert list(tmp_path.iterdir()) == []


def test_the_same_arguments_give_the_same_losses_and_the_seed_others(
    tiny: str, bars: Dataset
) -> None:
    first, again, other = (lr_find(tiny, data=bars, seed=seed, **QUICK) for seed in (1, 1, 2))
    assert first == again
    assert first.losses != other.losses


def test_the_test_ends_where_the_loss_has_grown_to_four_times_its_lowest(
    tiny: str, bars: Dataset
) -> None:
    found = lr_find(tiny, data=bars, highest=1e6, optimizer="sgd", **QUICK)
    assert found.grown
    assert len(found.rates) < 40
    assert found.smoothed[-1] > 4 * min(found.smoothed) or found.rates[-1] < 1e6
    before = found.smoothed[:-1]
    assert all(loss <= 4 * min(before[: i + 1]) for i, loss in enumerate(before))


def test_a_model_is_afterwards_what_it_was_to_the_last_bit(
    model: keras.Model, bars: Dataset
) -> None:
    before = _state(model)
    found = lr_find(model, data=bars, **QUICK)
    assert (found.network, len(set(found.losses)) > 30) == ("own", True)
    assert _state(model) == before
    assert any(v.name.startswith("seed_generator") for v in model.variables)  # of the dropout


def test_the_seed_orders_the_images_of_a_model_too(model: keras.Model, bars: Dataset) -> None:
    first, again, other = (lr_find(model, data=bars, seed=seed, **QUICK) for seed in (1, 1, 2))
    assert first == again
    assert first.losses != other.losses


def test_a_model_is_restored_also_when_the_test_breaks_off(
    model: keras.Model, bars: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(losses: list[float]) -> list[float]:
        if len(losses) == 3:
            raise KeyboardInterrupt
        return losses

    monkeypatch.setattr(module, "smooth", stop)
    before = _state(model)
    with pytest.raises(KeyboardInterrupt):
        lr_find(model, data=bars, **QUICK)
    assert _state(model) == before


def test_what_is_frozen_in_a_model_is_not_trained(
    model: keras.Model, bars: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, list[np.ndarray]] = {}

    def look(losses: list[float]) -> list[float]:
        for layer in model.layers:
            values = [keras.ops.convert_to_numpy(v).copy() for v in layer.trainable_weights]
            values = values or [keras.ops.convert_to_numpy(v).copy() for v in layer.weights]
            seen[layer.name] = values
        return losses

    monkeypatch.setattr(module, "smooth", look)
    lr_find(model, data=bars, **QUICK)
    after = {
        layer.name: [*map(keras.ops.convert_to_numpy, layer.weights)] for layer in model.layers
    }
    assert all(map(np.array_equal, seen["frozen"], after["frozen"]))
    dense = model.layers[-1].name
    assert not np.array_equal(seen[dense][0], after[dense][0])


def test_a_rate_without_a_number_ends_the_test(
    bars: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    keras.utils.set_random_seed(0)
    image = keras.Input((12, 12, 1))
    x = layers.Dense(3)(layers.Flatten()(image))  # pixels to 255, so the step overflows
    broken = keras.Model(image, layers.Softmax()(layers.Lambda(lambda t: t * float("nan"))(x)))
    with pytest.raises(UsageError, match="does not give probabilities"):
        lr_find(broken, data=bars, **QUICK)
    monkeypatch.setattr(module, "_check_answers", lambda *_: None)
    with pytest.raises(TrainingError, match="is no number at a learning rate of 1e-06"):
        lr_find(broken, data=bars, **QUICK)


def test_of_several_phases_the_last_is_tried(
    tiny: str, bars: Dataset, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = str(tmp_path / "tiny.weights.h5")
    build(tiny).save_weights(weights)
    entered = []

    class Watched(module.PlannedNetwork):
        def enter(self, phase: Any, steps: int) -> Any:
            entered.append((phase.name, phase.first))
            return super().enter(phase, steps)

    monkeypatch.setattr(module, "PlannedNetwork", Watched)
    lr_find(tiny, data=bars, weights=weights, epochs=10, **QUICK)  # the recipe is "transfer"
    assert entered == [("all", 2)]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"weights": "imagenet"}, "weights: 'own' is built already"),
        ({"input_shape": (12, 12, 1)}, "input_shape: 'own' is built already"),
        ({"colour": "red"}, "colour: 'own' is built already"),
        ({"settings": {"freeze": "frozen"}}, "freeze='frozen' decides how a network is built"),
        ({"recipe": "transfer"}, "decides how a network is built"),
        ({"seed": -1}, "seed=-1 cannot be"),
        ({"steps": 3}, "steps=3 cannot be"),
        ({"batch_size": 61}, "is more than the 60 training images"),
    ],
)
def test_what_a_built_model_cannot_heed_is_refused(
    model: keras.Model, bars: Dataset, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        lr_find(model, data=bars, **{**QUICK, **arguments})


def test_models_whose_loss_would_mean_nothing_are_refused(bars: Dataset) -> None:
    image = keras.Input((12, 12, 1))
    features = layers.Flatten()(image)
    logits = keras.Model(image, layers.Dense(3)(features), name="logits")
    with pytest.raises(UsageError, match="'logits' does not give probabilities"):
        lr_find(logits, data=bars, **QUICK)
    ten = keras.Model(image, layers.Dense(10, activation="softmax")(features), name="ten")
    with pytest.raises(DataError, match="'ten' gives 10 numbers per image, bars has 3 classes"):
        lr_find(ten, data=bars, **QUICK)
    with pytest.raises(UsageError, match="a classifier of images takes"):
        lr_find(keras.Model(image, image, name="none"), data=bars, **QUICK)
    ten.trainable = logits.trainable = False
    frozen = keras.Model(image, layers.Softmax()(logits.outputs[0]), name="frozen")
    with pytest.raises(UsageError, match="'frozen' is frozen as a whole"):
        lr_find(frozen, data=bars, **QUICK)


def test_unknown_names_are_refused_before_anything_is_built(bars: Dataset) -> None:
    with pytest.raises(UnknownNameError):
        lr_find("nonsense", data=bars)


def test_images_of_the_test_part_are_never_read(tiny: str, bars: Dataset) -> None:
    none = Part(np.zeros((0, 12, 12, 1), "uint8"), np.zeros(0, "int64"))
    blind = Dataset("bars", "drawn", bars.train, none, bars.class_names, channels=1)
    assert isinstance(lr_find(tiny, data=blind, **QUICK), RateTest)
