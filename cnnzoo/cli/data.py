"""``cnnzoo data check | list``: what is wrong with a dataset, and which have names."""

from __future__ import annotations

import argparse
import json
from typing import Any

from cnnzoo.catalogue.datasets import DatasetEntry, all_datasets
from cnnzoo.cli.shared import add_follow_links, add_json, add_verb, typed
from cnnzoo.units import grouped, mebibytes

_DESCRIPTION = (
    "Look for what is wrong with a dataset before training on it, or list the named ones."
)
_EXAMPLES = """\
  cnnzoo data check digits
  cnnzoo data check photos/            class folders
  cnnzoo data check list.csv --json    path,label and perhaps split
  cnnzoo data list

environment:
  CNNZOO_DATA     folder with datasets as they are published
  CNNZOO_CACHE    folder for downloads
  CNNZOO_MIRROR   https address asked first: <mirror>/<dataset>/<file name>
  CNNZOO_OFFLINE  1 forbids the network"""
_CHECK = """\
Decode every image once and list all that is damaged, mislabelled, twice there or in two parts, with
reasons; never change anything. Exit code 0 when the dataset is clean, 5 when it is not."""


def add_parser(verbs: Any) -> None:
    parser = add_verb(verbs, "data", "check or list datasets", _DESCRIPTION, _EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    check = actions.add_parser("check", help="what is wrong with a dataset", description=_CHECK)
    check.add_argument("data", metavar="DATA", help="a name, a folder, an .npz file or a CSV list")
    add_follow_links(check)
    add_json(check)
    listing = actions.add_parser(
        "list", help="the named datasets, and where they are", description="List named datasets."
    )
    add_json(listing)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    return _check(arguments) if arguments.action == "check" else _list(arguments)


def _check(arguments: argparse.Namespace) -> int:
    from cnnzoo.errors import DataError
    from cnnzoo.training.data.check import check_data

    report = check_data(arguments.data, **typed(arguments, ["follow_links"]))
    print(json.dumps(report.to_dict(), indent=2) if arguments.json else report)
    return 0 if report.clean else DataError.exit_code


def _list(arguments: argparse.Namespace) -> int:
    rows = [_digits(), *map(_row, all_datasets().values())]
    if arguments.json:
        print(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        images = f"{grouped(row['train'])} + {grouped(row['test'])}"
        print(f"{row['name']:<14} {images:>16}  {row['words']}\n{'':<14} {row['where']}")
    return 0


def _digits() -> dict[str, Any]:
    return {
        "name": "digits",
        "words": "handwritten digits, grey, 8 x 8",
        "train": 1438,
        "test": 359,
        "classes": 10,
        "licence": "CC BY 4.0 (UCI Machine Learning Repository)",
        "origin": "E. Alpaydin, C. Kaynak; a copy comes with scikit-learn",
        "where": "here, with scikit-learn",
    }


def _row(entry: DatasetEntry) -> dict[str, Any]:
    return {
        "name": entry.name,
        "words": entry.words,
        "train": entry.train,
        "test": entry.test,
        "classes": len(entry.class_names),
        "licence": entry.licence,
        "origin": entry.origin,
        "where": _where(entry),
    }


def _where(entry: DatasetEntry) -> str:
    """In `CNNZOO_DATA`, in the cache, or on the network."""
    from cnnzoo.pretrained.cache import blob_path
    from cnnzoo.pretrained.remote import RemoteFile
    from cnnzoo.training.data.published import data_folder, find_local

    folder = data_folder()
    if folder and (found := find_local(entry, folder)):
        return f"here, {found}"
    for form in entry.forms:
        if all(blob_path(RemoteFile.of(file)).is_file() for file in form.files):
            return "here, in the cache"
    return f"{mebibytes(entry.forms[0].size_bytes)} to download"
