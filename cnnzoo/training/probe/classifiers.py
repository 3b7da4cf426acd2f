"""Heads that have learnt: from vectors to probabilities, and from there to layers of Keras."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from cnnzoo.errors import UsageError
from cnnzoo.training.probe.samples import Samples, unit

TEMPERATURE = 0.07  # a neighbour's vote is exp(cosine / temperature), as Wu et al. 2018
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
        found: np.ndarray = self.votes(vectors, (self.k,))[0]
        return found

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


def softmax(logits: np.ndarray) -> np.ndarray:
    """(n, classes) -> the same, positive, each row adding up to 1."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    found: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return found


def answers(classifier: Classifier, samples: Samples) -> np.ndarray:
    """(N, classes) probabilities, one row for each vector."""
    return np.concatenate([classifier(block) for block in samples.blocks()])


def judge(classifier: Classifier, samples: Samples) -> tuple[float, float]:
    """What speaks for a head: its accuracy, then the mean log-probability of the true classes."""
    return merits(answers(classifier, samples), samples.all_labels)


def merits(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """`judge`, of answers that are there already."""
    of_truth = np.maximum(probabilities[np.arange(len(labels)), labels], 1e-7)
    right = probabilities.argmax(axis=1) == labels
    return float(right.mean()), float(np.log(of_truth).mean())
