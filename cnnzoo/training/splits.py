"""Stratified splits: every class gives the same share, and copies stay together."""

from __future__ import annotations

import numpy as np


def stratified(
    labels: np.ndarray, fraction: float, seed: int, pictures: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers kept and row numbers taken, each in rising order.

    Every class gives `taken_of` its pictures, chosen by ``seed``.

    Args:
        pictures: What tells the picture in each row from others; rows of one picture stay
            together. None where all differ.
    """
    rng = np.random.default_rng(seed)
    pictures, first = _numbered(labels, pictures)
    taken = []
    for label in np.unique(labels[first]):
        rows = first[labels[first] == label]
        taken.append(rng.permutation(rows)[: taken_of(len(rows), fraction)])
    chosen = np.isin(pictures, pictures[np.concatenate(taken)])
    return np.flatnonzero(~chosen), np.flatnonzero(chosen)


def taken_of(count: int, fraction: float) -> int:
    """How many of a class's ``count`` pictures a split takes: the nearest number, at least one."""
    return max(1, round(fraction * count))


def emptied(labels: np.ndarray, fraction: float, pictures: np.ndarray | None = None) -> list[int]:
    """The labels of which a split would leave nothing on the kept side."""
    _, first = _numbered(labels, pictures)
    found = np.unique(labels)
    counts = [int((labels[first] == label).sum()) for label in found]
    pairs = zip(found, counts, strict=True)
    return [int(label) for label, count in pairs if taken_of(count, fraction) >= count]


def _numbered(labels: np.ndarray, pictures: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """The picture of each row, and in rising order the first row of each picture."""
    if pictures is None:
        rows = np.arange(len(labels))
        return rows, rows
    return pictures, np.sort(np.unique(pictures, return_index=True)[1])
