"""Rectangles of given areas that fill a rectangle and stay as square as they can.

M. Bruls, K. Huizing, J. van Wijk, "Squarified Treemaps", 2000.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Area:
    x: float
    y: float
    width: float
    height: float


def squarify(values: Sequence[float], room: Area) -> list[Area]:
    """One area per positive value, in proportion; together they are ``room``.

    Rows are laid along the shorter side and grow as long as that makes their worst area squarer,
    in the order given.
    """
    scale = room.width * room.height / sum(values) if values else 0.0
    sizes = [value * scale for value in values]
    found: list[Area] = []
    while len(found) < len(sizes):
        first = len(found)
        side = min(room.width, room.height)
        last = first + 1
        while last < len(sizes) and (
            _worst(sizes[first : last + 1], side) <= _worst(sizes[first:last], side)
        ):
            last += 1
        row, room = _row(sizes[first:last], room)
        found += row
    return found


def _worst(row: Sequence[float], side: float) -> float:
    """The largest ratio of sides in a row laid along ``side``."""
    thick = sum(row) / side
    return max(max(thick * thick / size, size / (thick * thick)) for size in row)


def _row(row: Sequence[float], room: Area) -> tuple[list[Area], Area]:
    """The areas of one row, and the room that is left."""
    upright = room.height <= room.width  # a column at the left, otherwise a row at the top
    thick = sum(row) / (room.height if upright else room.width)
    areas, along = [], room.y if upright else room.x
    for size in row:
        if upright:
            areas.append(Area(room.x, along, thick, size / thick))
        else:
            areas.append(Area(along, room.y, size / thick, thick))
        along += size / thick
    if upright:
        return areas, Area(room.x + thick, room.y, max(room.width - thick, 1e-9), room.height)
    return areas, Area(room.x, room.y + thick, room.width, max(room.height - thick, 1e-9))
