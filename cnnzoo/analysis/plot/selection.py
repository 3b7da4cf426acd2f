"""Which networks a picture of many shows."""

from __future__ import annotations

from collections.abc import Iterable

from cnnzoo.analysis.listing import list_models
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import UsageError


def select(models: Iterable[str] | None) -> list[ModelSpec]:
    """The networks called so, in that order; all of them, oldest first, for ``None``.

    Raises:
        UnknownNameError: A network does not exist.
        UsageError: A network is named twice.
    """
    specs = [get_spec(name) for name in (list_models() if models is None else models)]
    names = [spec.name for spec in specs]
    if len(set(names)) < len(names):
        raise UsageError(f"models={names!r} names a network twice. Name each once.")
    return specs
