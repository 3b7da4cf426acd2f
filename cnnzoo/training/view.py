"""What a network sees of a picture when it is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image

from cnnzoo.pictures import Images, picture
from cnnzoo.training.augmentation import fit_picture


@dataclass(frozen=True, slots=True)
class View:
    """Pictures of any size -> pixels of one size.

    Attributes:
        shape: Height, width and channels of the network's input.
        resize: Shorter side, in pixels, before the middle is cut out, as networks of ImageNet are
            measured. None squeezes the whole picture into ``shape``, as training does.
        interpolation: ``bilinear`` or ``bicubic``; used with ``resize``.
    """

    shape: tuple[int, int, int]
    resize: int | None = None
    interpolation: str = "bilinear"

    def pixels(self, images: Images, rows: np.ndarray) -> np.ndarray:
        """(n,) numbers of pictures -> (n, height, width, channels) uint8."""
        if not len(rows):
            return np.zeros((0, *self.shape), np.uint8)
        return np.stack([self._one(images, row) for row in rows])

    def _one(self, images: Images, row: int) -> np.ndarray:
        height, width, _ = self.shape
        if self.resize is None:
            return fit_picture(picture(images, row, (width, height)), self.shape)
        seen = picture(images, row).convert("L" if self.shape[2] == 1 else "RGB")
        ratio = self.resize / min(seen.size)
        size = tuple(max(self.resize, round(ratio * side)) for side in seen.size)
        method = Image.Resampling[self.interpolation.upper()]
        seen = seen.resize((size[0], size[1]), method)
        left, top = (seen.width - width) // 2, (seen.height - height) // 2
        return fit_picture(seen.crop((left, top, left + width, top + height)), self.shape)
