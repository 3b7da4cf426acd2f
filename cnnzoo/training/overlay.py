"""Runs of ``fine_tune`` side by side: their figures, their settings, their curves in one picture.

Reads folders and imports no framework.
"""

from __future__ import annotations

import html
import json
import os
import string
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cnnzoo.catalogue.recipes import SETTINGS
from cnnzoo.errors import UsageError
from cnnzoo.files import write_text
from cnnzoo.training.runs import SHORT, Row, StoredRun, read_run
from cnnzoo.units import DASH, duration, grouped, percent

RECIPE = {SHORT.get(name, name) for name in SETTINGS}
MOST = len(string.ascii_uppercase)
GAP = 2  # spaces between the columns of the text
_FRAME = (
    '<iframe title="Runs compared" srcdoc="{page}" '
    'style="width:100%;height:1000px;border:0;border-radius:8px"></iframe>'
)


@dataclass(frozen=True, slots=True)
class Overlay:
    """Runs beside one another: print it, save it as a page, or let a notebook show that page.

    Attributes:
        runs: In the order given; the first is A, the next B.
        figures: What was measured: a name, then a text for each run.
        differences: The settings in which the runs differ, written alike.
        notes: What a reader must know before comparing the figures.
    """

    runs: tuple[StoredRun, ...]
    figures: tuple[Row, ...]
    differences: tuple[Row, ...]
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return _FRAME.format(page=html.escape(self.to_html()))

    def to_text(self, width: int | None = None) -> str:
        """A table with a column for each run; those that do not fit into ``width`` characters
        follow below."""
        cells = [["", *(f"{run.letter}  {run.name}" for run in self.runs)]]
        cells += [[name, *values] for name, values in self.figures]
        settings = [[name, *values] for name, values in self.differences]
        parts = [_table(cells, width)]
        if settings:
            heading = ["settings that differ", *(run.letter for run in self.runs)]
            parts.append(_table([heading, *settings], width))
        else:
            parts.append("All settings are the same.")
        return "\n\n".join([*parts, *(["\n".join(self.notes)] if self.notes else [])])

    def to_html(self) -> str:
        """The page: the table, the curves of all runs in one picture each, the settings."""
        from cnnzoo.training.overlay_page import render

        return render(self)

    def to_json(self) -> str:
        """One object: every run with its figures and history, the differences, the notes."""
        runs = [{**asdict(run), "path": str(run.path)} for run in self.runs]
        letters = [run.letter for run in self.runs]
        differences = {n: dict(zip(letters, v, strict=True)) for n, v in self.differences}
        document = {"runs": runs, "differences": differences, "notes": list(self.notes)}
        return json.dumps(document, indent=2, ensure_ascii=False)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page into one file that needs no other; returns its path.

        Raises:
            UsageError: The name does not end in .html.
            StorageError: It cannot be written.
        """
        target = check_page(path)
        write_text(target, self.to_html())
        return target


def check_page(path: str | os.PathLike[str]) -> Path:
    """Refuse a file that would not be opened as a page."""
    target = Path(path)
    if target.suffix.lower() not in (".html", ".htm"):
        raise UsageError(f"{str(target)!r} is no page: its name has to end in .html.")
    return target


def compare_runs(*folders: str | os.PathLike[str]) -> Overlay:
    """Two or more runs of ``fine_tune``, finished or not, side by side.

    Args:
        *folders: What the runs wrote into.

    Raises:
        UsageError: A folder holds no run or is given twice; fewer than two runs, or more than 26.
        DataError: A file of a run cannot be read.
    """
    paths = [Path(folder) for folder in folders]
    if not 2 <= len(paths) <= MOST:
        raise UsageError(
            f"{len(paths)} {'run' if len(paths) == 1 else 'runs'} given: 2 to {MOST} can be "
            "compared. Type: cnnzoo compare runs/A runs/B"
        )
    places = [path.resolve() for path in paths]
    for i, place in enumerate(places):
        if place in places[:i]:
            raise UsageError(f"{str(paths[i])!r} is given twice. Give every run once.")
    names = [place.name for place in places]
    runs = tuple(
        read_run(path, letter, name if names.count(name) == 1 else str(path))
        for path, name, letter in zip(paths, names, string.ascii_uppercase, strict=False)
    )
    return Overlay(runs, _figures(runs), _differences(runs), _notes(runs))


def _figures(runs: Sequence[StoredRun]) -> tuple[Row, ...]:
    """What was measured, and of what, as people read it."""
    rows = {
        "network": [run.network for run in runs],
        "parameters": [_shown(run.parameters, grouped) for run in runs],
        "data": [run.data for run in runs],
        "recipe": [run.recipe or DASH for run in runs],
        "test accuracy": [_shown(run.test_accuracy, percent) for run in runs],
        "95 % interval": [_interval(run.test_accuracy_interval) for run in runs],
        "wrong": [_of(run.misclassified, run.test_images) for run in runs],
        "validation": [_shown(run.validation_accuracy, percent) for run in runs],
        "best epoch": [_shown(run.best_epoch, str) for run in runs],
        "epochs": [_epochs(run) for run in runs],
        "time": [_shown(run.seconds, duration) for run in runs],
        "images/s": [_shown(run.images_per_second, lambda x: f"{x:,.0f}") for run in runs],
        "seed": [str(run.seed) for run in runs],
    }
    return tuple((name, tuple(values)) for name, values in rows.items())


def _shown(value: Any, text: Any) -> str:
    return DASH if value is None else str(text(value))


def _interval(ends: tuple[float, float] | None) -> str:
    return DASH if ends is None else f"{100 * ends[0]:.1f} to {percent(ends[1], 1)}"


def _of(part: int | None, whole: int | None) -> str:
    return DASH if part is None or whole is None else f"{part:,} of {whole:,}"


def _epochs(run: StoredRun) -> str:
    done = len(run.history)
    if run.finished:
        return str(done)
    return f"unfinished: {done} of {run.epochs}" if run.epochs else f"unfinished: {done}"


def _differences(runs: Sequence[StoredRun]) -> tuple[Row, ...]:
    """A setting of recipes that a run of another version does not know is no difference."""
    found = []
    for name in dict.fromkeys(name for run in runs for name in run.settings):
        known = {run.settings[name] for run in runs if name in run.settings}
        everywhere = name in RECIPE or all(name in run.settings for run in runs)
        if len(known) > 1 or not everywhere:
            found.append((name, tuple(run.settings.get(name, DASH) for run in runs)))
    return tuple(found)


def _notes(runs: Sequence[StoredRun]) -> tuple[str, ...]:
    found = []
    known = {run.data: run.fingerprint for run in runs if run.fingerprint}
    groups: dict[tuple[str, str | None], list[StoredRun]] = {}
    for run in runs:
        groups.setdefault((run.data, run.fingerprint or known.get(run.data)), []).append(run)
    if len(groups) > 1:
        names = {data for data, _ in groups}
        held = "; ".join(f"{_letters(g)}: {data}" for (data, _), g in groups.items())
        why = "" if len(names) == len(groups) else ", other images or labels under the same name"
        found.append(
            f"The runs saw different data ({held}{why}). Their test parts differ, so their "
            "accuracies say little about one another."
        )
    if open_runs := [run for run in runs if not run.finished]:
        found.append(
            f"Unfinished: {_letters(open_runs)}. The test part is read when a run ends; until "
            "then there are the epochs so far."
        )
    if flattered := [run for run in runs if run.validation == "test"]:
        found.append(
            f"Measured on the test part after every epoch: {_letters(flattered)}. Such figures "
            "flatter."
        )
    return tuple(found)


def _letters(runs: Sequence[StoredRun]) -> str:
    return ", ".join(run.letter for run in runs)


def _table(cells: Sequence[Sequence[str]], width: int | None) -> str:
    """Rows as aligned columns under a rule; the first row is the heading."""
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    blocks: list[list[int]] = [[0]]
    for i in range(1, len(widths)):
        if width and len(blocks[-1]) > 1 and _total(widths, [*blocks[-1], i]) > width:
            blocks.append([0])
        blocks[-1].append(i)
    return "\n\n".join(_block(cells, widths, block) for block in blocks)


def _total(widths: Sequence[int], columns: Sequence[int]) -> int:
    return sum(widths[i] + GAP for i in columns) - GAP


def _block(cells: Sequence[Sequence[str]], widths: Sequence[int], columns: Sequence[int]) -> str:
    lines = [(" " * GAP).join(row[i].ljust(widths[i]) for i in columns).rstrip() for row in cells]
    lines.insert(1, (" " * GAP).join("─" * widths[i] for i in columns))
    return "\n".join(lines)
