"""The folder of one training run: five files, each whole or absent, whenever one looks.

```text
config.json    written before training: arguments, data, versions, hardware
history.csv    replaced after every epoch
model.keras    replaced after every epoch that is the best so far
metrics.json   written when the test part has been measured: its presence means "finished"
report.html    written last, from the other four
```
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cnnzoo.errors import StorageError, UsageError
from cnnzoo.files import write_json, write_text

KIND = "cnnzoo fine-tuning run"
# In the order of removal: what says "finished" goes first, what says "mine" last.
FILES = ("metrics.json", "report.html", "model.keras", "history.csv", "config.json")


class RunDirectory:
    """Paths and writers of one run; nothing is touched before `start`."""

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self.path = path
        self._overwrite = overwrite

    @property
    def model(self) -> Path:
        return self.path / "model.keras"

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def check(self) -> None:
        """Refuse a folder that holds anything, unless it is an old run and may be overwritten.

        Raises:
            UsageError: The folder is in use, or is no folder.
        """
        try:
            held = sorted(entry.name for entry in self.path.iterdir())
        except FileNotFoundError:
            return
        except NotADirectoryError as error:
            raise UsageError(f"out={str(self.path)!r} is a file. Give a folder.") from error
        except OSError as error:
            raise StorageError(f"{self.path} cannot be read: {error.strerror}.") from error
        ours = self._is_run()
        if not held or (ours and self._overwrite):
            return
        if ours:
            raise UsageError(
                f"out={str(self.path)!r} holds a run already. Give another folder, or pass "
                "overwrite=True (--overwrite) to replace it."
            )
        raise UsageError(
            f"out={str(self.path)!r} holds files that are no run of cnnzoo, among them "
            f"{held[0]!r}. Give an empty folder or one that does not exist."
        )

    def start(self, config: Mapping[str, Any]) -> None:
        """Remove the files of an overwritten run, and only those, then write the new config."""
        self.check()
        try:
            for name in FILES:
                for path in (self.path / name, *self.path.glob(f".part.*.{name}")):
                    path.unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"{path} cannot be removed: {error.strerror}.") from error
        write_json(self.path / "config.json", {"kind": KIND, **config})

    def write_history(self, rows: Sequence[Mapping[str, Any]]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        write_text(self.path / "history.csv", text.getvalue())

    def write_metrics(self, metrics: Mapping[str, Any]) -> None:
        write_json(self.path / "metrics.json", metrics)

    def write_report(self, html: str) -> None:
        write_text(self.report, html)

    def _is_run(self) -> bool:
        try:
            config = json.loads((self.path / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return isinstance(config, dict) and config.get("kind") == KIND


def free_path(name: str) -> Path:
    """``runs/<name>``, or ``runs/<name>-2``, ``-3``, … where that is taken."""
    path, number = Path("runs", name), 2
    while os.path.lexists(path):
        path, number = Path("runs", f"{name}-{number}"), number + 1
    return path
