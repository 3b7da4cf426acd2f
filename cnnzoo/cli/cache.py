"""``cnnzoo cache list | verify | prune``: what is kept, whether it is intact, less of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from cnnzoo.catalogue.datasets import all_datasets
from cnnzoo.catalogue.weights import all_weights
from cnnzoo.cli.shared import add_json, add_verb
from cnnzoo.units import grouped, mebibytes

_DESCRIPTION = """\
Show, check or thin out the folder of downloaded weights and datasets, and of what is made
here: features that 'cnnzoo probe' keeps, and networks exported for fast runtimes."""
_EXAMPLES = """\
  cnnzoo cache list
  cnnzoo cache verify --json
  cnnzoo cache prune          damaged, abandoned and forgotten files
  cnnzoo cache prune --all    everything

environment:
  CNNZOO_CACHE           the folder
  CNNZOO_FEATURES_GIB    how much it may hold of features (4)
  CNNZOO_RUNTIMES_GIB    how much it may hold of exported networks (4)"""
_HELP = {
    "list": "what is there",
    "verify": "hash every file; exit code 4 when one is damaged",
    "prune": "delete damaged files, abandoned ones, files no catalogue entry names, and the oldest "
    "features and exported networks when there are too many",
}


def add_parser(verbs: Any) -> None:
    words = "list, check or delete what is kept"
    parser = add_verb(verbs, "cache", words, _DESCRIPTION, _EXAMPLES)
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, words in _HELP.items():
        action = actions.add_parser(name, help=words, description=words[0].upper() + words[1:])
        add_json(action)
        if name == "prune":
            action.add_argument("--all", action="store_true", help="keep nothing")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from cnnzoo.pretrained.environment import cache_folder

    rows, damaged = _ACTIONS[arguments.action](arguments)
    folder = str(cache_folder())
    if arguments.json:
        print(json.dumps({"folder": folder, "files": rows}, indent=2))
    else:
        for row in rows:
            print(_line(row))
        total = sum(row["size_bytes"] for row in rows)
        print(f"{grouped(len(rows))} files, {mebibytes(total)}, {folder}")
    return 4 if damaged else 0


def _list(arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    return [row for _, row in _kept()], False


def _verify(arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    rows = [row | {"intact": one.is_intact()} for one, row in _kept()]
    return rows, not all(row["intact"] for row in rows)


def _prune(arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    from cnnzoo.pretrained.cache import cache_prune
    from cnnzoo.store import FEATURES, RUNTIMES

    removed: list[tuple[Any, str]] = [
        *((one, one.reason) for one in cache_prune(keep=() if arguments.all else _names())),
        *FEATURES.prune(everything=arguments.all),
        *RUNTIMES.prune(everything=arguments.all),
    ]
    rows = [
        {"path": str(one.path), "size_bytes": one.size_bytes, "removed": reason}
        for one, reason in removed
    ]
    return rows, False


_ACTIONS = {"list": _list, "verify": _verify, "prune": _prune}


def _kept() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Everything, downloaded or made here, and what is told of it."""
    from cnnzoo.pretrained.cache import cache_list
    from cnnzoo.store import FEATURES, RUNTIMES

    names = _names()
    for cached in cache_list():
        yield cached, _row(cached, names.get(cached.hash), cached.hash)
    for store in (FEATURES, RUNTIMES):
        for entry in store.entries():
            yield entry, _row(entry, entry.title, f"{store.name}:{entry.path.name}")


def _row(one: Any, file: str | None, digest: str) -> dict[str, Any]:
    return {"file": file, "size_bytes": one.size_bytes, "hash": digest, "path": str(one.path)}


def _line(row: dict[str, Any]) -> str:
    size = f"{mebibytes(row['size_bytes']):>12}"
    if "removed" in row:
        return f"{size}  {row['removed']:<20}  {row['path']}"
    verdict = "" if "intact" not in row else "intact   " if row["intact"] else "DAMAGED  "
    return f"{size}  {verdict}{row['file'] or 'not in this catalogue'}  {row['path']}"


def _names() -> dict[str, str]:
    """Hash -> "resnet50 imagenet notop" or "mnist mnist.npz", for every file of the catalogues."""
    weights = {
        entry.hash: f"{entry.network} {entry.tag} {entry.part}"
        for entries in all_weights().values()
        for entry in entries
    }
    data = {
        file.hash: f"{file.dataset} {file.file}"
        for entry in all_datasets().values()
        for form in entry.forms
        for file in form.files
    }
    return weights | data
