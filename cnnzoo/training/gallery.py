"""The pictures of the report: what was mistaken, where the network looked, how it was trained."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from matplotlib import colormaps
from PIL import Image

from cnnzoo.errors import UsageError
from cnnzoo.pictures import picture
from cnnzoo.training.data.dataset import Part
from cnnzoo.training.gradcam import gradcam
from cnnzoo.view import View

GALLERY = 60  # at most so many misclassified images are shown
PAIRS, EXAMPLES = 8, 4  # most confused pairs, and images of each
_THUMBNAIL = 96  # pixels of the longer side
_SMALL = 48  # up to here images are kept bit by bit and shown as squares
_COLOURS = colormaps["inferno"]  # perceptually uniform
_COVER = 0.7  # how much of the picture the strongest evidence hides


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture in the page."""

    address: str  # data URI
    small: bool  # few pixels, shown as squares


@dataclass(frozen=True, slots=True)
class Mistake:
    """A misclassified image."""

    row: int  # its number in the part that was measured
    image: Shown
    overlay: Shown | None  # the same with its Grad-CAM for the predicted class
    true: str
    predicted: str
    probability: float  # of the predicted class
    of_true: float  # of the true class


@dataclass(frozen=True, slots=True)
class Confusion:
    """Two classes, one taken for the other."""

    true: str
    predicted: str
    count: int
    examples: list[Shown]


def mistakes(
    part: Part,
    probabilities: np.ndarray,
    class_names: Sequence[str],
    most: int = GALLERY,
    *,
    looker: tuple[keras.Model, View] | None = None,
) -> tuple[list[Mistake], str]:
    """The misclassified images the network was surest of, surest first.

    Args:
        looker: The network and its view, for Grad-CAM.

    Returns:
        The mistakes, and why there is no Grad-CAM if there is none though asked for.
    """
    predicted = probabilities.argmax(axis=1)
    rows = _surest(np.flatnonzero(predicted != part.labels), probabilities)[:most]
    heated, reason = [None] * len(rows), ""
    if looker is not None:
        try:
            heated = _overlays(*looker, part, rows, predicted[rows])  # type: ignore[assignment]
        except UsageError as error:
            reason = str(error)
    found = [
        Mistake(
            row=int(row),
            image=thumbnail(picture(part.images, row, (_THUMBNAIL, _THUMBNAIL))),
            overlay=overlay,
            true=class_names[part.labels[row]],
            predicted=class_names[predicted[row]],
            probability=float(probabilities[row, predicted[row]]),
            of_true=float(probabilities[row, part.labels[row]]),
        )
        for row, overlay in zip(rows, heated, strict=True)
    ]
    return found, reason


def confusions(
    part: Part, probabilities: np.ndarray, class_names: Sequence[str], most: int = PAIRS
) -> list[Confusion]:
    """The pairs of true and predicted class mistaken most often, with the surest examples."""
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != part.labels)
    pairs = part.labels[wrong] * len(class_names) + predicted[wrong]
    numbers, counts = np.unique(pairs, return_counts=True)
    found = []
    for i in np.argsort(-counts, kind="stable")[:most]:
        true, taken = divmod(int(numbers[i]), len(class_names))
        rows = _surest(wrong[pairs == numbers[i]], probabilities)[:EXAMPLES]
        examples = [thumbnail(picture(part.images, row, (64, 64)), 64) for row in rows]
        found.append(Confusion(class_names[true], class_names[taken], int(counts[i]), examples))
    return found


def sheet(augmented: np.ndarray) -> list[list[Shown]]:
    """(rows, columns, H, W, C) uint8 -> as many pictures."""
    return [[thumbnail(_grey_or_rgb(pixels)) for pixels in row] for row in augmented]


def thumbnail(image: Image.Image, side: int = _THUMBNAIL) -> Shown:
    """A picture of at most ``side`` pixels; small ones lose nothing."""
    image = image.copy()
    image.thumbnail((side, side))
    small = max(image.size) <= _SMALL
    file = io.BytesIO()
    if small:
        image.save(file, "PNG", optimize=True)
    else:
        image.save(file, "JPEG", quality=85)
    kind = "png" if small else "jpeg"
    return Shown(f"data:image/{kind};base64,{base64.b64encode(file.getvalue()).decode()}", small)


def overlay(pixels: np.ndarray, heat: np.ndarray) -> Image.Image:
    """(H, W, C) uint8 and (H, W) from 0 to 1 -> the picture in grey under coloured heat."""
    grey = np.asarray(_grey_or_rgb(pixels).convert("L"), "float32")[..., None]
    colours = 255 * np.asarray(_COLOURS(heat), "float32")[..., :3]
    cover = _COVER * heat[..., None]
    return Image.fromarray(np.uint8(np.rint((1 - cover) * grey + cover * colours)))


def _overlays(
    model: keras.Model, view: View, part: Part, rows: np.ndarray, classes: np.ndarray
) -> list[Shown]:
    pixels = view.rows(part.images, rows)
    heat = gradcam(model, pixels, classes)
    return [thumbnail(overlay(*pair)) for pair in zip(pixels, heat, strict=True)]


def _surest(rows: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
    return np.asarray(rows[np.argsort(-probabilities[rows].max(axis=1), kind="stable")])


def _grey_or_rgb(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
