"""One self-contained HTML page about a run: figures, curves, errors, and how to do it again."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from cnnzoo import units
from cnnzoo.training import charts, gallery, grids
from cnnzoo.training.data.dataset import Part
from cnnzoo.training.metrics import confusion_matrix
from cnnzoo.training.pages import fill
from cnnzoo.view import View

CLASSES_SHOWN = 100  # rows of the table of classes
Pairs = list[tuple[str, Any]]


def render(
    config: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, Any],
    test: Part,
    probabilities: np.ndarray,
    *,
    model: keras.Model | None = None,
    augmented: np.ndarray | None = None,
    view: View | None = None,
) -> str:
    """The page as text, from what the run directory holds and the predictions themselves.

    Args:
        config: As in config.json. ``recipe``, a mapping that may hold mappings, is shown beside
            ``arguments`` if there is one.
        history: One row per epoch; empty for a network that was only measured. A ``phase`` that
            changes is marked in the curves, an ``ema_val_accuracy`` is drawn.
        metrics: As in metrics.json.
        test: The images that were measured.
        probabilities: (N, classes), the answers.
        model: The network, taking pixels 0 to 255, for Grad-CAM; without it there is none.
        augmented: (rows, columns, H, W, C) uint8: in every row a training image as it is, then
            as it was shown in training.
        view: How images become the network's input; squeezed into it unless given.
    """
    looker = None
    if model is not None:
        looker = (model, view or View(*model.input_shape[1:]))
    names = metrics["class_names"]
    matrix = confusion_matrix(test.labels, probabilities.argmax(axis=1), len(names))
    mistakes, reason = gallery.mistakes(test, probabilities, names, looker=looker)
    return fill(
        "report.html.j2",
        config=config,
        metrics=metrics,
        measured=_measured(config),
        changed=bool(config.get("recipe", {}).get("augment")),
        headline=_headline(config, history, metrics),
        curves=_curves(history, metrics),
        chart=charts,
        grid=grids,
        heat_map=grids.heat_map(matrix, names),
        reliability=grids.reliability(metrics["calibration"]),
        classes=_classes(metrics["per_class"]),
        confusions=gallery.confusions(test, probabilities, names),
        mistakes=mistakes,
        no_heat=reason,
        sheet=[] if augmented is None else gallery.sheet(augmented),
        settings=_settings(config, history, metrics),
        dash=units.DASH,
    )


def _measured(config: Mapping[str, Any]) -> str:
    """What the images that were measured are called."""
    part = str(config["data"].get("part", "test"))
    return {"train": "training", "all": "overall"}.get(part, part)


def _headline(
    config: Mapping[str, Any], history: Sequence[Any], metrics: Mapping[str, Any]
) -> list[tuple[str, str, str]]:
    """Name, figure and a small remark."""
    figures = [
        (
            "misclassified",
            units.grouped(metrics["misclassified"]),
            f"of {metrics['test_images']:,}",
        )
    ]
    if (top5 := metrics["top5_accuracy"]) is not None:
        figures.append(("top-5 accuracy", units.percent(top5), ""))
    error = metrics["calibration"]["expected_calibration_error"]
    figures += [
        ("calibration error", units.percent(error), ""),
        ("loss", f"{metrics['test_loss']:.4f}", ""),
        ("parameters", units.grouped(config["network"]["parameters"]), ""),
    ]
    if history:
        figures += [
            ("best epoch", str(metrics["best_epoch"]), f"of {metrics['epochs']}"),
            ("training time", units.duration(metrics["seconds"]), ""),
            ("training images", units.grouped(config["data"]["training_images"]), ""),
        ]
    return figures


def _curves(history: Sequence[Mapping[str, Any]], metrics: Mapping[str, Any]) -> list[charts.Chart]:
    if not history:
        return []
    best = metrics["best_epoch"]
    found = [
        charts.curves(history, "loss", "Loss", best, share=False),
        charts.curves(history, "accuracy", "Accuracy", best, share=True),
    ]
    if "learning_rate" in history[0]:
        found.append(charts.rates(history, best))
    return found


def _classes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All, or of very many those with the lowest F1."""
    if len(rows) <= CLASSES_SHOWN:
        return rows
    told = [row for row in rows if row["f1"] is not None]
    return sorted(told, key=lambda row: row["f1"])[:CLASSES_SHOWN]


def _settings(
    config: Mapping[str, Any], history: Sequence[Mapping[str, Any]], metrics: Mapping[str, Any]
) -> list[tuple[str, Pairs]]:
    """Everything that decided the result, in groups."""
    data = config["data"]
    held: Pairs = [("source", data["source"])]
    for part in ("training", "validation", "test"):
        if (count := data.get(f"{part}_images")) is not None:
            held.append((part, units.grouped(count)))
    held.append(("classes", units.grouped(len(data["class_names"]))))
    timing: Pairs = [("training" if history else "measuring", units.duration(metrics["seconds"]))]
    if history and "seconds" in history[0]:
        seconds = statistics.median(row["seconds"] for row in history)
        timing.append(("epoch, median", units.duration(seconds)))
        waiting = statistics.median(row["waiting"] for row in history)
        timing.append(("waiting for images", units.percent(waiting, 1)))
    groups = [
        ("Data", held),
        ("Recipe", list(_flat(config.get("recipe", {})))),
        ("Arguments", list(_flat(config["arguments"]))),
        ("Timing", timing),
        ("Versions", list(_flat(config["versions"]))),
        ("Hardware", list(_flat(config["hardware"]))),
    ]
    return [(title, pairs) for title, pairs in groups if pairs]


def _flat(values: Mapping[str, Any], under: str = "") -> Iterator[tuple[str, Any]]:
    """Mappings in mappings as one list, written as one would write them down."""
    for key, value in values.items():
        name = f"{under}{key.replace('_', ' ')}"
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{name}: ")
        elif isinstance(value, list | tuple):
            sign = " × " if key.endswith("shape") else ", "
            yield name, sign.join(map(str, value)) or units.DASH
        elif isinstance(value, float):
            yield name, f"{value:g}"
        else:
            yield name, units.DASH if value in (None, "", {}) else value
