"""The photos of the pages under ``ideas/``, made from those that scikit-learn brings along."""

from __future__ import annotations

import io

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from PIL import Image, ImageEnhance, ImageOps
from sklearn.datasets import load_sample_image

SIZE = (240, 160)
KERNELS = {
    "vertical": [[1, 0, -1]] * 3,
    "horizontal": [[1] * 3, [0] * 3, [-1] * 3],
    "edges": [[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]],
    "sharpen": [[0, -1, 0], [-1, 5, -1], [0, -1, 0]],
    "gaussian": [[1, 2, 1], [2, 4, 2], [1, 2, 1]],
}


def photos() -> dict[str, bytes]:
    """Path within the site -> JPEG."""
    made = {f"photo{suffix}": picture for suffix, picture in _filtered().items()}
    made |= {f"flower{suffix}": picture for suffix, picture in _augmented().items()}
    return {f"ideas/{name}.jpg": _jpeg(picture) for name, picture in made.items()}


def _photo(name: str) -> Image.Image:
    return ImageOps.fit(Image.fromarray(load_sample_image(name)), SIZE)


def _filtered() -> dict[str, Image.Image]:
    grey = np.asarray(_photo("china.jpg").convert("L")).astype(float)
    windows = sliding_window_view(np.pad(grey, 1, mode="edge"), (3, 3))
    made = {"": grey}
    for name, rows in KERNELS.items():
        kernel = np.array(rows, float)
        answer = (windows * kernel).sum(axis=(2, 3))
        # Where the kernel adds up to nothing, grey stands for 0.
        made[f"-{name}"] = answer / kernel.sum() if kernel.sum() else 128 + answer / 2
    return {name: Image.fromarray(a.clip(0, 255).astype(np.uint8)) for name, a in made.items()}


def _augmented() -> dict[str, Image.Image]:
    flower = _photo("flower.jpg")
    width, height = SIZE
    rim = 40  # the border repeated, for what comes in from outside
    edges = ((rim, rim), (rim, rim), (0, 0))
    wide = Image.fromarray(np.pad(np.asarray(flower), edges, mode="edge"))

    def middle(picture: Image.Image, right: int = 0) -> Image.Image:
        left = rim - right
        return picture.crop((left, rim, left + width, rim + height))

    zoom = (0.15 * width, 0.15 * height, 0.85 * width, 0.85 * height)
    return {
        "": flower,
        "-flip": ImageOps.mirror(flower),
        "-rotate": middle(wide.rotate(10, Image.Resampling.BILINEAR)),
        "-shift": middle(wide, right=round(0.15 * width)),
        "-zoom": flower.resize(SIZE, Image.Resampling.BILINEAR, box=zoom),
        "-brightness": ImageEnhance.Brightness(flower).enhance(0.7),
    }


def _jpeg(picture: Image.Image) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=85)
    return file.getvalue()
