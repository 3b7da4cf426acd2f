"""Batches of pixels and labels that depend on the seed and their number only."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor

import keras
import numpy as np

from cnnzoo.catalogue.augmentations import Effect
from cnnzoo.pictures import ImageFiles
from cnnzoo.training.augmentation import Effects, Movement
from cnnzoo.training.data.dataset import Part
from cnnzoo.view import View

AHEAD = 3  # batches made while the network works on one
Batch = tuple[np.ndarray, np.ndarray]


class Batches:
    """Part of a dataset as batches of (B, H, W, C) pixels 0 to 255 and (B, classes) one-hot labels.

    Batches are numbered through all epochs, `steps` to an epoch, so that each is a function of the
    seed and its number: asked twice, it comes twice. Only the batches being made have the network's
    size; memory does not grow with the dataset.

    Args:
        shape: Height, width and channels that the network takes.
        classes: How many there are.
        seed: Shuffles and changes the images; ``None`` keeps the order of the part.
        effects: What is done to the images.
        sides: Epoch, counted from 0, and a side of the network's images -> that of the epoch's.
    """

    def __init__(
        self,
        part: Part,
        shape: tuple[int, int, int],
        batch_size: int,
        classes: int,
        *,
        seed: int | None = None,
        effects: tuple[Effect, ...] = (),
        sides: Callable[[int, int], int] = lambda epoch, side: side,
    ) -> None:
        self.part = part
        self.shape = shape
        self.view = View(*shape)
        self.batch_size = batch_size
        self.classes = classes
        self.seed = seed
        self.movement = Movement.of(effects)
        self.effects = Effects(effects, seed or 0)
        self._shuffled: tuple[int, np.ndarray] | None = None  # the latest epoch and its order
        self._coins = np.random.default_rng((seed or 0, 2)).integers(2, size=len(part))
        self.sides = sides
        self.steps = -(-len(part) // batch_size)

    def __getitem__(self, number: int) -> Batch:
        epoch, step = divmod(number, self.steps)
        rows = self.order(epoch)[step * self.batch_size : (step + 1) * self.batch_size]
        images, labels = self._pixels(rows, number), one_hot(self.part.labels[rows], self.classes)
        if self.effects.layers:
            images, labels = self.effects(images, labels, number)
        return self._resized(images, epoch), labels

    def _resized(self, images: np.ndarray, epoch: int) -> np.ndarray:
        """In the size that the epoch shows."""
        size = tuple(self.sides(epoch, side) for side in self.shape[:2])
        if size == self.shape[:2]:
            return images
        smaller = keras.ops.image.resize(
            images.astype("float32"), size, antialias=True, data_format="channels_last"
        )
        return np.asarray(keras.ops.convert_to_numpy(smaller))

    def ahead(self, first: int, last: int) -> Generator[Batch, None, None]:
        """The batches ``first`` to ``last - 1``, made in another thread while they are awaited."""
        with ThreadPoolExecutor(max_workers=1) as maker:
            waiting: deque[Future[Batch]] = deque()
            try:
                for number in range(first, last):
                    waiting.append(maker.submit(self.__getitem__, number))
                    if len(waiting) > AHEAD:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def order(self, epoch: int) -> np.ndarray:
        """The numbers of the images as an epoch, counted from 0, shows them."""
        if self.seed is None:
            return np.arange(len(self.part))
        latest = self._shuffled
        if latest is None or latest[0] != epoch:
            order = np.random.default_rng((self.seed, epoch)).permutation(len(self.part))
            self._shuffled = latest = epoch, order
        return latest[1]

    def plain(self, count: int) -> np.ndarray:
        """At most so many images in the network's size, the first of the first epoch, unchanged."""
        return self._fitted(self.order(0)[:count])

    def _pixels(self, rows: np.ndarray, number: int) -> np.ndarray:
        images = self._fitted(rows)
        if self.movement is None:
            return images
        rng = np.random.default_rng((self.seed or 0, number, 1))  # other draws than `order`
        # The last numbers come apart: what was drawn before they were needed stays as it was.
        draws = [rng.uniform(-1, 1, (len(rows), n)) for n in (7, Movement.DRAWS - 7)]
        together = np.hstack(draws)
        if self.movement.alternate:
            odd = self._coins[rows] ^ (number // self.steps) & 1
            together[:, Movement.SIDE] = 1 - 2 * odd
        return self.movement(images, together, self.movement.bends(rng, len(rows)))

    def _fitted(self, rows: np.ndarray) -> np.ndarray:
        """The images of some rows in the size and colours of the network."""
        images = self.part.images
        if isinstance(images, ImageFiles):  # decoding lets go of the interpreter lock
            with ThreadPoolExecutor() as pool:
                return np.stack(list(pool.map(lambda row: self.view.row(images, row), rows)))
        if images.shape[1:] == self.shape:
            return np.asarray(images[rows])
        return self.view.rows(images, rows)


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """(N,) class numbers -> (N, classes) float32 of zeros and ones."""
    found: np.ndarray = np.eye(classes, dtype="float32")[labels]
    return found
