"""Accuracy against what it costs, one point a network. Imports no framework."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from cnnzoo import units
from cnnzoo.analysis.columns import ALIASES, COLUMNS, get_column
from cnnzoo.analysis.figures import published
from cnnzoo.analysis.plot import latency, text
from cnnzoo.analysis.plot.canvas import Circle, Line, Picture, Rect, Text
from cnnzoo.analysis.plot.labels import Box, place
from cnnzoo.analysis.plot.selection import select
from cnnzoo.analysis.plot.theme import get_theme
from cnnzoo.catalogue.registry import all_specs
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import UnknownNameError, UsageError
from cnnzoo.lookup import did_you_mean

WIDTH, PLOT = 760.0, Box(52, 66, 740, 430)  # the picture, and where points may be
RADIUS, LABEL = 5.5, 240.0  # of a point; the widest name beside it
KINDS = {"params": "total_params", "macs": "macs", "memory": "", "latency": ""}
MEMORY = "Weights and the most activations held at once to infer on one image, float32."
HEADERS = {"total_params": "parameters"}


@dataclass(frozen=True, slots=True)
class Entry:
    """A network with what it costs and how well it does, in per cent."""

    spec: ModelSpec
    cost: float
    top1: float
    publisher: str


def accuracy_vs(
    cost: str = "macs",
    *,
    models: Iterable[str] | None = None,
    results: str | Path | None = None,
    batch: int | None = None,
    theme: str = "light",
) -> Picture:
    """Published ImageNet top-1 accuracy against a cost, with the Pareto front.

    Networks without both figures are named under the picture.

    Args:
        cost: ``"params"``, ``"macs"``, ``"memory"`` (weights and peak activations), ``"latency"``
            or the key of any column that holds numbers, as ``cnnzoo table --help`` lists them.
        models: Names; all networks unless given.
        results: For ``"latency"``: the file that ``cnnzoo bench --json`` printed.
        batch: For ``"latency"``: images at a time; the smallest number measured unless given.
        theme: ``"light"`` or ``"dark"``.

    Raises:
        UnknownNameError: A network does not exist.
        UsageError: ``cost`` is unknown or no number, fewer than two networks have both figures,
            or latencies are asked for without ``results``.
        DataError: The file of results cannot be read.
    """
    colours = get_theme(theme)
    specs = select(models)
    costs, header, meaning = _costs(cost, specs, results, batch)
    entries, without = _complete(specs, costs, header)
    if len(entries) < 2:
        raise UsageError(
            f"Only {len(entries)} of these networks have both an ImageNet accuracy and {header}; "
            "a comparison needs two. Type: cnnzoo table --columns name,top1,macs"
        )
    front = pareto([(entry.cost, entry.top1) for entry in entries])
    best = ", ".join(entries[i].spec.title for i in front)
    picture = Picture(
        f"ImageNet top-1 accuracy against {header}",
        f"{len(entries)} networks. On the Pareto front, cheapest first: {best}.",
        colours,
        WIDTH,
    )
    picture.add(
        Text(20, 30, f"ImageNet top-1 accuracy against {header}", 16, colours.ink, bold=True)
    )
    _draw(picture, entries, front)
    middle = (PLOT.left + PLOT.right) / 2
    picture.add(Text(middle, 474, header, 12, colours.ink, "middle", bold=True))
    y = 491.0
    for line in text.wrap(meaning, 11, 2 * (WIDTH - middle - 10)):
        picture.add(Text(middle, y, line, 11, colours.soft, "middle"))
        y += 14
    _caption(picture, entries, without, y + 13)
    return picture


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Positions of the (cost, gain) pairs no other pair beats, cheapest first."""
    order = sorted(range(len(points)), key=lambda i: (points[i][0], -points[i][1]))
    front: list[int] = []
    for i in order:
        if not front or points[i][1] > points[front[-1]][1]:
            front.append(i)
    return front


