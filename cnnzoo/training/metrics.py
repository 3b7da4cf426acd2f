"""What a classifier got right and wrong, from labels and probabilities."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np

MATRIX_CLASSES = 100  # a thousand classes would be a million numbers
_TINY = 1e-7  # a probability of 0 would make the loss infinite


def confusion_matrix(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """(classes, classes) counts; rows are true classes, columns predicted ones."""
    cells = np.bincount(labels * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes)


def score(
    labels: np.ndarray, probabilities: np.ndarray, class_names: tuple[str, ...]
) -> dict[str, Any]:
    """What metrics.json says about the answers, ready for JSON.

    ``test_loss`` is the cross-entropy (mean negative log-likelihood, natural logarithm),
    ``brier_score`` the mean squared distance to the one-hot truth, from 0 to 2 (G. W. Brier,
    1950). ``balanced_accuracy`` is the mean recall of the classes that occur, ``macro_f1`` the
    mean F1 of the classes that occur or were predicted. ``top5_accuracy`` is None for five
    classes or fewer, ``confusion_matrix`` is None for more than `MATRIX_CLASSES`.

    Args:
        labels: (N,) class numbers.
        probabilities: (N, classes), each row adding up to 1.
    """
    predicted = probabilities.argmax(axis=1)
    matrix = confusion_matrix(labels, predicted, len(class_names))
    of_truth = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    squares = np.square(probabilities, dtype=np.float64).sum(axis=1)
    wrong = int((predicted != labels).sum())
    rows = per_class(matrix, class_names)
    few = len(class_names) <= MATRIX_CLASSES
    return {
        "test_accuracy": 1 - wrong / len(labels),
        "test_accuracy_interval": wilson_interval(len(labels) - wrong, len(labels)),
        "top5_accuracy": top_k(labels, probabilities, 5) if len(class_names) > 5 else None,
        "balanced_accuracy": _mean(row["recall"] for row in rows),
        "macro_f1": _mean(row["f1"] for row in rows),
        "test_loss": float(-np.log(np.maximum(of_truth, _TINY)).mean()),
        "brier_score": float((squares - 2 * of_truth + 1).mean()),
        "calibration": calibration(labels, probabilities),
        "misclassified": wrong,
        "test_images": len(labels),
        "per_class": rows,
        "confusion_matrix": matrix.tolist() if few else None,
        "class_names": list(class_names),
    }


def top_k(labels: np.ndarray, probabilities: np.ndarray, k: int) -> float:
    """Share of the images whose class is among the ``k`` likeliest; of equals the first counts."""
    of_truth = np.take_along_axis(probabilities, labels[:, None], axis=1)
    before = np.arange(probabilities.shape[1]) < labels[:, None]
    ahead = (probabilities > of_truth) | ((probabilities == of_truth) & before)
    return float((ahead.sum(axis=1) < k).mean())


def calibration(labels: np.ndarray, probabilities: np.ndarray, bins: int = 15) -> dict[str, Any]:
    """Whether answers of 80 % are right in 80 of 100 cases.

    Answers are sorted by their confidence, the largest probability, into equal bins, each with
    its upper and without its lower edge. The expected calibration error is the gap between
    accuracy and mean confidence of a bin, averaged over the answers (C. Guo et al., "On
    Calibration of Modern Neural Networks", ICML 2017, equation 3; they use 15 bins).
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    edges = np.arange(1, bins) / bins
    places = np.searchsorted(edges, confidence, side="left")
    counts = np.bincount(places, minlength=bins)
    sums = np.bincount(places, confidence, bins), np.bincount(places, right, bins)
    gaps = np.abs(sums[0] - sums[1])
    rows = [
        {
            "from": i / bins,
            "to": (i + 1) / bins,
            "count": int(count),
            "confidence": _ratio(sums[0][i], count),
            "accuracy": _ratio(sums[1][i], count),
        }
        for i, count in enumerate(counts.tolist())
    ]
    return {
        "expected_calibration_error": float(gaps.sum() / len(labels)),
        "mean_confidence": float(confidence.mean()),
        "bins": rows,
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


def _ratio(part: float, whole: int) -> float | None:
    return float(part / whole) if whole else None


def _mean(figures: Iterable[float | None]) -> float:
    """Of those that are defined."""
    return float(np.mean([figure for figure in figures if figure is not None]))
