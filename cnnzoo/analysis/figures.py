"""Everything there is to say about a network in numbers, from the records or measured at need.

Imports no framework: the built-in networks' figures are on file. Only a network that a user or a
plugin registered has to be built, once, without weights.
"""

from __future__ import annotations

from functools import cache

from cnnzoo.catalogue import weights
from cnnzoo.catalogue.facts import Facts, form_key, recorded
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.lookup import resolve


def facts_of(spec: ModelSpec, options: dict[str, bool | str] | None = None) -> Facts:
    """The counted figures of a network, or of the form of it that ``options`` make."""
    key = form_key(spec.name, options or {})
    if spec.origin == "cnnzoo" and key in recorded():
        return recorded()[key]
    return _measured(spec, tuple(sorted((options or {}).items())))


def published(spec: ModelSpec) -> weights.WeightsEntry | None:
    """The weight file whose published accuracy stands for the network: the default one."""
    for entry in weights.list_weights(spec.name):
        if entry.part == "full" and entry.top1 is not None:
            return entry
    return None


@cache
def _measured(spec: ModelSpec, options: tuple[tuple[str, bool | str], ...]) -> Facts:
    sketch = resolve("cnnzoo.analysis.measure:sketch")
    facts: Facts = resolve("cnnzoo.analysis.measure:measure")(sketch(spec, **dict(options)))
    return facts
