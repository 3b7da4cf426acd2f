"""One fit: optimizer, batches, and what is written after every epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any, TextIO

import keras

from cnnzoo.errors import CnnZooError
from cnnzoo.files import write_with
from cnnzoo.training.augmentation import AUGMENTATIONS
from cnnzoo.training.batches import Batches
from cnnzoo.training.datasets import Part
from cnnzoo.training.progress import ShowProgress
from cnnzoo.training.recipe import Recipe
from cnnzoo.training.rundir import RunDirectory

OPTIMIZERS: dict[str, Callable[[Any], keras.optimizers.Optimizer]] = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "sgd": lambda rate: keras.optimizers.SGD(rate, momentum=0.9, nesterov=True),
    "rmsprop": keras.optimizers.RMSprop,
    "adadelta": keras.optimizers.Adadelta,
}
FIGURES = ("loss", "accuracy", "val_loss", "val_accuracy")


def train(
    model: keras.Model,
    recipe: Recipe,
    parts: tuple[Part, Part],
    run: RunDirectory,
    stream: TextIO | None,
) -> tuple[list[dict[str, Any]], float]:
    """Train ``model``; the weights of the best epoch are in the run directory afterwards.

    Args:
        recipe: With epochs and augmentation chosen.
        parts: What is learnt from, and what chooses the best epoch.
        stream: Where progress is shown.

    Returns:
        One row per epoch, and the seconds it took, validation included.
    """
    shape, size, epochs = recipe.input_shape, recipe.batch_size, recipe.epochs or 0
    moves = AUGMENTATIONS[recipe.augment]
    batches = Batches(parts[0], shape, size, seed=recipe.seed, augmentation=moves)
    validation = Batches(parts[1], shape, size)
    rate = keras.optimizers.schedules.CosineDecay(recipe.learning_rate, epochs * batches.steps)
    # A second model on the same layers, so that the saved one carries no optimizer with it.
    trained = keras.Model(model.inputs, model.outputs)
    optimizer = OPTIMIZERS[recipe.optimizer](rate)
    trained.compile(optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    recorder = Recorder(model, run)
    shown = [ShowProgress(stream, epochs, batches.steps)] if stream else []
    began = time.perf_counter()
    try:
        trained.fit(
            batches,
            steps_per_epoch=batches.steps,
            validation_data=validation,
            validation_steps=validation.steps,
            epochs=epochs,
            shuffle=False,  # `Batches` has done it
            callbacks=[recorder, *shown],
            verbose=0,
        )
    except Exception as error:
        raise (batches.failure or validation.failure or error) from None
    finally:
        for bar in shown:
            bar.close()
    return recorder.history, time.perf_counter() - began


def merit(row: Mapping[str, float]) -> tuple[float, float]:
    """What makes one epoch better than another: validation accuracy, among equals the loss."""
    return row["val_accuracy"], -row["val_loss"]


class Recorder(keras.callbacks.Callback):  # type: ignore[misc]
    """After every epoch: history.csv, and model.keras if it is the best one so far."""

    def __init__(self, network: keras.Model, run: RunDirectory) -> None:
        super().__init__()
        self.network = network
        self.run = run
        self.history: list[dict[str, Any]] = []
        self.best: dict[str, Any] | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        figures = {name: float(logs[name]) for name in FIGURES}
        rate = float(self.model.optimizer.learning_rate)
        seconds = round(time.perf_counter() - self.began, 3)
        row = {"epoch": epoch + 1, **figures, "learning_rate": rate, "seconds": seconds}
        self.history.append(row)
        self.run.write_history(self.history)
        if not all(map(math.isfinite, figures.values())):
            raise CnnZooError(
                f"The loss is no longer a number in epoch {epoch + 1}. "
                f"Try a smaller learning_rate. What was reached before is in {self.run.path}."
            )
        if self.best is None or merit(row) > merit(self.best):
            self.best = row
            write_with(self.run.model, self.network.save)
