"""What was found between two networks, as text, HTML and JSON."""

from __future__ import annotations

import html
import json
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cnnzoo import units
from cnnzoo.analysis.compare import ratio
from cnnzoo.analysis.graph import Shape

STYLES = {"+": "#1a7f37", "-": "#cf222e", "~": "#9a6700"}  # readable on white and on black


@dataclass(frozen=True, slots=True)
class Side:
    """A stage, or the whole, of one of the two networks.

    Attributes:
        shape: Of one image there, without batch.
        layers: Convolutions and dense layers.
        macs: Multiply-accumulates for one image, of the layers that can be counted.
    """

    shape: Shape
    layers: int
    params: int
    macs: int


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one layer or block, or of several in the same way.

    Attributes:
        sign: ``+`` added, ``-`` removed, ``~`` changed.
        what: The layer as the first network has it; as the second has it where it was added.
        details: What changed of it: ``filters 64 → 128``.
        layers: Names of the layers, in the first network; in the second where they were added.
        blocks: Which of the stage's blocks they sit in, from 1; empty outside of blocks.
        every: Those are all blocks of the stage.
        params: Added or removed, all of ``layers`` together; 0 where they only changed.
    """

    sign: str
    what: str
    details: tuple[str, ...]
    layers: tuple[str, ...]
    blocks: tuple[int, ...] = ()
    every: bool = False
    params: int = 0
    macs: int = 0

    def __str__(self) -> str:
        if self.sign == "~":
            return f"~ {self.what}: {', '.join(self.details)}"
        times = len(self.layers) // max(1, len(self.blocks))
        what = f"{times} × {self.what}" if times > 1 else self.what
        if self.blocks:
            return f"{self.sign} {what}"
        names = " … ".join(dict.fromkeys((self.layers[0], self.layers[-1])))
        costs = f": {_figures(self.params, self.macs)}" if self.params or self.macs else ""
        return f"{self.sign} {what} ({names}){costs}"


@dataclass(frozen=True, slots=True)
class StageDiff:
    """What differs in one stage.

    Attributes:
        name: The size of its maps, ``56 × 56 × 256``; ``head``, ``other outputs``.
        left: ``None`` where only the second network has it.
        right: ``None`` where only the first has it.
        changes: But for those that hold in the whole network.
        everywhere: Whether such a change touches the stage too.
    """

    name: str
    left: Side | None
    right: Side | None
    changes: tuple[Change, ...]
    everywhere: bool = False

    @property
    def same(self) -> bool:
        if self.left is None or self.right is None or self.changes or self.everywhere:
            return False
        return _measures(self.left) == _measures(self.right)

    @property
    def sign(self) -> str:
        if self.left is None:
            return "+"
        return "-" if self.right is None else " " if self.same else "~"

    def lines(self) -> Iterator[str]:
        """The changes, those inside of blocks together."""
        for change in self.changes:
            if not change.blocks:
                yield str(change)
        places = {(c.blocks, c.every) for c in self.changes if c.blocks}
        for blocks, every in sorted(places, key=lambda place: (not place[1], place[0])):
            inside = [c for c in self.changes if (c.blocks, c.every) == (blocks, every)]
            place = _place(blocks, every)
            if len(inside) == 1:
                sign, _, told = str(inside[0]).partition(" ")
                yield f"{sign} {place}: {told}"
            else:
                yield f"~ {place}:"
                yield from (f"  {change}" for change in inside)
        if not self.changes and self.sign == "~":
            yield (
                "~ only what changed everywhere"
                if self.everywhere
                else ("~ the same layers on other input")
            )


@dataclass(frozen=True, slots=True)
class Difference:
    """The stages of two networks side by side: iterate for the stages, print for people.

    Attributes:
        left: Name of the first network.
        right: Name of the second.
        changes: What changed in the same way in every layer of a kind, and of the image.
        stages: In order, equal ones included.
        total: Of the first and of the second network.
        remarks: What the figures leave out.
    """

    left: str
    right: str
    changes: tuple[Change, ...]
    stages: tuple[StageDiff, ...]
    total: tuple[Side, Side]
    remarks: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[StageDiff]:
        return iter(self.stages)

    def __len__(self) -> int:
        return len(self.stages)

    def __getitem__(self, index: int) -> StageDiff:
        return self.stages[index]

    @property
    def same(self) -> bool:
        """Whether both compute the same but for the values of their weights."""
        return not self.changes and all(stage.same for stage in self.stages)

    def __str__(self) -> str:
        return self.to_text()

    def to_text(self, width: int | None = None) -> str:
        """Stages with their figures, what changed below them; with ``width`` characters given, the
        figures go below the stage where there is no room beside it."""
        cells = [*(_stage_cells(stage) for stage in self.stages), ["total", *self._total()]]
        heads = _columns(cells)
        if width and max(map(len, heads)) + 2 > width:
            heads = [f"{name}\n    {', '.join(figures)}" for name, *figures in cells]
        lines = [f"{self.left} → {self.right}", "", *map(str, self.changes)]
        for stage, head in zip(self.stages, heads, strict=False):
            lines += [f"{stage.sign} {head}", *(f"    {line}" for line in stage.lines())]
        lines += [f"  {heads[-1]}", *self.remarks, *(["no difference"] if self.same else [])]
        return "\n".join(_fill(line, width) for line in "\n".join(lines).split("\n"))

    def _repr_html_(self) -> str:
        return f"<pre>{''.join(map(_coloured, str(self).splitlines()))}</pre>"

    def to_dict(self) -> dict[str, Any]:
        record = asdict(self)
        for stage, found in zip(self.stages, record["stages"], strict=True):
            found["same"] = stage.same
        return record | {"same": self.same}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def _total(self) -> list[str]:
        return _both(*self.total, with_ratio=True)


def shape_text(shape: Shape) -> str:
    return " × ".join("?" if n is None else str(n) for n in shape)


def _measures(side: Side) -> tuple[Any, ...]:
    return side.shape, side.layers, side.params, side.macs


def _stage_cells(stage: StageDiff) -> list[str]:
    """Name, parameters, MACs."""
    sides = [side for side in (stage.left, stage.right) if side is not None]
    name = stage.name
    if all(len(side.shape) != 3 for side in sides):
        name += f", {' → '.join(dict.fromkeys(shape_text(side.shape) for side in sides))}"
    if len(sides) == 2:
        params, macs = _both(sides[0], sides[1])
        return [name, f"the same: {params}" if stage.same else params, macs]
    side = sides[0]
    figures = f"{units.grouped(side.params)} params", f"{_macs(side.macs)} MACs"
    return [name, *(f"{stage.sign}{figure}" for figure in figures)]


def _both(left: Side, right: Side, with_ratio: bool = False) -> list[str]:
    """Parameters and MACs of both, with the difference."""
    found = []
    for was, now, show, what in (
        (left.params, right.params, units.grouped, "params"),
        (left.macs, right.macs, _macs, "MACs"),
    ):
        if was == now:
            found.append(f"{show(was)} {what}")
            continue
        times = f", {ratio(now / was)}" if with_ratio and was else ""
        sign = "+" if now > was else "-"
        found.append(f"{show(was)} → {show(now)} {what} ({sign}{show(abs(now - was))}{times})")
    return found


def _figures(params: int, macs: int) -> str:
    return f"{units.grouped(params)} params, {_macs(macs)} MACs"


def _macs(count: int) -> str:
    return units.short(count, 2)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Cells three spaces apart, each column as wide as its widest."""
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return [
        "   ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _fill(line: str, width: int | None) -> str:
    """A long change goes on below itself."""
    if not width or len(line) <= width:
        return line
    indent = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.fill(line, width, subsequent_indent=indent)


def _place(blocks: Sequence[int], every: bool) -> str:
    if every and len(blocks) > 1:
        return f"in each of {len(blocks)} blocks"
    runs: list[list[int]] = []
    for number in blocks:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    texts = [f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]
    return f"in block{'s' if len(blocks) > 1 else ''} {', '.join(texts)}"


def _coloured(line: str) -> str:
    colour = STYLES.get(line.lstrip()[:1])
    text = html.escape(line)
    return (f'<span style="color:{colour}">{text}</span>' if colour else text) + "\n"
