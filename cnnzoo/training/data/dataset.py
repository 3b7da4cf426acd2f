"""Labelled images, ready to be trained on: a part, and the parts of a dataset."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cnnzoo.pictures import Images


@dataclass(frozen=True, slots=True)
class Part:
    """Images, (N, H, W, 1 | 3) uint8 or files, and their class numbers, (N,) int64.

    Attributes:
        digests: (N,) S16, of each picture's pixels, the same for equal ones; None where nobody has
            looked.
    """

    images: Images
    labels: np.ndarray
    digests: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, numbers: np.ndarray) -> Part:
        digests = None if self.digests is None else self.digests[numbers]
        return Part(self.images[numbers], self.labels[numbers], digests)


@dataclass(frozen=True, slots=True)
class Dataset:
    """A training part, a test part, and what is known about them.

    Attributes:
        name: Short, for titles and folder names.
        source: What ``load_data`` was given, or a sentence; says where the images came from.
        channels: 1 if every image is grey, else 3.
        notes: What a reader of the results should know, such as images in both parts.
        validation: The part that chooses the best epoch, where the data have one of their own.
    """

    name: str
    source: str
    train: Part
    test: Part
    class_names: tuple[str, ...]
    channels: int
    notes: tuple[str, ...] = ()
    validation: Part | None = None

    def __str__(self) -> str:
        return (
            f"{self.name}: {len(self.train):,} training and {len(self.test):,} test images "
            f"of {len(self.class_names)} classes"
        )
