"""One self-contained HTML page about a run: figures, curves, errors, and how to do it again."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from cnnzoo import units
from cnnzoo.pictures import picture
from cnnzoo.training import charts
from cnnzoo.training.datasets import Part

GALLERY = 60  # at most so many misclassified images are shown
_THUMBNAIL = 96  # pixels of the longer side


@dataclass(frozen=True, slots=True)
class Mistake:
    """A misclassified test image."""

    row: int  # its number in the test part
    image: str  # data URI
    small: bool  # few pixels, shown as squares
    true: str
    predicted: str
    probability: float  # of the predicted class
    of_true: float  # of the true class


def render(
    config: Mapping[str, Any],
    history: Sequence[Mapping[str, Any]],
    metrics: Mapping[str, Any],
    test: Part,
    probabilities: np.ndarray,
) -> str:
    """The page as text, from what the run directory holds and the predictions themselves."""
    best = metrics["best_epoch"]
    environment = Environment(
        loader=PackageLoader("cnnzoo", "training"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": units.percent,
        "duration": units.duration,
        "grouped": units.grouped,
    }
    return environment.get_template("report.html.j2").render(
        config=config,
        arguments=_readable(config["arguments"]),
        metrics=metrics,
        curves=[
            charts.curves(history, "loss", "Loss", best, share=False),
            charts.curves(history, "accuracy", "Accuracy", best, share=True),
        ],
        chart=charts,
        heat_map=charts.heat_map(metrics["confusion_matrix"], metrics["class_names"]),
        confusions=confusions(metrics["confusion_matrix"], metrics["class_names"]),
        mistakes=mistakes(test, probabilities, metrics["class_names"]),
        dash=units.DASH,
    )


def mistakes(
    test: Part, probabilities: np.ndarray, class_names: Sequence[str], most: int = GALLERY
) -> list[Mistake]:
    """The misclassified images the network was surest of, surest first."""
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != test.labels)
    sure = probabilities[wrong, predicted[wrong]]
    found = []
    for row in wrong[np.argsort(-sure, kind="stable")][:most]:
        thumbnail = picture(test.images, row, (_THUMBNAIL, _THUMBNAIL))
        thumbnail.thumbnail((_THUMBNAIL, _THUMBNAIL))
        file = io.BytesIO()
        thumbnail.save(file, "PNG", optimize=True)
        found.append(
            Mistake(
                row=int(row),
                image=f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}",
                small=max(thumbnail.size) < _THUMBNAIL // 2,
                true=class_names[test.labels[row]],
                predicted=class_names[predicted[row]],
                probability=float(probabilities[row, predicted[row]]),
                of_true=float(probabilities[row, test.labels[row]]),
            )
        )
    return found


def confusions(
    matrix: Sequence[Sequence[int]], class_names: Sequence[str], most: int = 8
) -> list[tuple[str, str, int]]:
    """The pairs of true and predicted class mistaken most often, with their counts."""
    pairs = [
        (class_names[row], class_names[column], count)
        for row, counts in enumerate(matrix)
        for column, count in enumerate(counts)
        if count and row != column
    ]
    return sorted(pairs, key=lambda pair: -pair[2])[:most]


def _readable(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments as one would write them down."""
    options = ", ".join(f"{name}={value}" for name, value in arguments["options"].items())
    shape = " × ".join(map(str, arguments["input_shape"]))
    return {**arguments, "options": options, "input_shape": shape}
