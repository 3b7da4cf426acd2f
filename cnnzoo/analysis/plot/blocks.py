"""A network as a block diagram, stage by stage, with what each stage costs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras

from cnnzoo import units
from cnnzoo.analysis.plot import text
from cnnzoo.analysis.plot.canvas import Line, Picture, Rect, Text
from cnnzoo.analysis.plot.describe import describe, join, leads
from cnnzoo.analysis.plot.layout import Drawer, kind_colour
from cnnzoo.analysis.plot.network import Network, read, shape_text
from cnnzoo.analysis.plot.structure import Part, Reader, Repeat, collapse
from cnnzoo.analysis.plot.theme import get_theme
from cnnzoo.analysis.stages import image_size

LEFT, RIGHT, TOP = 128.0, 178.0, 96.0  # room for the shapes, for the figures, for the headings
NARROWEST, PADDING = 380.0, 11.0  # of the blocks; above and below the blocks of a stage
LEGEND = (("conv", "convolution"), ("pool", "pooling"), ("dense", "dense"), ("other", "other"))
NOTES = (
    "3×3, 64 /2: a window of 3×3, 64 filters, stride 2. ×5: five times in a row, drawn once. "
    "Not drawn: activations, normalisation by batch, dropout, padding, flattening.",
    "A stage is what ends at one image size; its output is written as Keras keeps it. The figures "
    "are those of the blocks drawn beside them; a block that changes the size counts with its "
    "result.",
)


@dataclass(frozen=True, slots=True)
class Band:
    """The blocks that end at one image size.

    Attributes:
        shape: What the last of them makes.
        covers: The steps they stand for.
    """

    shape: str
    runs: tuple[Repeat, ...]
    covers: tuple[int, ...]


def architecture(
    model: str | keras.Model, *, theme: str = "light", **arguments: Any
) -> Picture:  # fmt: skip
    """A diagram of the blocks by stage: repeated ones once, branches side by side.

    Args:
        model: A name, or any functional or sequential Keras model; of several outputs the one
            that most layers lead to is drawn.
        theme: ``"light"`` or ``"dark"``.
        **arguments: Further ones of ``build`` when ``model`` is a name: options, ``include_top``.

    Raises:
        UnknownNameError: No network is called so.
        UsageError: ``theme`` is unknown or the model has no graph.
    """
    colours = get_theme(theme)
    network = read(model, arguments)
    reader = Reader(network.steps, describe, join, leads)
    found = bands(network, reader.parts())
    title = f"{network.title}, block by block"
    picture = Picture(title, _told(network, found), colours, 0.0)
    drawer = Drawer(picture)
    sizes = [drawer.run_size(band.runs) for band in found]
    middle = max(NARROWEST, *(width + 30 for width, _ in sizes))
    picture.width = LEFT + middle + RIGHT
    _head(picture, network)
    x, y = LEFT + middle / 2, TOP
    for i, (band, (_, tall)) in enumerate(zip(found, sizes, strict=True)):
        bottom = y + tall + 2 * PADDING
        picture.add(Line(((20, y), (picture.width - 20, y)), colours.line))
        if i:
            picture.arrow(((x, y - PADDING), (x, y + PADDING)), colours.soft)
        drawer.run(band.runs, x, y + PADDING)
        _beside(picture, network, band, (y + bottom) / 2)
        y = bottom
    picture.add(Line(((20, y), (picture.width - 20, y)), colours.line))
    undrawn = sorted(set(range(len(network.steps))) - set(reader.main))
    _foot(picture, network, undrawn, y)
    return picture


def bands(network: Network, parts: list[Part]) -> list[Band]:
    """Parts in the order of the network, grouped by the image size at their end."""
    groups: list[tuple[object, list[Part]]] = []
    for part in parts:
        size = image_size(network.steps[part.steps[-1]].outputs[0])
        if not groups or groups[-1][0] != size:
            groups.append((size, []))
        groups[-1][1].append(part)
    found = []
    for _, group in groups:
        covers = tuple(step for part in group for step in part.steps)
        shape = shape_text(network.steps[group[-1].steps[-1]])
        found.append(Band(shape, tuple(collapse(group)), covers))
    return found


def _head(picture: Picture, network: Network) -> None:
    theme, everything = picture.theme, range(len(network.steps))
    params, macs = (network.cost(of, everything) for of in ("params", "macs"))
    figures = f"{units.short(params, 2)} parameters, {units.short(macs, 2)} multiply-accumulates"
    figures = figures.replace("  ", " ")
    picture.add(Text(20, 30, picture.title, 16, theme.ink, bold=True))
    picture.add(Text(20, 50, figures, 12, theme.soft))
    picture.add(Text(20, TOP - 10, "output of the stage", 11, theme.soft))
    right = picture.width - RIGHT + 12
    picture.add(Text(right, TOP - 10, "parameters", 11, theme.soft))
    picture.add(Text(right + 80, TOP - 10, "MACs", 11, theme.soft))


def _beside(picture: Picture, network: Network, band: Band, y: float) -> None:
    """The shape at the left, the figures with their shares at the right."""
    theme = picture.theme
    picture.add(Text(20, y + 4, band.shape, 11, theme.ink, bold=True))
    everything = range(len(network.steps))
    for i, of in enumerate(("params", "macs")):
        part, whole = network.cost(of, band.covers), network.cost(of, everything)
        if not part:
            continue
        x = picture.width - RIGHT + 12 + 80 * i
        picture.add(Text(x, y + 1, units.short(part), 11, theme.ink))
        picture.add(Rect(x, y + 6, 66, 4, theme.blend(theme.accent, 0.18), radius=2))
        long = 66 * part / whole
        if long >= 1:
            radius = min(2.0, long / 2)
            picture.add(Rect(x, y + 6, long, 4, theme.accent, radius=radius))


def _foot(picture: Picture, network: Network, undrawn: list[int], y: float) -> None:
    """Legend and notes, among them what is not in the picture."""
    theme, x = picture.theme, 20.0
    y += 24
    for kind, name in LEGEND:
        hue = kind_colour(theme, kind)
        picture.add(Rect(x, y - 10, 14, 12, theme.blend(hue, 0.16), hue, radius=3))
        picture.add(Text(x + 20, y, name, 11, theme.ink))
        x += 20 + text.width(name, 11) + 22
    notes = [*NOTES, network.note]
    if undrawn:
        names = [network.steps[i].name for i in undrawn]
        shown = f"from {names[0]} to {names[-1]}" if len(names) > 1 else names[0]
        notes.append(f"Not drawn: {len(names)} layers of the other outputs, {shown}.")
    y += 22
    for note in notes:
        for line in text.wrap(note, 10.5, picture.width - 40):
            picture.add(Text(20, y, line, 10.5, theme.soft))
            y += 15
    picture.height = y + 4


def _told(network: Network, found: list[Band]) -> str:
    return "; ".join(
        f"{band.shape}: {units.short(network.cost('params', band.covers))} parameters, "
        f"{units.short(network.cost('macs', band.covers))} multiply-accumulates"
        for band in found
    )
