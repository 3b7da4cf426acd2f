"""What can be wrong with a dataset, in words, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How bad a kind of problem is; what a training does about it depends on ``bad_data``."""

    HARMLESS = 0  # worth knowing; `data check` still calls the dataset clean
    NOTED = 1  # never keeps anybody from training
    DOUBTFUL = 2  # can be trained on, but the result cannot be trusted
    UNUSABLE = 3  # cannot be trained on


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        kind: A key of `KINDS`.
        where: The file, row or folder.
        reason: What is wrong with it.
        row: Part and number of the picture that is left out on account of it, if there is one.
    """

    kind: str
    where: str
    reason: str
    row: tuple[str, int] | None = None

    @property
    def level(self) -> Level:
        return KINDS[self.kind][0]

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}."


# Kind -> its level and what such things are called, in the order of a report.
KINDS: dict[str, tuple[Level, str]] = {
    "unreadable": (Level.UNUSABLE, "unreadable or damaged files"),
    "no image": (Level.UNUSABLE, "files that are no images"),
    "too large": (Level.UNUSABLE, "images with too many pixels"),
    "outside": (Level.UNUSABLE, "links and paths that lead out of the dataset"),
    "bad row": (Level.UNUSABLE, "rows of the list that make no sense"),
    "label": (Level.UNUSABLE, "labels that are no class"),
    "nested": (Level.UNUSABLE, "folders inside class folders"),
    "class name": (Level.UNUSABLE, "class names that are no text"),
    "empty class": (Level.UNUSABLE, "classes without images"),
    "unknown class": (Level.UNUSABLE, "classes that the training part does not have"),
    "mislabelled": (Level.DOUBTFUL, "pictures with two different labels"),
    "leaking": (Level.DOUBTFUL, "pictures in more than one part"),
    "duplicate": (Level.NOTED, "duplicates within a part"),
    "single image": (Level.NOTED, "classes with one single image"),
    "case": (Level.NOTED, "class names that differ in case only"),
    "absent": (Level.NOTED, "classes without test or validation images"),
    "misnamed": (Level.HARMLESS, "images whose suffix names another format"),
    "animated": (Level.HARMLESS, "animations, of which the first frame is used"),
    "litter": (Level.HARMLESS, "hidden files and systems' litter, passed over"),
    "unused": (Level.HARMLESS, "files and folders beside the classes, not used"),
}


def listing(problems: Iterable[Problem]) -> str:
    """All of them, one per line, indented, the worst kinds first."""
    order = list(KINDS)
    return "\n".join(f"  {p}" for p in sorted(problems, key=lambda p: order.index(p.kind)))


def by_kind(problems: Iterable[Problem]) -> dict[str, list[Problem]]:
    """The kinds that occur, in the order of `KINDS`."""
    found: dict[str, list[Problem]] = {kind: [] for kind in KINDS}
    for problem in problems:
        found[problem.kind].append(problem)
    return {kind: group for kind, group in found.items() if group}
