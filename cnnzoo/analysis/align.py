"""Which piece of one network stands where another's does, and what differs between the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar

from cnnzoo.analysis.pieces import Block, Piece, Settings, Unit

T = TypeVar("T")
GAP = 0.35  # cost of a piece without a counterpart; that of two unlike ones is at most 1
# Settings that the text of a layer already says.
IN_TEXT = ("kernel", "filters", "stride", "window", "units")


def align(
    left: Sequence[T], right: Sequence[T], distance: Callable[[T, T], float]
) -> list[tuple[T | None, T | None]]:
    """Pairs in order, ``None`` for what has no counterpart, at the least sum of distances.

    Where several alignments are as good, the first pieces are paired and the last left over.
    """
    rows, columns = len(left), len(right)
    costs = [[GAP * (rows - i + columns - j) for j in range(columns + 1)] for i in range(rows + 1)]
    apart = [[distance(a, b) for b in right] for a in left]
    for i in reversed(range(rows)):
        for j in reversed(range(columns)):
            beside = apart[i][j] + costs[i + 1][j + 1]
            costs[i][j] = min(beside, GAP + costs[i + 1][j], GAP + costs[i][j + 1])
    found: list[tuple[T | None, T | None]] = []
    i = j = 0
    while i < rows or j < columns:
        both = i < rows and j < columns
        if both and apart[i][j] + costs[i + 1][j + 1] <= costs[i][j] + 1e-9:
            found.append((left[i], right[j]))
            i, j = i + 1, j + 1
        elif i < rows and (j == columns or GAP + costs[i + 1][j] <= costs[i][j] + 1e-9):
            found.append((left[i], None))
            i += 1
        else:
            found.append((None, right[j]))
            j += 1
    return found


def distance(left: Piece, right: Piece) -> float:
    """0 for pieces that look alike, 1 for those that must not stand for each other."""
    return _distance(_Like(left), _Like(right))


def sequence_distance(left: Sequence[Piece], right: Sequence[Piece]) -> float:
    """Cost of the best alignment for each piece of the longer sequence."""
    longest = max(len(left), len(right))
    pairs = align(left, right, distance)
    return sum(distance(a, b) if a and b else GAP for a, b in pairs) / longest if longest else 0.0


class _Like:
    """A piece that equals every other of the same looks."""

    __slots__ = ("looks", "piece")

    def __init__(self, piece: Piece):
        self.piece, self.looks = piece, piece.looks

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Like) and self.looks == other.looks

    def __hash__(self) -> int:
        return hash(self.looks)


@lru_cache(maxsize=2**14)
def _distance(one: _Like, other: _Like) -> float:
    left, right = one.piece, other.piece
    if isinstance(left, Unit) and isinstance(right, Unit):
        return _unit_distance(left, right)
    if isinstance(left, Block) and isinstance(right, Block):
        pairs = align(left.branches, right.branches, sequence_distance)
        unlike = GAP if left.join != right.join else 0.0
        apart = [GAP if a is None or b is None else sequence_distance(a, b) for a, b in pairs]
        return min(1.0, unlike + 2 * sum(apart) / max(1, len(pairs)))
    return 1.0


def _unit_distance(left: Unit, right: Unit) -> float:
    if left.kind != right.kind or (left.kind == "other" and left.layer != right.layer):
        return 1.0
    changed = {setting for setting, _ in details(left, right)}
    heavy = {"layer", "kernel", "window"} & changed
    return min(0.6, 0.1 * len(changed) + 0.1 * len(heavy))


# Said with their value where they are added or removed.
SHORT = ("activation", "activation 2", "activation before", "dropout")

Detail = tuple[str, str]  # the setting, and what became of it


@dataclass(frozen=True, slots=True)
class Edit:
    """What became of one layer, or of how a block's branches come together.

    Attributes:
        left: ``None`` for what was added.
        right: ``None`` for what was removed.
        details: Empty where nothing changed.
        role: ``shortcut`` for a layer beside the main branch of a sum.
    """

    left: Piece | None
    right: Piece | None
    details: tuple[Detail, ...] = ()
    role: str = ""


def edits(left: Piece | None, right: Piece | None) -> list[Edit]:
    """What became of a piece, layer by layer; layers that stayed as they are included."""
    if isinstance(left, Unit) and isinstance(right, Unit):
        return [Edit(left, right, tuple(details(left, right)))]
    if isinstance(left, Block) and isinstance(right, Block):
        return _moved_strides(list(_block_edits(left, right)))
    return [Edit(left, right)]


def _block_edits(left: Block, right: Block) -> Iterator[Edit]:
    pairs = align(left.branches, right.branches, sequence_distance)
    own: list[Detail] = []
    for number, (mine, other) in enumerate(pairs):
        side = number > 0 and left.join == right.join == "+"
        if (mine is None or other is None) and not (mine or other):
            own.append(("shortcut", "shortcut added" if mine is None else "shortcut removed"))
        for a, b in align(mine or (), other or (), distance):
            for edit in edits(a, b):
                yield replace(edit, role="shortcut") if side else edit
    if left.join != right.join:
        own.append(("join", f"joined by {left.join or 'nothing'} → {right.join or 'nothing'}"))
    else:
        own += _settings(left.settings, right.settings)
    own += _together(left.then, right.then)
    if own:
        yield Edit(left, right, tuple(own))


def _moved_strides(found: list[Edit]) -> list[Edit]:
    """Says in one line that a stride went from one layer of a block to another."""
    strided = [at for at, edit in enumerate(found) if "stride" in dict(edit.details)]
    changes = [dict(found[at].details)["stride"].split()[1::2] for at in strided]  # from and to
    if len(strided) != 2 or changes[0] != changes[1][::-1] or "1" not in changes[0]:
        return found
    source, target = strided if changes[0][1] == "1" else strided[::-1]
    stride = next(side for side in changes[0] if side != "1")
    layer = found[target].left
    told = ("stride", f"stride {stride} moved to {layer.text}" if layer else "")
    for at, first in ((source, [told]), (target, [])):
        rest = (detail for detail in found[at].details if detail[0] != "stride")
        found[at] = replace(found[at], details=(*first, *rest))
    return found


def details(left: Unit, right: Unit) -> list[Detail]:
    """What differs between two layers, setting by setting."""
    found: list[Detail] = []
    if left.layer == right.layer:
        found += _settings(left.settings, right.settings)
    else:
        found.append(("layer", f"becomes {right.text}"))
        shared = [tuple(p for p in u.settings if p[0] not in IN_TEXT) for u in (left, right)]
        keys = dict(shared[0]).keys() & dict(shared[1]).keys()
        found += _settings(*(tuple(p for p in pairs if p[0] in keys) for pairs in shared))
    mine, other = left.padding, right.padding
    if mine and other and mine.rule != other.rule and mine.text != other.text:
        found.append(("padding", f"padding {mine.text} → {other.text}"))
    return found + _together(left.then, right.then)


def _settings(left: Settings, right: Settings) -> list[Detail]:
    before, after = dict(left), dict(right)
    found = []
    for key in dict.fromkeys([*before, *after]):
        was, now = before.get(key, "none"), after.get(key, "none")
        if was == now:
            continue
        if {was, now} == {"yes", "no"}:
            found.append((key, f"{key} {'added' if now == 'yes' else 'removed'}"))
        else:
            found.append((key, f"{key} {was} → {now}"))
    return found


def _together(left: Settings, right: Settings) -> list[Detail]:
    """What differs in the layers that go with one: normalisation, activation, dropout."""
    before, after = _by_name(left), _by_name(right)
    found = []
    for key in dict.fromkeys([*before, *after]):
        if key in before and key in after:
            found += [(key, f"{key} {text}") for text in _parts(before[key], after[key])]
        else:
            value, verb = (after[key], "added") if key in after else (before[key], "removed")
            told = value if key == "activation" else f"{key} {value}"
            found.append((key, f"{told if key in SHORT else key} {verb}"))
    if not found and list(before) != list(after):
        found.append(("order", f"order {', '.join(before)} → {', '.join(after)}"))
    return found


def _parts(was: str, now: str) -> list[str]:
    """``"epsilon 1, scale yes"`` and ``"epsilon 2, scale yes"`` -> ``["epsilon 1 → 2"]``."""
    before, after = (dict(_split(part) for part in text.split(", ")) for text in (was, now))
    if before.keys() != after.keys():
        return [f"{was} → {now}"]
    changed = [key for key in before if before[key] != after[key]]
    return [f"{key} {before[key]} → {after[key]}".strip() for key in changed]


def _split(part: str) -> tuple[str, str]:
    name, _, value = part.rpartition(" ")
    return name, value


def _by_name(pairs: Settings) -> dict[str, str]:
    """The second of a kind is called ``activation 2``."""
    found: dict[str, str] = {}
    for name, value in pairs:
        number, key = 2, name
        while key in found:
            key, number = f"{name} {number}", number + 1
        found[key] = value
    return found
