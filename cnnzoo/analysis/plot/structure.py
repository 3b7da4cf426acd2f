"""A network's steps as blocks: what follows one another, and what lies side by side.

Every graph made of forks that join again falls apart that way; what does not, a block whose
branches are entangled, stays one box that says how many layers it has.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cnnzoo.analysis.graph import Step


@dataclass(frozen=True, slots=True)
class Label:
    """What a box says; ``kind`` chooses its colour."""

    kind: str  # conv, pool, dense, other
    text: str


@dataclass(frozen=True, slots=True)
class Box:
    """One layer that is drawn, with the steps it stands for: normalisation, activation."""

    label: Label
    steps: tuple[int, ...]

    @property
    def looks(self) -> object:
        return self.label


@dataclass(frozen=True, slots=True)
class Fork:
    """Branches side by side, each a sequence, an empty one being a shortcut; ``join`` says how
    they come together, nothing where that happens further below."""

    branches: tuple[tuple[Part, ...], ...]
    join: str
    steps: tuple[int, ...]

    @property
    def looks(self) -> object:
        """What is seen of it; parts that look alike are drawn once."""
        return tuple(tuple(part.looks for part in branch) for branch in self.branches), self.join


Part = Box | Fork
Describe = Callable[[Step], Label | None]  # None: not drawn


class Reader:
    """Cuts the steps of one network into parts. A step that is not drawn goes with the one before
    it, unless it ``leads``: then with the one behind.

    Attributes:
        main: Positions of the steps that lead to the main output; only these become parts.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        describe: Describe,
        join: Callable[[Step], str],
        leads: Callable[[Step], bool] = lambda _: False,
    ):
        self.steps, self.describe, self.join, self.leads = steps, describe, join, leads
        self.main = self._main()
        self.readers: dict[int, list[int]] = {i: [] for i in self.main}
        for child in self.main:
            for parent in steps[child].parents:
                self.readers[parent].append(child)

    def parts(self) -> list[Part]:
        """Everything that leads to the main output, from the image on."""
        return self._sequence(self.main, None)

    def _main(self) -> list[int]:
        """The steps that lead to the main output, which is the one most steps lead to."""
        read = {parent for step in self.steps for parent in step.parents}
        ends = [i for i in range(len(self.steps)) if i not in read]
        return max((self._ancestors(end) for end in ends), key=len)

    def _ancestors(self, end: int) -> list[int]:
        found, waiting = {end}, [end]
        while waiting:
            new = set(self.steps[waiting.pop()].parents) - found
            found |= new
            waiting += new
        return sorted(found)

    def _sequence(self, inside: Sequence[int], source: int | None) -> list[Part]:
        """The parts of ``inside``, which reads nothing else but ``source``, in order."""
        found: list[Part] = []
        pending: tuple[int, ...] = ()
        start, cut = 0, source
        for at in self._cuts(inside, source):
            between, node = inside[start:at], inside[at]
            start = at + 1
            if between:
                part: Part | None = self._fork(between, cut, node, pending)
            else:
                label = self.describe(self.steps[node])
                part = Box(label, (*pending, node)) if label else None
            if part:
                found.append(part)
                pending = ()
            elif found and not self.leads(self.steps[node]):
                found[-1] = _with(found[-1], (*pending, node))  # normalises what came before
                pending = ()
            else:
                pending = (*pending, node)
            cut = node
        if start == 0 and inside:  # no step that everything passes
            label = Label("other", f"{len(inside)} layers")
            return [Box(label, tuple(inside))]
        if start < len(inside):
            found.append(self._fork(inside[start:], cut, None, pending))
        elif pending and found:
            found[-1] = _with(found[-1], pending)
        return found

    def _cuts(self, inside: Sequence[int], source: int | None) -> list[int]:
        """Where in ``inside`` everything comes through one step."""
        place = {node: at for at, node in enumerate(inside)}
        beyond = len(inside)
        parents = {node: set(self.steps[node].parents) for node in inside}
        reach = max(place[n] for n in inside if not parents[n] or not parents[n] <= place.keys())
        cuts = []
        for at, node in enumerate(inside):
            if reach <= at:
                cuts.append(at)
            readers = self.readers[node]
            ends = [place.get(reader, beyond) for reader in readers]
            reach = max([reach, *ends])
        return cuts

    def _fork(
        self, between: Sequence[int], source: int | None, end: int | None, pending: tuple[int, ...]
    ) -> Fork:
        """The branches from ``source`` to ``end``, in the order in which ``end`` reads them."""
        groups = self._connected(between)
        direct = end is not None and source in self.steps[end].parents
        if end is None and source is not None:
            outside = set(self.readers[source]) - set(between)
            direct = bool(outside)
        order = list(self.steps[end].parents) if end is not None else []
        groups.sort(key=lambda g: min((order.index(n) for n in g if n in order), default=g[0]))
        branches = [tuple(self._sequence(group, source)) for group in groups]
        if direct:
            branches.append(())
        steps = (*pending, *between, *(() if end is None else (end,)))
        return Fork(tuple(branches), self.join(self.steps[end]) if end is not None else "", steps)

    def _connected(self, between: Sequence[int]) -> list[list[int]]:
        """Groups of steps that are joined by an edge among themselves."""
        group = {node: node for node in between}

        def root(node: int) -> int:
            while group[node] != node:
                node = group[node]
            return node

        for node in between:
            for parent in self.steps[node].parents:
                if parent in group:
                    group[root(node)] = root(parent)
        found: dict[int, list[int]] = {}
        for node in between:
            found.setdefault(root(node), []).append(node)
        return list(found.values())


def _with(part: Part, more: tuple[int, ...]) -> Part:
    """The part with further steps that are not drawn."""
    steps = (*part.steps, *more)
    if isinstance(part, Box):
        return Box(part.label, steps)
    return Fork(part.branches, part.join, steps)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Parts that come ``times`` one after another, looking alike."""

    parts: tuple[Part, ...]
    times: int
    steps: tuple[int, ...]


def collapse(parts: Sequence[Part], longest: int = 4) -> list[Repeat]:
    """Runs of parts that look alike, up to ``longest`` parts repeated together."""
    looks = [part.looks for part in parts]
    found: list[Repeat] = []
    at = 0
    while at < len(parts):
        best, times = 1, 1
        for period in range(1, longest + 1):
            count = 1
            while looks[at : at + period] == looks[at + count * period : at + (count + 1) * period]:
                count += 1
            if count > 1 and count * period > best * times:
                best, times = period, count
        end = at + best * times
        steps = tuple(step for part in parts[at:end] for step in part.steps)
        found.append(Repeat(tuple(parts[at : at + best]), times, steps))
        at = end
    return found
