"""From what was found to what is trained on: refuse, skip or keep what is wrong."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cnnzoo.errors import DataError, UsageError
from cnnzoo.lookup import did_you_mean
from cnnzoo.training.data.dataset import Dataset, Part
from cnnzoo.training.data.problems import KINDS, Level, Problem, by_kind, listing
from cnnzoo.training.data.survey import TOGETHER, Survey
from cnnzoo.training.splits import emptied, stratified

TEST_FRACTION = 0.2  # of data that come without a test part
BAD_DATA = ("refuse", "skip", "keep")


def check_bad_data(value: object) -> None:
    """Raise `UsageError` unless it is one of `BAD_DATA`."""
    if value not in BAD_DATA:
        hint = did_you_mean(value, BAD_DATA)
        raise UsageError(
            f"bad_data={value!r} is none of {', '.join(BAD_DATA)}.{hint} 'skip' leaves bad "
            "pictures out, 'keep' trains on doubtful ones."
        )


def select(survey: Survey, bad_data: str, seed: int) -> Dataset:
    """Make the dataset of a survey.

    Args:
        bad_data: As of ``load_data``.
        seed: Chooses the test part where there is none.

    Raises:
        DataError: Something is refused, or too little is left.
    """
    worst = Level.DOUBTFUL if bad_data == "refuse" and not survey.given else Level.UNUSABLE
    refused = [problem for problem in survey.problems if problem.level >= worst]
    if refused and bad_data != "skip":
        raise DataError(_refusal(survey, refused))
    dropped = survey.problems if bad_data == "skip" else []
    rows = {part: _kept(survey, part, dropped) for part in survey.parts}
    names, number = _remaining(survey, rows)
    parts = {}
    for part, kept in rows.items():
        whole = survey.parts[part]
        taken = whole if len(kept) == len(whole) else whole.rows(kept)
        digests = np.array([survey.digests[part][row] for row in kept], "S16")
        parts[part] = Part(taken.images, number[taken.labels], digests)
    notes = [*survey.notes, *_notes(survey, bad_data)]
    if TOGETHER in parts:
        parts = _split(parts[TOGETHER], names, survey.source, seed, notes)
    return Dataset(
        survey.name,
        survey.source,
        parts["train"],
        parts["test"],
        names,
        survey.channels,
        tuple(notes),
        parts.get("validation"),
    )


def _refusal(survey: Survey, refused: list[Problem]) -> str:
    title = "one problem" if len(refused) == 1 else f"{len(refused):,} problems"
    cure = "bad_data='skip' (--bad-data skip) leaves them out"
    if all(problem.level == Level.DOUBTFUL for problem in refused):
        cure += ", bad_data='keep' (--bad-data keep) trains on them as they are"
    return f"{survey.source} has {title}; {cure}:\n{listing(refused)}"


def _kept(survey: Survey, part: str, dropped: Iterable[Problem]) -> np.ndarray:
    """The numbers of the pictures of a part that are left, in rising order."""
    keep = np.ones(len(survey.parts[part]), bool)
    for problem in dropped:
        if problem.row and problem.row[0] == part:
            keep[problem.row[1]] = False
    return np.flatnonzero(keep)


def _remaining(survey: Survey, rows: dict[str, np.ndarray]) -> tuple[tuple[str, ...], np.ndarray]:
    """The classes that still have training images, and the new number of each old one.

    Pictures of other classes are taken out of ``rows``.
    """
    first = TOGETHER if TOGETHER in rows else "train"
    left = np.unique(survey.parts[first].labels[rows[first]])
    names = tuple(survey.class_names[label] for label in left)
    if len(names) < 2:
        has = f"one class with images, {names[0]!r}" if names else "no class with images"
        raise DataError(f"{survey.source} has {has}; a classifier needs at least two.")
    number = np.full(len(survey.class_names), -1, np.int64)
    number[left] = np.arange(len(left))
    for part, kept in rows.items():
        rows[part] = kept[number[survey.parts[part].labels[kept]] >= 0]
        if not len(rows[part]):
            raise DataError(f"{survey.source}: no image of the {part} part is left.")
    return names, number


def _split(
    part: Part, names: tuple[str, ...], source: str, seed: int, notes: list[str]
) -> dict[str, Part]:
    """Set a stratified share aside; no picture is on both sides, and none twice in the test part.

    Args:
        notes: Is told of test images left out.
    """
    assert part.digests is not None
    if few := emptied(part.labels, TEST_FRACTION, part.digests):
        listed = ", ".join(repr(names[label]) for label in few)
        aside = ", copies aside" if len(np.unique(part.digests)) < len(part) else ""
        raise DataError(
            f"{source}: {listed} has only one image{aside}, so no test "
            "image can be set aside. Add images, or give train/ and test/ folders."
        )
    kept, taken = stratified(part.labels, TEST_FRACTION, seed, part.digests)
    once = taken[np.sort(np.unique(part.digests[taken], return_index=True)[1])]
    if copies := len(taken) - len(once):
        notes.append(f"Copies of test images, not used: {copies:,}.")
    return {"train": part.rows(kept), "test": part.rows(once)}


def _notes(survey: Survey, bad_data: str) -> list[str]:
    """What a reader of the results should know about the data."""
    notes = []
    for kind, group in by_kind(survey.problems).items():
        level, title = KINDS[kind]
        rows = [problem.row for problem in group if problem.row]
        if bad_data == "skip" and (rows or level >= Level.DOUBTFUL):
            notes.append(f"Left out: {title} ({len(group):,}).")
        elif kind == "leaking":
            images = "1 image is" if len(rows) == 1 else f"{len(rows):,} images are"
            notes.append(f"{images} in more than one part, so the test result flatters.")
        elif kind == "absent":
            notes += [f"{problem.where}: {problem.reason}." for problem in group]
        elif kind == "unused":
            listed = ", ".join(problem.where for problem in group[:5])
            more = ", …" if len(group) > 5 else ""
            notes.append(f"Beside the class folders, not used: {listed}{more}.")
        elif kind not in ("litter", "misnamed", "single image"):
            notes.append(f"{title[0].upper()}{title[1:]}: {len(group):,}.")
    return notes
