"""From data to a trained network, its figures and a report.

The training part gives a stratified share for validation. After every epoch the network is
measured on that share, and the weights of the best epoch are kept: the highest accuracy, among
equals the lowest loss. The test part is read once, at the very end, by those weights.
"""

from __future__ import annotations

import logging
import os
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np

from cnnzoo.builder import build
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import UsageError
from cnnzoo.sources import find_source
from cnnzoo.training import surroundings
from cnnzoo.training.batches import Batches
from cnnzoo.training.datasets import Dataset, Part, load_data
from cnnzoo.training.fitting import merit, train
from cnnzoo.training.metrics import score
from cnnzoo.training.recipe import Recipe, check_recipe
from cnnzoo.training.report import render
from cnnzoo.training.rundir import RunDirectory, free_path
from cnnzoo.training.splits import emptied, stratified
from cnnzoo.units import duration, percent

log = logging.getLogger("cnnzoo")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        path: The folder with config.json, history.csv, metrics.json, model.keras, report.html.
        metrics: What metrics.json holds; accuracies are fractions.
        model: The network with the weights that were tested; takes pixels 0 to 255.
    """

    path: Path
    metrics: dict[str, Any]
    model: keras.Model = field(repr=False)

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def __str__(self) -> str:
        m = self.metrics
        return (
            f"{percent(m['test_accuracy'])} of {m['test_images']:,} test images right, "
            f"{m['misclassified']:,} wrong\n"
            f"{duration(m['seconds'])} of training, best epoch {m['best_epoch']} of {m['epochs']}\n"
            f"report: {self.report}"
        )


def fine_tune(
    architecture: str,
    *,
    data: str | os.PathLike[str] | Dataset,
    epochs: int | None = None,
    out: str | os.PathLike[str] | None = None,
    seed: int = 0,
    weights: str | None = None,
    batch_size: int = 32,
    learning_rate: float | None = None,
    validation_fraction: float = 0.1,
    augment: str = "auto",
    input_shape: tuple[int, int, int] | None = None,
    optimizer: str = "adam",
    overwrite: bool = False,
    progress: bool | TextIO = True,
    **options: Any,
) -> Run:
    """Train a network on labelled images, measure it on the test part and write a report.

    The same arguments on the same machine give the same figures.

    Args:
        architecture: A name of ``cnnzoo.list_models()``.
        data: What ``cnnzoo.load_data`` takes or returns.
        epochs: Times every training image is shown. Unless given, about 650,000 images are shown
            in all, in at least 12 and at most 60 epochs.
        out: Folder for the results, new or empty; ``runs/<network>-<data>`` unless given.
        seed: Of the weights, the validation split, the order and the movements of the images.
        weights: As for ``cnnzoo.build``.
        learning_rate: At the start; it falls to 0 along a cosine. Unless given, a usual one for
            the optimizer, and a tenth of that when ``weights`` are given.
        validation_fraction: Share of the training part that chooses the best epoch.
        augment: Random movements of the training images: "none"; "strokes" (turned, shifted,
            zoomed); "photos" (mirrored, shifted, zoomed); "auto" takes strokes for grey images
            and photos for coloured ones.
        input_shape: Height, width and channels; the network's own unless given. Images are
            resized to it, grey is repeated to RGB, RGB becomes its luma for one channel.
        optimizer: "adam", "adamw", "sgd" (Nesterov momentum 0.9), "rmsprop" or "adadelta".
        overwrite: Replace an older run in ``out``; only files of a run are removed.
        progress: Whether to show it on standard output, or the stream to show it on.
        **options: The network's own options, see ``cnnzoo info NAME``.

    Raises:
        UsageError: An argument cannot work; nothing was read, built or written.
        DataError: Images or labels that cannot be used.
        CnnZooError: The loss stopped being a number; the best weights so far are in ``out``.
    """
    recipe = check_recipe(
        architecture,
        epochs=epochs,
        seed=seed,
        weights=weights,
        batch_size=batch_size,
        learning_rate=learning_rate,
        validation_fraction=validation_fraction,
        augment=augment,
        input_shape=input_shape,
        optimizer=optimizer,
        **options,
    )
    if recipe.weights is not None:
        find_source(recipe.weights, get_spec(recipe.network), include_top=True)
    if keras.config.image_data_format() != "channels_last":
        raise UsageError("fine_tune needs keras.config.set_image_data_format('channels_last').")
    if out is not None:
        RunDirectory(Path(out), overwrite).check()
    dataset = data if isinstance(data, Dataset) else load_data(data)
    for note in dataset.notes:
        log.warning("%s: %s", dataset.name, note)
    recipe = recipe.for_data(len(dataset.train), dataset.channels)
    command = None if isinstance(data, Dataset) else recipe.command(os.fspath(data))
    path = Path(out) if out is not None else free_path(f"{recipe.network}-{dataset.name}")
    stream = sys.stdout if progress is True else progress or None
    return _run(recipe, dataset, RunDirectory(path, overwrite), command, stream)


def _run(
    recipe: Recipe, dataset: Dataset, run: RunDirectory, command: str | None, stream: TextIO | None
) -> Run:
    """Split, build, train, measure, report."""
    parts = _parts(dataset.train, recipe, dataset.class_names)
    keras.utils.set_random_seed(recipe.seed)
    model = _network(recipe, len(dataset.class_names))
    config = {"command": command, **_config(recipe, dataset, parts, model)}
    run.start(config)
    history, seconds = train(model, recipe, parts, run, stream)
    model.load_weights(run.model)
    probabilities = _predict(model, recipe, dataset.test)
    metrics = _metrics(dataset, probabilities, history, seconds)
    run.write_metrics(metrics)
    run.write_report(render(config, history, metrics, dataset.test, probabilities))
    return Run(run.path, metrics, model)


def _parts(train: Part, recipe: Recipe, class_names: tuple[str, ...]) -> tuple[Part, Part]:
    """The training part without and with only the validation share."""
    fraction = recipe.validation_fraction
    if empty := emptied(train.labels, fraction):
        raise UsageError(
            f"validation_fraction={fraction:g} leaves no training image of the class "
            f"{class_names[empty[0]]!r}. Use a smaller fraction, or more images."
        )
    kept, taken = stratified(train.labels, fraction, recipe.seed)
    return train.rows(kept), train.rows(taken)


def _network(recipe: Recipe, num_classes: int) -> keras.Model:
    return build(
        recipe.network,
        weights=recipe.weights,
        num_classes=num_classes,
        input_shape=recipe.input_shape,
        include_preprocessing=True,
        **recipe.options,
    )


def _predict(model: keras.Model, recipe: Recipe, part: Part) -> np.ndarray:
    """(N, classes): the probabilities of one pass over a part, each image read once."""
    batches = Batches(part, recipe.input_shape, recipe.batch_size)
    return np.concatenate(
        [model.predict_on_batch(batches[step][0]) for step in range(batches.steps)]
    )


def _metrics(
    dataset: Dataset, probabilities: np.ndarray, history: list[dict[str, Any]], seconds: float
) -> dict[str, Any]:
    best = max(history, key=merit)
    return {
        **score(dataset.test.labels, probabilities, dataset.class_names),
        "best_epoch": best["epoch"],
        "best_epoch_by": "highest validation accuracy, then lowest validation loss",
        "weights": f"model.keras, of epoch {best['epoch']}: the ones tested",
        "validation_accuracy": best["val_accuracy"],
        "epochs": len(history),
        "seconds": round(seconds, 3),
    }


def _config(
    recipe: Recipe, dataset: Dataset, parts: tuple[Part, Part], model: keras.Model
) -> dict[str, Any]:
    """Everything a reader needs to do it again."""
    return {
        "arguments": asdict(recipe),
        "seed": recipe.seed,
        "network": {
            "name": recipe.network,
            "title": get_spec(recipe.network).title,
            "parameters": model.count_params(),
        },
        "data": {
            "name": dataset.name,
            "source": dataset.source,
            "training_images": len(parts[0]),
            "validation_images": len(parts[1]),
            "test_images": len(dataset.test),
            "class_names": list(dataset.class_names),
            "notes": list(dataset.notes),
        },
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": surroundings.versions(),
        "hardware": surroundings.hardware(),
    }
