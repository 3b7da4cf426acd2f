"""Batches of pixels and labels whose order depends on the seed and the epoch only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from cnnzoo.errors import DataError
from cnnzoo.training.augmentation import Augmentation, fit_picture
from cnnzoo.training.datasets import Part
from cnnzoo.training.images import ImageFiles, picture


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Part of a dataset as batches of (B, H, W, C) uint8 pixels and (B,) labels.

    Only the batch being made has the network's size, so memory does not grow with the dataset.
    A batch is a function of (seed, epoch, its number): asked twice, it comes twice.

    Args:
        shape: Height, width and channels that the network takes.
        seed: Shuffles and moves the images; ``None`` keeps the order of the part.
    """

    def __init__(
        self,
        part: Part,
        shape: tuple[int, int, int],
        batch_size: int,
        *,
        seed: int | None = None,
        augmentation: Augmentation | None = None,
    ) -> None:
        super().__init__()
        self.part = part
        self.shape = shape
        self.batch_size = batch_size
        self.seed = seed
        self.augmentation = augmentation
        self.epoch = 0
        self.failure: DataError | None = None

    def __len__(self) -> int:
        return -(-len(self.part) // self.batch_size)

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self.order()[number * self.batch_size : (number + 1) * self.batch_size]
        try:
            return self._pixels(rows, number), self.part.labels[rows]
        except DataError as error:  # kept, because backends bury it in an error of their own
            self.failure = error
            raise

    def follow(self) -> keras.callbacks.Callback:
        """A callback that tells these batches which epoch it is.

        Keras' own hook for that, ``on_epoch_end``, also runs once before the first epoch.
        """
        return keras.callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: setattr(self, "epoch", epoch)
        )

    def order(self) -> np.ndarray:
        """The numbers of the images as this epoch shows them."""
        if self.seed is None:
            return np.arange(len(self.part))
        return np.random.default_rng((self.seed, self.epoch)).permutation(len(self.part))

    def _pixels(self, rows: np.ndarray, number: int) -> np.ndarray:
        height, width, _ = self.shape
        rng = np.random.default_rng((self.seed or 0, self.epoch, number))

        def pixels(row: int, draws: np.ndarray) -> np.ndarray:
            image = picture(self.part.images, row, (width, height))
            return fit_picture(image, self.shape, self.augmentation, draws)

        draws = rng.uniform(-1, 1, (len(rows), Augmentation.DRAWS))
        if isinstance(self.part.images, ImageFiles):  # decoding lets go of the interpreter lock
            with ThreadPoolExecutor() as pool:
                return np.stack(list(pool.map(pixels, rows, draws)))
        return np.stack([pixels(*pair) for pair in zip(rows, draws, strict=True)])
