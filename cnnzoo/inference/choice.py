"""Which network somebody means; needs no framework, so that a wrong word is answered at once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.catalogue.weights import WeightsEntry, get_weights, list_weights
from cnnzoo.errors import DataError, UsageError
from cnnzoo.pictures import printable

CONFIG, MODEL = "config.json", "model.keras"  # of a run of fine-tuning


def check(what: str, weights: str | None, options: dict[str, Any]) -> None:
    """Refuse, before a framework is needed, what no classifier can be made of."""
    if is_run(what):
        read_config(Path(what))
        return
    spec = get_spec(what)
    spec.choose(options)
    if weights is None or not is_path(weights):
        entry_for(spec, weights)


def is_run(what: str) -> bool:
    """Whether this is the folder of a run rather than the name of a network."""
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


def read_config(folder: Path) -> dict[str, Any]:
    try:
        config: dict[str, Any] = json.loads((folder / CONFIG).read_text("utf-8"))
        height, width, channels = config["arguments"]["input_shape"]
        if not config["data"]["class_names"] or channels not in (1, 3) or min(height, width) < 1:
            raise ValueError("no classes or no shape")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{printable(folder)} is no run of cnnzoo finetune ({type(error).__name__}: {error}). "
            f"Such a folder holds {CONFIG} and {MODEL}."
        ) from error
    return config
