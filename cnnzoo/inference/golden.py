"""Golden logits: what a weight file answers to four pictures that anyone can compute.

One JSON record for each weight file. Those of ``weights/golden/`` ship; those a user makes lie
beside the downloads, in ``<cache>/golden/``.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzoo import files
from cnnzoo.catalogue.weights import WeightsEntry
from cnnzoo.errors import CatalogueError
from cnnzoo.pretrained.environment import cache_folder

TOLERANCE = 1e-4  # of the largest logit; see docs/verifying.md for what backends differ by


@dataclass(frozen=True, slots=True, kw_only=True)
class Golden:
    """One record.

    Attributes:
        weights: Hash of the file, as the catalogue states it.
        options: Build options of the network.
        shape: Height, width and channels of the pictures.
        pictures: sha256 of their pixels.
        inputs: For each picture, the mean and the deviation of each channel after preprocessing.
        logits: For each picture, the network's answer before softmax, in float32.
        tolerance: Largest difference allowed, relative to the largest logit.
        made_by: Keras, backend, machine.
        date: Of the recording, ISO 8601.
    """

    network: str
    tag: str
    weights: str
    options: dict[str, Any]
    shape: tuple[int, int, int]
    pictures: str
    inputs: list[list[float]]
    logits: list[list[float]]
    tolerance: float
    made_by: str
    date: str


def find_record(entry: WeightsEntry) -> tuple[Golden, Path] | None:
    """The record of a weight file, the shipped one first, and where it is.

    Raises:
        CatalogueError: The record is damaged, or is one of another file.
    """
    for path in (entry.golden_path, own_path(entry)):
        if path.exists():
            return read_record(path, entry), path
    return None


def own_path(entry: WeightsEntry, folder: Path | None = None) -> Path:
    """Where a record that a user makes is kept."""
    return (folder or cache_folder() / "golden") / entry.golden_path.name


def read_record(path: Path, entry: WeightsEntry) -> Golden:
    """Read and check one record."""
    try:
        fields = json.loads(path.read_text("utf-8"))
        golden = Golden(**{**fields, "shape": tuple(fields["shape"])})
        numbers = [*golden.inputs, *golden.logits, [golden.tolerance]]
        if not all(math.isfinite(n) for row in numbers for n in row):
            raise ValueError("a number is not finite")
        if not len(golden.inputs) == len(golden.logits) > 0 or not 0 < golden.tolerance < 1:
            raise ValueError("pictures, inputs and logits do not belong together")
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise CatalogueError(
            f"{path} is no intact golden record ({type(error).__name__}: {error}). Delete it and "
            f"type: cnnzoo verify {entry.network} --weights {entry.tag} --record"
        ) from error
    if golden.weights != entry.hash:
        raise CatalogueError(
            f"{path} was recorded with {golden.weights}, but {entry.network} {entry.tag!r} is "
            f"{entry.hash} now. Delete it and record again."
        )
    return golden


def write_record(path: Path, golden: Golden) -> None:
    """Replace ``path``; a record is whole or absent."""
    files.write_json(path, asdict(golden))


def pictures(shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """(4, height, width, channels): ramps, rings, tiles and a figure, by whole numbers only.

    No picture is stored and none is resized, so that every machine sees the same pixels at any
    size.
    """
    height, width, _ = shape
    i, j, c = np.meshgrid(*map(np.arange, shape), indexing="ij")
    down, across = i * 255 // max(1, height - 1), j * 255 // max(1, width - 1)
    ramps = np.choose(c % 3, [down, across, (down + 2 * across) // 3])
    rings = ((down - 128) ** 2 + (across - 100) ** 2) // 40 + 60 * c
    tiles = (down // 32 * 37 + across // 32 * 91 + c * 53) * 29
    bar = (down > 50) & (down < 85) & (across > 60) & (across < 195)
    stroke = (down >= 85) & (down < 215) & (abs(2 * across + down - 430) < 40)
    figure = np.where(bar | stroke, 250 - 40 * c, 10 + 30 * c)
    return (np.stack([ramps, rings, tiles, figure]) % 256).astype("uint8")


def fingerprint(pixels: NDArray[np.uint8]) -> str:
    return hashlib.sha256(np.ascontiguousarray(pixels).tobytes()).hexdigest()


def statistics(inputs: NDArray[np.float32]) -> list[list[float]]:
    """Mean and deviation of every channel of every picture: wrong scale, mean and order show."""
    numbers = np.concatenate([inputs.mean((1, 2)), inputs.std((1, 2))], axis=1)
    return [[round(float(n), 6) for n in row] for row in numbers]
