"""The one rule by which pictures of any size become pixels of one size."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps

from cnnzoo.pictures import Images, picture


@dataclass(frozen=True, slots=True)
class View:
    """What a network sees of a picture.

    Attributes:
        height: Of the pixels that the network takes; ``width`` likewise.
        channels: 1 takes the luma of a coloured picture, 3 repeats a grey one.
        resize: Shorter side, in pixels, before the middle is cut out, as networks of ImageNet are
            measured. None squeezes the whole picture into the network's size, as training does.
        interpolation: ``bilinear`` or ``bicubic``.
    """

    height: int
    width: int
    channels: int
    resize: int | None = None
    interpolation: str = "bilinear"

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    def pixels(self, picture: Image.Image, invert: bool = False) -> np.ndarray:
        """A grey or RGB picture -> (height, width, channels) uint8.

        Args:
            invert: Exchange dark and light first.
        """
        seen = picture.convert("L" if self.channels == 1 else "RGB")
        seen = ImageOps.invert(seen) if invert else seen
        method = Image.Resampling[self.interpolation.upper()]
        if self.resize is None:
            if seen.size != (self.width, self.height):
                seen = seen.resize((self.width, self.height), method)
        else:
            ratio = self.resize / min(seen.size)
            seen = seen.resize(
                [max(self.resize, round(ratio * side)) for side in seen.size], method
            )
            left, top = (seen.width - self.width) // 2, (seen.height - self.height) // 2
            seen = seen.crop((left, top, left + self.width, top + self.height))
        return np.asarray(seen, "uint8").reshape(self.shape)

    def rows(self, images: Images, rows: np.ndarray) -> np.ndarray:
        """(n,) numbers of pictures -> (n, height, width, channels) uint8."""
        if not len(rows):
            return np.zeros((0, *self.shape), np.uint8)
        return np.stack([self.row(images, row) for row in rows])

    def row(self, images: Images, row: int) -> np.ndarray:
        """One picture -> (height, width, channels) uint8; large files are decoded no larger than
        they have to be."""
        size = (self.width, self.height) if self.resize is None else None
        return self.pixels(picture(images, row, size))
