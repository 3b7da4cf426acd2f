"""What a range test of learning rates found: the losses, what they suggest, a picture of them."""

from __future__ import annotations

import json
import math
import numbers
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnzoo.errors import UsageError
from cnnzoo.files import write_text
from cnnzoo.training.charts import nice_ticks, written
from cnnzoo.training.pages import fill

KEPT = 0.9  # of the mean, with each new loss
PARTS = 12  # of the losses; lines go through two of them, to either side of a rate
FALL = 0.95  # what is left of a loss that fell worth the name
GROWN = 4.0  # times its lowest: the loss will not come back
FEWEST, MOST = 10, 10_000  # rates
WIDTH, HEIGHT = 560, 320  # of the picture, in SVG units
LEFT, RIGHT, TOP, BOTTOM = 52, 20, 74, 46


@dataclass(frozen=True, slots=True)
class RateTest:
    """Losses at rising learning rates; ``str()`` is what to make of them.

    Attributes:
        network: What was tried, and on what: ``data``.
        rates: Those that were reached.
        losses: Of the batch at each rate, before that step.
        smoothed: Their running mean, corrected for its start at 0.
        grown: The test ended because the loss had grown to four times its lowest.
    """

    network: str
    data: str
    rates: tuple[float, ...]
    losses: tuple[float, ...]
    smoothed: tuple[float, ...]
    grown: bool

    @property
    def lowest(self) -> float:
        """The rate at which the loss was lowest; training at it would be on the brink."""
        return self.rates[self._turn]

    @property
    def tenth(self) -> float:
        """A tenth of that: the cautious suggestion."""
        return self.lowest / 10

    @property
    def steepest(self) -> float | None:
        """The rate at which the loss fell fastest, up to ``lowest``; none if it hardly fell.

        Of straight lines through neighbouring losses, the steepest. The running mean would not
        do: it lags, and where it is steepest the loss itself is about to grow.
        """
        reach, turn = max(2, len(self.rates) // PARTS), self._turn
        ends = range(reach, min(turn + 1, len(self.losses) - reach))
        slopes = {i: _slope(self.losses[i - reach : i + reach + 1]) for i in ends}
        best = min(slopes, key=lambda i: slopes[i], default=None)
        if best is None or self.smoothed[turn] > FALL * max(self.smoothed[reach : turn + 1]):
            return None
        return self.rates[best]

    @property
    def suggestion(self) -> float | None:
        """What to train with: ``steepest``, to two digits."""
        return None if self.steepest is None else float(f"{self.steepest:.2g}")

    @property
    def _turn(self) -> int:
        return min(range(len(self.smoothed)), key=lambda i: self.smoothed[i])

    def __str__(self) -> str:
        first, last = self.rates[0], self.rates[-1]
        head = (
            f"{self.network} on {self.data}: {len(self.rates)} rates from {first:.2g} to {last:.2g}"
        )
        if self.grown:
            head += f", where the loss had grown to {GROWN:g} times its lowest"
        if self.steepest is None:
            return f"{head}\nThe loss hardly fell: no rate can be suggested."
        return (
            f"{head}\n"
            f"{self.steepest:<8.2g} where the loss falls fastest: the suggestion\n"
            f"{self.tenth:<8.2g} a tenth of the rate where it is lowest, {self.lowest:.2g}"
        )

    def to_json(self) -> str:
        """One object with exact values."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def to_dict(self) -> dict[str, Any]:
        told = {
            "suggestion": self.suggestion, "steepest": self.steepest, "tenth": self.tenth,
            "lowest": self.lowest,
        }  # fmt: skip
        return {**told, **asdict(self)}

    def to_svg(self) -> str:
        """The loss over the rate, for light and dark pages."""
        return fill("rate_test.svg.j2", **_drawn(self))

    _repr_svg_ = to_svg

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture; returns its path.

        Raises:
            UsageError: The name does not end in .svg.
            StorageError: It cannot be written.
        """
        target = check_picture(path)
        write_text(target, self.to_svg())
        return target


def check_picture(path: str | os.PathLike[str]) -> Path:
    """Refuse a file that would not be opened as a picture."""
    target = Path(path)
    if target.suffix.lower() != ".svg":
        raise UsageError(f"{str(target)!r} is no picture: its name has to end in .svg.")
    return target


def rates_between(lowest: Any, highest: Any, steps: Any) -> list[float]:
    """``steps`` rates at even ratios.

    Raises:
        UsageError: A number cannot be.
    """
    for name, value in (("lowest", lowest), ("highest", highest)):
        real = isinstance(value, numbers.Real) and not isinstance(value, bool)
        if not real or not 0 < value < math.inf:
            raise UsageError(f"{name}={value!r} is no learning rate. Use a number above 0.")
    if lowest >= highest:
        raise UsageError(f"lowest={lowest:g} has to be less than highest={highest:g}.")
    whole = isinstance(steps, numbers.Integral) and not isinstance(steps, bool)
    if not whole or not FEWEST <= steps <= MOST:
        raise UsageError(f"steps={steps!r} cannot be. Use a whole number from {FEWEST} to {MOST}.")
    count = int(steps)
    return [float(lowest * (highest / lowest) ** (i / (count - 1))) for i in range(count)]


def smooth(losses: Sequence[float]) -> list[float]:
    """The running mean after each loss, corrected for its start at 0."""
    mean, found = 0.0, []
    for number, loss in enumerate(losses, start=1):
        mean = KEPT * mean + (1 - KEPT) * loss
        found.append(mean / (1 - KEPT**number))
    return found


def _slope(values: Sequence[float]) -> float:
    """Of the straight line nearest to evenly spaced values."""
    places = [i - (len(values) - 1) / 2 for i in range(len(values))]
    rise = sum(place * value for place, value in zip(places, values, strict=True))
    return rise / sum(place * place for place in places)


def _drawn(test: RateTest) -> dict[str, Any]:
    """Geometry of the picture."""
    ends = [math.log10(test.rates[0]), math.log10(test.rates[-1])]
    turn = test.rates.index(test.lowest)
    ticks = nice_ticks(0.0, 1.15 * max(test.smoothed[: turn + 1]))
    step, floor = ticks[1] - ticks[0], HEIGHT - BOTTOM

    def x(rate: float) -> float:
        share = (math.log10(rate) - ends[0]) / (ends[1] - ends[0])
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(loss: float) -> float:  # far above the picture is far enough
        return round(floor - min(loss / ticks[-1], 2.0) * (floor - TOP), 1)

    def line(values: Sequence[float]) -> str:
        return " ".join(f"{x(r)},{y(v)}" for r, v in zip(test.rates, values, strict=True))

    powers = range(math.ceil(ends[0] - 1e-9), math.floor(ends[1] + 1e-9) + 1)
    marks = [] if test.steepest is None else [(test.steepest, "falls fastest at")]
    marks.append((test.tenth, "a tenth of the lowest:"))
    return {
        "title": f"{test.network} on {test.data}: loss over learning rate",
        "box": {"width": WIDTH, "height": HEIGHT, "left": LEFT, "right": WIDTH - RIGHT,
                "top": TOP, "floor": floor},
        "x_ticks": [(x(10.0**power), f"1e{power}") for power in powers],
        "y_ticks": [(y(tick), written(tick, step, False)) for tick in ticks],
        "losses": line(test.losses),
        "smoothed": line(test.smoothed),
        "lowest": (x(test.lowest), y(test.smoothed[turn])),
        "marks": [
            (x(rate), f"{words} {rate:.2g}") for rate, words in marks if rate >= test.rates[0]
        ],
    }  # fmt: skip