def decades(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten that lie between two positive numbers."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [step * 10.0**power for power in powers for step in (1, 2, 5)]
    return [value for value in found if low <= value <= high]


def _costs(
    cost: str, specs: Sequence[ModelSpec], results: str | Path | None, batch: int | None
) -> tuple[dict[str, float], str, str]:
    """Network -> cost; what it is called; one sentence on what is counted."""
    if cost == "latency":
        return latency.read(results, batch)
    if results is not None or batch is not None:
        raise UsageError(f"results and batch belong to 'latency'; {cost!r} needs neither.")
    if cost == "memory":
        parts = [get_column(key).value for key in ("weight_mib", "act_mib")]
        total = {spec.name: sum(float(part(spec) or 0) for part in parts) for spec in specs}
        return total, "memory, MiB", MEMORY
    try:
        column = get_column(KINDS.get(cost, cost))
    except UnknownNameError as error:
        hint = did_you_mean(cost, [*KINDS, *COLUMNS, *ALIASES])
        raise UsageError(
            f"{cost!r} is nothing that accuracy can be drawn against.{hint} Use one of: "
            f"{', '.join(KINDS)}, or a column of numbers of cnnzoo table."
        ) from error
    values = {spec.name: column.value(spec) for spec in specs}
    if not column.number or any(isinstance(value, str) for value in values.values()):
        raise UsageError(f"The column {column.key!r} holds words. Use a column of numbers.")
    numbers = {name: float(value) for name, value in values.items() if value is not None}
    header = HEADERS.get(column.key, column.header)
    return numbers, header, column.help


def _complete(
    specs: Sequence[ModelSpec], costs: dict[str, float], header: str
) -> tuple[list[Entry], dict[str, list[str]]]:
    """The networks with both figures, and the titles of the others by what they lack."""
    entries: list[Entry] = []
    without: dict[str, list[str]] = {"no ImageNet accuracy published": [], f"no {header}": []}
    for spec in specs:
        entry, value = published(spec), costs.get(spec.name)
        if entry is None or entry.top1 is None:
            without["no ImageNet accuracy published"].append(spec.title)
        elif value is None or value <= 0:
            without[f"no {header}"].append(spec.title)
        else:
            stated = entry.evidence.removeprefix("published: ").partition(":")[0]
            entries.append(Entry(spec, value, entry.top1, stated))
    return entries, without


def _draw(picture: Picture, entries: Sequence[Entry], front: list[int]) -> None:
    """Axes, front, points and labels."""
    theme = picture.theme
    low, high = min(e.cost for e in entries) / 1.25, max(e.cost for e in entries) * 1.25
    bottom = 2 * math.floor(min(e.top1 for e in entries) / 2 - 0.5)
    top = min(100, 2 * math.ceil(max(e.top1 for e in entries) / 2 + 0.5))
    step = next(s for s in (1, 2, 5, 10, 20) if (top - bottom) / s <= 8)

    def x(cost: float) -> float:
        share = math.log(cost / low) / math.log(high / low)
        return PLOT.left + share * (PLOT.right - PLOT.left)

    def y(top1: float) -> float:
        return PLOT.bottom - (top1 - bottom) / (top - bottom) * (PLOT.bottom - PLOT.top)

    for percent in range(-(-bottom // step) * step, top + 1, step):
        picture.add(Line(((PLOT.left, y(percent)), (PLOT.right, y(percent))), theme.line))
        picture.add(Text(PLOT.left - 8, y(percent) + 4, f"{percent}", 11, theme.soft, "end"))
    picture.add(Text(20, PLOT.top - 12, "top-1, %", 11, theme.soft))
    for tick in decades(low, high):
        picture.add(Line(((x(tick), PLOT.bottom), (x(tick), PLOT.bottom + 5)), theme.soft))
        shown = units.short(tick, 0)
        picture.add(Text(x(tick), PLOT.bottom + 19, shown, 11, theme.soft, "middle"))
    points = [(x(e.cost), y(e.top1)) for e in entries]
    steps = [points[front[0]]]
    for i in front[1:]:
        steps += [(points[i][0], steps[-1][1]), points[i]]
    names = [text.fit(e.spec.title, 11, LABEL, bold=True) for e in entries]
    sizes = [(text.width(name, 11, i in front), 13.0) for i, name in enumerate(names)]
    walls = [
        Box(min(a[0], b[0]), min(a[1], b[1]), max(a[0], b[0]), max(a[1], b[1]))
        for a, b in pairwise(steps)
    ]
    boxes = place(points, sizes, RADIUS, PLOT, walls)
    for box in boxes:  # the grid shall not strike the names through
        wide, tall = box.right - box.left, box.bottom - box.top
        picture.add(Rect(box.left - 2, box.top, wide + 4, tall, theme.paper))
    picture.add(Line(tuple(steps), theme.accent, 1.4, dash=(5, 3)))
    hues = theme.by_family(spec.family for spec in all_specs().values())
    for i, (entry, point, box) in enumerate(zip(entries, points, boxes, strict=True)):
        _leader(picture, point, box)
        tip = f"{entry.spec.title}: {entry.top1:.2f} % at {units.short(entry.cost, 2)}"
        hue, on_front = hues[entry.spec.family], i in front
        fill = hue if on_front else theme.blend(hue, 0.25)
        picture.add(Circle(*point, RADIUS, fill, hue, 1.6, tip))
        middle = (box.left + box.right) / 2
        ink = theme.ink if on_front else theme.soft
        picture.add(
            Text(middle, box.bottom - 3, names[i], 11, ink, "middle", on_front)
        )  # fmt: skip
    _legend(picture, {e.spec.family: hues[e.spec.family] for e in entries})


def _leader(picture: Picture, point: tuple[float, float], box: Box) -> None:
    """A thin line from a point to its label, where that had to go elsewhere."""
    near = (
        min(max(point[0], box.left), box.right),
        min(max(point[1], box.top + 2), box.bottom - 2),
    )
    if math.dist(point, near) > RADIUS + 6:
        picture.add(Line((point, near), picture.theme.soft, 0.7))


def _legend(picture: Picture, hues: dict[str, str]) -> None:
    theme, x = picture.theme, PLOT.right
    y = PLOT.top - 16
    for name, hue in reversed(hues.items()):
        x -= text.width(name, 11)
        picture.add(Text(x, y + 4, name, 11, theme.soft))
        picture.add(Circle(x - 9, y, 4, hue))
        x -= 28
    x -= text.width("Pareto front", 11, True) + 2
    picture.add(Text(x, y + 4, "Pareto front", 11, theme.ink, bold=True))
    picture.add(Line(((x - 26, y), (x - 6, y)), theme.accent, 1.4, dash=(5, 3)))


def _caption(
    picture: Picture, entries: Sequence[Entry], without: dict[str, list[str]], y: float
) -> None:
    """From ``y`` on: what the front is, who states the accuracies, who is left out and why."""
    by: dict[str, list[str]] = {}
    for entry in entries:
        by.setdefault(entry.publisher, []).append(entry.spec.title)
    sources = "; ".join(f"{who} ({', '.join(names)})" for who, names in by.items())
    sentences = [
        "On the front, in bold: no other network here is at least as accurate for less.",
        f"Accuracies are published ones of the default weights, one crop, stated by {sources}.",
        *(f"Left out, {why}: {', '.join(names)}." for why, names in without.items() if names),
    ]
    for sentence in sentences:
        for line in text.wrap(sentence, 10.5, WIDTH - 40):
            picture.add(Text(20, y, line, 10.5, picture.theme.soft))
            y += 15
        y += 3
    picture.height = y + 4
