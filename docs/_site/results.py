"""Measured results, out of the files that ``benchmarks/`` records."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from benchmarks import lectures, precision, report, transfer_mnist
from cnnzoo.analysis.plot.canvas import Circle, Line, Picture, Text
from cnnzoo.analysis.plot.svg import svg
from cnnzoo.analysis.plot.theme import THEMES, Theme

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "results"
WIDTH, HEIGHT = 640.0, 330.0
LEFT, RIGHT, TOP, BOTTOM = 64.0, 110.0, 40.0, 52.0  # margins around the plotting area
SIZE = 13.0


def of_lectures() -> str:
    return lectures.markdown(_read("lectures"))


def of_transfer() -> str:
    return transfer_mnist.markdown(_read("transfer-mnist"))


def of_benchmarks() -> str:
    return report.markdown(_read("two-cores-amx"))


def of_precision() -> str:
    return precision.markdown(_read("precision"))


def drawings() -> dict[str, str]:
    """Path within the site -> SVG."""
    results = _read("transfer-mnist")
    return {f"transfer-{name}.svg": svg(_curve(results, theme)) for name, theme in THEMES.items()}


def _read(name: str) -> Any:
    return json.loads((FOLDER / f"{name}.json").read_text("utf-8"))


def _curve(results: list[dict[str, Any]], theme: Theme) -> Picture:
    """Mean test accuracy over the number of images, a line for each recipe."""
    picture = Picture(
        "ResNet-20 on few digits",
        "Test accuracy by training images of a class, from random weights and from CIFAR-10's.",
        theme, WIDTH, HEIGHT,
    )  # fmt: skip
    means = {
        recipe: [sum(r["accuracy"][recipe]) / len(r["accuracy"][recipe]) for r in results]
        for recipe in transfer_mnist.RECIPES
    }
    low = math.floor(min(map(min, means.values())) * 50) / 50  # whole steps of two per cent
    across = [math.log10(result["images"]) for result in results]

    def x(value: float) -> float:
        return LEFT + (value - across[0]) / (across[-1] - across[0]) * (WIDTH - LEFT - RIGHT)

    def y(value: float) -> float:
        return TOP + (1 - value) / (1 - low) * (HEIGHT - TOP - BOTTOM)

    picture.add(Text(LEFT, 22, "Accuracy on all test images", SIZE, theme.ink, bold=True))
    for step in range(round((1 - low) / 0.02) + 1):
        tick = low + 0.02 * step
        picture.add(Line(((LEFT, y(tick)), (WIDTH - RIGHT, y(tick))), theme.line))
        picture.add(Text(LEFT - 8, y(tick) + 4, f"{100 * tick:.0f} %", SIZE, theme.soft, "end"))
    for result, at in zip(results, across, strict=True):
        text = f"{result['images']:,}"
        picture.add(Text(x(at), HEIGHT - BOTTOM + 20, text, SIZE, theme.soft, "middle"))
    middle = (LEFT + WIDTH - RIGHT) / 2
    picture.add(Text(middle, HEIGHT - 10, "training images of a class", SIZE, theme.soft, "middle"))
    ends = _apart({recipe: y(values[-1]) for recipe, values in means.items()}, 17)
    for (recipe, values), colour in zip(means.items(), theme.series[1:], strict=False):
        points = tuple((x(at), y(value)) for at, value in zip(across, values, strict=True))
        picture.add(Line(points, colour, 2.2))
        for (left, top), value, result in zip(points, values, results, strict=True):
            tip = f"{recipe}, {result['images']:,} of a class: {100 * value:.2f} %"
            picture.add(Circle(left, top, 4.5, fill=colour, tip=tip))
        picture.add(Text(WIDTH - RIGHT + 12, ends[recipe] + 4, recipe, SIZE, colour, bold=True))
    return picture


def _apart(heights: dict[str, float], least: float) -> dict[str, float]:
    """The same heights, moved down where two are closer than ``least``."""
    placed: dict[str, float] = {}
    for name in sorted(heights, key=heights.__getitem__):
        above = max(placed.values(), default=-math.inf)
        placed[name] = max(heights[name], above + least)
    return placed
