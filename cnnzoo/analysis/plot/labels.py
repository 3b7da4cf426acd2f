"""Labels beside points, none over another: a greedy search with a few rounds of repair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cnnzoo.analysis.plot.canvas import Point

ROUNDS = 4
# How far from its point a label may move, in units, near ones first.
DISTANCES = (0.0, 7.0, 15.0, 24.0, 34.0, 46.0, 60.0)
# Which way, best first: x and y between -1 and 1, right and down positive.
DIRECTIONS = (
    (1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1),
    (1, -0.5), (-1, -0.5), (1, 0.5), (-1, 0.5), (0.4, -1), (-0.4, -1), (0.4, 1), (-0.4, 1),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Box:
    """Left, top, right, bottom."""

    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box, margin: float = 1.5) -> float:
        """Area that both cover, each a little enlarged."""
        wide = min(self.right, other.right) - max(self.left, other.left) + margin
        tall = min(self.bottom, other.bottom) - max(self.top, other.top) + margin
        return wide * tall if wide > 0 and tall > 0 else 0.0

    def within(self, frame: Box) -> bool:
        return (
            self.left >= frame.left
            and self.right <= frame.right
            and self.top >= frame.top
            and self.bottom <= frame.bottom
        )


def place(
    points: Sequence[Point],
    sizes: Sequence[Point],
    radius: float,
    frame: Box,
    obstacles: Sequence[Box] = (),
) -> list[Box]:
    """Where the label of each point goes.

    Args:
        points: What is labelled, each a disc of ``radius``.
        sizes: Width and height of each label.
        frame: Labels stay inside.
        obstacles: What labels should keep off besides the points and one another.
    """
    discs = [Box(x - radius, y - radius, x + radius, y + radius) for x, y in points]
    choices = [
        _candidates(point, size, radius, frame) for point, size in zip(points, sizes, strict=True)
    ]
    placed = [options[0][1] for options in choices]
    for _ in range(ROUNDS):
        before = list(placed)
        for i, options in enumerate(choices):
            others = [box for j, box in enumerate(placed) if j != i] + discs
            placed[i] = min(options, key=lambda o: _cost(o[0], o[1], others, obstacles))[1]
        if placed == before:
            break
    return placed


def _candidates(point: Point, size: Point, radius: float, frame: Box) -> list[tuple[float, Box]]:
    """Every place a label could take inside the frame, with how little it is liked."""
    found = []
    for far, distance in enumerate(DISTANCES):
        for rank, (across, down) in enumerate(DIRECTIONS):
            x = point[0] + across * (radius + 3 + distance + size[0] / 2)
            y = point[1] + down * (radius + 2 + distance + size[1] / 2)
            if not across:
                x = point[0]
            box = Box(x - size[0] / 2, y - size[1] / 2, x + size[0] / 2, y + size[1] / 2)
            if box.within(frame):
                found.append((20.0 * far + rank, box))
    return found


def _cost(dislike: float, box: Box, others: list[Box], obstacles: Sequence[Box]) -> float:
    hidden = sum(box.overlap(other) for other in others)
    crossed = sum(1 for other in obstacles if box.overlap(other, 2))
    return dislike + 100 * hidden + 45 * crossed
