"""Which network somebody means; needs no framework, so that a wrong word is answered at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.catalogue.weights import WeightsEntry, get_weights, list_weights
from cnnzoo.errors import UsageError
from cnnzoo.runfiles import CONFIG, no_run, read_config


def check(what: str, weights: str | None, options: dict[str, Any]) -> None:
    """Refuse, before a framework is needed, what no classifier can be made of."""
    if means_run(what):
        config_of(Path(what))
        return
    spec = get_spec(what)
    spec.choose(options)
    if weights is None or not is_path(weights):
        entry_for(spec, weights)


def means_run(what: str) -> bool:
    """Whether somebody means the folder of a run rather than the name of a network."""
    path = Path(what)
    return path.is_dir() and ((path / CONFIG).exists() or "/" in what)


def is_path(weights: str) -> bool:
    return bool(Path(weights).suffix) or "/" in weights


def entry_for(spec: ModelSpec, tag: str | None) -> WeightsEntry:
    """The published file that ``tag`` means; the network's first one when none is named."""
    if tag is not None:
        return get_weights(spec.name, tag)
    for entry in list_weights(spec.name):
        if entry.part == "full":
            return entry
    raise UsageError(
        f"{spec.name} has no public weights, and an untrained network knows nothing. Give "
        "weights=PATH, or the folder of a run of cnnzoo finetune."
    )


def config_of(folder: Path) -> dict[str, Any]:
    """What a run was told, among it the shape of its images and what it tells apart.

    Raises:
        DataError: The folder is no run, or one that no classifier can be made of.
    """
    config = read_config(folder)
    try:
        height, width, channels = config["arguments"]["input_shape"]
        if not config["data"]["class_names"] or channels not in (1, 3) or min(height, width) < 1:
            raise ValueError("no classes or no shape")
    except (ValueError, KeyError, TypeError) as error:
        raise no_run(folder, error) from error
    return config
