"""What the numbers of a classifier mean."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cnnzoo.catalogue.labels import DATASETS, Label, labels_of
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import UsageError
from cnnzoo.lookup import fold


class Guess(NamedTuple):
    """One class and how likely the network finds it, from 0 to 1."""

    id: str
    name: str
    probability: float


def decode_predictions(probabilities: Any, of: str, top: int = 5) -> list[list[Guess]]:
    """(N, classes) probabilities -> for each image its ``top`` classes, the likeliest first.

    Args:
        of: A network, whose dataset gives the classes, or a dataset: "ImageNet-1k", "CIFAR-10",
            "MNIST".
        top: How many; all when there are fewer.

    Raises:
        UnknownNameError: There is no such network or dataset.
        UsageError: The array is of another shape than the classes, or holds no probabilities.
    """
    known = {fold(name): name for name in DATASETS}
    dataset = known.get(fold(of)) if isinstance(of, str) else None
    labels = labels_of(dataset or get_spec(of).dataset)
    rows = np.asarray(probabilities)
    if rows.ndim != 2 or rows.shape[1] != len(labels):
        raise UsageError(
            f"Predictions of shape {rows.shape} are not (N, {len(labels)}), one number for each "
            f"class of {of}."
        )
    if (
        not np.isfinite(rows).all()
        or (rows < 0).any()
        or not np.allclose(rows.sum(1), 1, atol=1e-2)
    ):
        raise UsageError(
            "These are no probabilities: each row must hold numbers from 0 that sum to 1. For "
            "logits, take keras.ops.softmax of them first."
        )
    return [best(row, labels, top) for row in rows]


def best(row: Any, labels: tuple[Label, ...], top: int) -> list[Guess]:
    """The ``top`` classes of one row of probabilities, the likeliest first."""
    if isinstance(top, bool) or not isinstance(top, int) or top < 1:
        raise UsageError(f"top={top!r} cannot be. Use a whole number from 1.")
    order = np.argsort(-row, kind="stable")[:top]
    return [Guess(labels[i].id, labels[i].name, float(row[i])) for i in order]
