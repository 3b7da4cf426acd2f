"""Pictures as vectors: the frozen trunk of a network, run once over each part of the data."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from cnnzoo.catalogue import augmentations
from cnnzoo.errors import DataError, UsageError
from cnnzoo.pictures import ImageFiles, Images
from cnnzoo.runtimes.choose import Runner
from cnnzoo.runtimes.choose import compile as compile_runner
from cnnzoo.store import key_of
from cnnzoo.training.batches import Batches
from cnnzoo.training.data.dataset import Dataset, Part
from cnnzoo.training.heads import add_head
from cnnzoo.training.probe import arrays
from cnnzoo.training.probe.backbones import Backbone


@dataclass(frozen=True, slots=True)
class Vectors:
    """What a network makes of a part of the data.

    Attributes:
        array: (N, F) float32, mapped from the disk, in the order of the part.
        cached: Whether they were there already.
        seconds: It took to make them, or to find them.
        runtime: What computed them: "keras float32".
    """

    array: np.ndarray = field(repr=False)
    cached: bool
    seconds: float
    runtime: str


class InOrder(Batches):
    """Batches whose images are changed by a seed and not shuffled by it."""

    def order(self, epoch: int) -> np.ndarray:
        return np.arange(len(self.part))


class Extractor:
    """One network, ready to be run where the store does not have its vectors.

    Args:
        runtime: What computes, and in which numbers, as ``cnnzoo.runtimes`` names them.
        images: How many there will be, which decides whether a fast runtime is worth its start.
        stream: Where progress is shown, if anywhere.
    """

    def __init__(
        self,
        backbone: Backbone,
        *,
        runtime: str = "auto",
        precision: str = "auto",
        batch_size: int = 32,
        images: int | None = None,
        seed: int = 0,
        cache: bool = True,
        stream: TextIO | None = None,
    ) -> None:
        self.backbone = backbone
        self.runtime, self.precision = runtime, precision
        self.batch_size, self.images = batch_size, images
        self.seed = seed
        self.cache = cache
        self.stream = stream

    def __call__(self, dataset: Dataset, name: str, change: int = 0) -> Vectors:
        """The vectors of the part ``name``.

        Args:
            change: 0 for the images as they are, else which of the augmented views.
        """
        began = time.perf_counter()
        part = getattr(dataset, name)
        effects = usual_effects(dataset) if change else ()
        drawn = {"seed": self.seed, "change": change, "effects": effects} if change else {}
        key = key_of({**self._settings, **drawn, "images": digest_of(part.images)})
        if self.cache and (found := arrays.get(key)):
            array, runtime = found
            return Vectors(array, True, time.perf_counter() - began, runtime)
        title = self._title(dataset, name, change)
        runtime = f"{self.runner.runtime} {self.runner.precision}"
        shape = len(part), int(self.network.outputs[0].shape[1])
        blocks = self._blocks(part, change, effects, title)
        if self.cache:
            array = arrays.put(key, title, runtime, shape, blocks)
        else:
            array = arrays.scratch(shape, blocks)
        return Vectors(array, False, time.perf_counter() - began, runtime)

    @cached_property
    def network(self) -> keras.Model:
        """(N, height, width, channels) pixels 0 to 255 -> (N, F): the trunk and global pooling."""
        network = self.backbone.network()
        check_input(network)
        headed = add_head(network, 1, dropout=0.0)
        pooled = headed.get_layer("predictions").input
        return keras.Model(headed.inputs[0], pooled, name=network.name)

    @cached_property
    def runner(self) -> Runner:
        return compile_runner(
            self.network,
            runtime=self.runtime, precision=self.precision, batch_size=self.batch_size,
            images=self.images,
        )  # fmt: skip

    @cached_property
    def _settings(self) -> dict[str, Any]:
        """What vectors of any part depend on."""
        return {
            "format": 1,
            **self.backbone.identity(),
            "runtime": self.runtime,
            "precision": self.precision,
        }

    def _title(self, dataset: Dataset, name: str, change: int) -> str:
        of = "training" if name == "train" else name
        view = f", view {change}" if change else ""
        return f"{self.backbone.name} {self.backbone.weights}: {dataset.name} {of}{view}"

    def _blocks(
        self, part: Part, change: int, effects: tuple[augmentations.Effect, ...], title: str
    ) -> Iterator[np.ndarray]:
        """(n, F) vectors of one batch after the other, with a bar for people to look at."""
        shape, classes = self.network.inputs[0].shape[1:], 1 + int(part.labels.max())
        batches = InOrder(part, shape, self.batch_size, classes, seed=self.seed, effects=effects)
        first = change * batches.steps
        console = Console(file=self.stream or sys.stderr, force_jupyter=False)
        bar = Progress(
            title, BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True),
            console=console, transient=True,
            disable=self.stream is None or not console.is_terminal,
        )  # fmt: skip
        with bar:
            work = bar.add_task(title, total=len(part))
            for pixels, _ in batches.ahead(first, first + batches.steps):
                block = self.runner(pixels)
                if not np.isfinite(block).all():
                    name = self.backbone.name
                    raise DataError(f"{name} answers with numbers that are not finite.")
                bar.advance(work, len(block))
                yield block


def usual_effects(dataset: Dataset) -> tuple[augmentations.Effect, ...]:
    """What fine-tuning does to such images unless told otherwise; digits are never mirrored."""
    words = augmentations.expand([augmentations.AUTO], dataset.channels, dataset.class_names)
    return augmentations.parse(words)


def digest_of(images: Images) -> str:
    """Of all pixels; of image files, of their names, sizes and dates."""
    digest = hashlib.blake2b(digest_size=16)
    if isinstance(images, ImageFiles):
        for path in images.paths:
            digest.update(_stamp(path).encode())
    else:
        digest.update(repr(images.shape).encode())
        digest.update(np.ascontiguousarray(images).data)
    return digest.hexdigest()


def _stamp(path: Path) -> str:
    status = path.stat()
    return f"{path.parent.name}/{path.name}:{status.st_size}:{status.st_mtime_ns}\n"


def check_input(network: keras.Model) -> None:
    """Refuse what does not take pictures of one known size."""
    shapes = [tuple(tensor.shape) for tensor in network.inputs]
    first = shapes[0]
    if len(shapes) > 1 or len(first) != 4 or None in first[1:] or first[3] not in (1, 3):
        raise UsageError(
            f"{network.name} takes {', '.join(map(str, shapes))}; a network of pictures takes "
            "(N, height, width, 1 or 3) of known size."
        )
