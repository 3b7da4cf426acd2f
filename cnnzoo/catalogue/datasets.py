"""Which datasets have a name, and where their files are published: ``weights/datasets.toml``.

A dataset is published in several forms (idx, .npz, batches in a tar); each form is a set of files,
each file has addresses in the order they are asked. All of it is data, checked when it is read.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cnnzoo.catalogue.folder import weights_folder
from cnnzoo.catalogue.labels import DATASETS, labels_of
from cnnzoo.errors import CatalogueError
from cnnzoo.lookup import did_you_mean, pick

FORMS = ("npz", "idx", "cifar-python", "cifar-binary")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,198}[A-Za-z0-9]")
_URL = re.compile(r"https://[a-z0-9][a-z0-9.-]*/[^\s?#@\\]+")
_HASH = re.compile(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}")


@dataclass(frozen=True, kw_only=True)
class DatasetFile:
    """One published file.

    Attributes:
        dataset: Name of the dataset; on a mirror, the folder of the file.
        file: Name as published. Two datasets may use the same one.
        urls: https addresses, first choice first.
        size_bytes: Exact.
        hash: ``sha256:`` or ``md5:`` and the digest.
        hash_stated_by: Who published the digest.
    """

    dataset: str
    file: str
    urls: tuple[str, ...]
    size_bytes: int
    hash: str
    hash_stated_by: str

    @property
    def shipped_path(self) -> None:
        """No dataset ships with the package."""


@dataclass(frozen=True, kw_only=True)
class DatasetForm:
    """One way a dataset is published: how its files are encoded, and which they are."""

    form: str
    files: tuple[DatasetFile, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


@dataclass(frozen=True, kw_only=True)
class DatasetEntry:
    """One named dataset.

    Attributes:
        name: What ``load_data`` calls it.
        title: What people call it.
        words: What is on the pictures, and their size.
        labels: Key of ``labels.DATASETS``: the names of its classes.
        train: Number of training images.
        test: Number of test images.
        licence: Licence, and who says so where that is not plain.
        origin: Authors and page.
        forms: How it is published, in the order they are tried.
    """

    name: str
    title: str
    words: str
    labels: str
    train: int
    test: int
    licence: str
    origin: str
    forms: tuple[DatasetForm, ...]

    @property
    def class_names(self) -> tuple[str, ...]:
        return tuple(label.name for label in labels_of(self.labels))


def get_dataset(name: str) -> DatasetEntry:
    """Return the dataset called ``name``.

    Raises:
        UnknownNameError: No dataset is called so.
    """
    return pick(all_datasets(), name, kind="dataset")


@cache
def all_datasets() -> dict[str, DatasetEntry]:
    """Return every named dataset that is published somewhere, by name.

    Raises:
        CatalogueError: The file breaks the schema.
    """
    return read_datasets(weights_folder() / "datasets.toml")


def read_datasets(path: Path) -> dict[str, DatasetEntry]:
    """Read and check a file of datasets.

    Raises:
        CatalogueError: No TOML, or against the schema; names file, entry and field.
    """
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CatalogueError(f"{path.name} cannot be read as TOML: {error}. ({path})") from error
    return {name: _entry(name, fields, f"{path}, [{name}]") for name, fields in table.items()}


def _entry(name: str, fields: Any, where: str) -> DatasetEntry:
    if not _NAME.fullmatch(name):
        raise CatalogueError(f"{name!r} is no name of a dataset: a to z, 0 to 9, '_'. ({where})")
    _check(fields, _ENTRY, where)
    forms = tuple(_form(name, form, f"{where}, form {i}") for i, form in enumerate(fields["forms"]))
    return DatasetEntry(**{**fields, "name": name, "forms": forms})


def _form(name: str, fields: Any, where: str) -> DatasetForm:
    _check(fields, _FORM, where)
    files = []
    for number, entry in enumerate(fields["files"]):
        _check(entry, _FIELDS, f"{where}, file {number}")
        files.append(DatasetFile(**{**entry, "urls": tuple(entry["urls"]), "dataset": name}))
    return DatasetForm(form=fields["form"], files=tuple(files))


_Rule = tuple[Callable[[Any], bool], str]


def _check(fields: Any, rules: Mapping[str, _Rule], where: str) -> None:
    """Every field of ``rules`` is there and holds what it must, and no other is."""
    if not isinstance(fields, dict):
        raise CatalogueError(f"{fields!r:.80} is no table. ({where})")
    for name in fields:
        if name not in rules:
            raise CatalogueError(f"{name!r} is no field.{did_you_mean(name, rules)} ({where})")
    for name, (holds, wants) in rules.items():
        if name not in fields:
            raise CatalogueError(f"{name} is missing; it must be {wants}. ({where})")
        if not holds(fields[name]):
            value = repr(fields[name])
            raise CatalogueError(f"{name} = {value:.120} must be {wants}. ({where})")


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 2**40


def _tables(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _urls(value: Any) -> bool:
    return _tables(value) and all(map(_matches(_URL), value)) and len(set(value)) == len(value)


_ENTRY: dict[str, _Rule] = {
    "title": (_text, "text"),
    "words": (_text, "text"),
    "labels": (lambda value: value in tuple(DATASETS), f"one of {', '.join(DATASETS)}"),
    "train": (_count, "a number of images"),
    "test": (_count, "a number of images"),
    "licence": (_text, "the licence of the images"),
    "origin": (_text, "authors and page"),
    "forms": (_tables, "one or more [[forms]] tables"),
}
_FORM: dict[str, _Rule] = {
    "form": (lambda value: value in FORMS, f"one of {', '.join(FORMS)}"),
    "files": (_tables, "one or more [[files]] tables"),
}
_FIELDS: dict[str, _Rule] = {
    "file": (_matches(_FILE), "a plain file name of letters, digits, '.', '_' and '-'"),
    "urls": (_urls, "different https addresses without query or credentials"),
    "size_bytes": (_count, "the exact number of bytes"),
    "hash": (_matches(_HASH), "'sha256:' and 64, or 'md5:' and 32 lower-case hex digits"),
    "hash_stated_by": (_text, "who published the hash"),
}
