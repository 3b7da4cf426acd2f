"""``cnnzoo measure``: count the built-in networks anew; for those who work on cnnzoo itself."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any

from cnnzoo.catalogue.facts import recorded
from cnnzoo.cli.shared import add_json, add_verb
from cnnzoo.lookup import resolve

EXAMPLES = """\
  cnnzoo measure            compare the built networks with the recorded figures
  cnnzoo measure --write    record what was measured"""


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "measure",
        "count the built-in networks anew",
        "Build every network in every form, count it, and compare with the recorded figures.",
        EXAMPLES,
    )
    parser.add_argument("--write", action="store_true", help="replace the recorded figures")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    measured = resolve("cnnzoo.analysis.measure:measure_zoo")()
    if arguments.write:
        path = resolve("cnnzoo.analysis.measure:write_facts")(measured)
        print(f"{len(measured)} forms written to {path}")
        return 0
    changed = [key for key in measured if measured[key] != recorded().get(key)]
    if arguments.json:
        print(json.dumps({key: asdict(row) for key, row in measured.items()}, indent=2))
    else:
        print(f"{len(measured)} forms measured, {len(changed)} differ from the record")
        for key in changed:
            print(f"  {key}")
    return 1 if changed else 0
