"""Geometry of the report's confusion matrix and reliability diagram; the template draws it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

SHOWN = 40  # classes in a confusion matrix; more cannot be read


@dataclass(frozen=True, slots=True)
class Cell:
    column: int
    row: int
    count: int
    opacity: float
    text: str

    @property
    def hit(self) -> bool:
        return self.row == self.column

    @property
    def tone(self) -> str:
        """ "pale", "strong" or "deep": by which the count is written in black or white.

        On both papers of the style sheet the contrast is then at least 4.5.
        """
        if self.opacity < (0.7 if self.hit else 0.68):
            return "pale"
        return "strong" if self.opacity < 0.925 else "deep"


@dataclass(frozen=True, slots=True)
class HeatMap:
    """A confusion matrix; rows are true classes, columns predicted ones, zeros are left out."""

    names: list[str]
    cells: list[Cell]
    classes: int  # of the network, of which those with the most mistakes are shown

    @property
    def density(self) -> str:
        """How close the cells stand: few, some or many."""
        return "few" if len(self.names) <= 12 else "some" if self.counts else "many"

    @property
    def counts(self) -> bool:
        """Whether counts fit into the cells."""
        return len(self.names) <= 24


def heat_map(
    matrix: np.ndarray | Sequence[Sequence[int]], names: Sequence[str], most: int = SHOWN
) -> HeatMap:
    """Lay out a confusion matrix; few classes get large cells with counts.

    Of more than ``most`` classes those are shown that take part in the most mistakes. A hit is as
    opaque as its share of the row, a mistake as its share compared with the worst one, so that
    single mistakes can be seen.
    """
    counts = np.asarray(matrix)
    kept = _most_mistaken(counts, most)
    named = [names[i] for i in kept]
    shown = [name if len(name) <= 16 else f"{name[:8]}…{name[-7:]}" for name in named]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    found = [(int(r), int(c)) for r, c in np.argwhere(counts[np.ix_(kept, kept)])]
    worst = max((shares[kept[r], kept[c]] for r, c in found if r != c), default=1.0)
    cells = []
    for row, column in found:
        count, share = int(counts[kept[row], kept[column]]), float(shares[kept[row], kept[column]])
        opacity = max(0.2, share) if row == column else 0.15 + 0.6 * share / worst
        text = f"true {named[row]}, predicted {named[column]}: {count:,}"
        cells.append(Cell(column, row, count, round(float(opacity), 3), text))
    return HeatMap(shown, cells, len(names))


def _most_mistaken(counts: np.ndarray, most: int) -> np.ndarray:
    """The numbers of at most ``most`` classes, in their own order."""
    mistakes = counts - np.diag(np.diag(counts))
    parts = mistakes.sum(axis=0) + mistakes.sum(axis=1)
    return np.sort(np.argsort(-parts, kind="stable")[:most])


RELIABILITY = 300  # side of the square
COUNTS = 70  # height of the counts below it
GUTTER = (44, 10, 12, 34)  # left, right, above, below


@dataclass(frozen=True, slots=True)
class Bar:
    """One bin of confidence."""

    x: float
    width: float
    accuracy: float  # heights, in SVG units
    confidence: float
    count: float
    over: bool  # more confident than right
    text: str


@dataclass(frozen=True, slots=True)
class Reliability:
    bars: list[Bar]
    most: int  # answers in the fullest bin


def reliability(calibration: Mapping[str, Any]) -> Reliability:
    """Lay out accuracy against confidence, and how many answers there are of each confidence."""
    bins = calibration["bins"]
    most = max(row["count"] for row in bins)
    bars = []
    for row in bins:
        if not row["count"]:
            continue
        text = (
            f"confidence {100 * row['from']:.0f} to {100 * row['to']:.0f} %: {row['count']:,} "
            f"answers, mean confidence {100 * row['confidence']:.1f} %, "
            f"right {100 * row['accuracy']:.1f} %"
        )
        bars.append(
            Bar(
                x=round(RELIABILITY * row["from"], 1),
                width=round(RELIABILITY * (row["to"] - row["from"]), 1),
                accuracy=round(RELIABILITY * row["accuracy"], 1),
                confidence=round(RELIABILITY * row["confidence"], 1),
                count=round(COUNTS * row["count"] / most, 1),
                over=row["confidence"] > row["accuracy"],
                text=text,
            )
        )
    return Reliability(bars, most)
