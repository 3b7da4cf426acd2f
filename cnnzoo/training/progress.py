"""What one sees while a network trains: a live bar, or one line per epoch where there is none."""

from __future__ import annotations

import time
from typing import Any, TextIO

import keras
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cnnzoo.units import duration, percent


class ShowProgress(keras.callbacks.Callback):  # type: ignore[misc]
    """Draws on a terminal, writes lines to anything else.

    Args:
        stream: Where to; whether it is a terminal decides how.
    """

    def __init__(self, stream: TextIO, epochs: int, batches: int) -> None:
        super().__init__()
        self.console = Console(file=stream, highlight=False)
        self.epochs = epochs
        self.batches = batches
        self.live = self.console.is_terminal and not self.console.is_dumb_terminal
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            console=self.console,
            disable=not self.live,
        )
        self.task = self.bar.add_task("", total=epochs * batches, figures="")
        self.validation = ""

    def on_train_begin(self, logs: Any = None) -> None:
        self.bar.start()

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.epoch = epoch
        self.began = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        if self.live:
            where = f"epoch {self.epoch + 1}/{self.epochs}  batch {batch + 1}/{self.batches}"
            done = self.epoch * self.batches + batch + 1
            figures = _figures(logs) + self.validation
            self.bar.update(self.task, completed=done, description=where, figures=figures)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.validation = f"  validation {percent(logs['val_accuracy'])}"
        if not self.live:
            where = f"epoch {epoch + 1:{len(str(self.epochs))}}/{self.epochs}"
            took = duration(time.perf_counter() - self.began)
            line = f"{where}  {_figures(logs)}{self.validation}  {took}"
            self.console.print(line, soft_wrap=True)

    def on_train_end(self, logs: Any = None) -> None:
        self.close()

    def close(self) -> None:
        """Give the terminal back; also after an exception."""
        self.bar.stop()


def _figures(logs: Any) -> str:
    return f"loss {logs['loss']:.4f}  accuracy {percent(logs['accuracy'])}"
