"""A run as it lies on the disk, finished or not; read without a framework."""

from __future__ import annotations

import csv
import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnzoo.catalogue.recipes import ALIASES
from cnnzoo.errors import DataError, UsageError
from cnnzoo.runfiles import CONFIG, HISTORY, METRICS, is_run, read_config
from cnnzoo.units import DASH

Row = tuple[str, tuple[str, ...]]
SHORT = {field: alias for alias, field in ALIASES.items()}  # as one types it after --set
_NO_SETTING = ("network", "seed", "epochs")  # of the arguments: they are figures of every run


@dataclass(frozen=True, slots=True)
class StoredRun:
    """What a folder says of its run; ``None`` where nothing is known (yet).

    Attributes:
        letter: By which the others and the curves call it.
        epochs: As planned; ``len(history)`` are done.
        finished: The test part was measured.
        fingerprint: Of all images and labels.
        seconds: Of training.
        images_per_second: The median of the epochs.
        validation: "split", or "test" where the test part was measured after every epoch.
        settings: Everything that was told to it, name -> text.
        history: One row per finished epoch.
    """

    letter: str
    name: str
    path: Path
    network: str
    parameters: int | None
    data: str
    fingerprint: str | None
    recipe: str
    seed: int
    finished: bool
    epochs: int | None
    best_epoch: int | None
    test_accuracy: float | None
    test_accuracy_interval: tuple[float, float] | None
    misclassified: int | None
    test_images: int | None
    validation_accuracy: float | None
    seconds: float | None
    images_per_second: float | None
    validation: str
    settings: Mapping[str, str]
    history: Sequence[Mapping[str, Any]]


def read_run(path: Path, letter: str, name: str) -> StoredRun:
    """What lies in a folder.

    Raises:
        UsageError: It holds no run.
        DataError: A file of the run is damaged.
    """
    if not is_run(path):
        raise UsageError(
            f"{str(path)!r} holds no run: it has no config.json that 'cnnzoo finetune' wrote. Give "
            "the folder that a run wrote into."
        )
    try:
        metrics, history = _metrics(path / METRICS), _history(path / HISTORY)
        return _stored(path, letter, name, read_config(path), metrics, history)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise DataError(
            f"The run in {path} cannot be read ({type(error).__name__}: {error}): {CONFIG}, "
            f"{METRICS} or {HISTORY} is damaged."
        ) from error


def _metrics(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _history(path: Path) -> list[dict[str, Any]]:
    """The epochs so far, numbers as numbers."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            {key: _number(key, text) for key, text in row.items()} for row in csv.DictReader(file)
        ]


def _number(key: str, text: str) -> Any:
    if key == "phase":
        return text
    if text == "":
        return None
    if key == "epoch":
        return int(text)
    number = float(text)
    return number if math.isfinite(number) else None


def _stored(
    path: Path,
    letter: str,
    name: str,
    config: Mapping[str, Any],
    metrics: Mapping[str, Any] | None,
    history: Sequence[Mapping[str, Any]],
) -> StoredRun:
    data, network, arguments = config["data"], config["network"], config["arguments"]
    recipe = config.get("recipe", {})
    told = metrics or {}
    best = _best(history, recipe)
    interval = told.get("test_accuracy_interval")
    return StoredRun(
        letter=letter,
        name=name,
        path=path,
        network=arguments["network"],
        parameters=network.get("parameters"),
        data=data["name"],
        fingerprint=data.get("fingerprint"),
        recipe=recipe.get("name", ""),
        seed=config["seed"],
        finished=metrics is not None,
        epochs=recipe.get("epochs", arguments.get("epochs")),
        best_epoch=told.get("best_epoch", best.get("epoch")),
        test_accuracy=told.get("test_accuracy"),
        test_accuracy_interval=None if interval is None else (interval[0], interval[1]),
        misclassified=told.get("misclassified"),
        test_images=data.get("test_images"),
        validation_accuracy=told.get("validation_accuracy", best.get("val_accuracy")),
        seconds=told.get("seconds", _sum(history)),
        images_per_second=_speed(history, data.get("training_images")),
        validation=recipe.get("validation", "split"),
        settings=dict(_settings(config)),
        history=history,
    )


def _best(history: Sequence[Mapping[str, Any]], recipe: Mapping[str, Any]) -> Mapping[str, Any]:
    """The row by which an unfinished run would be judged, as the loop chooses it."""
    if not history:
        return {}
    if recipe.get("tested") == "last":
        return history[-1]
    rows = [row for row in history if row["val_loss"] is not None]
    return max(rows, key=lambda row: (row["val_accuracy"], -row["val_loss"]), default={})


def _sum(history: Sequence[Mapping[str, Any]]) -> float | None:
    return round(sum(row["seconds"] for row in history), 3) if history else None


def _speed(history: Sequence[Mapping[str, Any]], images: int | None) -> float | None:
    """Images learnt from in a second, the median of the epochs."""
    if not history:
        return None
    if "images_per_second" in history[0]:
        return float(statistics.median(row["images_per_second"] for row in history))
    seconds = float(statistics.median(row["seconds"] for row in history))
    return images / seconds if images else None


def _settings(config: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What was told to the run, then what it ran on."""
    arguments = {k: v for k, v in config["arguments"].items() if k not in _NO_SETTING}
    recipe = {
        k: v for k, v in config.get("recipe", {}).items() if k not in ("name", "help", "source")
    }
    options = arguments.pop("options", {})
    for name, value in [*options.items(), *arguments.items(), *recipe.items()]:
        yield SHORT.get(name, name), _text(value)
    for name in ("training_images", "validation_images"):
        if name in config["data"]:
            yield name.replace("_", " "), f"{config['data'][name]:,}"
    for name, version in config["versions"].items():
        yield f"version of {name}" if name != "backend" else name, str(version)
    yield "processor", ", ".join(_devices(config["hardware"]))


def _devices(hardware: Mapping[str, Any]) -> list[str]:
    return [*dict.fromkeys(hardware.get("accelerators", [])), str(hardware.get("cpu", DASH))]


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return DASH if value in (None, "") else str(value)
