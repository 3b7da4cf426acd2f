"""Optimizers of Keras as recipes describe them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from cnnzoo.catalogue.recipes import Recipe
from cnnzoo.training.fused import fuse

MAKERS: dict[str, type[keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": keras.optimizers.SGD,
    "rmsprop": keras.optimizers.RMSprop,
    "adadelta": keras.optimizers.Adadelta,
}


SHARE = 0.1  # of the steps of a phase that averaged weights look back at most


def make_optimizer(
    recipe: Recipe,
    rate: float,
    model: keras.Model,
    steps: int,
    shares: Mapping[str, float] | None = None,
) -> keras.optimizers.Optimizer:
    """The optimizer of one phase, built for what ``model`` trains now.

    Args:
        steps: Of the phase. An average over more than a tenth of them would still hold the weights
            that it began with.
        shares: Path of a variable -> its part of the learning rate; 1 where nothing is said.
    """
    settings: dict[str, Any] = {"learning_rate": rate}
    if recipe.optimizer == "sgd":
        settings |= {"momentum": recipe.momentum, "nesterov": recipe.nesterov}
    if recipe.weight_decay or recipe.optimizer == "adamw":
        settings["weight_decay"] = recipe.weight_decay
    if recipe.clip_norm:
        settings["global_clipnorm"] = recipe.clip_norm
    if recipe.ema:
        momentum = min(recipe.ema, max(0.0, 1 - 1 / (SHARE * steps)))
        settings |= {"use_ema": True, "ema_momentum": momentum}
    kind = MAKERS[recipe.optimizer]
    if shares:
        kind = _slower(kind, [shares.get(v.path, 1.0) for v in model.trainable_variables])
    optimizer = kind(**settings)
    if recipe.weight_decay:
        optimizer.exclude_from_weight_decay(
            [v for v in model.trainable_variables if len(v.shape) < 2]
        )
    optimizer.build(model.trainable_variables)
    fuse(optimizer)
    if recipe.precision == "mixed_float16":  # small gradients are nought in it
        optimizer = keras.optimizers.LossScaleOptimizer(optimizer)
        optimizer.build(model.trainable_variables)
    return optimizer


def _slower(kind: Any, shares: Sequence[float]) -> Any:
    """``kind`` with a part of the learning rate for each variable, in the order it was built.

    Weight decay goes by the rate as well.
    """

    class Slower(kind):  # type: ignore[misc]
        def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
            share = shares[self._get_variable_index(variable)]
            super().update_step(gradient, variable, learning_rate * share)

        def _apply_weight_decay(self, variables: Sequence[Any]) -> None:
            if self.weight_decay is None:
                return
            for variable in filter(self._use_weight_decay, variables):
                share = shares[self._get_variable_index(variable)]
                decay = self.learning_rate * share * self.weight_decay
                variable.assign(variable * keras.ops.cast(1 - decay, variable.dtype))

    Slower.__name__ = kind.__name__
    return Slower
