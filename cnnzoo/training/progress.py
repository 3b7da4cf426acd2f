"""What one sees while a network trains: a live bar, or one line per epoch where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from cnnzoo.units import duration, percent


class ShowProgress:
    """Draws on a terminal, writes lines to anything else.

    Args:
        stream: Where to; whether it is a terminal decides how.
        done: Batches of an earlier part of the run.
    """

    def __init__(self, stream: TextIO, epochs: int, batches: int, done: int = 0) -> None:
        # Rich would draw in notebooks, with another package, and wherever FORCE_COLOR is set.
        self.console = Console(file=stream, highlight=False, force_jupyter=False)
        self.epochs = epochs
        self.batches = batches
        self.live = stream.isatty() and not self.console.is_dumb_terminal
        self.bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[figures]}"),
            TimeRemainingColumn(compact=True),
            console=self.console,
            disable=not self.live,
        )
        self.task = self.bar.add_task("", total=epochs * batches, completed=done, figures="")
        self.validation = ""
        self.bar.start()

    def step(self, epoch: int, batch: int, logs: Mapping[str, float]) -> None:
        if self.live:
            where = f"epoch {epoch + 1}/{self.epochs}  batch {batch}/{self.batches}"
            figures = _figures(logs) + self.validation
            done = epoch * self.batches + batch
            self.bar.update(self.task, completed=done, description=where, figures=figures)

    def epoch(self, row: Mapping[str, Any]) -> None:
        self.validation = f"  validation {percent(row['val_accuracy'])}"
        if not self.live:
            where = f"epoch {row['epoch']:{len(str(self.epochs))}}/{self.epochs}"
            line = f"{where}  {_figures(row)}{self.validation}  {duration(row['seconds'])}"
            self.console.print(line, soft_wrap=True)

    def close(self) -> None:
        """Give the terminal back; also after an exception."""
        self.bar.stop()


class TensorBoard:
    """Writes the figures of every epoch for TensorBoard, which need not be installed for that."""

    def __init__(self, folder: Path) -> None:
        import tensorflow as tf

        # `tf.summary.scalar` is TensorBoard's own; this is what it writes.
        plugin = tf.compat.v1.SummaryMetadata.PluginData(plugin_name="scalars")
        self.metadata = tf.compat.v1.SummaryMetadata(plugin_data=plugin, data_class=1)
        self.writer = tf.summary.create_file_writer(str(folder))
        self.write = tf.summary.write

    def step(self, epoch: int, batch: int, logs: Mapping[str, float]) -> None:
        """Batches are too many to be looked at."""

    def epoch(self, row: Mapping[str, Any]) -> None:
        with self.writer.as_default():
            for name, value in row.items():
                if isinstance(value, float):
                    self.write(name, value, step=row["epoch"], metadata=self.metadata)
            self.writer.flush()

    def close(self) -> None:
        self.writer.close()


def _figures(logs: Mapping[str, float]) -> str:
    return f"loss {logs['loss']:.4f}  accuracy {percent(logs['accuracy'])}"
