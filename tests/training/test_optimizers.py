from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from cnnzoo.catalogue.recipes import LEARNING_RATES, Recipe
from cnnzoo.training.optimizers import make_optimizer

X, Y = np.ones((4, 3), "float32"), np.eye(2, dtype="float32")[[0, 1, 1, 1]]


def _model() -> keras.Model:
    image = keras.Input((3,))
    x = layers.Dense(4, name="first", kernel_initializer="ones")(image)
    return keras.Model(image, layers.Dense(2, name="second", kernel_initializer="ones")(x))


def _moved(recipe: Recipe, shares: dict[str, float] | None = None) -> dict[str, float]:
    """How far one step moves each variable."""
    model = _model()
    model.compile(make_optimizer(recipe, recipe.rate, model, 1000, shares), loss="mse")
    before = {v.path: v.numpy() for v in model.weights}
    model.train_on_batch(X, Y)
    return {v.path: float(np.abs(v.numpy() - before[v.path]).max()) for v in model.weights}


@pytest.mark.parametrize("name", LEARNING_RATES)
def test_every_optimizer_of_a_recipe_can_be_made(name: str) -> None:
    model = _model()
    optimizer = make_optimizer(Recipe(optimizer=name), 0.25, model, 1000)
    assert type(optimizer).__name__.lower() == name
    assert float(optimizer.learning_rate) == 0.25
    assert optimizer.built


def test_sgd_has_the_momentum_of_the_recipe() -> None:
    optimizer = make_optimizer(
        Recipe(optimizer="sgd", momentum=0.8, nesterov=False), 1.0, _model(), 1000
    )
    assert (optimizer.momentum, optimizer.nesterov) == (0.8, False)


@pytest.mark.parametrize("name", LEARNING_RATES)
def test_a_share_of_the_rate_moves_a_variable_by_that_share(name: str) -> None:
    recipe = Recipe(optimizer=name, learning_rate=0.01)
    whole = _moved(recipe)
    part = _moved(recipe, {"first/kernel": 0.25, "first/bias": 0.0})
    assert part["first/kernel"] == pytest.approx(whole["first/kernel"] / 4, rel=0.02)
    assert part["first/bias"] == 0
    assert part["second/kernel"] == whole["second/kernel"]


def test_weight_decay_leaves_biases_alone() -> None:
    plain = _moved(Recipe(optimizer="sgd", learning_rate=0.1))
    decayed = _moved(Recipe(optimizer="sgd", learning_rate=0.1, weight_decay=0.5))
    assert decayed["first/bias"] == plain["first/bias"]
    assert decayed["first/kernel"] != plain["first/kernel"]


@pytest.mark.parametrize("name", LEARNING_RATES)
def test_a_share_of_the_rate_is_a_share_of_the_decay(name: str) -> None:
    recipe = Recipe(optimizer=name, learning_rate=0.1, weight_decay=0.2)
    model = _model()
    optimizer = make_optimizer(recipe, recipe.rate, model, 1000, {"first/kernel": 0.25})
    optimizer.apply([keras.ops.zeros(v.shape) for v in model.trainable_variables])
    values = {v.path: float(v.numpy().flat[0]) for v in model.trainable_variables}
    assert values["first/kernel"] == pytest.approx(1 - 0.1 * 0.2 / 4)
    assert values["second/kernel"] == pytest.approx(1 - 0.1 * 0.2)


def test_16_bit_floats_are_trained_with_a_scaled_loss() -> None:
    """The smallest of them is 6e-8: gradients of less would be nought."""
    model = _model()
    optimizer = make_optimizer(Recipe(precision="mixed_float16", ema=0.9), 0.1, model, 1000)
    assert isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    model.compile(optimizer, loss="mse")
    before = model.get_layer("first").kernel.numpy()
    optimizer.learning_rate.assign(0.5)
    model.train_on_batch(X, Y)
    assert not np.array_equal(model.get_layer("first").kernel, before)
    assert not isinstance(
        make_optimizer(Recipe(precision="mixed_bfloat16"), 0.1, _model(), 1000),
        keras.optimizers.LossScaleOptimizer,
    )


def test_gradients_are_clipped_together() -> None:
    recipe = Recipe(
        optimizer="sgd", learning_rate=1.0, momentum=0.0, nesterov=False, clip_norm=1e-3
    )
    assert max(_moved(recipe).values()) <= 1e-3


def test_averaged_weights_are_kept_by_the_optimizer() -> None:
    optimizer = make_optimizer(Recipe(ema=0.9), 0.1, _model(), 1000)
    assert (optimizer.use_ema, optimizer.ema_momentum) == (True, 0.9)


@pytest.mark.parametrize(("steps", "momentum"), [(10_000, 0.998), (1000, 0.99), (50, 0.8), (5, 0)])
def test_averages_do_not_look_back_further_than_a_tenth_of_the_run(
    steps: int, momentum: float
) -> None:
    optimizer = make_optimizer(Recipe(ema=0.998), 0.1, _model(), steps)
    assert optimizer.ema_momentum == pytest.approx(momentum)


def test_frozen_layers_are_neither_trained_nor_decayed() -> None:
    model = _model()
    model.get_layer("first").trainable = False
    recipe = Recipe(optimizer="adamw", weight_decay=0.5)
    model.compile(make_optimizer(recipe, 0.1, model, 1000), loss="mse")
    before = model.get_layer("first").get_weights()
    model.train_on_batch(X, Y)
    for old, new in zip(before, model.get_layer("first").get_weights(), strict=True):
        assert np.array_equal(old, new)
