"""Which layers train: frozen from the image up, thawed from the head down."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras
from keras import layers

from cnnzoo.errors import UsageError
from cnnzoo.lookup import did_you_mean
from cnnzoo.training.trunk import (
    before,
    check_model,
    layer_called,
    leading_to,
    stage_ends,
    trunk_end,
)

BATCH_NORMS = ("frozen", "train")
log = logging.getLogger("cnnzoo")


@dataclass(frozen=True, slots=True)
class Trainability:
    """What trains in a network after `freeze` or `unfreeze`; ``str()`` is a sentence or two.

    Attributes:
        model: Its name.
        changed: Layers with weights that this call froze or thawed.
        layers: Layers with weights.
        frozen_layers: Those of them that do not train.
        parameters: All numbers of all weights.
        frozen_parameters: Those of the frozen layers; batch-norm statistics included.
        trainable_parameters: What the optimizer changes from now on.
        trainable_before: What it would have changed before this call.
        batch_norms: Batch normalisations.
        frozen_batch_norms: Those that keep their statistics, scale and shift.
        compiled: The model was compiled before, so it must be compiled again.
    """

    model: str
    changed: int
    layers: int
    frozen_layers: int
    parameters: int
    frozen_parameters: int
    trainable_parameters: int
    trainable_before: int
    batch_norms: int
    frozen_batch_norms: int
    compiled: bool

    @property
    def state(self) -> str:
        """What trains now, in words."""
        return self._told(f"{self.trainable_parameters:,} train.")

    def __str__(self) -> str:
        again = (
            " The model was compiled before: compile it again, or this has no effect."
            if self.compiled
            else ""
        )
        train = f"{self.trainable_parameters:,} train, {self.trainable_before:,} before."
        return f"{self.model}: {self._told(train)}{again}"

    def _told(self, train: str) -> str:
        norms = (
            f" {self.frozen_batch_norms} of {self.batch_norms} batch normalisations keep their "
            "statistics, scale and shift."
            if self.batch_norms
            else ""
        )
        return (
            f"{self.frozen_layers} of {self.layers} layers with weights are frozen, "
            f"{self.frozen_parameters:,} of {self.parameters:,} parameters; {train}{norms}"
        )

    __repr__ = __str__  # what a notebook shows


def freeze(
    model: keras.Model, upto: str | float = "trunk", *, batch_norm: str = "frozen"
) -> Trainability:
    """Freeze everything from the image up to and including a stage or layer.

    What that layer is computed by is frozen, side branches that do not lead to it are not. A
    frozen layer keeps its weights; a frozen batch normalisation also keeps its statistics and
    normalises with them while the rest trains.

    Args:
        model: A network of the zoo or any functional Keras model. It is changed in place.
        upto: A stage of ``cnnzoo info NAME``, such as ``"stem"`` or ``"stage3"``; the name of a
            layer; ``"trunk"`` for everything before the head; or a fraction above 0 and up to 1
            of the layers with weights, counted from the image.
        batch_norm: ``"frozen"`` freezes the batch normalisations of the rest of the trunk too,
            because statistics of few images spoil what was trained on many; ``"train"`` leaves
            those of the rest as they are.

    Returns:
        The counts, which are also logged.

    Raises:
        UnknownNameError: There is no such layer or stage.
        UsageError: An argument cannot work, or everything was frozen already.
    """
    check_model(model)
    _check_batch_norm(batch_norm)
    if isinstance(upto, str):
        whole = upto == "trunk"
        chosen = (
            before(model, trunk_end(model))
            if whole
            else leading_to(model, layer_called(model, upto))
        )
    else:
        weighted = _weighted(model)
        chosen = weighted[: _share(upto, len(weighted), "upto")]
    was = _Snapshot.of(model)
    for layer in chosen:
        layer.trainable = False
    if batch_norm == "frozen":
        freeze_batch_norms(model)
    if not was.changed(model):
        raise UsageError(
            f"freeze(upto={upto!r}) changed nothing: all it names in {model.name!r} is frozen "
            "already, or has no weights. Name a later layer, or use cnnzoo.unfreeze."
        )
    return was.compared_with(model)


def unfreeze(
    model: keras.Model, last: int | float | str, *, batch_norm: str = "frozen"
) -> Trainability:
    """Let the last stages of a network train, and the head with them.

    Args:
        model: A network of the zoo or any functional Keras model. It is changed in place.
        last: Stages from the end of the trunk: 2 stands for the last two; a fraction above 0.0 and
            up to 1.0 of the layers with weights, counted from the output; or the name of a stage
            or layer, from which on everything trains.
        batch_norm: ``"frozen"`` keeps all batch normalisations of the trunk as they are: their
            statistics, scale and shift. ``"train"`` lets those that are thawed train and
            normalise by the batch.

    Returns:
        The counts, which are also logged.

    Raises:
        UnknownNameError: There is no such layer or stage.
        UsageError: An argument cannot work, or nothing was frozen there.
    """
    check_model(model)
    _check_batch_norm(batch_norm)
    thawed = _last(model, last)
    if batch_norm == "frozen":
        norms = _batch_norms_of_trunk(model)
        thawed = [layer for layer in thawed if layer not in norms]
    if not any(layer.weights and not layer.trainable for layer in thawed):
        raise UsageError(
            f"unfreeze(last={last!r}) changed nothing: all it names in {model.name!r} trains "
            "already, or is kept by batch_norm='frozen'. Name an earlier layer, or use "
            "cnnzoo.freeze."
        )
    was = _Snapshot.of(model)
    if not model.trainable:  # a switch above those of its layers, which it turns all at once
        flags = [(layer, layer.trainable) for layer in model.layers]
        model.trainable = True
        for layer, flag in flags:
            layer.trainable = flag
    for layer in thawed:
        layer.trainable = True
    if batch_norm == "frozen":
        freeze_batch_norms(model)
    return was.compared_with(model)


def trainability(model: keras.Model) -> Trainability:
    """What trains in a network as it is."""
    return _Snapshot.of(model).counted(model)


@dataclass(frozen=True, slots=True)
class _Snapshot:
    """What trained before a change."""

    flags: dict[str, bool]
    parameters: int

    @classmethod
    def of(cls, model: keras.Model) -> _Snapshot:
        flags = {layer.name: layer.trainable for layer in _weighted(model)}
        return cls(flags, _count(model.trainable_weights))

    def changed(self, model: keras.Model) -> int:
        return sum(self.flags[layer.name] != layer.trainable for layer in _weighted(model))

    def compared_with(self, model: keras.Model) -> Trainability:
        result = self.counted(model)
        log.log(logging.WARNING if result.compiled else logging.INFO, "%s", result)
        return result

    def counted(self, model: keras.Model) -> Trainability:
        weighted = _weighted(model)
        frozen = [layer for layer in weighted if not layer.trainable]
        norms = [layer for layer in weighted if isinstance(layer, layers.BatchNormalization)]
        return Trainability(
            model=model.name,
            changed=self.changed(model),
            layers=len(weighted),
            frozen_layers=len(frozen),
            parameters=_count(model.weights),
            frozen_parameters=sum(_count(layer.weights) for layer in frozen),
            trainable_parameters=_count(model.trainable_weights),
            trainable_before=self.parameters,
            batch_norms=len(norms),
            frozen_batch_norms=sum(not layer.trainable for layer in norms),
            compiled=model.compiled,
        )


def _last(model: keras.Model, last: int | float | str) -> list[Any]:
    """The layers that ``last`` names."""
    stages = stage_ends(model)
    names = list(stages)
    if isinstance(last, str) and last not in stages:
        layer = layer_called(model, last)
        kept = [found for found in leading_to(model, layer) if found is not layer]
    elif isinstance(last, float):
        weighted = _weighted(model)
        kept = weighted[: len(weighted) - _share(last, len(weighted), "last")]
    else:
        first = names.index(last) if isinstance(last, str) else _first(model, last, names)
        kept = leading_to(model, layer_called(model, names[first - 1])) if first else []
    return [layer for layer in model.layers if layer not in kept]


def _first(model: keras.Model, last: Any, names: list[str]) -> int:
    """Position of the first of the ``last`` stages."""
    if isinstance(last, bool) or not isinstance(last, int):
        raise UsageError(
            f"last={last!r} is neither a number of stages, a fraction such as 0.25, nor the name "
            "of a stage or layer."
        )
    if not names:
        raise UsageError(
            f"last={last!r} counts stages, and {model.name!r} is no network of the registry, so "
            "none are known. Give a fraction such as 0.25, or the name of a layer."
        )
    if not 1 <= last <= len(names):
        raise UsageError(
            f"last={last!r} is no number of stages of {model.name!r}, which has {len(names)}: "
            f"{', '.join(names)}. Use 1 to {len(names)}."
        )
    return len(names) - last


def _share(fraction: Any, count: int, argument: str) -> int:
    """How many of ``count`` layers a fraction is; one at least."""
    if not isinstance(fraction, float) or not 0 < fraction <= 1:
        raise UsageError(
            f"{argument}={fraction!r} is neither a name nor a fraction above 0.0 and up to 1.0 of "
            "the layers with weights."
        )
    return max(1, round(fraction * count))


def _check_batch_norm(value: object) -> None:
    if value not in BATCH_NORMS:
        raise UsageError(
            f"batch_norm={value!r} is unknown.{did_you_mean(value, BATCH_NORMS)} "
            "Use 'frozen' or 'train'."
        )


def _batch_norms_of_trunk(model: keras.Model) -> list[Any]:
    """Those before the head; one in a new head has no statistics worth keeping."""
    trunk = before(model, trunk_end(model))
    return [layer for layer in trunk if isinstance(layer, layers.BatchNormalization)]


def freeze_batch_norms(model: keras.Model) -> None:
    for layer in _batch_norms_of_trunk(model):
        layer.trainable = False


def _weighted(model: keras.Model) -> list[Any]:
    """The layers with weights, from the image to the output."""
    return [layer for layer in model.layers if layer.weights]


def _count(weights: Iterable[Any]) -> int:
    return sum(math.prod(weight.shape) for weight in weights)
