"""Pictures in, names out: several at once, and a bad one never stops the others."""

from __future__ import annotations

import html
import itertools
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cnnzoo.errors import DataError, UsageError
from cnnzoo.inference.classifier import Classifier, open_classifier
from cnnzoo.inference.decode import Guess, best
from cnnzoo.pictures import SUFFIXES, printable, read_picture
from cnnzoo.runtimes import names
from cnnzoo.runtimes.choose import compile
from cnnzoo.runtimes.runner import Runner
from cnnzoo.units import percent

BAR = 30  # characters of a certain answer
Source = Path | NDArray[Any]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a network says about one picture.

    Attributes:
        image: The file's name, or "array 0".
        classes: The likeliest first; empty when there is an error.
        error: Why the picture could not be looked at.
        looks_inverted: Dark on light, where the network was trained on light on dark.
    """

    image: str
    classes: tuple[Guess, ...] = ()
    error: str = ""
    looks_inverted: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        if self.error:
            return {"image": self.image, "error": self.error}
        return {"image": self.image, "classes": [guess._asdict() for guess in self.classes]}

    def __str__(self) -> str:
        if self.error:
            return f"{self.image}\n  {self.error}"
        width = max(len(guess.name) for guess in self.classes)
        lines = (
            f"  {g.name:{width}}  {percent(g.probability):>8}  {'█' * round(BAR * g.probability)}"
            for g in self.classes
        )
        return "\n".join([self.image, *(line.rstrip() for line in lines)])


@dataclass(frozen=True, slots=True)
class Predictions(Sequence[Prediction]):
    """The answers in the order of the pictures; prints as a page, shows itself in notebooks."""

    by: str  # network and weights
    rows: tuple[Prediction, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def __str__(self) -> str:
        return "\n".join([self.by, *map(str, self.rows)])

    def to_dicts(self) -> list[dict[str, Any]]:
        return [row.to_dict() for row in self.rows]

    def _repr_html_(self) -> str:
        cells = (
            f"<tr><td>{html.escape(row.image)}</td>"
            + "".join(
                f"<td>{html.escape(g.name)} {percent(g.probability)}</td>" for g in row.classes
            )
            + "</tr>"
            for row in self.rows
        )
        return f"<p>{html.escape(self.by)}</p><table>{''.join(cells)}</table>"


def predict(
    architecture: str | keras.Model,
    images: Any,
    *,
    weights: str | None = None,
    top: int = 5,
    invert: bool = False,
    batch_size: int = 32,
    runtime: str = "auto",
    precision: str = "auto",
    **options: Any,
) -> Predictions:
    """What is on these pictures.

    Args:
        architecture: A name of ``cnnzoo.list_models()``, the folder of a run of ``cnnzoo
            finetune``, or a Keras model that takes pixels 0 to 255.
        images: A path or several; a folder stands for the pictures in it. Or pixels 0 to 255 of
            shape (H, W), (H, W, C) or (N, H, W, C).
        weights: A tag of ``cnnzoo info NAME``, or a file; the first tag unless given.
        top: How many classes for each picture.
        invert: Exchange dark and light first: the digits of MNIST are light on dark.
        batch_size: Pictures in memory at once.
        runtime: What computes: "auto", "keras", "openvino" or "onnxruntime", as for
            ``cnnzoo.inference.compile``.
        precision: In what: "auto", "float32" or "bfloat16". For fewer than 128 pictures ``auto``
            is Keras in float32.
        **options: The network's own options.

    Raises:
        DataError: A picture cannot be read; the message names each and why.
        UsageError: An argument cannot work; the message names what would.
        MissingExtraError: The runtime that was named is not installed.
    """
    names.check(runtime, precision)
    sources = find_sources(images)
    classifier = open_classifier(architecture, weights, **options)
    runner = compile(
        classifier.model, runtime, precision, batch_size=batch_size, images=len(sources)
    )
    rows = tuple(classify(classifier, sources, runner, top=top, invert=invert))
    if bad := [f"{row.image}: {row.error}" for row in rows if row.error]:
        raise DataError("\n".join(bad))
    return Predictions(classifier.title, rows)


def find_sources(images: Any) -> list[Source]:
    """Paths and arrays, one for each picture; folders are opened, files are not.

    Raises:
        UsageError: There is nothing to look at, or it is neither a path nor an array.
    """
    if isinstance(images, str | os.PathLike):
        images = [images]
    if isinstance(images, np.ndarray):
        images = list(images) if images.ndim == 4 else [images]
    if not isinstance(images, Iterable):
        raise UsageError(f"images={images!r} is neither a path nor an array of pixels.")
    found: list[Source] = []
    for image in images:
        if isinstance(image, str | os.PathLike):
            found += _files(Path(image))
        else:
            found.append(np.asarray(image))
    if not found:
        raise UsageError("There are no images to look at. Give at least one.")
    return found


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]  # what is wrong with it is said when it is its turn
    inside = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
    if not inside:
        raise UsageError(f"{printable(path)} is a folder without images ({', '.join(SUFFIXES)}).")
    return inside


def classify(
    classifier: Classifier,
    sources: Iterable[Source],
    runner: Runner,
    *,
    top: int = 5,
    invert: bool = False,
) -> Iterator[Prediction]:
    """One answer for each picture, in order; only a batch of them is in memory."""
    numbered = enumerate(sources)
    with ThreadPoolExecutor() as pool:
        while batch := list(itertools.islice(numbered, runner.batch_size)):
            looks = list(pool.map(lambda pair: _look(classifier, pair[0], pair[1], invert), batch))
            good = [pixels for _, pixels, _ in looks if pixels is not None]
            answers = iter(classifier.probabilities(np.stack(good), runner) if good else ())
            for name, pixels, error in looks:
                if pixels is None:
                    yield Prediction(name, error=error)
                    continue
                classes = tuple(best(next(answers), classifier.labels, top))
                inverted = classifier.dataset == "MNIST" and bool(_border(pixels) > 127)
                yield Prediction(name, classes, looks_inverted=inverted)


def _look(
    classifier: Classifier, number: int, source: Source, invert: bool
) -> tuple[str, NDArray[np.uint8] | None, str]:
    """Name, pixels or nothing, and why there are none."""
    name = printable(source) if isinstance(source, Path) else f"array {number}"
    try:
        picture = read_picture(source) if isinstance(source, Path) else _picture(source)
        return name, classifier.view.pixels(picture, invert), ""
    except DataError as error:
        return name, None, str(error).removeprefix(f"{name}: ")


def _picture(array: NDArray[Any]) -> Image.Image:
    """(H, W), (H, W, 1) or (H, W, 3) numbers from 0 to 255 -> a picture."""
    flat = array[..., 0] if array.ndim == 3 and array.shape[-1] == 1 else array
    if flat.ndim not in (2, 3) or (flat.ndim == 3 and flat.shape[-1] != 3) or 0 in flat.shape:
        raise DataError(f"an array of shape {array.shape} is no grey or RGB picture")
    if flat.dtype.kind not in "uif" or not np.isfinite(flat).all():
        raise DataError(f"an array of {array.dtype} holds no pixels from 0 to 255")
    if flat.min() < 0 or flat.max() > 255:
        raise DataError(f"pixels go from {flat.min()} to {flat.max()}, not from 0 to 255")
    if flat.dtype.kind == "f" and 0 < flat.max() <= 1 and (flat != np.round(flat)).any():
        raise DataError("pixels go up to 1 only. Undo any scaling: they are taken from 0 to 255")
    return Image.fromarray(np.round(flat).astype("uint8"))


def _border(pixels: NDArray[np.uint8]) -> float:
    """Mean of the outermost pixels."""
    edges = (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1])
    return float(np.mean([edge.mean() for edge in edges]))
