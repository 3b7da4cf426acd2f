from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier

from cnnzoo.errors import UsageError
from cnnzoo.training.probe import classifiers
from cnnzoo.training.probe.classifiers import Dense, Neighbours, merits, softmax
from cnnzoo.training.probe.samples import unit

RNG = np.random.default_rng(0)
KNOWN = unit(RNG.normal(size=(40, 5)).astype("float32"))
LABELS = RNG.integers(0, 3, 40)
ASKED = RNG.normal(size=(15, 5)).astype("float32")


@pytest.mark.parametrize("at_once", [1, 2**26])
def test_neighbours_are_those_of_scikit_learn(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(classifiers, "SIMILARITIES", at_once)
    weights = lambda far: np.exp(-far / classifiers.TEMPERATURE)  # noqa: E731
    other = KNeighborsClassifier(7, metric="cosine", weights=weights).fit(KNOWN, LABELS)
    found = Neighbours(KNOWN, LABELS, 3, 7)(ASKED)
    np.testing.assert_allclose(found, other.predict_proba(ASKED), atol=1e-4)


def test_one_look_gives_the_votes_of_every_count() -> None:
    many = Neighbours(KNOWN, LABELS, 3, 1).votes(ASKED, (1, 4))
    for votes, k in zip(many, (1, 4), strict=True):
        np.testing.assert_allclose(votes, Neighbours(KNOWN, LABELS, 3, k)(ASKED), rtol=1e-5)


def test_neighbours_are_no_layers_and_say_what_to_use() -> None:
    with pytest.raises(UsageError, match=r"no layers.*head='linear' or head='mlp'"):
        Neighbours(KNOWN, LABELS, 3, 1).layers()


def test_dense_layers_have_relu_between_them() -> None:
    hidden = np.array([[1.0, -1.0]]), np.array([0.0, 0.5])
    last = np.array([[1.0, 0.0], [0.0, 1.0]]), np.zeros(2)
    found = Dense({"head_hidden": hidden, "predictions": last})(np.array([[2.0]]))
    np.testing.assert_allclose(found, softmax(np.array([[2.0, 0.0]])))


def test_softmax_survives_large_numbers() -> None:
    np.testing.assert_allclose(softmax(np.array([[1e4, 0.0]], "float32")), [[1, 0]])


def test_merits_are_accuracy_then_the_probability_of_the_truth() -> None:
    found = merits(np.array([[0.9, 0.1], [0.6, 0.4]]), np.array([0, 1]))
    assert found == pytest.approx((0.5, (np.log(0.9) + np.log(0.4)) / 2))
