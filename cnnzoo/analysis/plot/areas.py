"""Where the parameters and the multiply-accumulates of a network sit, as areas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras

from cnnzoo import units
from cnnzoo.analysis.plot import text
from cnnzoo.analysis.plot.canvas import Picture, Rect, Text
from cnnzoo.analysis.plot.network import Network, read, shape_text
from cnnzoo.analysis.plot.squarify import Area, squarify
from cnnzoo.analysis.plot.theme import get_theme
from cnnzoo.analysis.stages import stages
from cnnzoo.errors import UsageError
from cnnzoo.lookup import did_you_mean

OF = {"params": "parameters", "macs": "multiply-accumulates"}
WIDTH, TOP, HEIGHT, GAP = 760.0, 70.0, 380.0, 16.0


@dataclass(frozen=True, slots=True)
class Group:
    """A stage: its number, what it makes, the positions of its steps."""

    label: str
    steps: tuple[int, ...]
    colour: str


def treemap(
    model: str | keras.Model, of: str | None = None, *, theme: str = "light", **arguments: Any
) -> Picture:
    """Every layer as a rectangle whose area is its share; the layers of a stage lie together.

    Args:
        model: A name, or any functional or sequential Keras model.
        of: ``"params"``, ``"macs"``, or both side by side unless given.
        theme: ``"light"`` or ``"dark"``.
        **arguments: Further ones of ``build`` when ``model`` is a name.

    Raises:
        UnknownNameError: No network is called so.
        UsageError: ``of`` or ``theme`` is unknown, the model has no graph, or there is nothing to
            draw because it has no parameters or no multiply-accumulates.
    """
    if of is not None and of not in OF:
        raise UsageError(f"of={of!r} is unknown.{did_you_mean(of, OF)} Use 'params' or 'macs'.")
    colours = get_theme(theme)
    network = read(model, arguments)
    kinds = list(OF) if of is None else [of]
    groups = _groups(network, theme)
    for kind in kinds:
        if not network.cost(kind, range(len(network.steps))):
            raise UsageError(f"{network.title} has no {OF[kind]}, so there is no area to draw.")
    title = f"{network.title}: where the {' and the '.join(OF[kind] for kind in kinds)} sit"
    picture = Picture(title, _told(network, groups, kinds), colours, WIDTH)
    picture.add(Text(20, 30, title, 16, colours.ink, bold=True))
    wide = (WIDTH - 40 - GAP * (len(kinds) - 1)) / len(kinds)
    for i, kind in enumerate(kinds):
        x = 20 + i * (wide + GAP)
        total = network.cost(kind, range(len(network.steps)))
        head = f"{units.short(total, 2)} {OF[kind]}"
        picture.add(Text(x, TOP - 10, head, 12, colours.ink, bold=True))
        _panel(picture, network, groups, kind, Area(x, TOP, wide, HEIGHT))
    _legend(picture, network, groups, kinds)
    return picture


def _groups(network: Network, theme: str) -> list[Group]:
    """The stages, coloured from the image to the head."""
    position = {id(step): i for i, step in enumerate(network.steps)}
    found = []
    for stage in stages(list(network.steps)):
        inside = tuple(position[id(step)] for step in stage.steps)
        if network.cost("params", inside) or network.cost("macs", inside):
            found.append((shape_text(stage.result), inside))
    ramp = RAMPS[theme]
    last = max(len(found) - 1, 1)
    return [Group(name, inside, _mix(ramp, i / last)) for i, (name, inside) in enumerate(found)]


RAMPS = {  # image to head: dark blue, teal, green, yellow, orange; evenly lighter
    "light": ("#30508f", "#2f7fa3", "#3aa58e", "#8cc26a", "#e8c658", "#f2a04e"),
    "dark": ("#3f66b5", "#3a8fb5", "#3fae96", "#8cc26a", "#dcbb52", "#e39548"),
}


def _mix(ramp: Sequence[str], share: float) -> str:
    """The colour at ``share``, 0 to 1, of the way along a ramp."""
    at = share * (len(ramp) - 1)
    low = min(int(at), len(ramp) - 2)
    parts = []
    for place in (1, 3, 5):
        a, b = (int(ramp[low + i][place : place + 2], 16) for i in (0, 1))
        parts.append(f"{round(a + (b - a) * (at - low)):02x}")
    return "#" + "".join(parts)


def _panel(
    picture: Picture, network: Network, groups: Sequence[Group], kind: str, room: Area
) -> None:
    """One treemap: stages first, the layers of each inside."""
    weighty = [group for group in groups if network.cost(kind, group.steps)]
    whole = network.cost(kind, range(len(network.steps)))
    areas = squarify([network.cost(kind, group.steps) for group in weighty], room)
    for group, area in zip(weighty, areas, strict=True):
        inside = sorted(
            (i for i in group.steps if network.cost(kind, [i])),
            key=lambda i: -network.cost(kind, [i]),
        )
        values = [network.cost(kind, [i]) for i in inside]
        for i, value, cell in zip(inside, values, squarify(values, area), strict=True):
            _cell(picture, cell, network.steps[i].name, value, whole, group.colour)
    for area in areas:
        picture.add(
            Rect(area.x, area.y, area.width, area.height, None, picture.theme.paper, 3.0)
        )  # fmt: skip


def _cell(
    picture: Picture, cell: Area, name: str, value: int, whole: int, colour: str
) -> None:  # fmt: skip
    share = f"{100 * value / whole:.1f} %"
    edge = min(0.8, cell.width / 4, cell.height / 4)
    tip = f"{name}: {units.grouped(value)}, {share}"
    picture.add(
        Rect(cell.x, cell.y, cell.width, cell.height, colour, picture.theme.paper, edge, tip=tip)
    )
    ink = picture.theme.on(colour)
    figures = (f"{units.short(value)}, {share}", share)
    size, lines = _lettering(name, figures, cell.width - 8, cell.height - 6)
    for i, line in enumerate(lines):
        y = cell.y + 3 + (i + 1) * (size + 2) - 2
        picture.add(Text(cell.x + 4, y, line, size, ink))


def _lettering(
    name: str, figures: Sequence[str], room: float, tall: float
) -> tuple[float, list[str]]:
    """What a cell says and how large: the name, with figures where there is room for them."""
    parts = [part for part in re.split(r"(?<=[_/])", name) if part]
    for below in (*figures, ""):
        for size in (11.0, 10.0, 9.0, 8.0):
            lines = [f"{name}, {below}"] if below else [name]
            if text.width(lines[0], size) > room or not below:
                lines = _broken(parts, size, room) + ([below] if below else [])
            wide = max(text.width(line, size) for line in lines)
            if wide <= room and len(lines) * (size + 2) <= tall:
                return size, lines
    return 0.0, []


def _broken(parts: Sequence[str], size: float, room: float) -> list[str]:
    """The parts of a name in as few lines as fit."""
    lines = [parts[0]]
    for part in parts[1:]:
        if text.width(lines[-1] + part, size) <= room:
            lines[-1] += part
        else:
            lines.append(part)
    return lines


def _legend(
    picture: Picture, network: Network, groups: Sequence[Group], kinds: Sequence[str]
) -> None:
    """The stages with what they make and hold, in as many columns as there is room for."""
    theme, y = picture.theme, TOP + HEIGHT + 26
    picture.add(Text(20, y, "Stages, by the size of what they make; their shares:", 11, theme.soft))
    columns, wide = 2, (WIDTH - 40) / 2
    rows = -(-len(groups) // columns)
    for i, group in enumerate(groups):
        x, top = 20 + wide * (i // rows), y + 12 + 18 * (i % rows)
        picture.add(Rect(x, top, 12, 12, group.colour, radius=2))
        picture.add(Text(x + 20, top + 10, group.label, 11, theme.ink))
        shares = ", ".join(_share(network, group, kind) for kind in kinds)
        picture.add(Text(x + 132, top + 10, shares, 11, theme.soft))
    y += 12 + 18 * rows + 14
    if network.note:
        for line in text.wrap(network.note, 10.5, WIDTH - 40):
            picture.add(Text(20, y, line, 10.5, theme.soft))
            y += 15
    picture.height = y


def _share(network: Network, group: Group, kind: str) -> str:
    whole = network.cost(kind, range(len(network.steps)))
    part = 100 * network.cost(kind, group.steps) / whole
    shown = "< 0.1" if 0 < part < 0.1 else f"{part:.1f}"
    return f"{shown} % of {'params' if kind == 'params' else 'MACs'}"


def _told(network: Network, groups: Sequence[Group], kinds: Sequence[str]) -> str:
    return "; ".join(
        f"stage {group.label}: {', '.join(_share(network, group, kind) for kind in kinds)}"
        for group in groups
    )
