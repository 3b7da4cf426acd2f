from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from cnnzoo import machine
from cnnzoo.catalogue.recipes import Recipe
from cnnzoo.training import fused, optimizers
from cnnzoo.training.optimizers import MAKERS, make_optimizer

RICH = {"weight_decay": 0.01, "ema": 0.9, "clip_norm": 0.5}


def _model() -> keras.Model:
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [keras.Input((5,)), layers.Dense(7, name="first"), layers.Dense(3, name="last")]
    )


def _trained(recipe: Recipe, shares: dict[str, float] | None, steps: int = 4) -> list[np.ndarray]:
    """Weights and all that the optimizer keeps, after some steps at changing rates."""
    model = _model()
    named = {v.path: (shares or {}).get(v.name, 1.0) for v in model.trainable_variables}
    optimizer = make_optimizer(recipe, 0.1, model, 1000, named if shares else None)
    random = np.random.default_rng(0)
    model.compile(optimizer, "mse")
    for step in range(steps):
        optimizer.learning_rate.assign(0.1 / (1 + step))
        model.train_on_batch(random.normal(size=(6, 5)), random.normal(size=(6, 3)))
    return [np.array(v) for v in [*model.variables, *optimizer.variables]]


@pytest.mark.parametrize("more", [{}, RICH], ids=["plain", "rich"])
@pytest.mark.parametrize("shares", [None, {"kernel": 0.1}], ids=["one rate", "two rates"])
@pytest.mark.parametrize("name", sorted(MAKERS))
def test_the_same_steps_as_by_keras_itself(
    monkeypatch: pytest.MonkeyPatch, name: str, shares: dict[str, float] | None, more: Any
) -> None:
    recipe = Recipe(optimizer=name, **more)
    ours = _trained(recipe, shares)
    monkeypatch.setattr(optimizers, "fuse", lambda optimizer: None)
    for one, other in zip(ours, _trained(recipe, shares), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)


def _is_fused() -> bool:
    return "apply" in vars(make_optimizer(Recipe(), 0.1, _model(), 10))


def test_it_is_for_processors_whose_tensorflow_has_the_compiler(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert _is_fused()
    monkeypatch.setattr(fused, "_compiles", lambda: False)
    assert not _is_fused()
    monkeypatch.undo()
    monkeypatch.setattr(machine, "hardware", lambda: {"accelerators": ["a GPU"]})
    assert not _is_fused()


def test_a_tensorflow_without_the_compiler_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    import tensorflow as tf

    def function(**settings: Any) -> Any:
        def refuse() -> None:
            raise tf.errors.UnimplementedError(None, None, "no compiler in this build")

        return lambda what: refuse

    monkeypatch.setattr(tf, "function", function)
    fused._compiles.cache_clear()
    assert not fused._compiles()
    fused._compiles.cache_clear()
