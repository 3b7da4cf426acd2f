"""Measured latencies, from the document that ``cnnzoo bench --json`` prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cnnzoo.errors import DataError, UsageError


def read(path: str | Path | None, batch: int | None) -> tuple[dict[str, float], str, str]:
    """Network -> median milliseconds; a heading; a sentence that names the machine.

    Args:
        batch: Images at a time; the smallest number in the file unless given.

    Raises:
        UsageError: No file is given, or nothing was measured with ``batch`` images.
        DataError: The file cannot be read or holds something else.
    """
    if path is None:
        raise UsageError(
            "Latencies depend on the machine, so none are on file: pass results=PATH "
            "(--results PATH) of your own. Type: cnnzoo bench --json > bench.json"
        )
    try:
        document = json.loads(Path(path).read_text("utf-8"))
        rows = [_row(row) for row in document["rows"]]
        machine = str(document["machine"])
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path} is no document of cnnzoo bench --json with 'machine' and 'rows' of "
            f"'network', 'batch' and 'median_ms': {error!r}."
        ) from error
    batches = sorted({size for _, size, _ in rows})
    chosen = batch if batch is not None else min(batches, default=None)
    if chosen not in batches:
        known = ", ".join(map(str, batches)) or "none at all"
        raise UsageError(f"{path} holds no times for batch={chosen}. Measured: {known}.")
    images = "one image" if chosen == 1 else f"{chosen} images"
    found = {name: time for name, size, time in rows if size == chosen}
    return found, "milliseconds", f"Median time for {images}, measured on {machine}."


def _row(row: dict[str, Any]) -> tuple[str, int, float]:
    return str(row["network"]), int(row["batch"]), float(row["median_ms"])
