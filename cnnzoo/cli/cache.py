"""``cnnzoo cache list | verify | prune``: what is kept, whether it is intact, less of it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
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
  CNNZOO_FEATURES_GIB    how much it may hold of features (4)"""
_HELP = {
    "list": "what is there",
    "verify": "hash every file; exit code 4 when one is damaged",
    "prune": "delete damaged files, abandoned ones, files no catalogue entry names, and the oldest "
    "features when there are too many",
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
    from cnnzoo.pretrained.cache import cache_list
    from cnnzoo.runtimes.store import Store
    from cnnzoo.training.probe.store import entries

    made = [*_made("features", entries()), *_made("runtimes", Store().entries())]
    return [*map(_row, cache_list()), *made], False


def _verify(arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    from cnnzoo.pretrained.cache import cache_verify
    from cnnzoo.runtimes.store import Store
    from cnnzoo.training.probe.store import entries

    checked = cache_verify()
    rows = [_row(cached) | {"intact": intact} for cached, intact in checked]
    made: dict[str, Sequence[Any]] = {"features": entries(), "runtimes": Store().entries()}
    for kind, found in made.items():
        for row, entry in zip(_made(kind, found), found, strict=True):
            rows.append(row | {"intact": entry.is_intact()})
    return rows, not all(row["intact"] for row in rows)


def _prune(arguments: argparse.Namespace) -> tuple[list[dict[str, Any]], bool]:
    from cnnzoo.pretrained.cache import cache_prune
    from cnnzoo.runtimes.store import Store
    from cnnzoo.training.probe.store import prune

    removed: list[tuple[Any, str]] = [
        *((one, one.reason) for one in cache_prune(keep=() if arguments.all else _names())),
        *prune(everything=arguments.all),
        *Store().prune(everything=arguments.all),
    ]
    rows = [
        {"path": str(one.path), "size_bytes": one.size_bytes, "removed": reason}
        for one, reason in removed
    ]
    return rows, False


_ACTIONS = {"list": _list, "verify": _verify, "prune": _prune}


def _row(cached: Any) -> dict[str, Any]:
    return {
        "file": _names().get(cached.hash),
        "size_bytes": cached.size_bytes,
        "hash": cached.hash,
        "path": str(cached.path),
    }


def _made(kind: str, entries: Iterable[Any]) -> list[dict[str, Any]]:
    """What was computed here rather than downloaded."""
    return [
        {
            "file": entry.title,
            "size_bytes": entry.size_bytes,
            "hash": f"{kind}:{entry.path.name}",
            "path": str(entry.path),
        }
        for entry in entries
    ]


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
