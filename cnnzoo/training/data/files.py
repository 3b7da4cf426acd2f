"""Image files, whoever listed them: each is decoded once, in bounded memory."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cnnzoo.errors import DataError
from cnnzoo.pictures import ImageFiles, PictureError, examine, printable
from cnnzoo.training.data.dataset import Part
from cnnzoo.training.data.problems import Problem
from cnnzoo.training.data.survey import Survey, compare, digest

_AT_ONCE = 512  # files whose results wait for their turn; decoded pictures never do
_FORMAT = {
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".png": "PNG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".gif": "GIF",
}


@dataclass(slots=True)
class Listed:
    """One image file that is said to belong to a part and a class."""

    path: Path
    part: str
    label: str
    where: str  # for messages: the path, or the line of a list as well


@dataclass(slots=True)
class Listing:
    """All files of a dataset, and what was wrong with the way they are listed."""

    root: Path
    files: list[Listed] = field(default_factory=list)
    classes: list[str] = field(default_factory=list)  # of the training part, in order
    parts: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Looked:
    digest: bytes = b""
    size: tuple[int, int] = (0, 0)
    grey: bool = True
    mode: str = ""
    kind: str = ""
    reason: str = ""


def survey_files(listing: Listing, name: str) -> Survey:
    """Look at every file of a listing.

    Raises:
        DataError: There are fewer than two classes.
    """
    source = printable(listing.root)
    if len(listing.classes) < 2:
        one = f"one class, {listing.classes[0]!r}" if listing.classes else "no classes"
        lines = "".join(f"\n  {problem}" for problem in listing.problems)
        raise DataError(f"{source} has {one}; a classifier needs at least two.{lines}")
    numbers = {label: number for number, label in enumerate(listing.classes)}
    rows: dict[str, list[Listed]] = {part: [] for part in listing.parts}
    for listed in listing.files:
        rows[listed.part].append(listed)
    parts = {
        part: Part(
            ImageFiles([listed.path for listed in files]),
            np.array([numbers[listed.label] for listed in files], np.int64),
        )
        for part, files in rows.items()
    }
    survey = Survey(
        name,
        source,
        tuple(listing.classes),
        parts,
        {part: [] for part in parts},
        lambda part, row: rows[part][row].where,
        channels=1,
        problems=list(listing.problems),
    )
    _look_at_all(survey, rows)
    compare(survey)
    return survey


def leads_out(path: Path, root: Path) -> bool:
    """Whether a path ends, links resolved, outside the folder ``root``."""
    real, inside = os.path.realpath(path), os.path.realpath(root)
    return os.path.commonpath([real, inside]) != inside


def _look_at_all(survey: Survey, rows: dict[str, list[Listed]]) -> None:
    order = [(part, row) for part, files in rows.items() for row in range(len(files))]
    paths = [rows[part][row].path for part, row in order]
    for place, looked in zip(order, _looks(paths), strict=True):
        survey.digests[place[0]].append(looked.digest)
        if looked.kind:
            where = survey.place(*place)
            usable = bool(looked.digest)
            survey.problems.append(
                Problem(looked.kind, where, looked.reason, None if usable else place)
            )
        if looked.digest:
            survey.sizes[looked.size] += 1
            survey.modes[looked.mode] += 1
            survey.channels = survey.channels if looked.grey else 3


def _looks(paths: Sequence[Path]) -> Iterator[_Looked]:
    """What each file is, in their order; on a terminal, how far it is."""
    drawn = sys.stderr is not None and sys.stderr.isatty()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(paths), _AT_ONCE):
            if drawn:
                print(f"\r{start:,} of {len(paths):,} images looked at", end="", file=sys.stderr)  # noqa: T201 progress, on stderr
            yield from pool.map(_look, paths[start : start + _AT_ONCE])
    if drawn:
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)  # noqa: T201 the same


def _look(path: Path) -> _Looked:
    try:
        found = examine(path)
    except PictureError as error:
        return _Looked(kind=error.kind, reason=error.reason)
    kind = reason = ""
    claimed = _FORMAT.get(path.suffix.lower(), "")
    actual = "JPEG" if found.format == "MPO" else found.format  # photographs with a second image
    if claimed != actual:
        kind, reason = "misnamed", f"it is a {actual} image"
    if found.animated:
        kind, reason = "animated", "it has more than one frame; only the first is used"
    return _Looked(
        digest(np.asarray(found.picture)),
        found.picture.size,
        found.picture.mode == "L",
        f"{actual} {found.mode}",
        kind,
        reason,
    )
