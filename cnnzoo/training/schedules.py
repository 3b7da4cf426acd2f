"""Which part of a run a step belongs to, its learning rate, and the size of its images."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cnnzoo.catalogue.recipes import LEARNING_RATES, Recipe

RISE = 0.3  # share of a cycle in which its rate rises
FULL, GRID = 0.7, 4  # progressive resizing: share of the epochs it takes, pixels it goes by
START = 25.0  # a cycle begins with this part of its highest rate


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of epochs with one optimizer; the next phase begins with a new one.

    Attributes:
        name: "all", or "head" where only the new classifier is trained.
        first: Epochs before it.
        epochs: How many it has.
        rate: The highest learning rate.
    """

    name: str
    first: int
    epochs: int
    rate: float

    @property
    def last(self) -> int:
        """Epochs done when it ends."""
        return self.first + self.epochs


def phases(recipe: Recipe) -> tuple[Phase, ...]:
    """The head alone first, where the recipe says so, then everything that is to be trained."""
    head = 0
    if recipe.head_share and recipe.epochs > 1:
        head = min(max(round(recipe.epochs * recipe.head_share), 1), recipe.epochs - 1)
    found = [Phase("all", head, recipe.epochs - head, recipe.rate)]
    if head:
        rate = recipe.head_learning_rate or LEARNING_RATES[recipe.optimizer]
        found.insert(0, Phase("head", 0, head, rate))
    return tuple(found)


def learning_rate(
    recipe: Recipe, phase: Phase, step: int, steps_per_epoch: int, factor: float = 1.0
) -> float:
    """The rate of a step, counted from the beginning of its phase.

    Args:
        factor: What "plateau" has come to.
    """
    total = phase.epochs * steps_per_epoch
    warm = min(recipe.warmup * steps_per_epoch, total / 2)
    if step < warm:
        return phase.rate * (step + 1) / (warm + 1)
    share = (step - warm) / max(total - warm, 1)
    if recipe.schedule == "cosine":
        return phase.rate * _half_wave(share)
    if recipe.schedule == "one-cycle":
        if share < RISE:
            return phase.rate * (1 / START + (1 - 1 / START) * (1 - _half_wave(share / RISE)))
        return phase.rate * _half_wave((share - RISE) / (1 - RISE))
    if recipe.schedule == "plateau":
        return max(phase.rate * factor, min(recipe.plateau_least, phase.rate))
    return phase.rate


def mean_rate(
    recipe: Recipe, phase: Phase, epoch: int, steps_per_epoch: int, factor: float = 1.0
) -> float:
    """Of the steps of an epoch, counted from the beginning of the run."""
    first = (epoch - phase.first) * steps_per_epoch
    steps = range(first, first + steps_per_epoch)
    return math.fsum(
        learning_rate(recipe, phase, step, steps_per_epoch, factor) for step in steps
    ) / len(steps)


def shrunk(recipe: Recipe, epoch: int, side: int) -> int:
    """Pixels a side that an epoch, counted from 0, shows of images of ``side``."""
    grown = epoch / max(1, FULL * recipe.epochs)
    if not recipe.first_size or grown >= 1:  # no multiple of four is every side
        return side
    share = recipe.first_size + (1 - recipe.first_size) * grown
    return min(side, max(GRID, round(share * side / GRID) * GRID))


def _half_wave(share: float) -> float:
    """From 1 to 0 along a cosine."""
    return 0.5 * (1 + math.cos(math.pi * share))
