"""What a probe is asked for, checked before Keras is loaded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from cnnzoo.errors import UsageError
from cnnzoo.lookup import pick
from cnnzoo.training.probe.backbones import Backbone, find_backbone

HEADS = {
    "linear": "one dense layer on standardised features",
    "mlp": "a hidden layer of 256 units before it",
    "knn": "nearest neighbours by cosine; not layers",
}
MOST_VIEWS = 100


@dataclass(frozen=True, slots=True)
class Settings:
    """The networks, the heads, and how many changed views of every training image."""

    backbones: tuple[Backbone, ...]
    heads: tuple[str, ...]
    views: int


def make_settings(
    architecture: Any,
    *,
    weights: Any = None,
    head: str | Iterable[str] = "linear",
    views: int = 0,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Settings:
    """The arguments of ``probe``, each checked.

    Raises:
        UnknownNameError: No network, weights or head are called so.
        UnknownOptionError: A network has no such option.
        UsageError: An argument cannot work; the message names what would.
    """
    several = architecture if isinstance(architecture, list | tuple) else [architecture]
    if not several:
        raise UsageError("There is no network to probe. Give at least one: cnnzoo list")
    names = [head] if isinstance(head, str) else list(head)
    if not names:
        raise UsageError(f"There is no head. Use one or more of: {', '.join(HEADS)}.")
    table = {name: name for name in HEADS}
    heads = tuple(dict.fromkeys(pick(table, name, kind="head") for name in names))
    whole = isinstance(views, int) and not isinstance(views, bool)
    if not whole or not 0 <= views <= MOST_VIEWS:
        raise UsageError(
            f"views={views!r} cannot be. Use a whole number from 0 to {MOST_VIEWS}: so often is "
            "every training image shown changed, beside as it is."
        )
    return Settings(
        tuple(find_backbone(what, weights, options, seed) for what in several), heads, views
    )
