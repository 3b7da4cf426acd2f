"""A dataset as it was found: its pictures, the digest of each, and everything wrong with them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from cnnzoo.training.data.dataset import Part
from cnnzoo.training.data.problems import Problem

TOGETHER = "all"  # name of the one part of data that come without a test part
PARTS = ("train", "validation", "test", TOGETHER)


@dataclass(slots=True)
class Survey:
    """What one look at every picture brought up. Nothing was changed or left out.

    Attributes:
        name: Short, for titles and folder names.
        source: Says where the images came from.
        parts: ``train``, ``test`` and perhaps ``validation``, or just `TOGETHER`.
        digests: Part -> one of every picture's pixels, empty where it could not be decoded.
        place: Where a picture is, in words, from its part and number.
        channels: 1 if every image is grey, else 3.
        sizes: (width, height) -> number of pictures.
        modes: "JPEG RGB" -> number of pictures.
        given: Whether it is a published dataset, whose flaws nobody here can mend.
    """

    name: str
    source: str
    class_names: tuple[str, ...]
    parts: dict[str, Part]
    digests: dict[str, list[bytes]]
    place: Callable[[str, int], str]
    channels: int
    problems: list[Problem] = field(default_factory=list)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    modes: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    given: bool = False


def digest(picture: np.ndarray) -> bytes:
    """The same for equal pictures, whatever file they were in."""
    shape = repr(picture.shape).encode()
    return hashlib.blake2b(shape + picture.tobytes(), digest_size=16).digest()


def compare(survey: Survey) -> None:
    """Add what only shows when pictures and classes are compared with each other."""
    survey.problems += _same_pictures(survey)
    survey.problems += _classes(survey)


def _same_pictures(survey: Survey) -> Iterator[Problem]:
    """Two labels; in two parts; twice in one part: in this order, each picture once.

    Of a leak it is the copy in the earlier of train, validation and test that is at fault: without
    it the test part stays comparable.
    """
    groups: dict[bytes, list[tuple[str, int]]] = {}
    for part in sorted(survey.parts, key=PARTS.index):
        for row, seen in enumerate(survey.digests[part]):
            if seen:
                groups.setdefault(seen, []).append((part, row))
    for rows in groups.values():
        if len(rows) > 1:
            yield from _group(survey, rows)


def _group(survey: Survey, rows: Sequence[tuple[str, int]]) -> Iterator[Problem]:
    label = {row: survey.class_names[survey.parts[row[0]].labels[row[1]]] for row in rows}
    if len(set(label.values())) > 1:
        first, second = rows[0], next(one for one in rows if label[one] != label[rows[0]])
        for row in rows:
            other = second if label[row] == label[first] else first
            yield _problem(
                survey,
                "mislabelled",
                row,
                f"labelled {label[row]!r}, and {label[other]!r} as {survey.place(*other)}",
            )
        return
    last = rows[-1][0]
    kept = next(row for row in rows if row[0] == last)
    for row in rows:
        if row[0] != last:
            words = f"the same picture as {survey.place(*kept)} of the {last} part"
            yield _problem(survey, "leaking", row, words)
        elif row != kept:
            words = f"the same picture as {survey.place(*kept)}"
            yield _problem(survey, "duplicate", row, words)


def _problem(survey: Survey, kind: str, row: tuple[str, int], reason: str) -> Problem:
    return Problem(kind, survey.place(*row), reason, row)


def _classes(survey: Survey) -> Iterator[Problem]:
    first = TOGETHER if TOGETHER in survey.parts else "train"
    count = np.bincount(survey.parts[first].labels, minlength=len(survey.class_names))
    for name, images in zip(survey.class_names, count, strict=True):
        if images == 1:
            yield Problem("single image", name, "there is nothing to tell this class by but it")
    for part in survey.parts.keys() - {first}:
        labels = set(survey.parts[part].labels.tolist())
        for number, name in enumerate(survey.class_names):
            if number not in labels:
                yield Problem("absent", name, f"the {part} part has no image of it")
    by_case: dict[str, list[str]] = {}
    for name in survey.class_names:
        by_case.setdefault(name.casefold(), []).append(name)
    for names in by_case.values():
        if len(names) > 1:
            words = "differs in case only, so some disks hold one folder for both"
            yield Problem("case", " and ".join(names), words)
