from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

from cnnzoo.training.probe import heads
from cnnzoo.training.probe.classifiers import Dense, judge
from cnnzoo.training.probe.heads import LEARN, folded
from cnnzoo.training.probe.samples import Samples

RNG = np.random.default_rng(0)
MIDDLES = 3 * RNG.normal(size=(3, 6))


def _samples(count: int, seed: int, classes: int = 3) -> Samples:
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    vectors = MIDDLES[labels] + rng.normal(size=(count, 6))
    vectors = (vectors * [1, 10, 100, 1, 1, 0.01] + 50).astype("float32")
    return Samples((vectors,), np.arange(count), labels)


TRAINING, VALIDATION = _samples(90, 1), _samples(30, 2)


@pytest.mark.parametrize("name", LEARN)
def test_a_head_learns_what_can_be_learnt(name: str) -> None:
    fitted = LEARN[name](TRAINING, VALIDATION, 3, 0)
    assert fitted.validation == judge(fitted.classifier, VALIDATION)[0]
    least = 0.6 if name == "knn" else 0.9  # lengths say nothing to the cosine
    assert judge(fitted.classifier, _samples(60, 3))[0] > least


def test_the_linear_head_is_the_least_of_its_loss() -> None:
    """No small step in any direction is cheaper: mean cross-entropy + l2 / 2 * |weights|^2."""
    fitted = LEARN["linear"](TRAINING, VALIDATION, 3, 0)
    mean, scale = TRAINING.statistics()
    x = keras.ops.convert_to_tensor(np.array(TRAINING.scaled(mean, scale)))
    kernel, bias = fitted.classifier.layers()["predictions"]
    own = kernel * scale[:, None]
    at_zero = bias + mean @ kernel

    def loss(weights: np.ndarray, biases: np.ndarray) -> float:
        found = Dense({"predictions": (weights, biases)})(np.asarray(x))
        of_truth = found[np.arange(90), TRAINING.labels]
        return float(-np.log(of_truth).mean() + fitted.chosen["l2"] / 2 * (weights**2).sum())

    least = loss(own, at_zero)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        moved = loss(own + rng.normal(0, 0.1, own.shape), at_zero + rng.normal(0, 0.1, 3))
        assert moved > least


def test_validation_chooses_the_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    worth = {1e-1: 0.5, 1e-2: 0.7, 1e-3: 0.9, 1e-4: 0.8}
    values = iter(worth.values())
    monkeypatch.setattr(heads, "judge", lambda *_: (next(values), 0.0))
    fitted = LEARN["linear"](TRAINING, VALIDATION, 3, 0)
    assert (fitted.chosen, fitted.validation) == ({"l2": 1e-3}, 0.9)


@pytest.mark.parametrize("name", ["linear", "knn"])
def test_a_class_without_training_images_is_never_the_answer(name: str) -> None:
    fitted = LEARN[name](TRAINING, VALIDATION, 5, 0)
    answers = fitted.classifier(TRAINING.views[0])
    assert answers.shape == (90, 5)
    assert answers[:, 3:].max() < 1e-6


def test_two_classes_are_told_apart() -> None:
    two = _samples(60, 1, classes=2)
    fitted = LEARN["linear"](two, _samples(20, 2, classes=2), 2, 0)
    assert judge(fitted.classifier, two)[0] > 0.9


def test_the_hidden_layer_learns_the_same_by_the_same_seed() -> None:
    before = np.random.get_state()[1][:3].tolist()
    one, two, other = (LEARN["mlp"](TRAINING, VALIDATION, 3, seed) for seed in (0, 0, 1))
    kernels = [found.classifier.layers()["head_hidden"][0] for found in (one, two, other)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.array_equal(kernels[0], kernels[2])
    assert np.random.get_state()[1][:3].tolist() == before


def test_several_views_are_several_samples() -> None:
    turned = TRAINING.views[0][::-1].copy()
    both = Samples((TRAINING.views[0], turned), TRAINING.rows, TRAINING.labels)
    fitted = LEARN["knn"](both, VALIDATION, 3, 0)
    assert len(fitted.classifier.known) == 180  # type: ignore[attr-defined]


def test_a_folded_layer_answers_to_features_as_they_are() -> None:
    rng = np.random.default_rng(0)
    x, kernel, bias = rng.normal(size=(4, 6)), rng.normal(size=(6, 3)), rng.normal(size=3)
    mean, scale = rng.normal(size=6), rng.uniform(1, 5, 6)
    inside, at_zero = folded(kernel, bias, mean, scale)
    np.testing.assert_allclose(x @ inside + at_zero, (x - mean) / scale @ kernel + bias, atol=1e-5)


def test_small_work_is_done_by_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    import threadpoolctl

    def threads() -> set[Any]:
        return {pool["num_threads"] for pool in threadpoolctl.threadpool_info()}

    before = threads()
    with heads.threads_for(TRAINING, 3):
        assert threads() == {1}
    assert threads() == before
    monkeypatch.setattr(heads, "SMALL", 0)
    with heads.threads_for(TRAINING, 3):
        assert threads() == before
