"""Who feeds whom: from the tensors of a file to the variables of a network, by name.

A file of ``weights/name_maps/`` has one line per tensor, three columns between tabs:

```text
conv1_conv/kernel   conv1.weight            conv                layer/variable, source, conversion
fc1/kernel          pre.fc1.w|classifier.0  flattened 512 7 7   one source or the other
-                   *.num_batches_tracked   unused              passed over; ``*`` is a wildcard
-                   conv1.bn.weight         ones                no place for it: must be all ones
```
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

from cnnzoo.errors import CatalogueError
from cnnzoo.pretrained import conversions
from cnnzoo.pretrained.conversions import Conversion
from cnnzoo.pretrained.readers.tensor import Tensors

_CONVERSIONS = {
    "copy": conversions.COPY,
    "conv": conversions.CONV,
    "dense": conversions.DENSE,
}
_WITH_SIZES: dict[str, tuple[Callable[..., Conversion], int]] = {
    "flattened": (conversions.flattened, 3),
    "grouped": (conversions.grouped, 1),
}
_NO_TARGET = ("unused", "ones")


@dataclass(frozen=True)
class Feed:
    """One source tensor and what is done to it."""

    source: str
    conversion: Conversion


@dataclass(frozen=True)
class Plan:
    """What becomes of every tensor of one file.

    Attributes:
        feeds: ``layer/variable`` -> what fills it.
        unused: Sources that are known and not wanted.
        ones: Sources the network has no place for, harmless only if every number is 1.
    """

    feeds: Mapping[str, Feed]
    unused: frozenset[str] = frozenset()
    ones: frozenset[str] = frozenset()


@dataclass(frozen=True)
class NameMap:
    """One file of ``weights/name_maps/``; of several sources in a row the first found counts."""

    name: str
    rows: Mapping[str, tuple[tuple[str, ...], Conversion]]
    extras: tuple[tuple[str, str], ...] = field(default=())

    def known(self, tensors: Iterable[str]) -> int:
        """How many of these tensors the rows name."""
        return len(set(tensors) & {name for names, _ in self.rows.values() for name in names})

    def plan(self, targets: Collection[str], tensors: Tensors) -> Plan:
        """Feed ``targets``; rows for layers that the network lacks only say what is not needed."""
        layers = {target.partition("/")[0] for target in targets}
        feeds: dict[str, Feed] = {}
        unused = {name for name in tensors if self._extra(name) == "unused"}
        for target, (sources, conversion) in self.rows.items():
            source = next((name for name in sources if name in tensors), sources[0])
            if target.partition("/")[0] in layers:
                feeds[target] = Feed(source, conversion)
            else:
                unused.add(source)
        ones = {name for name in tensors if self._extra(name) == "ones"}
        return Plan(feeds, frozenset(unused), frozenset(ones))

    def _extra(self, tensor: str) -> str:
        return next((rule for rule, name in self.extras if fnmatchcase(tensor, name)), "")


def read_name_map(path: Path) -> NameMap:
    """Read and check one file of ``weights/name_maps/``.

    Raises:
        CatalogueError: A line breaks the format or names a variable or a source again.
    """
    rows: dict[str, tuple[tuple[str, ...], Conversion]] = {}
    extras: list[tuple[str, str]] = []
    seen: set[str] = set()
    for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1):
        if not line or line.startswith("#"):
            continue
        columns = line.split("\t")
        if len(columns) != 3:
            raise CatalogueError(f"{line!r} has not three columns. ({path}, line {number})")
        target, source, rule = columns
        sources = source.split("|")
        if target in rows or seen & set(sources):
            raise CatalogueError(f"{line!r} names something again. ({path}, line {number})")
        seen |= set(sources)
        if (target == "-") != (rule in _NO_TARGET):
            raise CatalogueError(f"{line!r} needs a target or none. ({path}, line {number})")
        if target == "-":
            extras.append((rule, source))
        else:
            rows[target] = (tuple(sources), _conversion(rule, f"{path}, line {number}"))
    return NameMap(path.stem, rows, tuple(extras))


def plan_by_name(targets: Mapping[str, int], tensors: Tensors, has_classifier: bool) -> Plan:
    """Feed each variable from the tensor called like it.

    Args:
        targets: ``layer/variable`` -> its number within the layer, which may stand for its name.
        has_classifier: If not, dense layers that only the file has belong to its classifier.
    """
    layers = {target.partition("/")[0] for target in targets}
    feeds = {}
    for target, number in targets.items():
        numbered = f"{target.partition('/')[0]}/{number}"
        feeds[target] = Feed(numbered if numbered in tensors else target, conversions.COPY)
    unused: set[str] = set()
    if not has_classifier:
        ranks: dict[str, int] = {}
        for name, tensor in tensors.items():
            layer = name.partition("/")[0]
            ranks[layer] = max(ranks.get(layer, 0), len(tensor.shape))
        dense = {layer for layer, rank in ranks.items() if rank == 2} - layers
        unused = {name for name in tensors if name.partition("/")[0] in dense}
    return Plan(feeds, frozenset(unused))


def _conversion(rule: str, where: str) -> Conversion:
    """``"flattened 512 7 7"`` -> the conversion."""
    word, *sizes = rule.split()
    if word in _CONVERSIONS and not sizes:
        return _CONVERSIONS[word]
    if word in _WITH_SIZES and all(size.isdigit() for size in sizes):
        make, wanted = _WITH_SIZES[word]
        if len(sizes) == wanted:
            return make(*[int(size) for size in sizes])
    known = ", ".join([*_CONVERSIONS, *_WITH_SIZES, *_NO_TARGET])
    raise CatalogueError(f"{rule!r} is no conversion. Known: {known}. ({where})")
