"""Stratified splits: every class gives the same share."""

from __future__ import annotations

import numpy as np


def stratified(labels: np.ndarray, fraction: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers kept and row numbers taken, each in rising order.

    Every class gives `taken_of` its images, chosen by ``seed``.
    """
    rng = np.random.default_rng(seed)
    taken = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        taken.append(rng.permutation(rows)[: taken_of(len(rows), fraction)])
    chosen = np.zeros(len(labels), bool)
    chosen[np.concatenate(taken)] = True
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def taken_of(count: int, fraction: float) -> int:
    """How many of a class's ``count`` images a split takes: the nearest number, at least one."""
    return max(1, round(fraction * count))


def emptied(labels: np.ndarray, fraction: float) -> list[int]:
    """The labels of which a split would leave nothing on the kept side."""
    found, counts = np.unique(labels, return_counts=True)
    pairs = zip(found, counts, strict=True)
    return [int(label) for label, count in pairs if taken_of(int(count), fraction) >= count]
