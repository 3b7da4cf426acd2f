"""Datasets listed in a CSV file: ``path,label`` and perhaps ``split``, one image per line."""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from cnnzoo.errors import DataError
from cnnzoo.lookup import did_you_mean
from cnnzoo.pictures import printable
from cnnzoo.training.data.files import Listed, Listing, leads_out, survey_files
from cnnzoo.training.data.problems import Problem
from cnnzoo.training.data.survey import PARTS, TOGETHER, Survey

SUFFIXES = (".csv", ".tsv")
_COLUMNS = ("path", "label", "split")
_DELIMITERS = ",;\t"
_SPLITS = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "test": "test",
}
RARE = 3  # times fewer rows than other labels have
_MISFIT = ""  # key of what is wrong with the number of fields; no column is called so
_LONGEST_FIELD = 10_000  # characters; more is no path


def survey_list(path: Path, follow_links: bool = False) -> Survey:
    """Look at every file of a list.

    Comma, semicolon and tab are told apart by the header; a byte order mark is passed over. Paths
    are relative to the list, and stay in its folder unless ``follow_links``. Labels are names, or
    whole numbers from 0. Without a column ``split`` a fifth is set aside for the test part.

    Raises:
        DataError: No such header, not UTF-8, or fewer than two classes.
    """
    listing = Listing(path.parent)
    lines: dict[str, list[tuple[int, Listed]]] = {}
    has_split = False
    for number, row in _rows(path):
        has_split = has_split or "split" in row
        listed = _listed(path, number, row, listing, follow_links)
        if listed is not None:
            lines.setdefault(os.path.normpath(listed.path), []).append((number, listed))
    for rows in lines.values():
        listing.problems += _repeated(rows)
        if len({listed.label for _, listed in rows}) == 1:
            listing.files.append(rows[0][1])
    _set_parts(path, listing, has_split)
    _set_classes(listing, path)
    survey = survey_files(listing, path.stem)
    survey.source = printable(path)
    return survey


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Line numbers, as an editor counts them, and rows by column."""
    csv.field_size_limit(_LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline(_LONGEST_FIELD)
            delimiter = max(_DELIMITERS, key=header.count)
            columns = [name.strip().strip('"').lower() for name in header.split(delimiter)]
            _check_columns(path, columns)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            for fields in reader:
                if any(field.strip() for field in fields):
                    row = dict(zip(columns, fields, strict=False))
                    if len(fields) != len(columns):
                        row[_MISFIT] = f"{len(fields)} fields under {len(columns)} columns"
                    yield reader.line_num + 1, row
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{printable(path)} cannot be read as CSV in UTF-8: {error}.") from error
    except OSError as error:
        raise DataError(f"{printable(path)} cannot be read: {error.strerror}.") from error


def _check_columns(path: Path, columns: list[str]) -> None:
    for wanted in ("path", "label"):
        if wanted not in columns:
            raise DataError(
                f"{printable(path)} has the columns {', '.join(map(repr, columns))} in its first "
                f"line, and none called {wanted!r}.{did_you_mean(wanted, columns)} Wanted are "
                "path,label and perhaps split, divided by comma, semicolon or tab."
            )


def _listed(
    path: Path, number: int, row: dict[str, str], listing: Listing, follow_links: bool
) -> Listed | None:
    """The image of a row; None, and a problem on record, when the row makes no sense."""
    name, label, split = (row.get(column, "").strip() for column in _COLUMNS)
    where = f"{printable(path)}, line {number}"
    part = _SPLITS.get(split.lower(), "") if "split" in row else TOGETHER
    problems = [
        "" if name else "the path is empty",
        "the path holds the character NUL" if "\0" in name else "",
        _wrong_label(label),
        "" if part else f"the split {split!r} is none of train, val, test",
    ]
    if _MISFIT in row:  # then the columns are not what they seem
        problems = [row[_MISFIT]]
    for reason in filter(None, problems):
        listing.problems.append(Problem("bad row", where, reason))
    if any(problems):
        return None
    image = path.parent / name
    if not follow_links and leads_out(image, path.parent):
        reason = f"{printable(Path(name))} leads out of the folder of the list; see follow_links"
        listing.problems.append(Problem("outside", where, reason))
        return None
    return Listed(image, part, label, f"{where}: {printable(Path(name))}")


def _repeated(rows: list[tuple[int, Listed]]) -> Iterator[Problem]:
    """What is wrong with the rows of one path: all but the first, and that too if labels differ."""
    (first, kept), *_ = rows
    contrary = next(((n, other) for n, other in rows if other.label != kept.label), None)
    if contrary is not None:
        words = f"the same path stands in line {contrary[0]}, there as {contrary[1].label!r}"
        yield Problem("bad row", kept.where, words)
    for _, listed in rows[1:]:
        other = f", there as {kept.label!r}" if listed.label != kept.label else ""
        words = f"the same path stands in line {first}{other}"
        yield Problem("bad row", listed.where, words)


def _wrong_label(label: str) -> str:
    """What is wrong with a label, or nothing: "nan", "-1" and "1.5" are what programs leave."""
    if label.lower() in ("", "nan", "na", "none", "null", "<na>"):
        return f"the label is missing ({label!r})"
    try:
        value = float(label)
    except ValueError:
        return ""
    if value < 0 or not label.isdecimal():
        return f"the label {label!r} is a number, and no whole number from 0"
    return ""


def _set_parts(path: Path, listing: Listing, has_split: bool) -> None:
    present = {listed.part for listed in listing.files}
    if has_split and not {"train", "test"} <= present:
        lines = "".join(f"\n  {problem}" for problem in listing.problems)
        raise DataError(
            f"{printable(path)} has a column split, and no usable row of "
            f"{' and '.join(sorted({'train', 'test'} - present))}. Add some, or leave the column "
            f"out to have a fifth set aside.{lines}"
        )
    listing.parts = [part for part in PARTS if part in present] if has_split else [TOGETHER]


def _set_classes(listing: Listing, path: Path) -> None:
    """Name the classes in order, numbers by value, and take out rows of unknown ones."""
    train = [listed for listed in listing.files if listed.part in ("train", TOGETHER)]
    count = Counter(listed.label for listed in train)
    labels = set(count)
    numbers = {label for label in labels if label.isdecimal()}
    misfits = _misfits(count, numbers)
    for listed in listing.files:
        if listed.label in misfits:
            what = "numbers" if listed.label in numbers else "no numbers"
            reason = f"the label {listed.label!r} is one of few that are {what}"
            listing.problems.append(Problem("bad row", listed.where, reason))
    labels -= misfits
    for listed in listing.files:
        if listed.label not in labels and listed.part not in ("train", TOGETHER):
            reason = f"no training row has its label {listed.label!r}"
            listing.problems.append(Problem("bad row", listed.where, reason))
    listing.files = [listed for listed in listing.files if listed.label in labels]
    listing.classes = sorted(labels, key=int if labels <= numbers else str)


def _misfits(count: Counter[str], numbers: set[str]) -> set[str]:
    """Numbers among names, or names among numbers, that are too rare to be classes of their own."""
    groups = [set(group) for group in (numbers, count.keys() - numbers) if group]
    if len(groups) < 2:
        return set()
    few, many = sorted(groups, key=lambda group: sum(count[label] for label in group))
    usual = sum(count[label] for label in many) / len(many)
    return few if RARE * sum(count[label] for label in few) / len(few) <= usual else set()
