"""Small random movements of the training images, drawn afresh each time an image is shown."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

Size = tuple[int, int]  # width, height
Draws = Sequence[float] | np.ndarray
Move = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far an image may be moved in either direction."""

    turn: float = 0.0  # degrees
    shift: float = 0.0  # fraction of the side, horizontally and vertically
    zoom: float = 0.0  # 0.1: between 90 and 110 % of the picture is shown
    mirror: bool = False  # left-right, half of the time

    DRAWS = 5  # random numbers one movement takes

    def move(self, draws: Draws, source: Size, target: Size) -> Move:
        """Five numbers from -1 to 1 -> the map from target to source that Pillow takes."""
        turn, right, down, zoom, side = draws
        scale = 1 + self.zoom * zoom
        across, along = scale * source[0] / target[0], scale * source[1] / target[1]
        flip = -1 if self.mirror and side < 0 else 1
        angle = math.radians(self.turn * turn)
        a, b = flip * across * math.cos(angle), -across * math.sin(angle)
        d, e = flip * along * math.sin(angle), along * math.cos(angle)
        x = source[0] * (0.5 + self.shift * right) - (a * target[0] + b * target[1]) / 2
        y = source[1] * (0.5 + self.shift * down) - (d * target[0] + e * target[1]) / 2
        return a, b, x, d, e, y


AUGMENTATIONS: dict[str, Augmentation | None] = {
    "none": None,
    "strokes": Augmentation(turn=10, shift=0.08, zoom=0.1),  # writing is never mirrored
    "photos": Augmentation(shift=0.1, zoom=0.1, mirror=True),
}


def fit_picture(
    picture: Image.Image,
    shape: tuple[int, int, int],
    augmentation: Augmentation | None = None,
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
    if picture.size != size and (shrinks or augmentation is None):
        picture = picture.resize(size, Image.Resampling.BILINEAR)
    if augmentation is not None:
        move = augmentation.move(draws, picture.size, size)
        corner = picture.getpixel((0, 0))
        picture = picture.transform(
            size, Image.Transform.AFFINE, move, Image.Resampling.BILINEAR, fillcolor=corner
        )
    return np.asarray(picture).reshape(shape)
