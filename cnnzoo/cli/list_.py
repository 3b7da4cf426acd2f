"""``cnnzoo list``: the names there are."""

from __future__ import annotations

import argparse
import json
from typing import Any

from cnnzoo.analysis.columns import COLUMNS
from cnnzoo.analysis.listing import list_models
from cnnzoo.analysis.table import table
from cnnzoo.cli.shared import add_json, add_verb, parse_count, terminal_width

EXAMPLES = """\
  cnnzoo list
  cnnzoo list 'inception*' --exclude '*v4'
  cnnzoo list --family resnet --max-params 30M
  cnnzoo list --json"""


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs, "list", "names of the networks", "List the networks, oldest first.", EXAMPLES
    )
    parser.add_argument("pattern", nargs="?", default="*", help="wildcards over names: 'vgg*'")
    parser.add_argument("--exclude", action="append", metavar="PATTERN", help="leave these out")
    parser.add_argument("--family", help="resnet, inception, vgg, …")
    parser.add_argument("--max-params", type=parse_count, metavar="N", help="at most so many: 30M")
    parser.add_argument("--sort", default="year", metavar="COLUMN", help=f"{', '.join(COLUMNS)}")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    names = list_models(
        arguments.pattern,
        exclude=arguments.exclude,
        family=arguments.family,
        max_params=arguments.max_params,
        sort=arguments.sort,
    )
    if arguments.json:
        print(json.dumps(names))
    elif names:
        columns = "name,title,year,total_params,family,origin"
        print(table(names, columns=columns).to_text(terminal_width()))
    return 0
