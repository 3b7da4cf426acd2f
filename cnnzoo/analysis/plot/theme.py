"""Colours, the same as those of the training report."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cnnzoo.errors import UsageError
from cnnzoo.lookup import did_you_mean


@dataclass(frozen=True, slots=True)
class Theme:
    """Colours as ``#rrggbb``; ``series`` are told apart by eyes of every kind, in this order."""

    paper: str  # behind everything, painted, so that a picture can be read on any page
    ink: str
    soft: str
    line: str
    accent: str
    series: tuple[str, ...]

    def blend(self, colour: str, share: float) -> str:
        """``colour`` over the paper, ``share`` opaque."""
        both = zip(_parts(colour), _parts(self.paper), strict=True)
        return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in both)

    def on(self, fill: str) -> str:
        """Ink for text over ``fill``: the darker or the lighter, whichever contrasts more."""
        return "#10131a" if luminance(fill) > 0.19 else "#ffffff"

    def by_family(self, families: Iterable[str]) -> dict[str, str]:
        """A colour for each family, in order of appearance."""
        known = list(dict.fromkeys(families))
        return {name: self.series[i % len(self.series)] for i, name in enumerate(known)}


THEMES = {
    "light": Theme(
        paper="#ffffff",
        ink="#1d2026",
        soft="#5b616c",
        line="#e4e2dc",
        accent="#2563eb",
        series=("#656b76", "#b7410e", "#0b8457", "#2563eb", "#9333c8", "#c0266b", "#8a6d00"),
    ),
    "dark": Theme(
        paper="#1b1e25",
        ink="#e8e9ec",
        soft="#a3a9b6",
        line="#353b47",
        accent="#6a9eff",
        series=("#a3a9b6", "#ff9a6b", "#4fd0a0", "#6a9eff", "#cf9bff", "#ff86bd", "#e6c34a"),
    ),
}


def get_theme(name: str) -> Theme:
    """The theme called ``name``; ``UsageError`` names those there are."""
    if name not in THEMES:
        hint = did_you_mean(name, THEMES)
        raise UsageError(f"theme={name!r} is unknown.{hint} Use 'light' or 'dark'.")
    return THEMES[name]


def luminance(colour: str) -> float:
    """Relative luminance, 0 black to 1 white (WCAG 2.2)."""
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (part / 255 for part in _parts(colour))
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
