"""Heads on vectors: a linear one, one with a hidden layer, and nearest neighbours.

Each kind is a function ``(training, validation, classes, seed) -> Fitted``: the validation samples
choose between settings, the test samples are not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from cnnzoo.errors import UsageError
from cnnzoo.training.probe.samples import Samples, unit

# What a linear head pays for large weights: mean cross-entropy + L2 / 2 * sum of squares.
L2 = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
STEPS = 200  # of L-BFGS at most
NEIGHBOURS = (1, 3, 5, 10, 20, 50)
TEMPERATURE = 0.07  # a neighbour's vote is exp(cosine / temperature), as Wu et al. 2018
NEVER = -1e4  # bias of a class without training images
SIMILARITIES = 2**26  # numbers held at once


class Classifier(Protocol):
    """Vectors in, probabilities out."""

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """(n, F) -> (n, classes)."""

    def layers(self) -> dict[str, list[np.ndarray]]:
        """Weights by the names that ``cnnzoo.add_head`` gives to layers.

        Raises:
            UsageError: It is made of no layers.
        """


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head that has learnt.

    Attributes:
        chosen: The settings that did best on the validation samples.
        validation: Share of these that was right.
    """

    classifier: Classifier = field(repr=False)
    chosen: Mapping[str, Any]
    validation: float


@dataclass(frozen=True, slots=True)
class Dense:
    """Dense layers with ReLU between them, on vectors as they are.

    Attributes:
        weights: Kernel (F, units) and bias (units,) by the name of the layer, from below.
    """

    weights: Mapping[str, tuple[np.ndarray, np.ndarray]]

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        x = vectors
        *hidden, last = self.weights.values()
        for kernel, bias in hidden:
            x = np.maximum(x @ kernel + bias, 0)
        return softmax(x @ last[0] + last[1])

    def layers(self) -> dict[str, list[np.ndarray]]:
        return {name: list(both) for name, both in self.weights.items()}


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The ``k`` training vectors of the smallest angle vote, nearer ones more."""

    known: np.ndarray
    labels: np.ndarray
    classes: int
    k: int

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        return self.votes(vectors, (self.k,))[0]

    def votes(self, vectors: np.ndarray, counts: tuple[int, ...]) -> np.ndarray:
        """(n, F) -> (counts, n, classes), from one look at the neighbours."""
        found = np.zeros((len(counts), len(vectors), self.classes), np.float32)
        most = min(max(counts), len(self.known))
        step = max(1, SIMILARITIES // len(self.known))
        for start in range(0, len(vectors), step):
            alike = unit(vectors[start : start + step]) @ self.known.T
            nearest = np.argpartition(alike, -most, axis=1)[:, -most:]
            near = np.take_along_axis(alike, nearest, axis=1)
            order = np.argsort(-near, axis=1, kind="stable")
            nearest = np.take_along_axis(nearest, order, axis=1)
            weights = np.exp((np.take_along_axis(near, order, axis=1) - 1) / TEMPERATURE)
            rows = np.arange(len(alike))[:, None]
            for votes, k in zip(found[:, start : start + step], counts, strict=True):
                np.add.at(votes, (rows, self.labels[nearest[:, :k]]), weights[:, :k])
        total = found.sum(axis=2, keepdims=True)
        answers: np.ndarray = found / total
        return answers

    def layers(self) -> dict[str, list[np.ndarray]]:
        raise UsageError(
            "Nearest neighbours ('knn') are the training images themselves and no layers, so they "
            "cannot be put on a network. Use head='linear' or head='mlp' (--head linear)."
        )


def linear(training: Samples, validation: Samples, classes: int, seed: int) -> Fitted:
    """Logistic regression on standardised features; validation chooses how large weights may be."""
    mean, scale = training.statistics()
    known, labels = training.scaled(mean, scale), training.all_labels
    model = _regression(seed)
    best: tuple[tuple[float, float], Dense, float] | None = None
    for l2 in L2:
        found = _folded(_fit(model, known, labels, l2, classes), mean, scale)
        merits = judge(found, validation)
        if best is None or merits > best[0]:
            best = merits, found, l2
    assert best is not None
    return Fitted(best[1], {"l2": best[2]}, best[0][0])
