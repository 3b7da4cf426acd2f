"""What is done to training images, drawn afresh each time an image is shown.

Turning, shifting, zooming, mirroring and bending are one map of the plane and one resampling;
everything else is done by layers of Keras.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import keras
import numpy as np
from keras import layers

from cnnzoo.catalogue.augmentations import Effect
from cnnzoo.errors import MissingExtraError, UsageError

RANGE = (0, 255)
GREY = 127.5
MOVES = (
    "rotate", "shift", "zoom", "crop", "flip", "alternate", "shear", "elastic", "background"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Movement:
    """How far an image may be moved in either direction."""

    rotate: float = 0.0  # degrees
    shift: float = 0.0  # fraction of the side, horizontally and vertically
    zoom: float = 0.0  # 0.1: between 90 and 110 % of the picture is shown
    crop: float = 0.0  # whole pixels, horizontally and vertically
    flip: bool = False  # left-right, half of the time
    alternate: bool = False  # left-right, in every other epoch
    shear: float = 0.0  # degrees that upright lines lean
    elastic: float = 0.0  # of the side: how far bending takes a point, as a root mean square
    background: bool = False  # around the image is its top left pixel, else its repeated edge

    DRAWS = 8  # random numbers one movement takes
    SIDE = 4  # the one that mirrors if it is negative

    @classmethod
    def of(cls, effects: Iterable[Effect]) -> Movement | None:
        """The part of ``effects`` that moves images; ``None`` if they stay where they are."""
        found = {e.name: e.numbers[0] if e.numbers else True for e in effects if e.name in MOVES}
        return cls(**found) if found else None  # type: ignore[arg-type]

    def maps(self, draws: np.ndarray, height: int, width: int) -> np.ndarray:
        """(N, 8) numbers from -1 to 1 -> (N, 8) maps from a pixel to where its colour is found.

        A map (a, b, c, d, e, f, 0, 0) takes column and row (x, y), counted from 0, to
        (a x + b y + c, d x + e y + f), as ``keras.ops.image.affine_transform`` wants it.
        """
        turn, right, down, zoom, side, across, along, lean = draws.T
        scale, angle = 1 + self.zoom * zoom, np.radians(self.rotate * turn)
        flip = np.where((self.flip or self.alternate) & (side < 0), -1.0, 1.0)
        a, b = flip * scale * np.cos(angle), -scale * np.sin(angle)
        d, e = flip * scale * np.sin(angle), scale * np.cos(angle)
        slant = np.tan(np.radians(self.shear * lean))
        b, e = b + slant * a, e + slant * d
        x, y = (width - 1) / 2, (height - 1) / 2  # the middle stays where it is
        column = x + self.shift * right * width + np.round(self.crop * across)
        row = y + self.shift * down * height + np.round(self.crop * along)
        nothing = np.zeros(len(draws))
        both = [a, b, column - a * x - b * y, d, e, row - d * x - e * y, nothing, nothing]
        return np.stack(both, axis=1).astype("float32")

    def bends(self, rng: np.random.Generator, count: int) -> np.ndarray | None:
        """(2, N, K, K) normal numbers that bend so many images; ``None`` where nothing is bent."""
        if not self.elastic:
            return None
        return rng.standard_normal((2, count, KNOTS, KNOTS), dtype="float32")

    def __call__(
        self, images: np.ndarray, draws: np.ndarray, bends: np.ndarray | None = None
    ) -> np.ndarray:
        """(N, H, W, C) pixels -> the same, moved, float32."""
        pixels = images.astype("float32")
        ground = pixels[:, :1, :1] if self.background else np.float32(0)
        maps = self.maps(draws, *images.shape[1:3])
        if bends is None:
            moved = keras.ops.image.affine_transform(
                pixels - ground,
                maps,
                interpolation="bilinear",
                fill_mode="constant" if self.background else "nearest",
                fill_value=0.0,
                data_format="channels_last",
            )
            return np.asarray(keras.ops.convert_to_numpy(moved) + ground)
        rows, columns = self._bent(maps, bends, *images.shape[1:3])
        margin = int(self.background)  # zeros in which whatever lies outside is found
        around = np.pad(pixels - ground, [(0, 0), (margin, margin), (margin, margin), (0, 0)])
        return _sampled(around, rows + margin, columns + margin) + ground

    def _bent(
        self, maps: np.ndarray, bends: np.ndarray, height: int, width: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(N, 8) maps and (2, N, K, K) bends -> (N, H, W) rows and columns of the colours."""
        a, b, c, d, e, f = maps[:, :6, np.newaxis, np.newaxis].swapaxes(0, 1)
        y, x = np.mgrid[:height, :width].astype("float32")
        down, right = _spread(height) @ (self.elastic * bends) @ _spread(width).T
        return d * x + e * y + f + height * down, a * x + b * y + c + width * right


KNOTS = 14  # of a side, where bends are drawn
STIFF = 7  # how often the standard deviation of the smoothing goes into a side; 4 of 28 pixels


