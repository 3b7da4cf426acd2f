"""What a classifier got right and wrong, from labels and probabilities."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

_TINY = 1e-7  # a probability of 0 would make the loss infinite


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """(classes, classes) counts; rows are true classes, columns predicted ones."""
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


def score(
    labels: np.ndarray, probabilities: np.ndarray, class_names: tuple[str, ...]
) -> dict[str, Any]:
    """Accuracy, cross-entropy (natural logarithm), counts and per-class figures, ready for JSON.

    Args:
        labels: (N,) class numbers.
        probabilities: (N, classes), each row adding up to 1.
    """
    predicted = probabilities.argmax(axis=1)
    matrix = confusion_matrix(labels, predicted, len(class_names))
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    wrong = int((predicted != labels).sum())
    return {
        "test_accuracy": 1 - wrong / len(labels),
        "test_accuracy_interval": wilson_interval(len(labels) - wrong, len(labels)),
        "test_loss": float(-np.log(np.maximum(of_truth, _TINY)).mean()),
        "misclassified": wrong,
        "test_images": len(labels),
        "per_class": per_class(matrix, class_names),
        "confusion_matrix": matrix.tolist(),
        "class_names": list(class_names),
    }


def per_class(matrix: np.ndarray, class_names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Precision, recall, F1 and number of test images of every class.

    A figure whose denominator is 0 (nothing predicted, or no test image) is None.
    """
    rows = []
    for label, name in enumerate(class_names):
        hits = int(matrix[label, label])
        predicted, support = int(matrix[:, label].sum()), int(matrix[label].sum())
        rows.append(
            {
                "class": name,
                "precision": _ratio(hits, predicted),
                "recall": _ratio(hits, support),
                "f1": _ratio(2 * hits, predicted + support),
                "support": support,
            }
        )
    return rows


def wilson_interval(hits: int, trials: int, z: float = 1.96) -> list[float]:
    """Where the true rate lies, with 95 % confidence, after ``hits`` in ``trials``.

    E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", 1927.
    """
    rate, weight = hits / trials, z * z / trials
    middle = (rate + weight / 2) / (1 + weight)
    reach = z * math.sqrt(rate * (1 - rate) / trials + weight / (4 * trials)) / (1 + weight)
    return [max(0.0, middle - reach), min(1.0, middle + reach)]


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
