"""Image files and arrays as 8-bit pictures, grey or RGB, whatever they were."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
from PIL import Image, UnidentifiedImageError

from cnnzoo.errors import DataError

FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")  # their files in a folder
MAX_PIXELS = 50_000_000  # per image: a small file can promise far more than memory holds
_ORIENTATION = 0x0112  # the EXIF tag
# EXIF orientation -> what makes the image upright.
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class ImageFiles(Sequence[np.ndarray]):
    """Image files as a sequence of (H, W, 1 | 3) uint8 arrays, decoded when asked for."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self.paths = tuple(paths)

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: Any) -> Any:
        """An array for a number; fewer files, still undecoded, for an array of numbers."""
        if np.ndim(index):
            return ImageFiles([self.paths[i] for i in index])
        array = np.asarray(read_picture(self.paths[index]))
        return array[..., None] if array.ndim == 2 else array


Images = np.ndarray | ImageFiles
T = TypeVar("T")


class PictureError(DataError):
    """An image file that cannot be used.

    Attributes:
        kind: ``unreadable``, ``no image`` or ``too large``.
        reason: The message without the name of the file.
    """

    def __init__(self, path: Path, kind: str, reason: str) -> None:
        super().__init__(f"{printable(path)}: {reason}.")
        self.kind = kind
        self.reason = reason


class Examined(NamedTuple):
    """A decoded picture, and how its file was made."""

    picture: Image.Image
    format: str
    mode: str
    animated: bool


def picture(images: Images, index: int, size: tuple[int, int] | None = None) -> Image.Image:
    """Picture number ``index`` of an array (N, H, W, 1 | 3) or of image files."""
    if isinstance(images, ImageFiles):
        return read_picture(images.paths[index], size)
    array = images[index]
    return Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)


def read_picture(path: Path, size: tuple[int, int] | None = None) -> Image.Image:
    """Decode an image file to a grey or RGB picture, upright, on white where transparent.

    Args:
        size: Width and height wanted in the end; a JPEG of more than twice that is decoded at a
            half, a quarter or an eighth, which is much faster.

    Raises:
        PictureError: Not a regular file, not an image of `FORMATS`, damaged, over `MAX_PIXELS`.
    """
    return _opened(path, lambda image: _decode(path, image, size))


def examine(path: Path) -> Examined:
    """Decode an image file whole, and tell what it is.

    Raises:
        PictureError: As `read_picture`.
    """

    def use(image: Image.Image) -> Examined:
        mode, name = image.mode, image.format or ""
        picture = _decode(path, image, None)
        return Examined(picture, name, mode, bool(getattr(image, "is_animated", False)))

    return _opened(path, use)


def _opened(path: Path, use: Callable[[Image.Image], T]) -> T:
    kind = "unreadable"
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise PictureError(path, kind, "it is not a regular file")
        with Image.open(path, formats=FORMATS) as image:
            return use(image)
    except UnidentifiedImageError:
        kind, reason = "no image", f"it is no {', '.join(FORMATS[:-1])} or {FORMATS[-1]} image"
    except DataError:
        raise
    except OSError as error:
        reason = f"it cannot be read: {error.strerror or error}"
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        kind = "too large"
        reason = f"it has more than the {MAX_PIXELS // 10**6} million pixels accepted"
    except Exception as error:  # decoders raise whatever the damage provokes
        reason = f"it cannot be decoded: {error}"
    raise PictureError(path, kind, reason)


def printable(path: Path) -> str:
    """The path as one line that can be printed and written, whatever bytes its name holds."""
    text = os.fsencode(path).decode("utf-8", "backslashreplace")
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _decode(path: Path, image: Image.Image, size: tuple[int, int] | None) -> Image.Image:
    if image.width * image.height > MAX_PIXELS:  # known from the header, nothing decoded yet
        raise PictureError(
            path,
            "too large",
            f"its {image.width} x {image.height} pixels are more than "
            f"the {MAX_PIXELS // 10**6} million accepted",
        )
    turn = _TURNS.get(_orientation(image))
    if size is not None:
        side = 2 * max(size)  # both ways, because the image may lie on its side
        image.draft(None, (side, side))
    image.load()
    upright = image if turn is None else image.transpose(turn)
    return _grey_or_rgb(upright)


def _orientation(image: Image.Image) -> int:
    """The EXIF orientation; 1, upright, where there is none or it cannot be understood."""
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken metadata says nothing about the pixels
        return 1


def _grey_or_rgb(image: Image.Image) -> Image.Image:
    """Any mode that `FORMATS` have -> ``L`` or ``RGB``."""
    if image.mode.startswith("I"):  # 16 bits: Pillow's own conversion clips instead of scaling
        return Image.fromarray((np.asarray(image).astype(np.uint32) >> 8).astype(np.uint8))
    grey = "L" if image.mode in ("1", "L", "LA", "La") else "RGB"
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.copy() if image.mode == grey else image.convert(grey)
