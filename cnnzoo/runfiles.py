"""The folder that ``cnnzoo finetune`` writes, as every other command finds it; no framework.

What lies in it is told in ``training/rundir.py``, which writes it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from cnnzoo.errors import DataError
from cnnzoo.pictures import printable

KIND = "cnnzoo fine-tuning run"
CONFIG, HISTORY, METRICS = "config.json", "history.csv", "metrics.json"
MODEL, REPORT = "model.keras", "report.html"


def is_run(path: str | os.PathLike[str]) -> bool:
    """Whether a folder was written by ``fine_tune``, finished or not."""
    try:
        read_config(path)
    except DataError:
        return False
    return True


def read_config(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What was told to a run, on which data and on which machine.

    Raises:
        DataError: The folder is no run.
    """
    try:
        config: dict[str, Any] = json.loads((Path(path) / CONFIG).read_text("utf-8"))
        if config["kind"] != KIND:
            raise ValueError(f"kind is {config['kind']!r}")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise no_run(path, error) from error
    return config


def no_run(path: str | os.PathLike[str], error: Exception) -> DataError:
    """What to tell about a folder whose files are not those of a run."""
    return DataError(
        f"{printable(Path(path))} is no run of cnnzoo finetune ({type(error).__name__}: {error}). "
        f"Such a folder holds {CONFIG} and {MODEL}."
    )
