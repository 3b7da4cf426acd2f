"""The page on which runs are compared: one self-contained HTML file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cnnzoo.training import charts
from cnnzoo.training.charts import Frame, RateScale, Tick, nice_ticks, written
from cnnzoo.training.pages import fill
from cnnzoo.training.runs import StoredRun

if TYPE_CHECKING:
    from cnnzoo.training.overlay import Overlay

COLOURS = 8  # of the style sheet
# Five, so that a colour comes back with another dash: eight and five make forty pairs.
DASHES = ("", "7 3", "2 3", "10 3 2 3", "14 4")
LINE = 11.0  # SVG units between two letters
Value = float | None
Curves = Mapping[str, Sequence[Value]]  # letter -> one value per epoch


@dataclass(frozen=True, slots=True)
class Style:
    """How a run is told from the others, in colour and without."""

    letter: str
    name: str
    colour: int
    dash: str


@dataclass(frozen=True, slots=True)
class Curve:
    """One run in a picture; places are in SVG units."""

    style: Style
    points: str
    best: tuple[float, float] | None
    end: tuple[float, float]  # where its letter stands


@dataclass(frozen=True, slots=True)
class Picture:
    """A quantity of all runs over the epochs."""

    title: str
    curves: list[Curve]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    strips: list[tuple[float, float, str]]
    height: float = charts.HEIGHT


def render(overlay: Overlay) -> str:
    """The page as text."""
    styles = [
        Style(run.letter, run.name, i % COLOURS, DASHES[i % len(DASHES)])
        for i, run in enumerate(overlay.runs)
    ]
    return fill(
        "overlay.html.j2",
        title=_title(overlay.runs),
        overlay=overlay,
        styles=styles,
        pictures=pictures(overlay.runs, styles),
        chart=charts,
    )


def _title(runs: Sequence[StoredRun]) -> str:
    networks, data = {run.network for run in runs}, {run.data for run in runs}
    of = f" of {networks.pop()}" if len(networks) == 1 else ""
    on = f" on {data.pop()}" if len(data) == 1 else ""
    return f"{len(runs)} runs{of}{on}"


def pictures(runs: Sequence[StoredRun], styles: Sequence[Style]) -> list[Picture]:
    """What the runs that finished an epoch went through; nothing if none did."""
    drawn = [(run, style) for run, style in zip(runs, styles, strict=True) if run.history]
    if not drawn:
        return []
    count = max(len(run.history) for run, _ in drawn)

    def picture(key: str, title: str, share: bool) -> Picture:
        curves = {run.letter: [row[key] for row in run.history] for run, _ in drawn}
        ticks = _ticks(curves, share)
        step = ticks[1] - ticks[0]
        frame = Frame(count, ticks[0], ticks[-1], charts.HEIGHT)
        marks = [Tick(frame.y(tick), written(tick, step, share)) for tick in ticks]
        told = frame.strips(curves_to(count, curves), share)
        return Picture(title, _curves(drawn, curves, frame), frame.epochs(), marks, told)

    return [
        picture("val_accuracy", "Validation accuracy", True),
        picture("val_loss", "Validation loss", False),
        picture("loss", "Training loss", False),
        _rates(drawn, count),
    ]


def _rates(drawn: Sequence[tuple[StoredRun, Style]], count: int) -> Picture:
    found = {r.letter: [float(row["learning_rate"]) for row in r.history] for r, _ in drawn}
    scale = RateScale.of(*found.values())
    frame = Frame(count, scale.low, scale.high, charts.HEIGHT)
    heights = {letter: [scale.height(v) for v in values] for letter, values in found.items()}
    marks = [Tick(frame.y(value), text) for value, text in scale.ticks]
    strips = []
    for i in range(count):
        told = [f"{letter} {values[i]:.3g}" for letter, values in found.items() if i < len(values)]
        strips.append((*frame.strip(i + 1), f"epoch {i + 1}: {', '.join(told)}"))
    return Picture(scale.title, _curves(drawn, heights, frame), frame.epochs(), marks, strips)


def _ticks(curves: Curves, share: bool) -> list[float]:
    """The vertical axis; the first tenth of each run does not stretch it, as in the report."""
    seen = [v for values in curves.values() for v in values[len(values) // 10 :] if v is not None]
    return nice_ticks(min([*seen, 0.99]), 1.0) if share else nice_ticks(0.0, max([*seen, 0.001]))


def curves_to(count: int, curves: Curves) -> dict[str, list[Value]]:
    """The same, of runs that all have ``count`` epochs."""
    return {name: [*values, *[None] * (count - len(values))] for name, values in curves.items()}


def _curves(
    drawn: Sequence[tuple[StoredRun, Style]], values: Curves, frame: Frame
) -> list[Curve]:  # fmt: skip
    ends: dict[int, dict[str, float]] = {}  # the runs that end alike must not write over another
    for letter, heights in values.items():
        last = next((v for v in reversed(heights) if v is not None), frame.low)
        ends.setdefault(len(heights), {})[letter] = frame.y(last)
    floor = frame.height - charts.BOTTOM
    spread = {epoch: apart(found, charts.TOP, floor) for epoch, found in ends.items()}
    curves = []
    for run, style in drawn:
        heights = values[run.letter]
        place = (round(frame.x(len(heights)) + 6, 1), spread[len(heights)][run.letter])
        best = _best(run, heights, frame.x, frame.y)
        curves.append(Curve(style, frame.points(heights), best, place))
    return curves


def _best(
    run: StoredRun, heights: Sequence[Value], x: Callable[[float], float], y: Any
) -> tuple[float, float] | None:
    """The point of the best epoch."""
    if run.best_epoch is None or (height := heights[run.best_epoch - 1]) is None:
        return None
    return x(run.best_epoch), y(height)


def apart(wanted: Mapping[str, float], top: float, floor: float) -> dict[str, float]:
    """Places in a column, as near to the wanted ones as letters that are not to touch can be."""
    step = min(LINE, (floor - top) / max(len(wanted) - 1, 1))
    order = sorted(wanted, key=lambda name: wanted[name])
    places: dict[str, float] = {}
    lowest = top
    for name in order:
        places[name] = max(wanted[name], lowest)
        lowest = places[name] + step
    highest = floor
    for name in reversed(order):
        places[name] = round(min(places[name], highest), 1)
        highest = places[name] - step
    return places
