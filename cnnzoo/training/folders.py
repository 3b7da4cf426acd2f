"""Datasets in folders, one folder per class; every file is looked at once before training."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from cnnzoo.errors import DataError
from cnnzoo.pictures import ImageFiles, printable, read_picture
from cnnzoo.training.datasets import Dataset, Part, repeated_note, split_off_test

_LITTER = ("thumbs.db", "desktop.ini", "__macosx")  # and whatever begins with a dot


@dataclass(slots=True)
class _Findings:
    """What one look at every file brought up."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    digests: dict[Path, bytes] = field(default_factory=dict)
    channels: int = 1


def load_folder(root: Path, seed: int) -> Dataset:
    """Read ``train/<class>/*`` and ``test/<class>/*``, or ``<class>/*`` and set a fifth aside.

    Classes are numbered in the order of their names; hidden files and folders are passed over.

    Raises:
        DataError: One message with every bad file, empty class and nested folder, and why.
    """
    found = _Findings()
    try:
        if _is_split(root):
            train, names = _read_part(root / "train", found)
            test, _ = _read_part(root / "test", found, names)
            _note_unused(root, {"train", "test"}, found)
        else:
            (train, names), test = _read_part(root, found), None
    except OSError as error:
        raise DataError(f"{printable(root)} cannot be read: {error.strerror}.") from error
    for part in (train, test) if test else (train,):
        _look_at_files(part, found)
    if found.problems:
        count = len(found.problems)
        title = "one problem" if count == 1 else f"{count:,} problems"
        raise DataError(f"{printable(root)} has {title}:\n  " + "\n  ".join(found.problems))
    if test is None:
        train, test = split_off_test(train.images, train.labels, names, printable(root), seed)
    notes = (*found.notes, *repeated_note(_digests(train, found), _digests(test, found)))
    name = root.resolve().name
    return Dataset(name, printable(root), train, test, names, found.channels, notes)


def _is_split(root: Path) -> bool:
    """Whether ``train`` holds classes; with images in it, it is a class itself."""
    if not (root / "train").is_dir() or not any(p.is_dir() for p in _visible(root / "train")):
        return False
    if not (root / "test").is_dir():
        raise DataError(
            f"{printable(root)} has a folder train but none called test. Add test/<class>/, or "
            f"pass {printable(root / 'train')} to have a fifth of it set aside."
        )
    return True


def _visible(folder: Path) -> list[Path]:
    """What a folder holds, in the order of names, without hidden files and systems' litter."""
    entries = sorted(folder.iterdir(), key=lambda path: path.name)
    return [p for p in entries if not p.name.startswith(".") and p.name.lower() not in _LITTER]


def _read_part(
    folder: Path, found: _Findings, names: tuple[str, ...] | None = None
) -> tuple[Part, tuple[str, ...]]:
    """The files of one part and the names of its classes, which the training part decides."""
    classes = [path for path in _visible(folder) if path.is_dir()]
    if names is None:
        names = tuple(path.name for path in classes)
        if len(names) < 2:
            has = f"one class folder, {names[0]!r}" if names else "no class folders"
            raise DataError(f"{printable(folder)} has {has}; a classifier needs at least two.")
        _note_unused(folder, set(names), found)
    files: list[Path] = []
    labels: list[int] = []
    for path in classes:
        if path.name in names:
            images = _class_files(path, found)
            files += images
            labels += [names.index(path.name)] * len(images)
        else:
            found.problems.append(f"{printable(path)}: the training part has no such class.")
    if not classes:
        found.problems.append(f"{printable(folder)}: there are no class folders.")
    if absent := sorted(set(names) - {path.name for path in classes}):
        found.notes.append(f"No test images of {', '.join(absent)}.")
    return Part(ImageFiles(files), np.array(labels, np.int64)), names


def _class_files(folder: Path, found: _Findings) -> list[Path]:
    if printable(folder) != str(folder):
        found.problems.append(f"{printable(folder)}: the name is not valid UTF-8.")
    entries = _visible(folder)
    for path in entries:
        if path.is_dir():
            found.problems.append(f"{printable(path)}: is a folder inside a class folder.")
    if not entries:
        found.problems.append(f"{printable(folder)}: the class has no images.")
    return [path for path in entries if not path.is_dir()]


def _note_unused(folder: Path, used: set[str], found: _Findings) -> None:
    unused = [printable(Path(p.name)) for p in _visible(folder) if p.name not in used]
    if unused:
        listed = ", ".join(unused[:5]) + (", …" if len(unused) > 5 else "")
        found.notes.append(f"Beside the class folders, not used: {listed}.")


def _look_at_files(part: Part, found: _Findings) -> None:
    """Decode every file, as small as its format can, and take its digest."""
    paths = part.images.paths  # type: ignore[union-attr]
    with ThreadPoolExecutor() as pool:
        for path, (digest, channels, problem) in zip(paths, pool.map(_look, paths), strict=True):
            found.digests[path] = digest
            found.channels = max(found.channels, channels)
            if problem:
                found.problems.append(problem)


def _look(path: Path) -> tuple[bytes, int, str]:
    """Digest, channels and what is wrong with one file."""
    try:
        picture = read_picture(path, size=(1, 1))
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
    except DataError as error:
        return b"", 0, str(error)
    return digest, len(picture.getbands()), ""


def _digests(part: Part, found: _Findings) -> list[bytes]:
    return [found.digests[path] for path in part.images.paths]  # type: ignore[union-attr]
