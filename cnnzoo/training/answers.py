"""What a network answers to the images that it is measured on."""

from __future__ import annotations

import sys
from typing import TextIO

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from cnnzoo.errors import DataError
from cnnzoo.runtimes import quantise
from cnnzoo.runtimes.runner import Runner
from cnnzoo.training.data.dataset import Dataset, Part
from cnnzoo.view import View


def calibration(dataset: Dataset, view: View) -> np.ndarray:
    """Pictures by which int8 is fitted: of training, or where there are none, of what there is."""
    held = (dataset.train, dataset.validation, dataset.test)
    part = next(one for one in held if one is not None and len(one))
    return quantise.pictures(part.images, view)


def probabilities_of(
    runner: Runner, title: str, view: View, part: Part, stream: TextIO | None
) -> tuple[np.ndarray, list[str]]:
    """(N, classes) probabilities, and what a reader should know about them."""
    console = Console(file=stream or sys.stderr, force_jupyter=False)
    bar = Progress(
        "measuring", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True),
        console=console, disable=stream is None or not console.is_terminal, transient=True,
    )  # fmt: skip
    found = []
    with bar:
        for start in bar.track(range(0, len(part), runner.batch_size)):
            rows = np.arange(start, min(start + runner.batch_size, len(part)))
            found.append(runner(view.rows(part.images, rows)))
    answers = np.concatenate(found)
    notes = [f"{runner.note}."] if runner.note else []
    if not np.isfinite(answers).all():
        raise DataError(f"{title} answers with numbers that are not finite.")
    if answers.min() >= 0 and np.abs(answers.sum(axis=1) - 1).max() < 1e-3:
        return answers, notes
    powers = np.exp(answers - answers.max(axis=1, keepdims=True))
    notes.append("The answers do not add up to 1; a softmax was applied to them.")
    return powers / powers.sum(axis=1, keepdims=True), notes
