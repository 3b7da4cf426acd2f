from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from cnnzoo.training.metrics import confusion_matrix, per_class, score, wilson_interval

TRUE = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = [0, 0, 1, 1, 1, 1]


def test_confusion_matrix_has_true_classes_in_rows() -> None:
    matrix = confusion_matrix(TRUE, np.array(PREDICTED), 4)
    assert matrix.tolist() == [[2, 1, 0, 0], [0, 2, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


def test_per_class_agrees_with_the_definitions() -> None:
    zero, one, two, three = per_class(
        confusion_matrix(TRUE, np.array(PREDICTED), 4), ("a", "b", "c", "d")
    )
    assert zero == {"class": "a", "precision": 1.0, "recall": 2 / 3, "f1": 0.8, "support": 3}
    assert one == {"class": "b", "precision": 0.5, "recall": 1.0, "f1": 2 / 3, "support": 2}
    assert two == {"class": "c", "precision": None, "recall": 0.0, "f1": 0.0, "support": 1}
    assert three == {"class": "d", "precision": None, "recall": None, "f1": None, "support": 0}


def test_score_counts_the_errors(probabilities: Callable[..., np.ndarray]) -> None:
    metrics = score(TRUE, probabilities(PREDICTED, [0.8] * 6, 3), ("a", "b", "c"))
    assert metrics["misclassified"] == 2
    assert metrics["test_images"] == 6
    assert metrics["test_accuracy"] == pytest.approx(4 / 6)
    assert metrics["test_loss"] == pytest.approx(-(4 * math.log(0.8) + 2 * math.log(0.1)) / 6)


def test_score_stays_finite_when_the_truth_got_no_probability() -> None:
    metrics = score(np.array([0, 1]), np.array([[0.0, 1.0], [0.0, 1.0]]), ("a", "b"))
    assert metrics["test_loss"] == pytest.approx(-math.log(1e-7) / 2)


def test_wilson_interval_agrees_with_a_published_example() -> None:
    # Newcombe, Statistics in Medicine 17 (1998), Table I: 81 of 263.
    assert wilson_interval(81, 263) == pytest.approx([0.2553, 0.3662], abs=1e-4)


def test_wilson_interval_of_a_perfect_result_does_not_claim_certainty() -> None:
    low, high = wilson_interval(30, 30)
    assert low < 0.9
    assert high == pytest.approx(1.0)
