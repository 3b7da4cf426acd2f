"""Blocks drawn from top to bottom, branches side by side."""

from __future__ import annotations

from collections.abc import Sequence

from cnnzoo.analysis.plot import text
from cnnzoo.analysis.plot.canvas import Circle, Line, Picture, Rect, Text
from cnnzoo.analysis.plot.structure import Box, Fork, Label, Part, Repeat, collapse
from cnnzoo.analysis.plot.theme import Theme

FONT, BOX = 10.0, 19.0  # size of the text in a box, height of the box
ARROW = 11.0  # between two boxes
BUS = 8.0  # from where a line forks to the height where it runs across
BETWEEN = 9.0  # two branches
BADGE = 24.0  # room for "×10" beside what is repeated
CARD = 7.0  # margin of the card around a repeated block
KINDS = {"conv": 3, "pool": 1, "dense": 4, "other": 0}  # which of the theme's series


class Drawer:
    """Measures and draws sequences of parts into a picture."""

    def __init__(self, picture: Picture) -> None:
        self.picture, self.theme = picture, picture.theme

    def size(self, parts: Sequence[Part]) -> tuple[float, float]:
        """Width and height of a sequence; a shortcut is narrow and has no height."""
        return self.run_size(collapse(parts))

    def run_size(self, runs: Sequence[Repeat]) -> tuple[float, float]:
        if not runs:
            return 14.0, 0.0
        sizes = [self._repeat_size(run) for run in runs]
        height = sum(size[1] for size in sizes) + ARROW * (len(runs) - 1)
        return max(size[0] for size in sizes), height

    def run(self, runs: Sequence[Repeat], x: float, y: float) -> float:
        """Draw around the vertical through ``x`` from ``y`` on; return where it ends."""
        for i, run in enumerate(runs):
            if i:
                self.picture.arrow(((x, y), (x, y + ARROW)), self.theme.soft)
                y += ARROW
            y = self._repeat(run, x, y)
        return y

    def _repeat_size(self, run: Repeat) -> tuple[float, float]:
        sizes = [self._part_size(part) for part in run.parts]
        wide = max(size[0] for size in sizes)
        tall = sum(size[1] for size in sizes) + ARROW * (len(sizes) - 1)
        if run.times > 1:
            wide += 2 * BADGE
            tall += 2 * CARD if _is_block(run) else 0
        return wide, tall

    def _repeat(self, run: Repeat, x: float, y: float) -> float:
        wide, tall = self._repeat_size(run)
        if run.times > 1:
            inner = wide - 2 * BADGE + (2 * CARD if _is_block(run) else 0)
            right = x + inner / 2
            if _is_block(run):
                fill, stroke = self.theme.blend(self.theme.accent, 0.05), self.theme.line
                self.picture.add(Rect(right - inner, y, inner, tall, fill, stroke, radius=7))
                for edge in (y, y + tall - CARD):
                    self.picture.add(Line(((x, edge), (x, edge + CARD)), self.theme.soft, 1.2))
            self.picture.add(
                Text(right + 5, y + tall / 2 + 4, f"×{run.times}", 12, self.theme.ink, bold=True)
            )
        end = y + tall
        y += CARD if run.times > 1 and _is_block(run) else 0
        for i, part in enumerate(run.parts):
            if i:
                self.picture.arrow(((x, y), (x, y + ARROW)), self.theme.soft)
                y += ARROW
            y = self._box(part.label, x, y) if isinstance(part, Box) else self._fork(part, x, y)
        return end

    def _part_size(self, part: Part) -> tuple[float, float]:
        if isinstance(part, Box):
            return box_width(part.label), BOX
        sizes = [self.size(branch) for branch in part.branches]
        wide = sum(size[0] for size in sizes) + BETWEEN * (len(sizes) - 1)
        inside = max(size[1] for size in sizes)
        return wide, BUS + ARROW + inside + BUS + _join_height(part)

    def _box(self, label: Label, x: float, y: float) -> float:
        wide, hue = box_width(label), kind_colour(self.theme, label.kind)
        fill = self.theme.blend(hue, 0.16)
        self.picture.add(Rect(x - wide / 2, y, wide, BOX, fill, hue, 1.0, 4))
        self.picture.add(Text(x, y + 13.3, label.text, FONT, self.theme.ink, "middle"))
        return y + BOX

    def _fork(self, fork: Fork, x: float, y: float) -> float:
        colour = self.theme.soft
        sizes = [self.size(branch) for branch in fork.branches]
        wide = sum(size[0] for size in sizes) + BETWEEN * (len(sizes) - 1)
        tall = max(size[1] for size in sizes)
        across, top = y + BUS, y + BUS + ARROW
        bottom = top + tall + BUS
        left, centres = x - wide / 2, []
        for branch, size in zip(fork.branches, sizes, strict=True):
            centre = left + size[0] / 2
            centres.append(centre)
            left += size[0] + BETWEEN
            if not branch:
                self.picture.add(Line(((centre, across), (centre, bottom)), colour, 1.2))
                continue
            start = top + (tall - size[1]) / 2
            self.picture.arrow(((centre, across), (centre, start)), colour)
            end = self.run(collapse(branch), centre, start)
            self.picture.add(Line(((centre, end), (centre, bottom)), colour, 1.2))
        self.picture.add(Line(((x, y), (x, across)), colour, 1.2))
        for height in (across, bottom):
            ends = (min(x, *centres), height), (max(x, *centres), height)
            self.picture.add(Line(ends, colour, 1.2))
        return self._join(fork.join, x, bottom)

    def _join(self, name: str, x: float, y: float) -> float:
        if not name:
            return y
        theme = self.theme
        if name == "+":
            self.picture.add(Line(((x, y), (x, y + 4)), theme.soft, 1.2))
            self.picture.add(Circle(x, y + 11, 7, theme.paper, theme.ink, 1.2))
            self.picture.add(Line(((x - 4, y + 11), (x + 4, y + 11)), theme.ink, 1.2))
            self.picture.add(Line(((x, y + 7), (x, y + 15)), theme.ink, 1.2))
            return y + 18
        wide = text.width(name, FONT) + 16
        self.picture.add(Line(((x, y), (x, y + 4)), theme.soft, 1.2))
        self.picture.add(Rect(x - wide / 2, y + 4, wide, 16, theme.paper, theme.ink, 1, 8))
        self.picture.add(Text(x, y + 15.5, name, FONT, theme.ink, "middle"))
        return y + 20


def _join_height(fork: Fork) -> float:
    return {"": 0.0, "+": 18.0}.get(fork.join, 20.0)


def _is_block(run: Repeat) -> bool:
    """More than one box, which a card has to hold together."""
    return len(run.parts) > 1 or isinstance(run.parts[0], Fork)


def box_width(label: Label) -> float:
    return max(54.0, text.width(label.text, FONT) + 12)


def kind_colour(theme: Theme, kind: str) -> str:
    return theme.series[KINDS[kind]]
