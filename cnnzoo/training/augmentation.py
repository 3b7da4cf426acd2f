"""What is done to training images, drawn afresh each time an image is shown.

Turning, shifting, zooming, mirroring are one map of the plane and one resampling, done by Pillow
while the image is brought to size; everything else is done to whole batches by layers of Keras.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers
from PIL import Image

from cnnzoo.catalogue.augmentations import Effect
from cnnzoo.errors import MissingExtraError

Size = tuple[int, int]  # width, height
Draws = Sequence[float] | np.ndarray
Affine = tuple[float, float, float, float, float, float]
RANGE = (0, 255)
MOVES = ("rotate", "shift", "zoom", "crop", "flip")


@dataclass(frozen=True, slots=True)
class Movement:
    """How far an image may be moved in either direction."""

    rotate: float = 0.0  # degrees
    shift: float = 0.0  # fraction of the side, horizontally and vertically
    zoom: float = 0.0  # 0.1: between 90 and 110 % of the picture is shown
    crop: float = 0.0  # whole pixels of the result, horizontally and vertically
    flip: bool = False  # left-right, half of the time

    DRAWS = 7  # random numbers one movement takes

    @classmethod
    def of(cls, effects: Iterable[Effect]) -> Movement | None:
        """The part of ``effects`` that moves images; ``None`` if they stay where they are."""
        found = {e.name: e.numbers[0] if e.numbers else True for e in effects if e.name in MOVES}
        return cls(**found) if found else None  # type: ignore[arg-type]

    def affine(self, draws: Draws, source: Size, target: Size) -> Affine:
        """Numbers from -1 to 1 -> the map from target to source that Pillow takes."""
        turn, right, down, zoom, side, across_px, down_px = draws
        scale = 1 + self.zoom * zoom
        across, along = scale * source[0] / target[0], scale * source[1] / target[1]
        flip = -1 if self.flip and side < 0 else 1
        angle = math.radians(self.rotate * turn)
        a, b = flip * across * math.cos(angle), -across * math.sin(angle)
        d, e = flip * along * math.sin(angle), along * math.cos(angle)
        whole = round(self.crop * across_px), round(self.crop * down_px)
        middle = target[0] / 2 - whole[0], target[1] / 2 - whole[1]
        x = source[0] * (0.5 + self.shift * right) - (a * middle[0] + b * middle[1])
        y = source[1] * (0.5 + self.shift * down) - (d * middle[0] + e * middle[1])
        return a, b, x, d, e, y


def fit_picture(
    picture: Image.Image,
    shape: tuple[int, int, int],
    movement: Movement | None = None,
    draws: Draws = (),
) -> np.ndarray:
    """A grey or RGB picture -> ``shape`` (height, width, channels) uint8, moved if asked.

    What a movement uncovers takes the colour of the top left pixel: the background of a drawing,
    and of a photograph at least one of its colours.
    """
    height, width, channels = shape
    size = (width, height)
    picture = picture.convert("L" if channels == 1 else "RGB")
    shrinks = picture.width > width or picture.height > height
    if picture.size != size and (shrinks or movement is None):
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    if movement is not None:
        affine = movement.affine(draws, picture.size, size)
        corner = picture.getpixel((0, 0))
        picture = picture.transform(
            size, Image.Transform.AFFINE, affine, Image.Resampling.BILINEAR, fillcolor=corner
        )
    return np.asarray(picture).reshape(shape)


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

    def __call__(
        self, images: np.ndarray, labels: np.ndarray, number: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """(B, H, W, C) uint8 and (B, classes) one-hot -> the same as float32, changed."""
        for i, state in enumerate(self.seeds):
            draws = np.random.default_rng((self.seed, number, 2 + i)).integers(2**31, size=2)
            state.assign(draws.astype(keras.backend.standardize_dtype(state.dtype)))
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
    if name == "gridmask":
        try:
            import keras_cv
        except ImportError as error:
            raise MissingExtraError(
                "The augmentation 'gridmask' is KerasCV's. Type: pip install 'cnnzoo[cv]'"
            ) from error
        return keras_cv.layers.GridMask(ratio_factor=(numbers[0], numbers[0]))
    makers: dict[str, Any] = {
        "brightness": lambda: layers.RandomBrightness(numbers[0], value_range=RANGE),
        "contrast": lambda: layers.RandomContrast(numbers[0], value_range=RANGE),
        "mixup": lambda: layers.MixUp(alpha=numbers[0]),
        "cutmix": lambda: layers.CutMix(factor=numbers[0]),
    }
    return makers[name]()
