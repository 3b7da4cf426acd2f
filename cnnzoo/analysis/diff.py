"""What changed from one network to another, stage by stage."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import log2
from typing import Any

from cnnzoo.analysis.align import IN_TEXT, Edit, align, details, distance, edits, sequence_distance
from cnnzoo.analysis.difference import Change, Difference, Side, StageDiff, shape_text
from cnnzoo.analysis.measure import sketch
from cnnzoo.analysis.pieces import Block, Stage, Unit, stages
from cnnzoo.analysis.plot.network import Network, read
from cnnzoo.analysis.subjects import get_subject
from cnnzoo.units import grouped

SEVERAL = 3  # layers from which on a change that all of a kind share is told once
Found = tuple[int, Edit]  # in which of the stage's blocks, from 1; 0 outside of blocks


def diff(left: Any, right: Any) -> Difference:
    """What changed from ``left`` to ``right``: layers added, removed, altered, stage by stage.

    Stages are paired by order and by the size of their feature maps, relative to the image; layers
    and blocks inside of them by likeness. Names, values and initialisation of weights do not
    count, nor does what only acts on training, dropout excepted.

    Args:
        left: A name, a form such as ``"resnet50:variant=v1.5"``, or a functional or sequential
            Keras model of your own.
        right: Likewise.

    Raises:
        UnknownNameError: A network does not exist; the message gives the nearest.
        UnknownOptionError: A form names an option that its network does not have.
        UsageError: A model has no graph.
    """
    one, other = _Cut(left), _Cut(right)
    pairs = align(one.stages, other.stages, _apart)
    if one.others or other.others:
        pairs.append((one.others, other.others))
    found = [
        [(block, _fed(edit, one.network, other.network)) for block, edit in _edits(pair)]
        for pair in pairs
    ]
    shared = _shared(edit for stage in found for _, edit in stage)
    rows = []
    for (mine, yours), inside in zip(pairs, found, strict=True):
        rest = [(block, _without(edit, shared)) for block, edit in inside]
        changes = tuple(_changes(rest, one.network, other.network))
        name, sides = _name(one, mine, other, yours), (one.side(mine), other.side(yours))
        rows.append(StageDiff(name, *sides, changes, everywhere=rest != inside))
    return Difference(
        left=one.label,
        right=other.label,
        changes=(*_own_changes(one, other), *_told_once(shared)),
        stages=tuple(rows),
        total=(one.total(), other.total()),
        remarks=(*one.remarks(), *other.remarks()),
    )


class _Cut:
    """One of the two networks, cut into stages, the image taken out of the first."""

    def __init__(self, given: Any):
        subject = get_subject(given)
        self.label = subject.label
        model = sketch(subject.spec, **subject.options) if subject.spec else subject.model
        self.network = read(model, {})
        self.stages, self.others, self.alone = stages(self.network)
        self.image: Unit | None = None
        first = self.stages[0].pieces[0]
        if isinstance(first, Unit) and first.layer == "InputLayer":
            self.image = first
            self.stages[0] = replace(self.stages[0], pieces=self.stages[0].pieces[1:])

    def side(self, stage: Stage | None) -> Side | None:
        if stage is None:
            return None
        return Side(stage.shape, stage.weighted, stage.params, stage.macs)

    def total(self) -> Side:
        steps = self.network.steps
        shape = steps[max(i for i, step in enumerate(steps) if step.is_output)].outputs[0][1:]
        everything = range(len(steps))
        params, macs = (self.network.cost(of, everything) for of in ("params", "macs"))
        weighted = sum(s.weighted for s in (*self.stages, self.others) if s is not None)
        return Side(shape, weighted, params, macs)

    def remarks(self) -> list[str]:
        return [f"{self.label}: {self.network.note}"] if self.network.note else []


def _apart(left: Stage, right: Stage) -> float:
    """0 for stages alike, 1 for those that must not be paired."""
    if (len(left.shape) == 3) != (len(right.shape) == 3):  # maps and vectors
        return 1.0
    zoom = abs(log2(left.scale / right.scale)) if left.scale and right.scale else 0.0
    return min(1.0, 0.15 * zoom + 0.5 * sequence_distance(left.pieces, right.pieces))


def _name(one: _Cut, left: Stage | None, other: _Cut, right: Stage | None) -> str:
    """The size of the maps, on both sides where it differs; "head" where there are none."""
    sides = [(cut, stage) for cut, stage in ((one, left), (other, right)) if stage is not None]
    if any(stage is cut.others for cut, stage in sides):
        return "other outputs"
    if all(len(stage.shape) != 3 for _, stage in sides):
        return "head"
    return " → ".join(dict.fromkeys(shape_text(stage.shape) for _, stage in sides))


def _edits(pair: tuple[Stage | None, Stage | None]) -> list[Found]:
    """What became of every layer of a stage."""
    left, right = (stage.pieces if stage else () for stage in pair)
    found: list[Found] = []
    block = 0
    for mine, yours in align(left, right, distance):
        block += isinstance(mine, Block)
        inside = isinstance(mine, Block) and yours is not None
        found += ((block if inside else 0, edit) for edit in edits(mine, yours))
    return found


def _fed(edit: Edit, left: Network, right: Network) -> Edit:
    """Say of a dense layer that it only grew because more comes in."""
    mine, yours = edit.left, edit.right
    if not isinstance(mine, Unit) or not isinstance(yours, Unit) or mine.kind != "dense":
        return edit
    was, now = left.cost("params", mine.covers), right.cost("params", yours.covers)
    if was == now or any(key in (*IN_TEXT, "bias", "layer") for key, _ in edit.details):
        return edit
    told = ("input", f"{grouped(was)} → {grouped(now)} params, by what comes in")
    return replace(edit, details=(*edit.details, told))


@dataclass(frozen=True, slots=True)
class _Shared:
    """A detail that all layers of one kind have in common, in the whole network."""

    kind: str
    detail: tuple[str, str]
    layers: tuple[str, ...]


def _shared(found: Iterable[Edit]) -> list[_Shared]:
    """Of settings that every layer of a kind which has them changed in the same way."""
    pairs = [edit for edit in found if isinstance(edit.left, Unit) and edit.right]
    shared = []
    for kind, key in dict.fromkeys((_kind(e), key) for e in pairs for key, _ in e.details):
        of_kind = [edit for edit in pairs if _kind(edit) == kind]
        having = [edit for edit in of_kind if _has(edit, key)]
        if any(key in dict(edit.details) for edit in of_kind if not _has(edit, key)):
            having = of_kind  # added, so it could have been added to any
        told = {dict(edit.details).get(key) for edit in having}
        text = told.pop()
        if text and not told and len(having) >= SEVERAL and key not in (*IN_TEXT, "layer"):
            names = tuple(edit.left.name for edit in having if edit.left)
            shared.append(_Shared(kind, (key, text), names))
    return shared


def _kind(edit: Edit) -> str:
    return edit.left.kind if isinstance(edit.left, Unit) else ""


def _has(edit: Edit, key: str) -> bool:
    """Whether the first network's layer has the setting."""
    return isinstance(edit.left, Unit) and key in dict((*edit.left.settings, *edit.left.then))


