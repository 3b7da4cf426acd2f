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


def facts_at(spec: ModelSpec, size: tuple[int, int]) -> Facts | None:
    """The figures of the network built for images of ``size``, height and width.

    ``None`` where the network needs larger ones. Imports Keras; remembers what it measured.
    """
    if min(size) < spec.min_size_for(spec.choose({})):
        return None
    return _measured_at(spec, *size)


def published(spec: ModelSpec) -> weights.WeightsEntry | None:
    """The weight file whose published ImageNet accuracy stands for the network: the default one.

    Accuracies on other datasets are no match for it and stand for nothing here.
    """
    for entry in weights.list_weights(spec.name):
        ranked = entry.part == "full" and entry.dataset == "ImageNet-1k"
        if ranked and entry.top1 is not None:
            return entry
    return None


@cache
def _measured(spec: ModelSpec, options: tuple[tuple[str, bool | str], ...]) -> Facts:
    sketch = resolve("cnnzoo.analysis.measure:sketch")
    facts: Facts = resolve("cnnzoo.analysis.measure:measure")(sketch(spec, **dict(options)))
    return facts


@cache
def _measured_at(spec: ModelSpec, height: int, width: int) -> Facts:
    facts: Facts = resolve("cnnzoo.analysis.measure:measure_at")(spec, height, width)
    return facts
