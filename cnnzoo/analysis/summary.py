"""Counts a network layer by layer or stage by stage: shapes, parameters, MACs, memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from cnnzoo.analysis import costs, memory
from cnnzoo.analysis.graph import Shape, Step, steps
from cnnzoo.analysis.measure import Sides, sketch, stride, views
from cnnzoo.analysis.rows import BY, Row, Summary
from cnnzoo.analysis.stages import stages
from cnnzoo.errors import UsageError
from cnnzoo.lookup import did_you_mean


def summary(
    model: str | keras.Model,
    *,
    by: str = "layer",
    input_shape: Shape | None = None,
    **arguments: Any,
) -> Summary:
    """Count a network by layer or by stage; a stage is what works at one image size.

    Args:
        model: A name, built without allocating its weights, or any functional or sequential model.
        by: ``"layer"`` or ``"stage"``.
        input_shape: Of one image; the network's own unless given.
        **arguments: Further ones of ``build`` when ``model`` is a name: ``include_top``, options.

    Raises:
        UsageError: The model has no graph or cannot take the size; ``by`` is unknown.
    """
    if by not in BY:
        raise UsageError(f"by={by!r} is unknown.{did_you_mean(by, BY)} Use 'layer' or 'stage'.")
    if isinstance(model, str):
        model, input_shape = sketch(model, input_shape=input_shape, **arguments), None
    elif arguments:
        raise UsageError(
            f"{', '.join(sorted(arguments))} only act when a name is given; this model is built."
        )
    walked = steps(model, input_shape)
    measured = list(
        zip(walked, memory.held(walked), memory.kept(walked), views(walked), strict=True)
    )
    seen: set[int] = set()
    if by == "layer":
        rows = [
            _row(one[0].name, type(one[0].layer).__name__, [one], one, seen) for one in measured
        ]
    else:
        of = {id(one[0]): one for one in measured}
        rows = [
            _row(s.name, "", [of[id(step)] for step in s.steps], of[id(s.result)], seen)
            for s in stages(walked)
        ]
    return Summary(model.name, by, tuple(rows))


_Measured = tuple[Step, int | None, int | None, Sides | None]


def _row(
    name: str, kind: str, group: Sequence[_Measured], result: _Measured, seen: set[int]
) -> Row:
    """One row; ``seen`` remembers layers whose parameters an earlier row has counted."""
    made = [step for step, *_ in group]
    new = {id(step.layer): step.layer for step in made if id(step.layer) not in seen}
    seen.update(new)
    counts = [costs.macs(step) for step in made]
    unknown = [step for step, count in zip(made, counts, strict=True) if count is None]
    return Row(
        name=name,
        kind=kind,
        output_shape=result[0].outputs[0][1:],
        layers=len(group),
        params=sum(
            layer.count_params() for layer in new.values() if hasattr(layer, "count_params")
        ),
        macs=None if len(unknown) == len(made) else sum(count or 0 for count in counts),
        not_counted=tuple(type(step.layer).__name__ for step in unknown),
        activations=memory.total([memory.elements(step) for step in made]),
        held=memory.largest([held for _, held, _, _ in group]),
        kept=memory.total([kept for _, _, kept, _ in group]),
        stride=stride(result[3]),
    )
