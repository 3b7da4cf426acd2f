"""The networks in the order they were published. Imports no framework."""

from __future__ import annotations

import math
from collections.abc import Iterable

from cnnzoo import units
from cnnzoo.analysis.figures import facts_of
from cnnzoo.analysis.plot import text
from cnnzoo.analysis.plot.canvas import Circle, Line, Picture, Text
from cnnzoo.analysis.plot.selection import select
from cnnzoo.analysis.plot.theme import get_theme
from cnnzoo.catalogue.registry import all_specs
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import UsageError

WIDTH = 760.0
AXIS, NAMES, IDEAS = (34.0, 170.0), 202.0, 380.0  # from where to where, or from where on
TOP, ROW = 88.0, 34.0
LARGEST, SMALLEST = 15.0, 2.5  # radius


def timeline(*, models: Iterable[str] | None = None, theme: str = "light") -> Picture:
    """The networks by the year of their first publication, and what was new about each.

    The area of a circle is the number of parameters; networks without a year are named below.

    Args:
        models: Names; all networks unless given.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        UnknownNameError: A network does not exist.
        UsageError: No network has a year.
    """
    colours = get_theme(theme)
    asked = select(models)
    specs = sorted((spec for spec in asked if spec.year), key=lambda spec: spec.year)
    if not specs:
        raise UsageError("None of these networks has a paper with a year, so there is no timeline.")
    first, last = specs[0].year, specs[-1].year
    told = "; ".join(f"{spec.year} {spec.title}: {_idea(spec)}" for spec in specs)
    title = f"Convolutional networks, {first} to {last}" if first < last else f"Networks of {first}"
    picture = Picture(title, told, colours, WIDTH)
    picture.add(Text(20, 30, title, 16, colours.ink, bold=True))
    bottom = TOP + ROW * len(specs)
    _axis(picture, first, last, bottom)
    hues = colours.by_family(spec.family for spec in all_specs().values())
    largest = max(facts_of(spec).total_params for spec in specs)
    for row, spec in enumerate(specs):
        y = TOP + ROW * (row + 0.5)
        new_year = row == 0 or specs[row - 1].year != spec.year
        _row(picture, spec, (_x(spec.year, first, last), y), hues[spec.family], largest, new_year)
    _notes(picture, bottom, [spec.title for spec in asked if not spec.year])
    return picture


def _x(year: int, first: int, last: int) -> float:
    left, right = AXIS
    return left + (right - left) * (year - first) / max(last - first, 1)


def _axis(picture: Picture, first: int, last: int, bottom: float) -> None:
    """A line for every fifth year, in long times every tenth, and the headings."""
    theme = picture.theme
    step = 5 if last - first <= 20 else 10
    for year in range(first, last + 1):
        if year % step == 0:
            x = _x(year, first, last)
            picture.add(Line(((x, TOP - 10), (x, bottom)), theme.line))
            picture.add(Text(x, TOP - 16, str(year), 11, theme.soft, "middle"))
    picture.add(Text(NAMES, TOP - 16, "network, parameters", 11, theme.soft))
    picture.add(Text(IDEAS, TOP - 16, "what is new", 11, theme.soft))


def _row(
    picture: Picture,
    spec: ModelSpec,
    point: tuple[float, float],
    hue: str,
    largest: int,
    new_year: bool,
) -> None:
    theme, (x, y) = picture.theme, point
    params = facts_of(spec).total_params
    radius = max(SMALLEST, LARGEST * math.sqrt(params / largest))
    if new_year:
        picture.add(Line(((20, y - ROW / 2), (WIDTH - 20, y - ROW / 2)), theme.line))
    picture.add(Line(((x + radius, y), (NAMES - 8, y)), theme.blend(hue, 0.45), 0.8, (1.5, 3)))
    tip = f"{spec.title}, {spec.year}: {params:,} parameters"
    picture.add(Circle(x, y, radius, theme.blend(hue, 0.55), hue, 1.4, tip))
    if new_year:  # left of the circle, where the older networks are not
        side = ("end", x - radius - 5) if x > 120 else ("start", x + radius + 5)
        picture.add(Text(side[1], y - 4, str(spec.year), 11, theme.ink, side[0], bold=True))
    name = text.fit(spec.title, 11, IDEAS - NAMES - 10, bold=True)
    picture.add(Text(NAMES, y - 2, name, 11, hue, bold=True))
    picture.add(Text(NAMES, y + 11, f"{units.short(params)}", 10, theme.soft))
    lines = text.wrap(_idea(spec), 10.5, WIDTH - 20 - IDEAS)[:2]
    start = y + (4 if len(lines) == 1 else -2.5)
    for i, line in enumerate(lines):
        shown = text.fit(line, 10.5, WIDTH - 20 - IDEAS)
        picture.add(Text(IDEAS, start + 13 * i, shown, 10.5, theme.ink))


def _idea(spec: ModelSpec) -> str:
    """What the catalogue says is new; the title of the paper where it says nothing."""
    return spec.idea or spec.paper.title


def _notes(picture: Picture, bottom: float, without: list[str]) -> None:
    notes = [
        "By the year of the paper's first version. The area of a circle is the number of "
        "parameters, batch-norm statistics included; the smallest are drawn larger than they are. "
        "One colour, one family.",
    ]
    if without:
        notes.append(f"Left out, no year of publication: {', '.join(without)}.")
    y = bottom + 24
    for note in notes:
        for line in text.wrap(note, 10.5, WIDTH - 40):
            picture.add(Text(20, y, line, 10.5, picture.theme.soft))
            y += 15
    picture.height = y + 4
