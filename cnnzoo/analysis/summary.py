"""A network layer by layer or stage by stage: shapes, parameters, multiply-accumulates."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import keras

from cnnzoo import units
from cnnzoo.analysis import costs, render
from cnnzoo.analysis.graph import Shape, Step, steps
from cnnzoo.analysis.measure import sketch
from cnnzoo.analysis.stages import stages
from cnnzoo.errors import UsageError
from cnnzoo.lookup import did_you_mean

BY = ("layer", "stage")
HEADERS = ("output", "layers", "params", "% params", "MACs", "% MACs")


@dataclass(frozen=True, slots=True)
class Row:
    """One layer, or the layers of one stage together.

    Attributes:
        name: Of the layer; of the first and last layer of a stage.
        kind: Class of the layer; empty for a stage.
        output_shape: Of one image, without the batch.
        params: All parameters the row's layers own; a layer used twice counts once.
        macs: Multiply-accumulates for one image; ``None`` where they cannot be counted.
    """

    name: str
    kind: str
    output_shape: Shape
    layers: int
    params: int
    macs: int | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The rows of a network; prints as a table."""

    name: str
    by: str
    rows: tuple[Row, ...]

    @property
    def params(self) -> int:
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        """Of the rows that could be counted; ``not_counted`` names the others."""
        return sum(row.macs or 0 for row in self.rows)

    @property
    def not_counted(self) -> tuple[str, ...]:
        """Rows with layers of a kind, or with a size, that the counter does not know."""
        return tuple(row.name for row in self.rows if row.macs is None)

    def to_dict(self) -> dict[str, Any]:
        rows = [asdict(row) for row in self.rows]
        totals = {"params": self.params, "macs": self.macs, "not_counted": list(self.not_counted)}
        return {"name": self.name, "by": self.by, "rows": rows, "total": totals}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)

    def to_markdown(self) -> str:
        return render.markdown(*self._cells())

    def __str__(self) -> str:
        lines = [self.name, render.text(*self._cells())]
        if self.not_counted:
            lines.append(
                f"MACs not counted: {', '.join(self.not_counted)}. The total leaves them out."
            )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        headers, rows, right = self._cells()
        return render.html_table(headers, rows, right, [""] * len(headers))

    def _cells(self) -> tuple[list[str], list[list[str]], list[bool]]:
        first = ("layer", "kind") if self.by == "layer" else ("stage",)
        rows = [self._line(row) for row in self.rows]
        macs = units.grouped(self.macs) + (" +" if self.not_counted else "")
        layers = str(sum(row.layers for row in self.rows))
        last = ["", layers, units.grouped(self.params), "", macs, ""]
        rows.append(["total", *[""] * (len(first) - 1), *last])
        headers, right = [*first, *HEADERS], [*[False] * (len(first) + 1), *[True] * 5]
        if self.by == "layer":  # one each
            drop = headers.index("layers")
            headers, right = _without(headers, drop), _without(right, drop)
            rows = [_without(row, drop) for row in rows]
        return headers, rows, right

    def _line(self, row: Row) -> list[str]:
        first = [row.name, row.kind] if self.by == "layer" else [row.name]
        shape = " x ".join("?" if n is None else str(n) for n in row.output_shape)
        macs = "not counted" if row.macs is None else units.grouped(row.macs)
        shares = (_share(row.params, self.params), _share(row.macs or 0, self.macs))
        return [
            *first,
            shape,
            str(row.layers),
            units.grouped(row.params),
            shares[0],
            macs,
            shares[1],
        ]


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
    seen: set[int] = set()
    if by == "layer":
        rows = [_row(step.name, type(step.layer).__name__, [step], step, seen) for step in walked]
    else:
        rows = [_row(s.name, "", s.steps, s.result, seen) for s in stages(walked)]
    return Summary(model.name, by, tuple(rows))


def _row(name: str, kind: str, group: Sequence[Step], result: Step, seen: set[int]) -> Row:
    """One row; ``seen`` remembers layers whose parameters an earlier row has counted."""
    new = {id(step.layer): step.layer for step in group if id(step.layer) not in seen}
    seen.update(new)
    counts = [costs.macs(step) for step in group]
    return Row(
        name=name,
        kind=kind,
        output_shape=result.outputs[0][1:],
        layers=len(group),
        params=sum(
            layer.count_params() for layer in new.values() if hasattr(layer, "count_params")
        ),
        macs=None if None in counts else sum(count or 0 for count in counts),
    )


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if part else ""


def _without(items: Sequence[Any], index: int) -> list[Any]:
    return [*items[:index], *items[index + 1 :]]
