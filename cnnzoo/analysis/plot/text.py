"""How wide text is, before it is drawn.

Measured in DejaVu Sans, which matplotlib brings along and which is wider than the fonts of nearly
every screen: what fits here fits there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.ft2font import FT2Font, LoadFlags


def width(text: str, size: float, bold: bool = False) -> float:
    """Width of ``text`` in the unit of ``size``, the height of the font."""
    return size * sum(_advance(character, bold) for character in text)


def fit(text: str, size: float, room: float, bold: bool = False) -> str:
    """``text``, or as much of its beginning as fits into ``room``, with an ellipsis."""
    if width(text, size, bold) <= room:
        return text
    while text and width(text + "…", size, bold) > room:
        text = text[:-1]
    return text.rstrip() + "…" if text else ""


def wrap(text: str, size: float, room: float) -> list[str]:
    """``text`` in lines no wider than ``room``, broken at spaces."""
    lines: list[str] = []
    for word in text.split():
        if lines and width(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


@cache
def _advance(character: str, bold: bool) -> float:
    glyph = _font(bold).load_char(ord(character), LoadFlags.NO_HINTING)
    return float(glyph.linearHoriAdvance / 65536 / 100)


@cache
def _font(bold: bool) -> Any:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    font = FT2Font(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name))
    font.set_size(100, 72)
    return font
