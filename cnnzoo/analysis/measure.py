"""Counts a Keras model: parameters, multiply-accumulates, depths, receptive field."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from math import prod
from pathlib import Path
from typing import Any

import keras
from keras.src.backend.common import global_state  # nothing public reaches what `sketch` mends

from cnnzoo import files
from cnnzoo.analysis import costs, memory
from cnnzoo.analysis.graph import Shape, Step, steps
from cnnzoo.builder import build
from cnnzoo.catalogue import facts
from cnnzoo.catalogue.facts import Facts, form_key
from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import UsageError


def sketch(architecture: str | ModelSpec, **arguments: Any) -> keras.Model:
    """The network as ``build`` makes it, but with weights that have shapes and no values.

    Takes a fraction of the time and none of the memory; good for measuring only.
    """
    # Keras keeps a list of variables without values, and gives them values when any later
    # stateless scope ends, such as that of a symbolic call of somebody's own layer.
    waiting = list(global_state.get_global_attribute(_WAITING) or [])
    try:
        with keras.StatelessScope(initialize_variables=False):
            return build(architecture, **arguments)
    finally:
        global_state.set_global_attribute(_WAITING, waiting)


_WAITING = "uninitialized_variables"


def measure(model: keras.Model, input_shape: Shape | None = None) -> Facts:
    """The figures of any functional or sequential Keras model, without running it.

    Args:
        input_shape: Of one image, to count at instead of the model's own.

    Raises:
        UsageError: The model has no graph, was never built, or its input size is open.
    """
    walked = steps(model, input_shape)
    layers = _unique(step.layer for step in walked)
    counts = [costs.macs(step) for step in walked]
    activations = memory.total([memory.elements(step) for step in walked])
    peak, kept = memory.largest(memory.held(walked)), memory.total(memory.kept(walked))
    if activations is None or peak is None or kept is None:
        raise UsageError(
            f"{model.name!r} takes {walked[0].outputs[0][1:]}: an open size cannot be counted. "
            "Pass input_shape=(height, width, channels)."
        )
    return Facts(
        input_shape=tuple(size or 0 for size in walked[0].outputs[0][1:]),
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
        effective_stride=effective_stride(walked),
        activation_elements=activations,
        peak_activation_elements=peak,
        training_activation_elements=kept,
        layers=len(layers),
        not_counted=tuple(
            type(step.layer).__name__
            for step, count in zip(walked, counts, strict=True)
            if count is None
        ),
    )


def measure_at(spec: ModelSpec, height: int, width: int) -> Facts:
    """The figures of a network built for another size."""
    channels = spec.input_shape[2]
    last = keras.config.image_data_format() == "channels_last"
    shape = (height, width, channels) if last else (channels, height, width)
    return measure(sketch(spec, input_shape=shape))


def receptive_field(walked: list[Step]) -> int:
    """Side, in pixels of the input, of what one unit of the last feature map depends on.

    The largest over all branches, padding ignored; layers that see the whole image end it.
    """
    return round(max([1.0, *(side for sides in views(walked) if sides for side, _ in sides)]))


def effective_stride(walked: list[Step]) -> float:
    """Pixels of the input from one unit of the last feature map to the next, the larger side.

    The last is the one with most layers on the way to it, so auxiliary classifiers do not count.
    """
    ways = zip(_depths(walked, lambda step: True), map(stride, views(walked)), strict=True)
    maps = [(depth, place, jump) for place, (depth, jump) in enumerate(ways) if jump is not None]
    return max(maps)[2] if maps else 1


Sides = tuple[tuple[float, float], tuple[float, float]]


def views(walked: list[Step]) -> list[Sides | None]:
    """For height and width: what a unit of each step sees, and the distance to its neighbour's.

    In pixels of the input; ``None`` for what is no feature map.
    """
    found: list[Sides] = []
    for step in walked:
        window = costs.window(step.layer)
        before = [found[parent] for parent in step.parents] or [((1.0, 1.0), (1.0, 1.0))]
        axes = []
        for axis in (0, 1):
            side = max(sides[axis][0] for sides in before)
            jump = max(sides[axis][1] for sides in before)
            reach = side + (window.kernel[axis] - 1) * jump
            axes.append((reach, jump * window.stride[axis]))
        found.append((axes[0], axes[1]))
    return [
        sides if len(step.outputs[0]) == 4 else None
        for step, sides in zip(walked, found, strict=True)
    ]


def stride(sides: Sides | None) -> float | None:
    """The larger distance between neighbours, whole where it can be."""
    if sides is None:
        return None
    jump = max(jump for _, jump in sides)
    return int(jump) if jump == int(jump) else jump


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


def _longest(walked: list[Step], counts: Callable[[Step], bool]) -> int:
    """Most counted steps on any path from an input to an output."""
    return max(_depths(walked, counts))


def _depths(walked: list[Step], counts: Callable[[Step], bool]) -> list[int]:
    """Most counted steps on any path from an input to each step, itself among them."""
    depths: list[int] = []
    for step in walked:
        before = max((depths[parent] for parent in step.parents), default=0)
        depths.append(before + bool(counts(step)))
    return depths
