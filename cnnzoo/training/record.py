"""What a run writes down beside its history: what it was told, what it saw, what came out."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

import keras
import numpy as np

from cnnzoo import machine
from cnnzoo.catalogue import augmentations
from cnnzoo.catalogue.recipes import Recipe
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import DataError
from cnnzoo.pictures import ImageFiles, printable
from cnnzoo.training.batches import Batches
from cnnzoo.training.data.dataset import Dataset, Part
from cnnzoo.training.data.load import Asked
from cnnzoo.training.loop import Progress
from cnnzoo.training.metrics import score
from cnnzoo.training.plan import Plan

SHEET = 6, 5  # images on the sheet of augmented ones, and how often each is shown changed


def config_of(
    plan: Plan, dataset: Dataset, parts: tuple[Part, Part], model: keras.Model, asked: Asked
) -> dict[str, Any]:
    """Everything a reader needs to do it again, for config.json."""
    record, argument = plan.record(), asked.argument
    return {
        "command": None if argument is None else " ".join([plan.command(argument), *asked.words()]),
        "plan": record,
        "arguments": {name: value for name, value in record.items() if name != "recipe"},
        "recipe": record["recipe"],
        "seed": plan.seed,
        "network": {
            "name": plan.network,
            "title": get_spec(plan.network).title,
            "parameters": model.count_params(),
        },
        "data": {
            "name": dataset.name,
            **asdict(asked),
            "source": dataset.source,
            "fingerprint": fingerprint(dataset),
            "images": fitting(plan, dataset),
            "training_images": len(parts[0]),
            "validation_images": len(parts[1]),
            "test_images": len(dataset.test),
            "class_names": list(dataset.class_names),
            "notes": list(dataset.notes),
        },
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": machine.versions(),
        "hardware": machine.hardware(),
    }


def metrics_of(
    dataset: Dataset, probabilities: np.ndarray, progress: Progress, recipe: Recipe
) -> dict[str, Any]:
    """The figures of the test part and of the training that led to them, for metrics.json."""
    best = progress.best or progress.history[-1]
    by = "highest validation accuracy, then lowest validation loss"
    if recipe.tested == "last":
        by = "the last one, as the recipe says"
    return {
        **score(dataset.test.labels, probabilities, dataset.class_names),
        "best_epoch": best["epoch"],
        "best_epoch_by": by,
        "weights": f"model.keras, of epoch {best['epoch']}: the ones tested",
        "validation_accuracy": best["val_accuracy"],
        "validation": recipe.validation,
        "epochs": len(progress.history),
        "steps": progress.step,
        "seconds": round(progress.seconds, 3),
    }


def fitting(plan: Plan, dataset: Dataset) -> str:
    """How images become the network's input, in words."""
    height, width, channels = plan.input_shape
    colour = {
        (1, 3): "grey is repeated to RGB",
        (3, 1): "RGB becomes its luma",
    }.get((dataset.channels, channels), "grey" if channels == 1 else "RGB")
    stem = ""
    if plan.weights is not None and channels == 1:
        stem = "; kernels that were trained on RGB are summed over its channels"
    return f"resized to {height} x {width} where they differ, {colour}{stem}"


def sheet(part: Part, plan: Plan, classes: int) -> np.ndarray | None:
    """(images, 1 + times, H, W, C) uint8: training images as they are, then as they are shown."""
    effects = augmentations.parse(plan.recipe.augment)
    if not effects:
        return None
    count, times = SHEET
    few = part.rows(np.arange(min(count, len(part))))
    shape, size = plan.input_shape, len(few)
    changed = Batches(few, shape, size, classes, seed=plan.seed, effects=effects)
    columns = [Batches(few, shape, size, classes)[0][0]]
    for number in range(times):
        shown = np.empty((size, *shape), "uint8")
        shown[changed.order(number)] = np.rint(changed[number][0])
        columns.append(shown)
    return np.stack(columns, axis=1)


def fingerprint(dataset: Dataset) -> str:
    """A digest of all images and labels.

    Raises:
        DataError: An image file cannot be read.
    """
    digest = hashlib.blake2b(digest_size=16)
    digest.update("\0".join(dataset.class_names).encode())
    for part in _parts(dataset):
        digest.update(np.ascontiguousarray(part.labels).tobytes())
        for piece in _bytes(part):
            digest.update(piece)
    return digest.hexdigest()


def _parts(dataset: Dataset) -> Iterable[Part]:
    validation = dataset.validation
    return [dataset.train, dataset.test, *([validation] if validation is not None else [])]


def _bytes(part: Part) -> Iterable[bytes]:
    if part.digests is not None:
        yield part.digests.tobytes()
    elif isinstance(part.images, ImageFiles):
        for path in part.images.paths:
            try:
                yield path.read_bytes()
            except OSError as error:
                raise DataError(f"{printable(path)} cannot be read: {error.strerror}.") from error
    else:
        yield repr(part.images.shape).encode()
        for image in part.images:
            yield image.tobytes()


def decisive(versions: Mapping[str, str]) -> dict[str, str]:
    """The versions without which a run could not go on as it began."""
    return {
        "backend": versions["backend"],
        "keras": versions["keras"].split(".")[0],
        "cnnzoo": versions["cnnzoo"],
    }
