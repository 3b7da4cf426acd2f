"""Labelled vectors of one or more views, read block by block; memory does not grow with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cnnzoo.training.probe.arrays import scratch

ROWS = 1024  # read at once


@dataclass(frozen=True, slots=True)
class Samples:
    """Some rows of arrays (N, F), one for each view of the same N images.

    Attributes:
        rows: Numbers of the images, in rising order.
        labels: (rows,) class numbers.
    """

    views: tuple[np.ndarray, ...]
    rows: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.rows) * len(self.views)

    @property
    def width(self) -> int:
        return int(self.views[0].shape[1])

    @property
    def all_labels(self) -> np.ndarray:
        """One for each vector."""
        return np.tile(self.labels, len(self.views))

    def blocks(self) -> Iterator[np.ndarray]:
        """(n, F) float32, at most `ROWS` at once."""
        for view in self.views:
            for start in range(0, len(self.rows), ROWS):
                yield view[self.rows[start : start + ROWS]]

    def scaled(self, mean: np.ndarray, scale: np.ndarray) -> np.ndarray:
        """(N, F) float32 in a temporary file: how far each number is from the mean."""
        return scratch((len(self), self.width), ((b - mean) / scale for b in self.blocks()))

    def units(self) -> np.ndarray:
        """(N, F) float32 in a temporary file: each vector of length 1."""
        return scratch((len(self), self.width), map(unit, self.blocks()))

    def statistics(self) -> tuple[np.ndarray, np.ndarray]:
        """(F,) mean and (F,) standard deviation, 1 for numbers that are always the same."""
        mean = np.zeros(self.width)
        for block in self.blocks():
            mean += block.sum(axis=0, dtype=np.float64) / len(self)
        variance = np.zeros(self.width)
        for block in self.blocks():
            variance += np.square(block - mean).sum(axis=0) / len(self)
        spread = np.sqrt(variance)
        spread[spread <= 1e-6 * max(1e-30, spread.max())] = 1.0
        return mean.astype(np.float32), spread.astype(np.float32)


def unit(block: np.ndarray) -> np.ndarray:
    """(n, F) -> the same, each row of length 1; a row of zeros stays so."""
    length = np.sqrt(np.square(block).sum(axis=1, keepdims=True))
    found: np.ndarray = block / np.maximum(length, np.float32(1e-12))
    return found
