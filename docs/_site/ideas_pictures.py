"""The drawings of the pages under ``ideas/``, one SVG for each colour scheme."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np

from cnnzoo.analysis.plot.canvas import Circle, Line, Picture, Rect, Text
from cnnzoo.analysis.plot.svg import svg
from cnnzoo.analysis.plot.theme import THEMES, Theme

CELL = 28
SIZE = 14.0  # of text: still to be read where a phone shrinks the picture


def drawings() -> dict[str, str]:
    """Path within the site -> SVG."""
    return {
        f"ideas/{name}-{theme}.svg": svg(draw(Picture(title, "", colours, width, height)))
        for name, (title, width, height, draw) in DRAWN.items()
        for theme, colours in THEMES.items()
    }


def _tint(theme: Theme, number: int, share: float = 0.3) -> str:
    return theme.blend(theme.series[number], share)


def _label(picture: Picture, x: float, y: float, text: str, *, bold: bool = False) -> None:
    picture.add(Text(x, y, text, SIZE, picture.theme.ink, "middle", bold))


def _grid(
    picture: Picture,
    x: float,
    y: float,
    rows: Sequence[Sequence[object]],
    fill: Callable[[int, int], str | None] = lambda row, column: None,
) -> None:
    """A matrix of cells with what is written in them."""
    theme = picture.theme
    for i, row in enumerate(rows):
        for j, content in enumerate(row):
            left, top = x + j * CELL, y + i * CELL
            picture.add(Rect(left, top, CELL, CELL, fill(i, j), stroke=theme.soft))
            if str(content):
                _label(picture, left + CELL / 2, top + CELL / 2 + 5, str(content))


def _window(picture: Picture, x: float, y: float, cells: int, number: int) -> None:
    side = cells * CELL
    colour = picture.theme.series[number]
    picture.add(Rect(x, y, side, side, stroke=colour, stroke_width=3))


def _bars(picture: Picture, y: float, name: str, shares: Iterable[tuple[float, str, int]]) -> None:
    """A bar of 420 units in parts: share, what is written in it, colour."""
    theme = picture.theme
    picture.add(Text(16, y, name, SIZE, theme.ink, bold=True))
    x = 16.0
    for share, text, number in shares:
        fill = _tint(theme, number, 0.45)
        picture.add(Rect(x, y + 8, 420 * share, 30, fill))
        if text:
            picture.add(Text(x + 8, y + 28, text, SIZE, theme.ink))
        x += 420 * share


def _convolution(picture: Picture) -> Picture:
    theme = picture.theme
    image, kernel, answer = [[10] * 3 + [0] * 3] * 6, [[1, 0, "−1"]] * 3, [[0, 30, 30, 0]] * 4
    _grid(picture, 16, 16, image, lambda i, j: _tint(theme, 5, 0.15) if j < 3 else None)
    _grid(picture, 224, 58, kernel, lambda i, j: _tint(theme, 3))
    _grid(picture, 352, 44, answer, lambda i, j: _tint(theme, 2) if j in (1, 2) else None)
    _window(picture, 16 + CELL, 16 + CELL, 3, 3)
    _window(picture, 352 + CELL, 44 + CELL, 1, 2)
    _label(picture, 204, 106, "∗")
    _label(picture, 330, 106, "=")
    return picture


def _output_size(picture: Picture) -> Picture:
    theme = picture.theme
    border = _tint(theme, 0, 0.25)

    def fill(row: int, column: int) -> str | None:
        return border if {row, column} & {0, 8} else None

    cells = [[0 if fill(i, j) else "" for j in range(9)] for i in range(9)]
    _grid(picture, 16, 16, cells, fill)
    colours = (3, 1, 2, 4)
    for step, number in enumerate(colours):
        _window(picture, 16 + 2 * CELL * step, 16 + (2 if step % 2 else 0), 3, number)
    _grid(
        picture, 308, 86, [[""] * 4] * 4, lambda i, j: _tint(theme, colours[j]) if i == 0 else None
    )
    _label(picture, 288, 146, "→")
    return picture


def _parameters(picture: Picture) -> Picture:
    _bars(picture, 28, "VGG-16: parameters", [(0.11, "11 %", 3), (0.89, "dense layers 89 %", 1)])
    _bars(picture, 92, "multiplications", [(0.99, "convolutions 99 %", 3), (0.01, "", 1)])
    return picture


def _pooling(picture: Picture) -> Picture:
    theme = picture.theme
    image = [[3, 5, 6, 1], [1, 7, 2, 3], [1, 8, 3, 8], [9, 2, 7, 6]]
    _grid(picture, 16, 40, image, lambda i, j: _tint(theme, 1 + i // 2 * 2 + j // 2))
    for x, name, rows in ((200, "max", [[7, 6], [9, 8]]), (312, "average", [[4, 3], [5, 6]])):
        _label(picture, x + CELL, 58, name, bold=True)
        _grid(picture, x, 68, rows, lambda i, j: _tint(theme, 1 + i * 2 + j))
    _label(picture, 164, 101, "→")
    return picture


def _one_by_one(picture: Picture) -> Picture:
    whole = 120_422_400
    _bars(picture, 28, "5×5 on 192 channels", [(1, "120.4 million multiplications", 1)])
    parts = [(2_408_448 / whole, "", 2), (10_035_200 / whole, "", 3)]
    _bars(picture, 92, "1×1 to 16 channels, then 5×5", parts)
    picture.add(Text(70, 120, "2.4 + 10.0 = 12.4 million", SIZE, picture.theme.ink))
    return picture


def _boxes(picture: Picture, boxes: Iterable[tuple[float, float, float, str, int]]) -> None:
    """Boxes 32 high: middle, top, width, name, colour."""
    theme = picture.theme
    for x, y, width, name, number in boxes:
        fill = _tint(theme, number, 0.25)
        picture.add(Rect(x - width / 2, y, width, 32, fill, theme.series[number], radius=6))
        _label(picture, x, y + 21, name)


def _residual(picture: Picture) -> Picture:
    theme = picture.theme
    names = ("convolution", "ReLU", "convolution")
    _boxes(picture, [(150, 44 + 52 * i, 130, name, 3) for i, name in enumerate(names)])
    for y in (24, 76, 128, 180):
        picture.arrow([(150, y), (150, y + 20)], theme.ink)
    picture.add(Circle(150, 214, 14, stroke=theme.ink, stroke_width=1.5))
    _label(picture, 150, 219, "+")
    picture.arrow([(150, 228), (150, 248)], theme.ink)
    _boxes(picture, [(150, 248, 130, "ReLU", 3)])
    way = ((150, 32), (270, 32), (270, 214), (166, 214))
    picture.add(Line(way, stroke=theme.series[1], stroke_width=2.5))
    picture.add(Text(280, 120, "shortcut", SIZE, theme.ink))
    _label(picture, 150, 18, "input")
    return picture


def _inception(picture: Picture) -> Picture:
    theme = picture.theme
    _boxes(picture, [(230, 12, 220, "28 × 28 × 192", 0), (230, 208, 220, "28 × 28 × 256", 0)])
    branches = (
        (62, None, "1×1, 64"),
        (174, "1×1, 96", "3×3, 128"),
        (286, "1×1, 16", "5×5, 32"),
        (398, "pool 3×3", "1×1, 32"),
    )
    for x, first, second in branches:
        top = 76 if first else 142
        picture.add(Line(((230, 44), (230, 58), (x, 58)), stroke=theme.ink, stroke_width=1.2))
        picture.arrow([(x, 58), (x, top)], theme.ink)
        if first:
            _boxes(picture, [(x, 76, 100, first, 4 if "pool" in first else 2)])
            picture.arrow([(x, 108), (x, 142)], theme.ink)
        _boxes(picture, [(x, 142, 100, second, 2 if second.startswith("1×1") else 3)])
        picture.add(Line(((x, 174), (x, 192), (230, 192)), stroke=theme.ink, stroke_width=1.2))
    picture.arrow([(230, 192), (230, 208)], theme.ink)
    return picture


def _separable(picture: Picture) -> Picture:
    theme = picture.theme
    kinds = (("ordinary", 8, 3), ("two groups", 4, 2), ("depthwise", 1, 1))
    for place, (name, width, number) in enumerate(kinds):
        x = 16 + 152 * place
        seen = _tint(theme, number, 0.6)
        _label(picture, x + 64, 26, name, bold=True)
        for i, j in np.ndindex(8, 8):
            fill = seen if i // width == j // width else None
            picture.add(Rect(x + 16 * j, 38 + 16 * i, 16, 16, fill, stroke=theme.soft))
    picture.add(Text(16, 188, "a row for each input, a column for each output", SIZE, theme.soft))
    return picture


def _batch_norm(picture: Picture) -> Picture:
    theme = picture.theme
    values = np.random.default_rng(0).normal(5, 3, 2000)
    after = (values - values.mean()) / values.std()
    for place, (name, numbers, colour) in enumerate((("before", values, 1), ("after", after, 2))):
        base = 96 + 104 * place
        picture.add(Text(16, base - 64, name, SIZE, theme.ink, bold=True))
        counts, _ = np.histogram(numbers, bins=np.arange(-5, 15.5, 0.5))
        heights = counts / counts.max() * 70
        for i, height in enumerate(heights):
            bar = (round(float(height), 1), _tint(theme, colour, 0.7))
            picture.add(Rect(16 + 10.5 * i, base - bar[0], 9.5, *bar))
        picture.add(Line(((16, base), (436, base)), stroke=theme.soft))
        for tick in (-5, 0, 5, 10):
            _label(picture, 16 + 21 * (tick + 5), base + 17, str(tick).replace("-", "−"))
    return picture


def _dropout(picture: Picture) -> Picture:
    theme = picture.theme
    random = np.random.default_rng(1)
    for step in range(3):
        y = 34 + 48 * step
        picture.add(Text(16, y + 5, f"step {step + 1}", SIZE, theme.ink))
        dropped = random.permutation(10) < 5
        for i in range(10):
            x = 96 + 35 * i
            if dropped[i]:
                picture.add(Circle(x, y, 13, stroke=theme.soft))
                for lean in (-1, 1):
                    ends = ((x - 6, y - 6 * lean), (x + 6, y + 6 * lean))
                    picture.add(Line(ends, stroke=theme.soft, stroke_width=1.5))
            else:
                picture.add(Circle(x, y, 13, _tint(theme, 3, 0.6), theme.series[3]))
    return picture


def _receptive_field(picture: Picture) -> Picture:
    _grid(picture, 16, 16, [[""] * 8] * 8)
    views = ((8, 1, "second convolution 8×8"), (4, 2, "pooling 4×4"), (3, 3, "convolution 3×3"))
    for place, (cells, number, name) in enumerate(views):
        _window(picture, 16, 16, cells, number)
        colour, y = picture.theme.series[number], 150 - 40 * place
        picture.add(Rect(258, y - 12, 14, 14, stroke=colour, stroke_width=3))
        picture.add(Text(282, y, name, SIZE, picture.theme.ink))
    return picture


# Name -> title, width, height, what draws it. A picture's alternative text is in its page.
DRAWN: dict[str, tuple[str, float, float, Callable[[Picture], Picture]]] = {
    "convolution": ("An edge is found", 480, 200, _convolution),
    "output-size": ("Stride 2, padding 1", 440, 284, _output_size),
    "parameters": ("Where VGG-16 has its parameters", 452, 146, _parameters),
    "pooling": ("Max and average pooling", 400, 168, _pooling),
    "one-by-one": ("Multiplications with and without a reduction", 452, 146, _one_by_one),
    "residual": ("A residual block", 360, 296, _residual),
    "inception": ("An inception module", 460, 252, _inception),
    "separable": ("Which inputs an output sees", 464, 204, _separable),
    "batch-norm": ("Values before and after", 452, 228, _batch_norm),
    "dropout": ("Dropout at three steps", 440, 164, _dropout),
    "receptive-field": ("What a unit sees", 460, 256, _receptive_field),
}
