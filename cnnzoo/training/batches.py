"""Batches of pixels and labels whose order depends on the seed and the epoch only."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np

from cnnzoo.errors import DataError
from cnnzoo.pictures import ImageFiles, picture
from cnnzoo.training.augmentation import Augmentation, fit_picture
from cnnzoo.training.datasets import Part


class Batches(keras.utils.PyDataset):  # type: ignore[misc]
    """Part of a dataset as batches of (B, H, W, C) uint8 pixels and (B,) labels, without end.

    Batches are numbered through all epochs, `steps` to an epoch, so that each is a function of the
    seed and its number: asked twice, it comes twice, whatever order or thread asks. Only the batch
    being made has the network's size; memory does not grow with the dataset.

    Args:
        shape: Height, width and channels that the network takes.
        seed: Shuffles and moves the images; ``None`` keeps the order of the part.
    """

    num_batches = None  # endless: Keras then keeps one iterator and must be told `steps`

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
        self.steps = -(-len(part) // batch_size)
        self.failure: DataError | None = None

    def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        epoch, step = divmod(number, self.steps)
        rows = self.order(epoch)[step * self.batch_size : (step + 1) * self.batch_size]
        try:
            return self._pixels(rows, number), self.part.labels[rows]
        except DataError as error:  # kept, because backends bury it in an error of their own
            self.failure = error
            raise

    def order(self, epoch: int) -> np.ndarray:
        """The numbers of the images as an epoch, counted from 0, shows them."""
        if self.seed is None:
            return np.arange(len(self.part))
        return np.random.default_rng((self.seed, epoch)).permutation(len(self.part))

    def _pixels(self, rows: np.ndarray, number: int) -> np.ndarray:
        height, width, _ = self.shape
        rng = np.random.default_rng((self.seed or 0, number, 1))  # other draws than `order`

        def pixels(row: int, draws: np.ndarray) -> np.ndarray:
            image = picture(self.part.images, row, (width, height))
            return fit_picture(image, self.shape, self.augmentation, draws)

        draws = rng.uniform(-1, 1, (len(rows), Augmentation.DRAWS))
        if isinstance(self.part.images, ImageFiles):  # decoding lets go of the interpreter lock
            with ThreadPoolExecutor() as pool:
                return np.stack(list(pool.map(pixels, rows, draws)))
        return np.stack([pixels(*pair) for pair in zip(rows, draws, strict=True)])
