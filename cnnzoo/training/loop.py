"""The loop: step after step, measured after every epoch, resumable after any step."""

from __future__ import annotations

import contextlib
import logging
import math
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import keras
import numpy as np

from cnnzoo.catalogue.recipes import Recipe
from cnnzoo.errors import CheckpointError, InterruptedRun, TrainingError
from cnnzoo.files import write_with
from cnnzoo.training.batches import Batch, Batches
from cnnzoo.training.checkpoints import Checkpoint
from cnnzoo.training.interruption import Interruption
from cnnzoo.training.rundir import RunDirectory
from cnnzoo.training.schedules import Phase, learning_rate, mean_rate, phases

log = logging.getLogger("cnnzoo")
Row = dict[str, Any]
_NO_MEMORY = ("ResourceExhaustedError", "OutOfMemoryError", "MemoryError")


class Watcher(Protocol):
    """Something that shows or writes down how training goes."""

    def step(self, epoch: int, batch: int, logs: Mapping[str, float]) -> None: ...
    def epoch(self, row: Row) -> None: ...
    def close(self) -> None: ...


class Network(Protocol):
    """A model and what its phases train."""

    model: keras.Model

    def enter(self, phase: Phase, steps: int) -> tuple[keras.Model, keras.optimizers.Optimizer]: ...
    def of_size(self, height: int, width: int) -> keras.Model: ...


@dataclass(slots=True)
class Progress:
    """What a checkpoint remembers beside the variables.

    Attributes:
        step: Training steps done, through all phases.
        phase: In which the last of them was done.
        images, loss, hits: Of the epoch that is not finished: how many were shown, the sum of
            their losses, how many were right.
        history: One row per finished epoch.
        best: The row of the best epoch, and the checkpoint that holds its weights.
        factor: What "plateau" has multiplied the rate by.
        waited: Epochs since what "plateau" watches was best.
        watched: What it was then; more is better.
        seconds: Spent training, through all interruptions.
    """

    step: int = 0
    phase: str = ""
    images: int = 0
    loss: float = 0.0
    hits: float = 0.0
    history: list[Row] = field(default_factory=list)
    best: Row | None = None
    best_checkpoint: str | None = None
    factor: float = 1.0
    waited: int = 0
    watched: float | None = None
    seconds: float = 0.0
    stopped: bool = False


def merit(row: Mapping[str, float]) -> tuple[float, float]:
    """What makes one epoch better than another: validation accuracy, among equals the loss."""
    return row["val_accuracy"], -row["val_loss"]


