"""A picture as a list of shapes, written as SVG, PNG or PDF."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cnnzoo import files
from cnnzoo.analysis.plot.theme import Theme
from cnnzoo.errors import UsageError

SUFFIXES = (".svg", ".png", ".pdf")
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Rect:
    x: float
    y: float
    width: float
    height: float
    fill: str | None = None
    stroke: str | None = None
    stroke_width: float = 1.0
    radius: float = 0.0
    tip: str = ""  # shown by a browser under the pointer


@dataclass(frozen=True, slots=True)
class Circle:
    x: float
    y: float
    radius: float
    fill: str | None = None
    stroke: str | None = None
    stroke_width: float = 1.0
    tip: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """Through all points in turn; ``fill`` closes it."""

    points: tuple[Point, ...]
    stroke: str | None = None
    stroke_width: float = 1.0
    dash: tuple[float, float] | None = None
    fill: str | None = None


@dataclass(frozen=True, slots=True)
class Text:
    """One line of text; ``y`` is its baseline, ``anchor`` start, middle or end."""

    x: float
    y: float
    text: str
    size: float
    fill: str
    anchor: str = "start"
    bold: bool = False


Shape = Rect | Circle | Line | Text


@dataclass(slots=True)
class Picture:
    """A drawing of ``width`` x ``height`` units, one a pixel on an ordinary screen.

    Notebooks show it by themselves; ``save`` writes it.

    Attributes:
        title: What it shows, for people who hear pictures and for the browser's tooltip.
        description: What there is to be read from it, in sentences.
    """

    title: str
    description: str
    theme: Theme
    width: float
    height: float = 0.0
    shapes: list[Shape] = field(default_factory=list)

    def add(self, *shapes: Shape) -> None:
        self.shapes.extend(shapes)

    def arrow(self, points: Sequence[Point], colour: str) -> None:
        """A line whose last leg goes down, with a head at its end."""
        x, y = points[-1]
        self.add(Line((*points[:-1], (x, y - 4)), stroke=colour, stroke_width=1.2))
        self.add(Line(((x - 3, y - 5), (x + 3, y - 5), (x, y)), fill=colour))

    def to_svg(self) -> str:
        """The picture as SVG; the same picture is always the same text."""
        from cnnzoo.analysis.plot.svg import svg

        return svg(self)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def __repr__(self) -> str:
        return f"<Picture {self.title!r}, {self.width:.0f} x {self.height:.0f}>"

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture, whole or not at all; the suffix says whether SVG, PNG or PDF.

        PNG has two pixels per unit.

        Raises:
            UsageError: The suffix is none of these.
            StorageError: The file cannot be written.
        """
        target = Path(path)
        check_suffix(target)
        if target.suffix.lower() == ".svg":
            files.write_text(target, self.to_svg())
        else:
            from cnnzoo.analysis.plot.raster import write

            files.write_with(target, lambda temporary: write(self, temporary))
        return target


def check_suffix(path: Path) -> None:
    """Refuse a file name that does not say how the picture is to be written."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(
            f"{str(path)!r} ends in {path.suffix or 'no suffix'!r}, which is no kind of picture "
            f"written here. Use one of: {', '.join(SUFFIXES)}."
        )