@cache
def _spread(side: int) -> np.ndarray:
    """(side, K): shares of the knots in each pixel, whose sum has the variance of one knot."""
    pixels, knots = ((np.arange(count) + 0.5) / count for count in (side, KNOTS))
    shares = np.exp(-0.5 * (STIFF * (pixels[:, np.newaxis] - knots)) ** 2)
    spread: np.ndarray = shares / np.linalg.norm(shares, axis=1, keepdims=True)
    return spread.astype("float32")


def _sampled(images: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """(N, H, W, C) pixels at (N, h, w) rows and columns, bilinear; the edge goes on outside.

    `keras.ops.image.map_coordinates` does it for one channel, in three times the time.
    """
    count, height, width, channels = images.shape
    rows, columns = np.clip(rows, 0, height - 1), np.clip(columns, 0, width - 1)
    top, left = np.floor(rows), np.floor(columns)
    down, right = (rows - top)[..., np.newaxis], (columns - left)[..., np.newaxis]
    # One after the other, and a row that only a weight of nought ever reads.
    pixels = np.concatenate(
        [images.reshape(-1, channels), np.zeros((width + 1, channels), images.dtype)]
    )
    first = np.arange(count)[:, np.newaxis, np.newaxis] * (height * width)
    at = first + (top * width + left).astype("int32")
    above = pixels[at] * (1 - right) + pixels[at + 1] * right
    below = pixels[at + width] * (1 - right) + pixels[at + width + 1] * right
    mixed: np.ndarray = above * (1 - down) + below * down
    return mixed


class Effects:
    """The layers of Keras that work on whole batches, the same for the same number of a batch.

    Calling one in two threads at once would mix up its random numbers.
    """

    def __init__(self, effects: Iterable[Effect], seed: int) -> None:
        self.layers = [_layer(effect) for effect in effects if effect.name not in MOVES]
        self.seeds = [
            variable
            for layer in self.layers
            for variable in layer.variables
            if variable.path.endswith("seed_generator_state")
        ]
        self.seed = seed
        drawn = (getattr(layer, RANDOM_OF_CV, None) for layer in self.layers)
        self.generators = [generator for generator in drawn if generator is not None]

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, number: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(B, H, W, C) uint8 and (B, classes) one-hot -> the same as float32, changed."""
        for i, state in enumerate(self.seeds):
            draws = np.random.default_rng((self.seed, number, 2 + i)).integers(2**31, size=2)
            state.assign(draws.astype(keras.backend.standardize_dtype(state.dtype)))
        for generator in self.generators:
            generator.reset_from_seed(self.seed * 2**31 + number)
        pixels: Any = images.astype("float32")
        before = random.getstate()
        random.seed(f"{self.seed} {number}")  # AugMix chooses its chains by Python's generator
        try:
            for layer in self.layers:
                if isinstance(layer, MIXING):
                    both = layer({"images": pixels, "labels": labels}, training=True)
                    pixels, labels = both["images"], both["labels"]
                else:
                    pixels = layer(pixels, training=True)
        finally:
            random.setstate(before)
        found = keras.ops.convert_to_numpy(keras.ops.clip(pixels, *RANGE)).astype("float32")
        return found, keras.ops.convert_to_numpy(labels).astype("float32")


RANDOM_OF_CV = "_random_generator"  # what layers of KerasCV draw from
MIXING = (layers.MixUp, layers.CutMix)


def _layer(effect: Effect) -> Any:
    """The layer of Keras, or of KerasCV, that an effect stands for."""
    name, numbers = effect.name, effect.numbers
    if name == "randaugment":
        return layers.RandAugment(value_range=RANGE, num_ops=int(numbers[0]), factor=numbers[1])
    if name == "augmix":
        return layers.AugMix(value_range=RANGE, factor=numbers[0])
    if name == "erase":
        return layers.RandomErasing(factor=numbers[0], value_range=RANGE)
    if name == "cutout":
        return layers.RandomErasing(factor=numbers[0], fill_value=GREY, value_range=RANGE)
    if name == "gridmask":
        try:
            import keras_cv
        except ImportError as error:
            raise MissingExtraError(
                "The augmentation 'gridmask' is KerasCV's. Type: pip install 'cnnzoo[cv]'"
            ) from error
        if keras.config.backend() != "tensorflow":
            raise UsageError(
                "The augmentation 'gridmask' is KerasCV's, which computes with TensorFlow only. "
                "Leave it out, or set KERAS_BACKEND=tensorflow."
            )
        # Without a seed it draws from TensorFlow's own generator, and so does its rotation.
        return keras_cv.layers.GridMask(ratio_factor=(numbers[0], numbers[0]))
    makers: dict[str, Any] = {
        "brightness": lambda: layers.RandomBrightness(numbers[0], value_range=RANGE),
        "contrast": lambda: layers.RandomContrast(numbers[0], value_range=RANGE),
        "mixup": lambda: layers.MixUp(alpha=numbers[0]),
        "cutmix": lambda: layers.CutMix(factor=numbers[0]),
    }
    return makers[name]()
