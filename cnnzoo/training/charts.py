"""Geometry of the report's drawings; the template turns it into SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 460, 240  # of a chart, in SVG units
RATE_HEIGHT = 130  # of the one of the learning rate
ALONE = 4  # to either side of a line that is one point
LEFT, RIGHT, TOP, BOTTOM = 46, 12, 18, 26  # margins around its plotting area


@dataclass(frozen=True, slots=True)
class Tick:
    at: float  # SVG units
    text: str


@dataclass(frozen=True, slots=True)
class Line:
    kind: str  # class of the style sheet
    name: str
    points: str  # "x,y x,y …", what an SVG polyline takes


@dataclass(frozen=True, slots=True)
class Chart:
    """Something over the epochs."""

    title: str
    lines: list[Line]
    x_ticks: list[Tick]
    y_ticks: list[Tick]
    phases: list[Phase]
    strips: list[tuple[float, float, str]]  # left edge, width and text of every epoch's tooltip
    best: tuple[float, float]  # the point of the best epoch on the validation curve
    best_epoch: int
    height: float = HEIGHT


@dataclass(frozen=True, slots=True)
class Phase:
    """Consecutive epochs of one kind, such as those that train the head alone."""

    name: str
    start: float  # SVG units, where it begins
    first: bool


_NAMES = {"": ("train", "training"), "val_": ("validation", "validation")}
_AVERAGED = ("averaged", "averaged weights")


def curves(
    history: Sequence[Mapping[str, Any]], key: str, title: str, best_epoch: int, *, share: bool
) -> Chart:
    """Lay out ``key``, ``val_<key>`` and, where there is one, ``ema_val_<key>`` of a history.

    The first tenth of the epochs does not stretch the vertical axis: curves may enter the picture
    from beyond it, so that the end, where the decision falls, can be read.

    Args:
        share: The quantity ends at 1 and is written in per cent; otherwise its axis starts at 0.
    """
    found = {
        (kind, name): [row[prefix + key] for row in history]
        for prefix, (kind, name) in (*_NAMES.items(), ("ema_val_", _AVERAGED))
        if prefix + key in history[0]
    }
    settled = len(history) // 10
    seen = [value for values in found.values() for value in values[settled:] if value is not None]
    ticks = nice_ticks(min(*seen, 0.99), 1.0) if share else nice_ticks(0.0, max(*seen, 0.001))
    frame = Frame(len(history), ticks[0], ticks[-1], HEIGHT)
    step = ticks[1] - ticks[0]
    validation = found[_NAMES["val_"]]
    return Chart(
        title=title,
        lines=[Line(kind, name, frame.points(values)) for (kind, name), values in found.items()],
        x_ticks=frame.epochs(),
        y_ticks=[Tick(frame.y(tick), written(tick, step, share)) for tick in ticks],
        phases=_phases(history, frame),
        strips=frame.strips({name: values for (_, name), values in found.items()}, share),
        best=(frame.x(best_epoch), frame.y(validation[best_epoch - 1])),
        best_epoch=best_epoch,
    )


def rates(history: Sequence[Mapping[str, Any]], best_epoch: int) -> Chart:
    """The mean learning rate of every epoch, with a line for each phase."""
    values = [float(row["learning_rate"]) for row in history]
    scale = RateScale.of(values)
    heights = [scale.height(value) for value in values]
    frame = Frame(len(history), scale.low, scale.high, RATE_HEIGHT)
    return Chart(
        title=scale.title,
        lines=[
            Line("validation", "learning rate", frame.points(heights, *part))
            for part in _stretches(history)
        ],
        x_ticks=frame.epochs(),
        y_ticks=[Tick(frame.y(value), text) for value, text in scale.ticks],
        phases=_phases(history, frame),
        strips=[
            (*frame.strip(i), f"epoch {i}: learning rate {value:.3g}")
            for i, value in enumerate(values, start=1)
        ],
        best=(frame.x(best_epoch), frame.y(heights[best_epoch - 1])),
        best_epoch=best_epoch,
        height=RATE_HEIGHT,
    )


SHOWN = 1000  # rates below this part of a run's highest are drawn as nothing


@dataclass(frozen=True, slots=True)
class RateScale:
    """An axis of the learning rates of some runs.

    Logarithmic if a tenth of the epochs and more are below a hundredth of the highest rate: a
    schedule that ends at nought, as the cosine does, is none of those.
    """

    low: float
    high: float
    ticks: list[tuple[float, str]]
    logarithmic: bool

    @classmethod
    def of(cls, *runs: Sequence[float]) -> RateScale:
        least = min(max(values) for values in runs) / SHOWN
        values = [value for run in runs for value in run if value >= least]
        highest = max(values)
        if 10 * sum(value < highest / 100 for value in values) < len(values):
            steps = nice_ticks(0.0, highest or 1.0, 3)
            return cls(steps[0], steps[-1], [(step, f"{step:g}") for step in steps], False)
        lowest = min(value for value in values if value > 0)
        low, high = math.floor(math.log10(lowest)), math.ceil(math.log10(highest))
        every = max(1, math.ceil((high - low) / 4))
        powers = range(high, low - 1, -every)
        return cls(low, high, [(float(i), f"1e{i}") for i in powers], True)

    @property
    def title(self) -> str:
        return f"Learning rate{', logarithmic' if self.logarithmic else ''}"

    def height(self, value: float) -> float:
        """Where a rate stands on the axis; on a logarithmic one, next to nothing at the end."""
        if not self.logarithmic:
            return value
        return max(math.log10(value), self.low) if value > 0 else self.low


@dataclass(frozen=True, slots=True)
class Frame:
    """From epochs and values to SVG units."""

    count: int
    low: float
    high: float
    height: float

    def x(self, epoch: float) -> float:
        """A single epoch stands in the middle."""
        wide = WIDTH - LEFT - RIGHT
        share = (epoch - 1) / (self.count - 1) if self.count > 1 else 0.5
        return round(LEFT + wide * share, 1)

    def y(self, value: float) -> float:
        tall = self.height - TOP - BOTTOM
        return round(TOP + tall * (self.high - value) / (self.high - self.low), 1)

    def points(
        self, values: Sequence[float | None], first: int = 0, last: int | None = None
    ) -> str:
        """Those of ``values[first:last]``; an epoch without a value is passed over.

        One point alone would not be drawn, and becomes a short line.
        """
        numbered = list(enumerate(values, start=1))[first:last]
        found = [(self.x(i), self.y(v)) for i, v in numbered if v is not None]
        if len(found) == 1:
            ((x, y),) = found
            found = [(x - ALONE, y), (x + ALONE, y)]
        return " ".join(f"{x},{y}" for x, y in found)

    def epochs(self) -> list[Tick]:
        return [Tick(self.x(epoch), str(epoch)) for epoch in _epoch_ticks(self.count)]

    def strip(self, epoch: int) -> tuple[float, float]:
        """Left edge and width of what belongs to an epoch, inside the plotting area."""
        half = (WIDTH - LEFT - RIGHT) / max(self.count - 1, 1) / 2
        left = max(LEFT, self.x(epoch) - half)
        return round(left, 1), round(min(WIDTH - RIGHT, self.x(epoch) + half) - left, 1)

    def strips(
        self, found: Mapping[str, Sequence[float | None]], share: bool
    ) -> list[tuple[float, float, str]]:
        texts = []
        for i in range(self.count):
            figures = ((name, values[i]) for name, values in found.items())
            told = (f"{n} {written(v, 1e-4, share)}" for n, v in figures if v is not None)
            texts.append((*self.strip(i + 1), f"epoch {i + 1}: {', '.join(told)}"))
        return texts


def _phases(history: Sequence[Mapping[str, Any]], frame: Frame) -> list[Phase]:
    """Where what is trained changes; nothing if it never does."""
    parts = _stretches(history)
    if len(parts) < 2:
        return []
    return [
        Phase(str(history[i].get("phase")), frame.x(i + 0.5 if i else 1), i == 0) for i, _ in parts
    ]


def _stretches(history: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """First and behind the last of the rows of every phase."""
    names = [row.get("phase") for row in history]
    starts = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
    return list(zip(starts, [*starts[1:], len(names)], strict=True))


def written(value: float, step: float, share: bool) -> str:
    """A number with as many digits as tell it from its neighbours ``step`` away."""
    unit = 100 if share else 1
    digits = max(0, -math.floor(math.log10(step * unit) + 1e-9))
    return f"{value * unit:.{digits}f}{' %' if share else ''}"


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
