from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from cnnzoo.training.metrics import (
    calibration,
    confusion_matrix,
    per_class,
    score,
    top_k,
    wilson_interval,
)

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


def test_score_agrees_with_scikit_learn() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 7, 300)
    rows = rng.dirichlet(np.ones(8), 300) + 0.7 * np.eye(8)[labels] * rng.random((300, 1))
    rows /= rows.sum(axis=1, keepdims=True)
    found, predicted = score(labels, rows, tuple("abcdefgh")), rows.argmax(axis=1)
    classes = range(8)
    assert found["test_loss"] == pytest.approx(metrics.log_loss(labels, rows, labels=classes))
    expected = metrics.top_k_accuracy_score(labels, rows, k=5, labels=classes)
    assert found["top5_accuracy"] == pytest.approx(expected)
    expected = metrics.recall_score(labels, predicted, labels=range(7), average="macro")
    assert found["balanced_accuracy"] == pytest.approx(expected)
    expected = metrics.f1_score(labels, predicted, average="macro")
    assert found["macro_f1"] == pytest.approx(expected)
    expected = np.square(rows - np.eye(8)[labels]).sum(axis=1).mean()
    assert found["brier_score"] == pytest.approx(expected)


def test_top_k_counts_ties_once() -> None:
    rows = np.full((4, 4), 0.25)
    assert top_k(np.arange(4), rows, 2) == 0.5


def test_top5_is_not_stated_for_five_classes() -> None:
    assert score(np.array([0]), np.full((1, 5), 0.2), tuple("abcde"))["top5_accuracy"] is None
    assert score(np.array([0]), np.full((1, 6), 0.2), tuple("abcdef"))["top5_accuracy"] == 1


def test_calibration_of_a_hand_made_example() -> None:
    rows = np.array([[0.9, 0.1], [0.91, 0.09], [0.6, 0.4], [0.38, 0.62]])
    found = calibration(np.array([0, 1, 0, 0]), rows, bins=10)
    # In (0.8, 0.9] one right answer of 0.9; in (0.9, 1] one wrong of 0.91; in (0.5, 0.6] one
    # right of 0.6; in (0.6, 0.7] one wrong of 0.62.
    assert found["expected_calibration_error"] == pytest.approx((0.1 + 0.91 + 0.4 + 0.62) / 4)
    assert found["mean_confidence"] == pytest.approx((0.9 + 0.91 + 0.6 + 0.62) / 4)
    assert [row["count"] for row in found["bins"]] == [0, 0, 0, 0, 0, 1, 1, 0, 1, 1]
    assert found["bins"][6] == {
        "from": 0.6, "to": 0.7, "count": 1, "confidence": 0.62, "accuracy": 0.0
    }  # fmt: skip
    assert found["bins"][0]["accuracy"] is None


def test_calibration_averages_within_a_bin_before_it_compares() -> None:
    rows = np.tile([[0.75, 0.25]], (4, 1))
    found = calibration(np.array([0, 0, 0, 1]), rows)
    assert found["expected_calibration_error"] == pytest.approx(0)
    assert len(found["bins"]) == 15
    certain = calibration(np.array([1, 0]), np.array([[1.0, 0.0], [1.0, 0.0]]))
    assert certain["bins"][-1]["count"] == 2
    assert certain["expected_calibration_error"] == 0.5


def test_the_matrix_of_a_thousand_classes_is_left_out() -> None:
    names = tuple(map(str, range(1000)))
    found = score(np.array([3, 4]), np.eye(1000)[[3, 5]], names)
    assert found["confusion_matrix"] is None
    assert found["test_accuracy"] == 0.5
