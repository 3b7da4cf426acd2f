"""Measured latencies, from the document that ``cnnzoo bench --json`` prints."""

from __future__ import annotations

from pathlib import Path

from cnnzoo.analysis.bench import results
from cnnzoo.errors import UsageError


def read(path: str | Path | None, batch: int | None) -> tuple[dict[str, float], str, str]:
    """Network -> median milliseconds; a heading; a sentence that names the machine.

    Args:
        batch: Images at a time; the smallest number in the file unless given. Of several runtimes
            and dtypes the first is taken, and named.

    Raises:
        UsageError: No file is given, nothing was measured with ``batch`` images, or one network
            was at two sizes.
        DataError: The file cannot be read or holds something else.
    """
    if path is None:
        raise UsageError(
            "Latencies depend on the machine, so none are on file: pass results=PATH "
            "(--results PATH) of your own. Type: cnnzoo bench --json > bench.json"
        )
    found = results.read(path).select(batch)
    times: dict[str, float] = {}
    for name, rows in found.by_network().items():
        if len(rows) > 1:
            sizes = " and ".join("x".join(map(str, row.input_size or "?")) for row in rows)
            raise UsageError(
                f"{path} holds times of {name} for images of {sizes} pixels, which cannot stand "
                "in one picture. Keep one size in the file."
            )
        times[name] = rows[0].median_ms
    chosen = found[0]
    images = "one image" if chosen.batch == 1 else f"{chosen.batch} images"
    how = "".join(f", {part}" for part in (chosen.runtime, chosen.dtype) if part)
    meaning = f"Median time for {images}{how}, measured on {found.machine}."
    return times, "milliseconds", meaning
