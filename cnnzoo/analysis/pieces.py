"""A network as pieces that can be held against another's: layers, blocks of branches, stages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keras import layers

from cnnzoo.analysis import costs
from cnnzoo.analysis.graph import Shape, Step
from cnnzoo.analysis.plot.describe import MINOR, describe, join, leads
from cnnzoo.analysis.plot.network import Network
from cnnzoo.analysis.plot.structure import Box, Fork, Part, Reader
from cnnzoo.analysis.settings import Padding, follower, padding, settings
from cnnzoo.analysis.stages import image_size

Settings = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Unit:
    """One layer with the normalisation, activation and dropout that go with it.

    Attributes:
        kind: conv, pool, dense or other.
        text: As papers write it: ``conv 3×3, 64 /2``.
        layer: Its class; two layers of one class differ in their settings only.
        settings: What can differ between two layers of a class, by name.
        then: What goes with it, in order.
        shape: Of what the layer makes, batch first.
        covers: Positions of the steps it stands for.
    """

    kind: str
    text: str
    layer: str
    name: str
    settings: Settings
    then: Settings
    padding: Padding | None
    shape: Shape
    covers: tuple[int, ...]

    @property
    def looks(self) -> object:
        """What it is, not where it stands or on how large a map it works."""
        return self.layer, self.text, self.settings, self.then, self.padding

    @property
    def size(self) -> int:
        """Layers in it."""
        return 1


@dataclass(frozen=True, slots=True)
class Block:
    """Branches side by side that come together again.

    Attributes:
        join: How, for example ``+``.
    """

    branches: tuple[tuple[Piece, ...], ...]
    join: str
    name: str
    settings: Settings
    then: Settings
    shape: Shape
    covers: tuple[int, ...]

    @property
    def looks(self) -> object:
        inside = tuple(tuple(piece.looks for piece in branch) for branch in self.branches)
        return inside, self.join, self.settings, self.then

    @property
    def size(self) -> int:
        """Layers in it."""
        return sum(piece.size for branch in self.branches for piece in branch)

    @property
    def text(self) -> str:
        branches = (" → ".join(piece.text for piece in b) or "shortcut" for b in self.branches)
        return f"[{' | '.join(branches)}] {self.join}".rstrip()


Piece = Unit | Block


@dataclass(frozen=True, slots=True)
class Stage:
    """Pieces that work at one image size, and the pooling that ends them.

    Attributes:
        shape: What they make of one image, before that pooling.
        scale: Height of that as a fraction of the image's; ``None`` where there is no image.
        weighted: Convolutions and dense layers.
    """

    pieces: tuple[Piece, ...]
    shape: Shape
    scale: float | None
    params: int
    macs: int
    weighted: int


def stages(network: Network) -> tuple[list[Stage], Stage | None, list[str]]:
    """The stages on the way to the main output, the layers of the other outputs, if any, and what
    stands alone on a branch without a layer to go with: normalisation of a shortcut, for example.
    """
    cutter = _Cutter(network)
    groups: list[list[Piece]] = []
    for piece in cutter.main():
        last = groups[-1] if groups else []
        only_image = all(map(_is_image, last))
        pools = _is_pool(piece) and not only_image  # ends a stage, begins none
        if last and (only_image or pools or _size(piece) == _size(_result(last))):
            last.append(piece)
        else:
            groups.append([piece])
    others = cutter.others()
    found = [cutter.stage(group) for group in groups]
    return found, cutter.stage(others) if others else None, cutter.alone([*groups, others])


def _is_image(piece: Piece) -> bool:
    return isinstance(piece, Unit) and piece.layer == "InputLayer"


def _size(piece: Piece) -> Shape | None:
    return image_size(piece.shape)


def _is_pool(piece: Piece) -> bool:
    return isinstance(piece, Unit) and piece.kind == "pool" and _size(piece) is not None


def _result(group: Sequence[Piece]) -> Piece:
    """The last that is no pooling at the end."""
    return next((piece for piece in reversed(group) if not _is_pool(piece)), group[-1])


class _Cutter:
    """Makes pieces of one network's steps; each step belongs to one piece."""

    def __init__(self, network: Network):
        self.network = network
        self.steps = network.steps
        self.reader = Reader(network.steps, describe, join, leads)
        self.readers: dict[int, list[int]] = {i: [] for i in range(len(self.steps))}
        for child, step in enumerate(self.steps):
            for parent in step.parents:
                self.readers[parent].append(child)

    def main(self) -> list[Piece]:
        return [self._piece(part) for part in self.reader.parts()]

    def others(self) -> list[Piece]:
        """The layers that do not lead to the main output, one after another."""
        rest = sorted(set(range(len(self.steps))) - set(self.reader.main))
        labels = {i: describe(self.steps[i]) for i in rest}
        return [self._unit(Box(label, (i,))) for i, label in labels.items() if label]

    def alone(self, groups: Sequence[Sequence[Piece]]) -> list[str]:
        """Minor layers that no piece covers."""
        covered = {i for group in groups for piece in group for i in piece.covers}
        rest = [i for i in range(len(self.steps)) if i not in covered and not self._is_padding(i)]
        return [f"{name} {value}".rstrip() for name, value in self._goes_with(rest)]

    def stage(self, group: Sequence[Piece]) -> Stage:
        covers = sorted({position for piece in group for position in piece.covers})
        result = _result(group).shape
        size, image = (image_size(shape) for shape in (result, self.steps[0].outputs[0]))
        side, whole = (size or (None,))[0], (image or (None,))[0]
        return Stage(
            pieces=tuple(group),
            shape=result[1:],
            scale=side / whole if side and whole else None,
            params=self.network.cost("params", covers),
            macs=self.network.cost("macs", covers),
            weighted=sum(1 for i in covers if costs.is_weighted(self.steps[i].layer)),
        )

    def _piece(self, part: Part) -> Piece:
        return self._unit(part) if isinstance(part, Box) else self._block(part)

    def _block(self, fork: Fork) -> Block:
        branches = [tuple(map(self._piece, branch)) for branch in fork.branches]
        if fork.join == "+":  # a sum knows no order: the longest branch first
            branches.sort(key=lambda branch: -sum(piece.size for piece in branch))
        inside = {i for branch in branches for piece in branch for i in piece.covers}
        joined = bool(fork.join)
        end = max(i for i in fork.steps if not self._is_minor(i))
        step, after = self.steps[end], self._followers(end) if joined else []
        return Block(
            branches=tuple(branches),
            join=fork.join,
            name=step.name,
            settings=settings(step) if joined else (),
            then=self._goes_with(after),
            shape=step.outputs[0],
            covers=(*sorted(inside), *([end] if joined else []), *after),
        )

    def _unit(self, box: Box) -> Unit:
        major = [i for i in box.steps if not self._is_minor(i)] or list(box.steps)
        step, kind, text = self.steps[major[-1]], box.label.kind, box.label.text
        before, after = self._before(step), self._followers(major[-1])
        zeros = [self.steps[i].layer for i in before if self._is_padding(i)]
        first = [i for i in before if not self._is_padding(i)]
        entangled = [("layers", repr([settings(self.steps[i]) for i in major]))]
        return Unit(
            kind=kind,
            text=f"{kind} {text}" if kind in ("conv", "pool") else text,
            layer=_class(step.layer),
            name=step.name,
            settings=settings(step) if len(major) == 1 else tuple(entangled),
            then=(
                *((f"{name} before", value) for name, value in self._goes_with(first)),
                *_own_activation(step),
                *self._goes_with(after),
            ),
            padding=padding(step, zeros),
            shape=step.outputs[0],
            covers=(*before, *major, *after),
        )

    def _goes_with(self, positions: Sequence[int]) -> Settings:
        """Flattening is left out: the shape after it tells."""
        found = (self.steps[i] for i in positions)
        return tuple(follower(s) for s in found if not isinstance(s.layer, layers.Flatten))

    def _before(self, step: Step) -> list[int]:
        """Zeros directly before a step, and other minor layers there that follow nothing else."""
        found: list[int] = []
        while len(step.parents) == 1:
            parent = step.parents[0]
            if len(self.readers[parent]) > 1:
                return found
            if not self._is_minor(parent):
                break
            found.insert(0, parent)
            step = self.steps[parent]
        return [i for i in found if self._is_padding(i)]

    def _followers(self, node: int) -> list[int]:
        """Minor layers after a step, as long as nothing else reads what is between."""
        found: list[int] = []
        while len(self.readers[node]) == 1 and self._is_minor(self.readers[node][0]):
            node = self.readers[node][0]
            found += [] if self._is_padding(node) else [node]
        return found

    def _is_minor(self, position: int) -> bool:
        return isinstance(self.steps[position].layer, MINOR)

    def _is_padding(self, position: int) -> bool:
        return isinstance(self.steps[position].layer, layers.ZeroPadding2D)


def _class(layer: Any) -> str:
    """Ours that only run a convolution of Keras on more backends count as that."""
    of_keras = (kind for kind in type(layer).__mro__ if kind in costs.WEIGHTED)
    ours = type(layer).__module__.startswith("cnnzoo.")
    return next(of_keras, type(layer)).__name__ if ours else type(layer).__name__


def _own_activation(step: Step) -> Settings:
    """The activation that is a part of the layer."""
    own: Any = getattr(step.layer, "activation", None)
    name = getattr(own, "__name__", str(own))
    return () if own is None or name == "linear" else (("activation", name),)
