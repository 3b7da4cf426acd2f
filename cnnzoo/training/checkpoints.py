"""Checkpoints: folders that appear whole, carry their own hashes and are never written twice.

```text
checkpoints/step-00001200/
├── state.safetensors    every variable: network, optimizer, seeds, running metrics
├── weights.safetensors  the network as it was measured, where that was the best so far
├── progress.json        what was done, the history, the best, what schedules remember
└── manifest.json        size and sha256 of the others, written last
```

A folder is made under another name and renamed when everything in it lies on the disk. Whatever
kills the process, a folder called ``step-…`` is either whole or says that it is not.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from cnnzoo.errors import CheckpointError, StorageError
from cnnzoo.files import sync, write_json, write_with

log = logging.getLogger("cnnzoo")
Arrays = Mapping[str, np.ndarray]
STATE, WEIGHTS, PROGRESS, MANIFEST = (
    "state.safetensors",
    "weights.safetensors",
    "progress.json",
    "manifest.json",
)
_MARGIN = 2**20  # bytes for what is no array


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One intact checkpoint.

    Attributes:
        weights: Of the network as measured; ``None`` unless it was the best so far.
    """

    name: str
    state: dict[str, np.ndarray]
    progress: dict[str, Any]
    weights: dict[str, np.ndarray] | None


class Checkpoints:
    """The checkpoints of one run, in ``folder``."""

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder = folder
        self.keep = keep
        self._damaged: set[str] = set()  # which nobody will take up again

    def save(
        self, step: int, state: Arrays, progress: Mapping[str, Any], weights: Arrays | None = None
    ) -> str:
        """Write a checkpoint and return its name.

        Raises:
            StorageError: The disk is full or cannot be written; older checkpoints are untouched.
        """
        part = self._part()
        try:
            part.mkdir(parents=True)
            write_with(part / STATE, lambda path: save_file(dict(state), path))
            if weights is not None:
                write_with(part / WEIGHTS, lambda path: save_file(dict(weights), path))
            write_json(part / PROGRESS, progress)
            write_json(part / MANIFEST, {file.name: _mark(file) for file in sorted(part.iterdir())})
            target = self._free(step)
            part.rename(target)
            sync(self.folder)
        except (OSError, SafetensorError) as error:
            if isinstance(error, StorageError):
                raise
            raise StorageError(
                f"No checkpoint could be written into {self.folder}: {error}. The older ones are "
                "intact. Make room, then take the run up again."
            ) from error
        finally:
            shutil.rmtree(part, ignore_errors=True)
        return target.name

    def newest(self) -> Checkpoint | None:
        """The newest intact checkpoint; ``None`` if there is none at all.

        Raises:
            CheckpointError: There are some, and none is intact.
        """
        reasons = []
        for name in reversed(self.names()):
            try:
                return self.load(name)
            except CheckpointError as error:
                log.warning("%s Taking the one before.", error)
                reasons.append(str(error))
                self._damaged.add(name)
        if reasons:
            raise CheckpointError(
                f"No checkpoint in {self.folder} is intact: {' '.join(reasons)} Nothing was "
                "deleted. Start a new run in another folder."
            )
        return None

    def load(self, name: str) -> Checkpoint:
        """Read a checkpoint after comparing every file with the manifest.

        Raises:
            CheckpointError: A file is missing or not the one that was written.
        """
        folder = self.folder / name
        try:
            manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
            if not isinstance(manifest, dict) or not {STATE, PROGRESS} <= manifest.keys():
                raise ValueError(f"{MANIFEST} is incomplete")
            for file, mark in manifest.items():
                if _mark(folder / Path(file).name) != mark:
                    raise ValueError(f"{file} has changed")
            progress = json.loads((folder / PROGRESS).read_text("utf-8"))
            state = load_file(folder / STATE)
            weights = load_file(folder / WEIGHTS) if WEIGHTS in manifest else None
        except (OSError, ValueError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CheckpointError(f"{name} cannot be used: {reason}.") from error
        return Checkpoint(name, state, progress, weights)

    def names(self) -> list[str]:
        """Of all checkpoints, intact or not, oldest first."""
        if not self.folder.is_dir():
            return []
        return sorted(path.name for path in self.folder.glob("step-*") if path.is_dir())

    def prune(self) -> None:
        """Remove all but the last ``keep`` and those they call the best, and what was left over.

        Those that `newest` found damaged do not count.
        """
        names = self.names()
        last = [name for name in names if name not in self._damaged][-self.keep :]
        needed = set(last)
        for name in last:
            with contextlib.suppress(OSError, ValueError):
                progress = json.loads((self.folder / name / PROGRESS).read_text("utf-8"))
                needed.add(progress["best_checkpoint"])
        for name in set(names) - needed:
            gone = self._part()  # renamed first: half a checkpoint never shows
            (self.folder / name).rename(gone)
        for path in self.folder.glob(".part-*"):
            shutil.rmtree(path, ignore_errors=True)

    def check_room(self, arrays: Iterable[np.ndarray]) -> None:
        """Refuse to start where the checkpoints to come would not fit.

        Raises:
            StorageError: Names the room that is needed and the room there is.
        """
        size = sum(array.nbytes for array in arrays)
        needed = (self.keep + 3) * size + _MARGIN  # the best, one being written, model.keras
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise StorageError(
                f"{self.folder} has room for {free / 2**20:,.0f} MiB; the checkpoints of this run "
                f"need {needed / 2**20:,.0f} MiB. Make room, or give another folder."
            )

    def _part(self) -> Path:
        """A name for what is not whole."""
        return self.folder / f".part-{os.getpid()}-{secrets.token_hex(4)}"

    def _free(self, step: int) -> Path:
        """A name that is not taken; a second one of a step sorts after the first."""
        path, number = self.folder / f"step-{step:08d}", 2
        while os.path.lexists(path):
            path, number = self.folder / f"step-{step:08d}.{number:03d}", number + 1
        return path


def _mark(file: Path) -> dict[str, Any]:
    """What tells a file from any other one."""
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256")
    return {"bytes": file.stat().st_size, "sha256": digest.hexdigest()}
