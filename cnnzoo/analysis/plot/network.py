"""What treemap and architecture draw: a network's steps and what each of them costs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import keras

from cnnzoo.analysis import costs
from cnnzoo.analysis.graph import Step, steps
from cnnzoo.analysis.measure import sketch
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import UsageError


@dataclass(frozen=True, slots=True)
class Network:
    """Steps with their parameters and multiply-accumulates, in the same order.

    Attributes:
        macs: Of each step for one image; 0 where they cannot be counted.
        uncounted: Names of the steps whose multiply-accumulates cannot be counted.
    """

    title: str
    steps: tuple[Step, ...]
    params: tuple[int, ...]
    macs: tuple[int, ...]
    uncounted: tuple[str, ...]

    def cost(self, of: str, positions: Iterable[int]) -> int:
        """The ``params`` or the ``macs`` of these steps together."""
        figures = self.params if of == "params" else self.macs
        return sum(figures[i] for i in positions)

    @property
    def note(self) -> str:
        """Says what the multiply-accumulates leave out, or nothing."""
        return f"MACs not counted: {', '.join(self.uncounted)}." if self.uncounted else ""


def read(model: str | keras.Model, arguments: dict[str, Any]) -> Network:
    """Walk a network given by name, built without values, or a model of the user's own.

    Raises:
        UnknownNameError: No network is called so.
        UsageError: The model has no graph, or ``arguments`` are given for a built one.
    """
    title = getattr(model, "name", "")
    if isinstance(model, str):
        title = get_spec(model).title
        model = sketch(model, **arguments)
    elif arguments:
        raise UsageError(
            f"{', '.join(sorted(arguments))} only act when a name is given; this model is built."
        )
    walked = steps(model)
    seen: set[int] = set()
    params = []
    for step in walked:  # a layer called twice counts once
        new = id(step.layer) not in seen and hasattr(step.layer, "count_params")
        seen.add(id(step.layer))
        params.append(step.layer.count_params() if new else 0)
    counted = [costs.macs(step) for step in walked]
    unknown = tuple(s.name for s, macs in zip(walked, counted, strict=True) if macs is None)
    return Network(
        title, tuple(walked), tuple(params), tuple(macs or 0 for macs in counted), unknown
    )  # fmt: skip


def shape_text(step: Step) -> str:
    """``"35 × 35 × 320"``: what a step makes of one image, in the order Keras keeps it."""
    return " × ".join("?" if n is None else str(n) for n in step.outputs[0][1:])
