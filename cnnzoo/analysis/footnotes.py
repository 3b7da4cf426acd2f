"""What stands below a table of networks so that nobody misreads it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cnnzoo.analysis.columns import Column
from cnnzoo.analysis.figures import facts_at, facts_of
from cnnzoo.catalogue.spec import ModelSpec

_NAMED = 4  # names of one kind, before "and 3 more"


def footnotes(
    specs: Sequence[ModelSpec], columns: Sequence[Column], size: tuple[int, int] | None
) -> Iterator[str]:
    """One line for each thing to know, for the columns that are shown."""
    keys = {column.key for column in columns}
    if size is not None:
        yield from _of_size(specs, size)
        if {"top1", "top5"} & keys:
            yield "accuracies are the published ones, not of this size"
    if "macs" in keys:
        yield from _lower_bounds(specs, size)
    if {"top1", "top5"} & keys and len({spec.dataset for spec in specs}) > 1:
        yield "top-1 and top-5 are those of ImageNet-1k; other datasets: cnnzoo info NAME"
    told = [spec.name for spec in specs if spec.notes]
    if told and keys & {"macs", "top1"} and "notes" not in keys:
        yield f"cnnzoo info NAME says why other figures are in use: {_some(told)}"


def _of_size(specs: Sequence[ModelSpec], size: tuple[int, int]) -> Iterator[str]:
    small = [
        f"{spec.name} ({spec.min_size_for(spec.choose({}))})"
        for spec in specs
        if facts_at(spec, size) is None
    ]
    if small:
        yield f"need larger images (least side in pixels): {', '.join(small)}"
    changed = [
        spec.name
        for spec in specs
        if (facts := facts_at(spec, size)) and facts.total_params != facts_of(spec).total_params
    ]
    if changed:
        yield (
            f"parameters change with the size, because the classifier flattens: "
            f"{', '.join(changed)}"
        )


def _lower_bounds(specs: Sequence[ModelSpec], size: tuple[int, int] | None) -> Iterator[str]:
    for spec in specs:
        facts = facts_of(spec) if size is None else facts_at(spec, size)
        if facts is not None and facts.not_counted:
            yield f"MACs of {spec.name} are at least so many; not counted: {facts.uncounted}"


def _some(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + rest
