"""Datasets in folders: ``train/<class>/*`` and ``test/<class>/*``, or just ``<class>/*``."""

from __future__ import annotations

from pathlib import Path

from cnnzoo.errors import DataError
from cnnzoo.pictures import printable
from cnnzoo.training.data.files import Listed, Listing, leads_out, survey_files
from cnnzoo.training.data.problems import Problem
from cnnzoo.training.data.survey import TOGETHER, Survey

_LITTER = ("thumbs.db", "desktop.ini", "__macosx")  # and whatever begins with a dot
# What the folder of a part may be called.
_CALLED = {"train": ("train",), "validation": ("validation", "valid", "val"), "test": ("test",)}


def survey_folder(root: Path, follow_links: bool = False) -> Survey:
    """Look at every file of class folders.

    Classes are numbered in the order of their names. A folder ``val`` or ``validation`` beside
    ``train`` and ``test`` becomes the validation part.

    Raises:
        DataError: It cannot be read, or there are fewer than two classes.
    """
    listing = Listing(root)
    try:
        folders = _parts(root, listing)
        for part, folder in folders.items():
            _list_part(folder, part, listing, follow_links)
    except OSError as error:
        raise DataError(f"{printable(root)} cannot be read: {error.strerror}.") from error
    return survey_files(listing, root.resolve().name)


def _parts(root: Path, listing: Listing) -> dict[str, Path]:
    """The folder of each part; the root itself when it holds the classes."""
    beside = {path.name.lower(): path for path in _visible(root, listing) if path.is_dir()}
    train = beside.get("train")
    if train is None or not any(path.is_dir() for path in _visible(train, Listing(root))):
        listing.parts = [TOGETHER]
        return {TOGETHER: root}
    if "test" not in beside:
        raise DataError(
            f"{printable(root)} has a folder train but none called test. Add test/<class>/, or "
            f"pass {printable(train)} to have a fifth of it set aside."
        )
    found = {
        part: beside[name] for part, names in _CALLED.items() for name in names if name in beside
    }
    listing.parts = list(found)
    _note_unused(root, [path.name for path in found.values()], listing)
    return found


def _visible(folder: Path, listing: Listing) -> list[Path]:
    """What a folder holds, in the order of names, without hidden files and systems' litter."""
    visible = []
    for path in sorted(folder.iterdir(), key=lambda path: path.name):
        if path.name.startswith(".") or path.name.lower() in _LITTER:
            listing.problems.append(Problem("litter", printable(path), "it is passed over"))
        else:
            visible.append(path)
    return visible


def _list_part(folder: Path, part: str, listing: Listing, follow_links: bool) -> None:
    """The files of one part. The training part, which comes first, decides what classes exist."""
    decides = part in ("train", TOGETHER)
    found = _visible(folder, listing) if folder != listing.root else _again(folder)
    classes = [path for path in found if path.is_dir()]
    if decides:
        _note_unused(folder, [path.name for path in classes], listing)
    for path in classes:
        where = printable(path)
        if where != str(path):
            _add(listing, "class name", path, "the name is not valid UTF-8")
        elif path.is_symlink() and not follow_links and leads_out(path, listing.root):
            _add(listing, "outside", path, "it links out of the dataset; see follow_links")
        elif not decides and path.name not in listing.classes:
            _add(listing, "unknown class", path, "the training part has no such class")
        else:
            _list_class(path, part, listing, follow_links)
            if decides:
                listing.classes.append(path.name)
    if not classes and not decides:
        _add(listing, "empty class", folder, "there are no class folders")


def _again(folder: Path) -> list[Path]:
    """The same, when its litter is on record already."""
    return _visible(folder, Listing(folder))


def _list_class(folder: Path, part: str, listing: Listing, follow_links: bool) -> None:
    entries = _visible(folder, listing)
    if not entries:
        _add(listing, "empty class", folder, "the class has no images")
    for path in entries:
        if path.is_dir():
            _add(listing, "nested", path, "it is a folder inside a class folder")
        elif path.is_symlink() and not follow_links and leads_out(path, listing.root):
            _add(listing, "outside", path, "it links out of the dataset; see follow_links")
        else:
            listing.files.append(Listed(path, part, folder.name, printable(path)))


def _note_unused(folder: Path, used: list[str], listing: Listing) -> None:
    for path in _again(folder):
        if path.name not in used:
            name = printable(path.relative_to(folder))
            listing.problems.append(Problem("unused", name, f"it stands beside {', '.join(used)}"))


def _add(listing: Listing, kind: str, path: Path, reason: str) -> None:
    listing.problems.append(Problem(kind, printable(path), reason))
