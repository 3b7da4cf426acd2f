"""A counted network, row by row, as text, Markdown, HTML and JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cnnzoo import units
from cnnzoo.analysis import memory, render
from cnnzoo.analysis.graph import Shape
from cnnzoo.catalogue.facts import tally

BY = ("layer", "stage")
_LEAST_NAME = 20  # characters to which a narrow terminal may cut the names


@dataclass(frozen=True, slots=True)
class Row:
    """One layer, or the layers of one stage together.

    Attributes:
        name: Of the layer; of the first and last layer of a stage.
        kind: Class of the layer; empty for a stage.
        output_shape: Of one image, without the batch.
        params: All parameters the row's layers own; a layer used twice counts once.
        macs: Multiply-accumulates for one image, of those layers that can be counted; ``None``
            where none can.
        not_counted: Kinds of the layers whose MACs nobody can count, one for each call.
        activations: Numbers the row's layers put out for one image, ``None`` where a size is open.
        held: Most of all activations that are held at once while the row works, to infer.
        kept: Those of the row that training keeps for the backward pass.
        stride: Pixels of the input from one unit of the output to the next; ``None`` where the
            output is no feature map.
    """

    name: str
    kind: str
    output_shape: Shape
    layers: int
    params: int
    macs: int | None
    not_counted: tuple[str, ...]
    activations: int | None
    held: int | None
    kept: int | None
    stride: float | None


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
        """Of the layers that could be counted; ``not_counted`` has the others."""
        return sum(row.macs or 0 for row in self.rows)

    @property
    def not_counted(self) -> tuple[str, ...]:
        """Kinds of layers, or of sizes, that the counter does not know; one for each call."""
        return tuple(kind for row in self.rows for kind in row.not_counted)

    @property
    def activations(self) -> int | None:
        """Numbers that all layers put out for one image; ``None`` where a size is open."""
        return memory.total([row.activations for row in self.rows])

    @property
    def held(self) -> int | None:
        """Most activations held at once to infer on one image."""
        return memory.largest([row.held for row in self.rows])

    @property
    def kept(self) -> int | None:
        """Activations kept to train on one image."""
        return memory.total([row.kept for row in self.rows])

    def to_dict(self) -> dict[str, Any]:
        rows = [asdict(row) for row in self.rows]
        totals = {
            "params": self.params,
            "macs": self.macs,
            "not_counted": list(self.not_counted),
            "activations": self.activations,
            "held": self.held,
            "kept": self.kept,
        }
        return {"name": self.name, "by": self.by, "rows": rows, "total": totals}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2)

    def to_markdown(self) -> str:
        return render.markdown(*self._cells(_columns(self.by)))

    def to_text(self, width: int | None = None) -> str:
        """Aligned columns; with ``width`` characters given, the last columns that do not fit are
        left out, and if that is not enough long names are cut."""
        columns = _columns(self.by)
        drawn = render.text(*self._cells(columns))
        left_out: list[str] = []
        while width and len(columns) > 4 and _width(drawn) > width:
            last = 1 if columns[1] is _KIND and len(columns) == 5 else -1
            left_out.insert(0, columns.pop(last).header)
            drawn = render.text(*self._cells(columns))
        if width and _width(drawn) > width:
            headers, rows, right = self._cells(columns)
            longest = max(len(row[0]) for row in rows)
            limit = max(_LEAST_NAME, longest - (_width(drawn) - width))
            rows = [[_cut(row[0], limit), *row[1:]] for row in rows]
            drawn = render.text(headers, rows, right)
        lines = [self.name, drawn, *self._remarks()]
        if left_out:
            hint = f"… for a wider terminal: {', '.join(left_out)}"
            lines.append(textwrap.fill(hint, width or len(hint), subsequent_indent="  "))
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        columns = _columns(self.by)
        drawn = render.html_table(*self._cells(columns), [column.help for column in columns])
        return "\n".join([drawn, *(f"<p>{remark}</p>" for remark in self._remarks())])

    def _remarks(self) -> list[str]:
        if not self.not_counted:
            return []
        return [f"≥ {units.short(self.macs, 2)} MACs, not counted: {tally(self.not_counted)}"]

    def _cells(self, columns: Sequence[_Column]) -> tuple[list[str], list[list[str]], list[bool]]:
        """Headings, rows with the total last, and which columns are numbers."""
        rows = [[column.cell(row, self) for column in columns] for row in self.rows]
        rows.append([column.total(self) for column in columns])
        return [c.header for c in columns], rows, [c.number for c in columns]


@dataclass(frozen=True, slots=True)
class _Column:
    header: str
    help: str
    cell: Callable[[Row, Summary], str]
    total: Callable[[Summary], str] = lambda whole: ""
    number: bool = True


def _columns(by: str) -> list[_Column]:
    """The last are left out first where there is no room."""
    return [
        _NAME[by],
        *([_KIND] if by == "layer" else []),
        *_COMMON,
        *([_LAYERS] if by == "stage" else []),
    ]


_NAME = {
    by: _Column(by, "", lambda row, whole: row.name, lambda whole: "total", number=False)
    for by in BY
}
_KIND = _Column("kind", "Class of the layer.", lambda row, whole: row.kind, number=False)
_LAYERS = _Column(
    "layers",
    "Calls of layers.",
    lambda row, whole: str(row.layers),
    lambda whole: str(sum(row.layers for row in whole.rows)),
)
_COMMON = (
    _Column(
        "output",
        "Shape for one image.",
        lambda row, whole: " x ".join("?" if n is None else str(n) for n in row.output_shape),
        number=False,
    ),
    _Column(
        "params",
        "All parameters, batch-norm statistics included.",
        lambda row, whole: units.grouped(row.params),
        lambda whole: units.grouped(whole.params),
    ),
    _Column(
        "MACs",
        "Multiply-accumulates for one image.",
        lambda row, whole: _macs(row.macs, row.not_counted),
        lambda whole: _macs(whole.macs, whole.not_counted),
    ),
    _Column(
        "activations",
        "Numbers put out for one image.",
        lambda row, whole: _grouped(row.activations),
        lambda whole: _grouped(whole.activations),
    ),
    _Column(
        "held MiB",
        "Most activations held at once while the row works, one image, float32, inference.",
        lambda row, whole: _mebibytes(row.held),
        lambda whole: _mebibytes(whole.held),
    ),
    _Column(
        "kept MiB",
        "Activations kept for the backward pass, one image, float32, training.",
        lambda row, whole: _mebibytes(row.kept),
        lambda whole: _mebibytes(whole.kept),
    ),
    _Column(
        "stride px",
        "Pixels of the input from one unit of the output to the next.",
        lambda row, whole: "" if row.stride is None else f"{row.stride:g}",
    ),
    _Column(
        "% params",
        "Share of all parameters.",
        lambda row, whole: _share(row.params, whole.params),
    ),
    _Column(
        "% MACs",
        "Share of all multiply-accumulates.",
        lambda row, whole: _share(row.macs or 0, whole.macs),
    ),
)


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f}" if part else ""


def _grouped(value: int | None) -> str:
    return "?" if value is None else units.grouped(value)


def _mebibytes(elements: int | None) -> str:
    return "?" if elements is None else f"{4 * elements / 2**20:,.2f}"


def _width(drawn: str) -> int:
    return max(map(len, drawn.splitlines()))


def _cut(name: str, limit: int) -> str:
    return name if len(name) <= limit else name[: limit - 1] + "…"


def _macs(count: int | None, not_counted: tuple[str, ...]) -> str:
    if count is None:
        return "not counted"
    return ("≥ " if not_counted else "") + units.grouped(count)
