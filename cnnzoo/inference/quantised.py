"""int8 for other programs: fitted to some pictures, measured by others that have labels."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.catalogue.labels import DATASETS, check_classes, forms_of
from cnnzoo.errors import DataError, UsageError
from cnnzoo.inference.classifier import Classifier, numbered
from cnnzoo.pictures import Images
from cnnzoo.runtimes import backends, onnxruntime, openvino, probe, quantise
from cnnzoo.runtimes.backends import Run
from cnnzoo.units import percent

BATCH, MOST = 32, 5000  # images at once, and to measure by


class Part(Protocol):
    """Images and their class numbers."""

    @property
    def images(self) -> Images: ...
    @property
    def labels(self) -> NDArray[Any]: ...
    def __len__(self) -> int: ...


class Labelled(Protocol):
    """What ``cnnzoo.load_data`` returns."""

    @property
    def name(self) -> str: ...
    @property
    def train(self) -> Part: ...
    @property
    def test(self) -> Part: ...
    @property
    def class_names(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Cost:
    """What eight bits cost on images that they were not fitted to.

    Attributes:
        data: The dataset.
        fitted: To so many of its training images.
        images: So many of its test images were answered, each in both precisions.
        float32, int8: The share of them that was right.
    """

    data: str
    fitted: int
    images: int
    float32: float
    int8: float

    def __str__(self) -> str:
        return (
            f"{percent(self.int8)} of {self.images:,} test images of {self.data} right in int8, "
            f"{percent(self.float32)} in float32; fitted to {self.fitted:,} training images"
        )


def check(classifier: Classifier, data: Labelled) -> None:
    """Refuse data whose labels mean something else to the network.

    Raises:
        UsageError: It is no data, or Keras keeps channels first.
        DataError: Other classes, or another order; every figure would be wrong.
    """
    if not hasattr(data, "train"):
        raise UsageError(
            f"calibration={data!r} holds no labelled images. Use "
            f"calibration=cnnzoo.load_data({data!r})."
        )
    if keras.config.image_data_format() != "channels_last":
        raise UsageError("int8 needs keras.config.set_image_data_format('channels_last').")
    names = tuple(label.name for label in classifier.labels)
    if classifier.labels != numbered(len(names)):
        known = forms_of(classifier.dataset) if classifier.dataset in DATASETS else (names,)
        digits = data.name in ("digits", "mnist")
        check_classes(classifier.title, known, data.class_names, of_digits=digits)
    elif len(data.class_names) != len(names):
        raise DataError(
            f"{classifier.title} answers {len(names):,} classes, {data.name} has "
            f"{len(data.class_names):,}."
        )


def write(
    classifier: Classifier, data: Labelled, source: Path, folder: Path, format: str
) -> tuple[float, Cost]:
    """Write the network of an ONNX file in int8, as "onnx" or "openvino", into a folder.

    Returns:
        How far its answers are from those of Keras in float32 on some of the images that it was
        fitted to, and what it costs.
    """
    seen = quantise.pictures(data.train.images, classifier.view)
    pictures = quantise.check(seen, classifier.view.shape)
    if format == "onnx":
        quantise.quantise(source, folder, pictures)
        run = onnxruntime.load(folder / onnxruntime.FILE)
    else:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as small:
            quantise.quantise(source, Path(small), pictures)
            openvino.convert(Path(small) / onnxruntime.FILE, folder)
        run = openvino.load(folder / openvino.FILE, "int8")
    cost = _cost(onnxruntime.load(source), run, classifier, data, len(pictures))
    return difference(run, classifier.model, pictures[:BATCH]), cost


def difference(run: Run, model: keras.Model, pixels: NDArray[np.float32]) -> float:
    """From Keras in float32, relative in the L2 norm over all answers."""
    known = np.asarray(backends.called(model)(pixels), "float32")
    return probe.difference(np.asarray(run(pixels), "float32"), known)


def _cost(float32: Run, int8: Run, classifier: Classifier, data: Labelled, fitted: int) -> Cost:
    part, right = data.test, np.zeros(2, int)
    rows = np.linspace(0, len(part) - 1, min(MOST, len(part))).astype(int)
    for start in range(0, len(rows), BATCH):
        some = rows[start : start + BATCH]
        pixels = classifier.view.rows(part.images, some).astype("float32")
        for number, run in enumerate((float32, int8)):
            answers = np.asarray(run(pixels))
            right[number] += int((answers.argmax(axis=-1) == part.labels[some]).sum())
    shares = right / len(rows)
    return Cost(data.name, fitted, len(rows), float(shares[0]), float(shares[1]))