def _told_once(shared: Sequence[_Shared]) -> list[Change]:
    """Details that the same layers share make one change."""
    groups = dict.fromkeys((one.kind, one.layers) for one in shared)
    return [
        Change(
            "~",
            f"in each of {len(names)} {kind} layers",
            tuple(one.detail[1] for one in shared if (one.kind, one.layers) == (kind, names)),
            names,
        )
        for kind, names in groups
    ]


def _without(edit: Edit, shared: Sequence[_Shared]) -> Edit:
    """What is left to say of a layer."""
    gone = {one.detail for one in shared if one.kind == _kind(edit)}
    return replace(edit, details=tuple(d for d in edit.details if d not in gone))


def _own_changes(one: _Cut, other: _Cut) -> Iterator[Change]:
    """Of the image, and of what stands alone on a branch."""
    image = one.image
    found = details(image, other.image) if image and other.image else []
    if image and found:
        texts = tuple(text.removeprefix("shape ") for _, text in found)
        yield Change("~", image.text, texts, (image.name,))
    if one.alone != other.alone:
        was, now = (", ".join(cut.alone) or "nothing" for cut in (one, other))
        yield Change("~", "alone on a branch", (f"{was} → {now}",), ())


def _changes(found: Sequence[Found], left: Network, right: Network) -> list[Change]:
    """What the same layers, or those of the same blocks, have in common makes one change."""
    blocks = len({block for block, _ in found if block})
    told: dict[tuple[str, str, bool, str], list[Found]] = {}
    for block, edit in found:
        whole = edit.left is None or edit.right is None
        for text in [""] if whole else [text for _, text in edit.details]:
            key = (_sign(edit), _what(edit), block > 0, text)
            told.setdefault(key, []).append((block, edit))
    changes: dict[tuple[str, str, tuple[str, ...]], Change] = {}
    for (sign, what, _, text), group in told.items():
        new = _change(sign, what, text, group, blocks, left if sign == "-" else right)
        same = (sign, what, new.layers)
        old = changes.get(same)
        changes[same] = replace(old, details=(*old.details, *new.details)) if old else new
    return list(changes.values())


def _change(
    sign: str, what: str, text: str, group: Sequence[Found], blocks: int, of: Network
) -> Change:
    inside = tuple(dict.fromkeys(block for block, _ in group if block))
    pieces = [edit.left or edit.right for _, edit in group]
    covers = [i for piece in pieces if piece and sign != "~" for i in piece.covers]
    return Change(
        sign=sign,
        what=what,
        details=(text,) if text else (),
        layers=tuple(piece.name for piece in pieces if piece),
        blocks=inside,
        every=len(inside) == blocks > 0,
        params=of.cost("params", covers),
        macs=of.cost("macs", covers),
    )


def _sign(edit: Edit) -> str:
    if edit.left is None:
        return "+"
    return "-" if edit.right is None else "~"


def _what(edit: Edit) -> str:
    """The layer in the first network, its stride apart where the layer stays."""
    piece = edit.left or edit.right
    assert piece is not None
    text = piece.text
    if edit.left and edit.right and isinstance(piece, Block):
        text = "the block"
    elif edit.details and "layer" not in dict(edit.details):
        text = re.sub(r" /\d+", "", text)
    return f"{text} ({edit.role})" if edit.role else text
