"""A network that is ready to look at pictures: weights, view and the names of its classes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.builder import build
from cnnzoo.catalogue.labels import Label, labels_of
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.catalogue.weights import WeightsEntry
from cnnzoo.errors import DataError, UsageError
from cnnzoo.inference.choice import config_of, entry_for, is_path, means_run
from cnnzoo.pictures import printable
from cnnzoo.runfiles import MODEL
from cnnzoo.runtimes.runner import Runner
from cnnzoo.view import View


@dataclass(frozen=True, slots=True)
class Classifier:
    """A network with its preprocessing inside.

    Attributes:
        title: Network and weights, as people are told: "lenet5, weights 'mnist'".
        dataset: What the classes belong to; empty for the classes of a user's own data.
    """

    title: str
    model: keras.Model
    view: View
    labels: tuple[Label, ...]
    dataset: str = ""

    def probabilities(self, pixels: NDArray[np.uint8], runner: Runner) -> NDArray[np.float32]:
        """(N, height, width, channels) uint8 -> (N, classes), by the model as it was compiled."""
        if keras.config.image_data_format() == "channels_first":
            pixels = np.moveaxis(pixels, -1, 1)
        return np.asarray(runner(pixels))


def open_classifier(
    what: str | keras.Model, weights: str | None = None, **options: Any
) -> Classifier:
    """A network of the zoo with weights, the folder of a finished run, or a model of one's own.

    Raises:
        UnknownNameError: No network, or no weights of it, are called so.
        UsageError: No weights are known for the network and none were given.
        DataError: The folder is no run of ``cnnzoo finetune``.
        DownloadError, IntegrityError, StorageError, WeightsError: The weights cannot be had.
    """
    if isinstance(what, keras.Model):
        return _of_model(what)
    if means_run(what):
        return _of_run(Path(what))
    spec = get_spec(what)
    if weights is not None and is_path(weights):
        return _of_path(spec, weights, options)
    entry = entry_for(spec, weights)
    model = build(
        spec, weights=entry.tag, include_preprocessing=True, **_sized(entry, spec, options)
    )
    return Classifier(
        f"{spec.name}, weights {entry.tag!r}",
        model,
        View(*entry.input_size, spec.input_shape[2], entry.resize, entry.interpolation),
        labels_of(entry.dataset),
        entry.dataset,
    )


def _sized(entry: WeightsEntry, spec: ModelSpec, options: dict[str, Any]) -> dict[str, Any]:
    shape = (*entry.input_size, spec.input_shape[2])
    if keras.config.image_data_format() == "channels_first":
        shape = (shape[2], *shape[:2])
    return {"input_shape": shape, **options}


def _of_path(spec: ModelSpec, weights: str, options: dict[str, Any]) -> Classifier:
    model = build(spec, weights=weights, include_preprocessing=True, **options)
    height, width, channels = spec.shape_for(spec.choose(options))
    resize = None if spec.dataset != "ImageNet-1k" else round(height / 0.875)
    view = View(height, width, channels, resize)
    labels = labels_of(spec.dataset) if spec.dataset else numbered(spec.num_classes)
    return Classifier(f"{spec.name}, weights {weights}", model, view, labels, spec.dataset)


def _of_run(folder: Path) -> Classifier:
    config = config_of(folder)
    height, width, channels = config["arguments"]["input_shape"]
    labels = tuple(Label(str(i), name) for i, name in enumerate(config["data"]["class_names"]))
    try:
        model = keras.saving.load_model(folder / MODEL)
    except (OSError, ValueError) as error:
        raise DataError(
            f"{printable(folder / MODEL)} cannot be loaded: {str(error)[:200]}. Was the run ended?"
        ) from error
    data = config["data"]["name"]
    dataset = {"mnist": "MNIST", "digits": "MNIST"}.get(data, data)
    return Classifier(printable(folder), model, View(height, width, channels), labels, dataset)


def _of_model(model: keras.Model) -> Classifier:
    shape, classes = tuple(model.input_shape), tuple(model.output_shape)
    if len(shape) != 4 or None in shape[1:] or len(classes) != 2:
        raise UsageError(
            f"{model.name} takes {shape} and gives {classes}; a classifier of pictures takes "
            "(N, height, width, channels) of known size and gives (N, classes)."
        )
    height, width, channels = shape[1:]
    return Classifier(model.name, model, View(height, width, channels), numbered(classes[1]))


def numbered(classes: int) -> tuple[Label, ...]:
    """Of classes whose names nobody knows."""
    return tuple(Label(str(i), f"class {i}") for i in range(classes))
