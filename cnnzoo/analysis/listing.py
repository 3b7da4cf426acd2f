"""What networks there are. Imports no framework."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from cnnzoo.analysis.columns import get_column
from cnnzoo.analysis.figures import facts_of
from cnnzoo.catalogue.registry import all_specs
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import UsageError


def list_models(
    pattern: str = "*",
    *,
    exclude: str | Iterable[str] | None = None,
    family: str | None = None,
    max_params: int | None = None,
    sort: str = "year",
) -> list[str]:
    """Names of the networks, your own and plugins' included.

    Args:
        pattern: Shell wildcards, ``"inception*"``; case does not matter.
        exclude: One pattern or several whose networks are left out.
        family: ``"resnet"``, ``"inception"``, ``"vgg"``, …
        max_params: At most so many parameters, batch-norm statistics included.
        sort: Column to sort by, ties by name; networks without a value come last.

    Raises:
        UsageError: An argument cannot work, for example a family that does not exist.
    """
    specs = list(all_specs().values())
    excluded = [exclude] if isinstance(exclude, str) else list(exclude or ())
    specs = [s for s in specs if _matches(s.name, pattern)]
    specs = [s for s in specs if not any(_matches(s.name, other) for other in excluded)]
    if family is not None:
        families = sorted({spec.family for spec in all_specs().values()})
        if family not in families:
            raise UsageError(f"family={family!r} is unknown. Families: {', '.join(families)}.")
        specs = [s for s in specs if s.family == family]
    if max_params is not None:
        if (
            isinstance(max_params, bool)
            or not isinstance(max_params, int | float)
            or max_params < 1
        ):
            raise UsageError(f"max_params={max_params!r} is not a number of parameters from 1.")
        specs = [s for s in specs if facts_of(s).total_params <= max_params]
    column = get_column(sort)

    def key(spec: ModelSpec) -> tuple[Any, ...]:
        value = column.value(spec)
        return value is None, value if value is not None else 0, spec.name

    if column.key == "year":  # within a year the built-in order, which is that of publication
        order = {spec.name: i for i, spec in enumerate(specs)}
        return [s.name for s in sorted(specs, key=lambda s: (not s.year, s.year, order[s.name]))]
    return [spec.name for spec in sorted(specs, key=key)]


def _matches(name: str, pattern: str) -> bool:
    if not isinstance(pattern, str):
        raise UsageError(f"{pattern!r} is not a pattern of names such as 'inception*'.")
    return fnmatchcase(name.lower(), pattern.lower())
