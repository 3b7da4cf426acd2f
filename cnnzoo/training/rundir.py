"""The folder of one training run: every file in it is whole or absent, whenever one looks.

```text
config.json    written before training: arguments, data, versions, hardware
history.csv    replaced after every epoch
model.keras    replaced after every epoch that is the best so far
checkpoints/   where the run is taken up again; see checkpoints.py
tensorboard/   if asked for
report.html    written when the test part has been measured
metrics.json   written last: its presence means "finished"
```
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import shutil
import socket
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from cnnzoo.errors import CheckpointError, DataError, RunLockedError, StorageError, UsageError
from cnnzoo.files import write_json, write_text
from cnnzoo.runfiles import CONFIG, HISTORY, KIND, METRICS, MODEL, REPORT, is_run, read_config
from cnnzoo.training.checkpoints import Checkpoints

LOCK, OWNER = ".lock", ".owner"  # who trains here; the lock dies with its process
# In the order of removal: what says "finished" goes first, what says "mine" last.
FILES = (METRICS, REPORT, MODEL, HISTORY, CONFIG)
FOLDERS = ("checkpoints", "tensorboard")


class RunDirectory:
    """Paths and writers of one run; nothing is touched before `start`."""

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self.path = path
        self._overwrite = overwrite
        self.checkpoints = Checkpoints(path / "checkpoints")

    @property
    def model(self) -> Path:
        return self.path / MODEL

    @property
    def report(self) -> Path:
        return self.path / REPORT

    def check(self) -> None:
        """Refuse a folder that holds anything, unless it is an old run and may be overwritten.

        Raises:
            UsageError: The folder is in use, or is no folder.
        """
        try:
            held = sorted(e.name for e in self.path.iterdir() if e.name not in (LOCK, OWNER))
        except FileNotFoundError:
            return
        except NotADirectoryError as error:
            raise UsageError(f"out={str(self.path)!r} is a file. Give a folder.") from error
        except OSError as error:
            raise StorageError(f"{self.path} cannot be read: {error.strerror}.") from error
        ours = is_run(self.path)
        if not held or (ours and self._overwrite):
            return
        if ours:
            raise UsageError(
                f"out={str(self.path)!r} holds a run already. Give another folder, or pass "
                "overwrite=True (--overwrite) to replace it. To go on with it, type: cnnzoo "
                f"finetune --resume {self.path}"
            )
        raise UsageError(
            f"out={str(self.path)!r} holds files that are no run of cnnzoo, among them "
            f"{held[0]!r}. Give an empty folder or one that does not exist."
        )

    def start(self, config: Mapping[str, Any]) -> None:
        """Remove the files of an overwritten run, and only those, then write the new config."""
        self.check()
        try:
            for folder in FOLDERS:
                if (self.path / folder).is_dir():
                    shutil.rmtree(self.path / folder)
            for name in FILES:
                for path in (self.path / name, *self.path.glob(f".part.*.{name}")):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{error.filename} cannot be removed: {error.strerror}.") from error
        write_json(self.path / CONFIG, {"kind": KIND, **config})

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep every other process from training here.

        Raises:
            RunLockedError: One does already.
            StorageError: The folder cannot be written.
        """
        lock = FileLock(self.path / LOCK)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire(timeout=0)
        except Timeout as error:
            owner = ""
            with contextlib.suppress(OSError):
                owner = f" ({(self.path / OWNER).read_text(encoding='utf-8').strip()})"
            raise RunLockedError(
                f"Another process trains in {self.path}{owner}. Wait for it, or give another "
                "folder."
            ) from error
        except OSError as error:
            raise StorageError(f"{self.path} cannot be written: {error.strerror}.") from error
        try:
            (self.path / OWNER).write_text(f"process {os.getpid()} on {socket.gethostname()}\n")
            yield
        finally:
            (self.path / OWNER).unlink(missing_ok=True)
            lock.release()

    def read_config(self) -> dict[str, Any]:
        """What `start` wrote.

        Raises:
            CheckpointError: There is no run here.
        """
        try:
            return read_config(self.path)
        except DataError as error:
            raise CheckpointError(
                f"{str(self.path)!r} holds no run that could be taken up: it has no {CONFIG} of "
                "one. Give the folder that the run wrote into."
            ) from error

    def read_metrics(self) -> dict[str, Any] | None:
        """What the finished run measured; ``None`` if it is not, or can make anew what it lacks."""
        lacks = not (self.model.is_file() and self.report.is_file())
        if lacks and self.checkpoints.names():
            return None
        try:
            metrics: dict[str, Any] = json.loads((self.path / METRICS).read_text("utf-8"))
        except (OSError, ValueError):
            return None
        return metrics

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.path / HISTORY, text.getvalue())

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        write_json(self.path / METRICS, metrics)

    def write_report(self, html: str) -> None:
        write_text(self.report, html)


def free_path(name: str) -> Path:
    """``runs/<name>``, or ``runs/<name>-2``, ``-3``, … where that is taken."""
    path, number = Path("runs", name), 2
    while os.path.lexists(path):
        path, number = Path("runs", f"{name}-{number}"), number + 1
    return path
