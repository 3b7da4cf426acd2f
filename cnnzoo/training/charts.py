"""Geometry of the report's drawings; the template turns it into SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 460, 240  # of a chart, in SVG units
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 18, 26  # margins around its plotting area


@dataclass(frozen=True, slots=True)
class Tick:
    at: float  # SVG units
    text: str


@dataclass(frozen=True, slots=True)
class Curves:
    """One quantity over the epochs, for the training and the validation images."""

    title: str
    train: str  # "x,y x,y …", what an SVG polyline takes
    validation: str
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    best: tuple[float, float]  # the point of the best epoch on the validation curve
    best_epoch: int
    strips: list[tuple[float, float, str]]  # left edge, width and text of every epoch's tooltip


def curves(
    history: Sequence[Mapping[str, Any]], key: str, title: str, best_epoch: int, *, share: bool
) -> Curves:
    """Lay out ``key`` and ``val_<key>`` of a training history.

    The first tenth of the epochs does not stretch the vertical axis: curves may enter the picture
    from beyond it, so that the end, where the decision falls, can be read.

    Args:
        share: The quantity ends at 1 and is written in per cent; otherwise its axis starts at 0.
    """
    train = [row[key] for row in history]
    validation = [row[f"val_{key}"] for row in history]
    settled = len(history) // 10
    seen = train[settled:] + validation[settled:]
    ticks = nice_ticks(min(*seen, 0.99), 1.0) if share else nice_ticks(0.0, max(*seen, 0.001))
    low, high = ticks[0], ticks[-1]
    wide, tall = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    last = max(len(history) - 1, 1)

    def x(epoch: int) -> float:
        return round(LEFT + wide * (epoch - 1) / last, 1)

    def y(value: float) -> float:
        return round(TOP + tall * (high - value) / (high - low), 1)

    def line(values: list[float]) -> str:
        return " ".join(f"{x(i)},{y(value)}" for i, value in enumerate(values, start=1))

    step = ticks[1] - ticks[0]
    strip = wide / last
    return Curves(
        title=title,
        train=line(train),
        validation=line(validation),
        x_ticks=[Tick(x(epoch), str(epoch)) for epoch in _epoch_ticks(len(history))],
        y_ticks=[Tick(y(tick), _written(tick, step, share)) for tick in ticks],
        best=(x(best_epoch), y(validation[best_epoch - 1])),
        best_epoch=best_epoch,
        strips=[
            (round(x(i) - strip / 2, 1), round(strip, 1), f"epoch {i}: {_both(a, b, share)}")
            for i, (a, b) in enumerate(zip(train, validation, strict=True), start=1)
        ],
    )


def _written(value: float, step: float, share: bool) -> str:
    """A number with as many digits as tell it from its neighbours ``step`` away."""
    unit = 100 if share else 1
    digits = max(0, -math.floor(math.log10(step * unit) + 1e-9))
    return f"{value * unit:.{digits}f}{' %' if share else ''}"


def _both(train: float, validation: float, share: bool) -> str:
    step = 1e-4
    return (
        f"training {_written(train, step, share)}, validation {_written(validation, step, share)}"
    )


def nice_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """At most ``most`` round numbers, evenly spaced, that enclose ``low`` and ``high``."""
    span = max(high - low, 1e-6)
    power = 10.0 ** math.floor(math.log10(span / most))
    for factor in (1, 2, 5, 10, 20, 50):
        step = factor * power
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first < most:
            break
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


def _epoch_ticks(epochs: int) -> list[int]:
    """The first and the last epoch, and round ones between that do not crowd them."""
    if epochs <= 8:
        return list(range(1, epochs + 1))
    step = int(nice_ticks(0, epochs)[1])
    between = [n for n in range(step, epochs, step) if n - 1 >= step / 3 and epochs - n >= step / 3]
    return [1, *between, epochs]


@dataclass(frozen=True, slots=True)
class Cell:
    column: int
    row: int
    count: int
    opacity: float
    text: str


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A confusion matrix; rows are true classes, columns predicted ones, zeros are left out."""

    cell: float  # side of a cell in SVG units
    margin: float  # room for the class names
    font: float
    names: list[str]
    cells: list[Cell]
    counts: bool  # whether counts fit into the cells

    @property
    def gap(self) -> float:
        """Between two cells; none where cells are small."""
        return 2.0 if self.counts else 0.0

    @property
    def side(self) -> float:
        return len(self.names) * self.cell


def heat_map(matrix: Sequence[Sequence[int]], names: Sequence[str]) -> HeatMap:
    """Lay out a confusion matrix of any size; few classes get large cells with counts.

    A hit is as opaque as its share of the row, a mistake as its share compared with the worst one,
    so that single mistakes can be seen.
    """
    size = len(names)
    cell = 56.0 if size <= 12 else max(900 / size, 1.0) if size > 24 else 34.0
    font = min(13.0, max(cell * 0.8, 4.0))
    shown = [name if len(name) <= 16 else f"{name[:15]}…" for name in names]
    found = [
        (row, column, count, count / sum(counts))
        for row, counts in enumerate(matrix)
        for column, count in enumerate(counts)
        if count
    ]
    worst = max((share for row, column, _, share in found if row != column), default=1.0)
    cells = []
    for row, column, count, share in found:
        opacity = max(0.2, share) if row == column else 0.15 + 0.6 * share / worst
        text = f"true {names[row]}, predicted {names[column]}: {count:,}"
        cells.append(Cell(column, row, count, round(opacity, 3), text))
    margin = 14 + 0.62 * font * max(map(len, shown))
    return HeatMap(cell, round(margin, 1), font, shown, cells, counts=size <= 24)
