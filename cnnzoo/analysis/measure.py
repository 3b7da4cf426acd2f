"""Counts a Keras model: parameters, multiply-accumulates, depths, receptive field."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import keras

from cnnzoo import files
from cnnzoo.analysis import costs
from cnnzoo.analysis.graph import Step, steps
from cnnzoo.builder import build
from cnnzoo.catalogue import facts
from cnnzoo.catalogue.facts import Facts, form_key
from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.catalogue.spec import ModelSpec


def sketch(architecture: str | ModelSpec, **arguments: Any) -> keras.Model:
    """The network as ``build`` makes it, but with weights that have shapes and no values.

    Takes a fraction of the time and none of the memory; good for measuring only.
    """
    with keras.StatelessScope(initialize_variables=False):
        return build(architecture, **arguments)


def measure(model: keras.Model) -> Facts:
    """The figures of any functional or sequential Keras model, without running it.

    Raises:
        UsageError: The model has no graph, was never built, or its MACs cannot be counted
            because its input size is open.
    """
    walked = steps(model)
    layers = _unique(step.layer for step in walked)
    counts = [costs.macs(step) for step in walked]
    return Facts(
        input_shape=tuple(model.inputs[0].shape[1:]),
        total_params=_count(model.weights),
        trainable_params=_count(model.trainable_weights),
        batch_norm_statistics=sum(
            _count(layer.non_trainable_weights)
            for layer in layers
            if isinstance(layer, keras.layers.BatchNormalization)
        ),
        macs=sum(count or 0 for count in counts),
        depth_layers=_longest(walked, lambda step: True),
        depth_parametric=sum(1 for layer in layers if getattr(layer, "weights", ())),
        depth_weighted=_longest(walked, lambda step: costs.is_weighted(step.layer)),
        receptive_field=receptive_field(walked),
        layers=len(layers),
    )


def receptive_field(walked: list[Step]) -> int:
    """Side, in pixels of the input, of what one unit of the last feature map depends on.

    The largest over all branches, padding ignored; layers that see the whole image end it.
    """
    largest = 1.0
    axes = []
    for axis in (0, 1):
        sides: list[tuple[float, float]] = []  # seen by one unit, and distance to its neighbour's
        for step in walked:
            before = [sides[parent] for parent in step.parents] or [(1.0, 1.0)]
            side, jump = max(side for side, _ in before), max(jump for _, jump in before)
            window = costs.window(step.layer)
            side, jump = side + (window.kernel[axis] - 1) * jump, jump * window.stride[axis]
            sides.append((side, jump))
        axes.append(sides)
    for step, vertical, horizontal in zip(walked, *axes, strict=True):
        if len(step.outputs[0]) == 4:  # still an image
            largest = max(largest, vertical[0], horizontal[0])
    return round(largest)


def forms(spec: ModelSpec) -> Iterator[dict[str, bool | str]]:
    """The options of every form of a network that is not its default one."""
    names = [option.name for option in spec.options]
    default = tuple(option.default for option in spec.options)
    for values in product(*[[c.value for c in option.choices] for option in spec.options]):
        if values != default:
            pairs = zip(names, values, default, strict=True)
            yield {name: value for name, value, usual in pairs if value != usual}


def measure_zoo() -> dict[str, Facts]:
    """Key -> figures of every built-in network and each of its forms."""
    measured = {}
    for spec in NETWORKS:
        measured[spec.name] = measure(sketch(spec))
        for options in forms(spec):
            measured[form_key(spec.name, options)] = measure(sketch(spec, **options))
    return measured


def write_facts(measured: dict[str, Facts]) -> Path:
    """Replace ``facts.toml``, in a checkout."""
    target = Path(facts.__file__).with_name("facts.toml")
    tables = [f'["{key}"]\n{row.to_toml()}' for key, row in measured.items()]
    files.write_text(target, facts.HEADER + "\n" + "\n".join(tables))
    return target


def _count(weights: list[Any]) -> int:
    return sum(prod(weight.shape) for weight in weights)


def _unique(layers: Iterator[Any]) -> list[Any]:
    return list({id(layer): layer for layer in layers}.values())


def _longest(walked: list[Step], counts: Any) -> int:
    """Most counted steps on any path from an input to an output."""
    depths: list[int] = []
    for step in walked:
        before = max((depths[parent] for parent in step.parents), default=0)
        depths.append(before + bool(counts(step)))
    return max(depths)