class Trainer:
    """Trains a network as a recipe says; every epoch and every few minutes it can be taken up from.

    Args:
        network: What is trained.
        recipe: With epochs chosen.
        batches: What is learnt from; ``validation`` chooses the best epoch.
        checkpoint_seconds: Longest time between two checkpoints.
    """

    def __init__(
        self,
        network: Network,
        recipe: Recipe,
        batches: Batches,
        validation: Batches,
        run: RunDirectory,
        watchers: Sequence[Watcher] = (),
        checkpoint_seconds: float = 300.0,
    ) -> None:
        self.network, self.recipe, self.run = network, recipe, run
        self.batches, self.validation = batches, validation
        self.watchers, self.checkpoint_seconds = watchers, checkpoint_seconds
        self.phases = phases(recipe)
        self.progress = Progress()
        self.trained: Any = None
        self.optimizer: Any = None

    def train(self) -> Progress:
        """Train to the end; afterwards the network has the weights to be tested.

        Raises:
            InterruptedRun: By Ctrl-C or SIGTERM; the state is saved.
            TrainingError: The loss is no longer a number, or memory is short.
            StorageError: A checkpoint could not be written.
        """
        self._since = self._saved = time.perf_counter()
        try:
            with Interruption() as interruption:
                for phase in self.phases:
                    while self._epochs_done < phase.last and not self.progress.stopped:
                        if self.progress.phase != phase.name:
                            self._enter(phase)
                        self._epoch(phase, interruption)
                        self._heed(interruption)
        except Exception as error:
            if type(error).__name__ not in _NO_MEMORY:
                raise
            raise TrainingError(
                f"Memory is short for batches of {self.recipe.batch_size} images: {error}. "
                "Try a smaller batch_size. The last checkpoint is intact."
            ) from error
        finally:
            for watcher in self.watchers:
                watcher.close()
        self._load_best()
        return self.progress

    def restore(self, checkpoint: Checkpoint) -> None:
        """Go back to a checkpoint: all variables, the history, what schedules remember.

        Raises:
            CheckpointError: It was made by another network, or the best weights are lost.
        """
        self._since = self._saved = time.perf_counter()
        progress = Progress(**checkpoint.progress)
        if checkpoint.weights is not None:  # it could not know its own name
            progress.best_checkpoint = checkpoint.name
        self._enter(next(phase for phase in self.phases if phase.name == progress.phase))
        self.progress = progress
        rescued = self._rescued() if checkpoint.weights is None else None
        self._assign(self._variables(), checkpoint.state, checkpoint.name)
        if rescued is not None:
            self._save(rescued)

    def _rescued(self) -> dict[str, np.ndarray] | None:
        """The best weights from model.keras, if the checkpoint that should hold them is damaged."""
        name, best = self.progress.best_checkpoint, self.progress.best
        if name is None or best is None:
            return None
        try:
            self.run.checkpoints.load(name)
            return None
        except CheckpointError as error:
            damage = str(error)
        try:
            stored = keras.saving.load_model(self.run.model, compile=False).weights
            for variable, other in zip(self.network.model.weights, stored, strict=True):
                variable.assign(_value(other))
            same = math.isclose(self._validate()["val_loss"], best["val_loss"], rel_tol=1e-3)
        except (OSError, ValueError) as error:
            raise CheckpointError(
                f"{damage} It held the weights of the best epoch, and {self.run.model} cannot be "
                f"read: {error}. Start a new run in another folder."
            ) from error
        if not same:
            raise CheckpointError(
                f"{damage} It held the weights of the best epoch, and {self.run.model} holds "
                "others. Start a new run in another folder."
            )
        log.warning("%s The weights of the best epoch are taken from %s.", damage, self.run.model)
        return self._weights()

    @property
    def _epochs_done(self) -> int:
        return self.progress.step // self.batches.steps

    def _enter(self, phase: Phase) -> None:
        """Begin a phase: what is trained, and an optimizer that knows nothing yet."""
        steps = phase.epochs * self.batches.steps
        self.trained, self.optimizer = self.network.enter(phase, steps)
        self.progress.phase = phase.name
        self.progress.factor, self.progress.waited, self.progress.watched = 1.0, 0, None
        self.run.checkpoints.check_room(map(_value, self._variables().values()))

    def _epoch(self, phase: Phase, interruption: Interruption) -> None:
        progress, steps = self.progress, self.batches.steps
        epoch = self._epochs_done
        end, waited = (epoch + 1) * steps, 0.0
        began, images = time.perf_counter(), -progress.images
        with contextlib.closing(self.batches.ahead(progress.step, end)) as supply:
            while progress.step < end:
                asked = time.perf_counter()
                batch = next(supply)
                waited += time.perf_counter() - asked
                self._step(phase, batch)
                for watcher in self.watchers:
                    watcher.step(epoch, progress.step - epoch * steps, self._means())
                if progress.step < end:
                    self._heed(interruption)
                    if time.perf_counter() - self._saved > self.checkpoint_seconds:
                        self._save()
        took = time.perf_counter() - began
        images += progress.images
        row = {"epoch": epoch + 1, "phase": phase.name, **self._means()}
        progress.images, progress.loss, progress.hits = 0, 0.0, 0.0
        speed = {
            "seconds": round(took, 3),
            "images_per_second": round(images / took, 1),
            "waiting": round(waited / took, 4),  # for images, as a share of the time
        }
        rate = mean_rate(self.recipe, phase, epoch, steps, progress.factor)
        self._end_epoch(row, {"learning_rate": rate, **speed})

    def _step(self, phase: Phase, batch: Batch) -> None:
        """One step of training."""
        progress, steps = self.progress, self.batches.steps
        inside = progress.step - phase.first * steps
        rate = learning_rate(self.recipe, phase, inside, steps, progress.factor)
        self.optimizer.learning_rate.assign(rate)
        trained = self.network.of_size(*batch[0].shape[1:3])
        logs = trained.train_on_batch(*batch, return_dict=True)
        progress.step += 1
        progress.images += len(batch[0])
        progress.loss += float(logs["loss"]) * len(batch[0])
        progress.hits += float(logs["accuracy"]) * len(batch[0])
        if not math.isfinite(progress.loss):
            self._not_a_number((progress.step - 1) // steps)

    def _means(self) -> dict[str, float]:
        """Of the epoch so far."""
        progress = self.progress
        images = progress.images
        return {"loss": progress.loss / images, "accuracy": progress.hits / images}

    def _end_epoch(self, row: Row, speed: Row) -> None:
        """Measure, write down, keep what is best."""
        progress = self.progress
        with self._averaged():
            row |= self._validate() | speed
            if not math.isfinite(row["val_loss"]):
                self._not_a_number(row["epoch"] - 1)
            progress.history.append(row)
            self.run.write_history(progress.history)
            better = self.recipe.tested == "last" or progress.best is None
            better = better or merit(row) > merit(progress.best or row)
            weights = self._weights() if better else None
            if better:
                write_with(self.run.model, self.network.model.save)
        self._remember(row, better)
        self._save(weights)
        for watcher in self.watchers:
            watcher.epoch(row)

    def _remember(self, row: Row, better: bool) -> None:
        """The best so far, early stopping, the plateau."""
        progress, recipe = self.progress, self.recipe
        if better:
            progress.best = row
        watched = row["val_accuracy"] if recipe.monitor == "val_accuracy" else -row["val_loss"]
        if progress.watched is None or watched > progress.watched:
            progress.watched, progress.waited = watched, 0
        else:
            progress.waited += 1
        if progress.waited and progress.waited % recipe.plateau_patience == 0:
            progress.factor *= recipe.plateau_factor
        if recipe.patience and row["phase"] == self.phases[-1].name:  # earlier ones run their time
            rows = [one for one in progress.history if one["phase"] == row["phase"]]
            best = max(rows, key=merit)
            progress.stopped = row["epoch"] - best["epoch"] >= recipe.patience

    def _validate(self) -> Row:
        images, loss, hits = 0, 0.0, 0.0
        for batch in self.validation.ahead(0, self.validation.steps):
            logs = self.trained.test_on_batch(*batch, return_dict=True)
            images += len(batch[0])
            loss += float(logs["loss"]) * len(batch[0])
            hits += float(logs["accuracy"]) * len(batch[0])
        return {"val_loss": loss / images, "val_accuracy": hits / images}

    @contextlib.contextmanager
    def _averaged(self) -> Iterator[None]:
        """Put the averaged weights in place of the trained ones, where the recipe averages."""
        if not self.recipe.ema:
            yield
            return
        trained = self.trained.trainable_variables
        own = [_value(variable) for variable in trained]
        self.optimizer.finalize_variable_values(trained)
        for variable in trained:  # JAX gives up arrays that two variables share
            variable.assign(_value(variable))
        try:
            yield
        finally:
            for variable, value in zip(trained, own, strict=True):
                variable.assign(value)

    def _heed(self, interruption: Interruption) -> None:
        if interruption.received is None:
            return
        self._save()
        name = signal.Signals(interruption.received).name
        raise InterruptedRun(
            f"Stopped by {name} after step {self.progress.step}; everything is saved. "
            f"To go on, type: cnnzoo finetune --resume {self.run.path}",
            interruption.received,
        )

    def _save(self, weights: Mapping[str, np.ndarray] | None = None) -> None:
        """A checkpoint of this moment, then fewer of the older ones."""
        progress = self.progress
        now = time.perf_counter()
        progress.seconds += now - self._since
        self._since = self._saved = now
        state = {name: _value(variable) for name, variable in self._variables().items()}
        name = self.run.checkpoints.save(progress.step, state, asdict(progress), weights)
        if weights is not None:
            progress.best_checkpoint = name
        self.run.checkpoints.prune()

    def _not_a_number(self, epoch: int) -> None:
        kept = (
            f" The last good state is in {self.run.path}." if self.run.checkpoints.names() else ""
        )
        raise TrainingError(
            f"The loss is no longer a number in epoch {epoch + 1}, step {self.progress.step}. "
            f"Try a smaller learning_rate (--set lr=…).{kept}"
        )

    def _load_best(self) -> None:
        """Give the network the weights that are to be tested, and write them as model.keras."""
        name = self.progress.best_checkpoint
        assert name is not None  # every epoch that ends is measured, and one at least has
        weights = self.run.checkpoints.load(name).weights
        model = self.network.model
        self._assign({v.path: v for v in model.weights}, weights or {}, name)
        write_with(self.run.model, model.save)

    def _weights(self) -> dict[str, np.ndarray]:
        return {variable.path: _value(variable) for variable in self.network.model.weights}

    def _variables(self) -> dict[str, Any]:
        """Everything that changes while training, by names that are the same next time."""
        groups = {
            "model": self.trained.variables,
            "optimizer": self.optimizer.variables,
        }
        return {
            f"{group} {i} {variable.name}": variable  # paths hold numbers that Keras counts up
            for group, variables in groups.items()
            for i, variable in enumerate(variables)
        }

    @staticmethod
    def _assign(variables: Mapping[str, Any], values: Mapping[str, np.ndarray], name: str) -> None:
        shapes = {key: tuple(variable.shape) for key, variable in variables.items()}
        if shapes != {key: value.shape for key, value in values.items()}:
            raise CheckpointError(f"{name} was made by another network or version.")
        for key, variable in variables.items():
            variable.assign(values[key])


def _value(variable: Any) -> np.ndarray:
    return np.array(keras.ops.convert_to_numpy(variable))
