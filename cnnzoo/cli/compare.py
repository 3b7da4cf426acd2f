"""``cnnzoo compare NAME NAME …``: chosen networks against the first of them."""

from __future__ import annotations

import argparse
from typing import Any

from cnnzoo.analysis import compare
from cnnzoo.analysis.columns import DEFAULT, RESIZED
from cnnzoo.cli import colour
from cnnzoo.cli.shared import add_json, add_verb, terminal_width
from cnnzoo.cli.table import parse_size

EXAMPLES = """\
  cnnzoo compare resnet50 vgg16 xception
  cnnzoo compare resnet50 resnet50:variant=v1.5 resnet101 --columns params,macs,top1
  cnnzoo compare vgg16 resnet18 resnet34 --input-size 64
  cnnzoo compare inception_v3 inception_v4 --format markdown"""
DESCRIPTION = """\
Set networks side by side: a column for each, a line for each figure, the best value of a line
marked, and beside it how it stands to the first network. 'cnnzoo table --help' says what the
columns mean. NAME:OPTION=VALUE,OPTION=VALUE is another form of a network; 'cnnzoo info NAME' lists
its options."""


def add_parser(verbs: Any) -> None:
    parser = add_verb(verbs, "compare", "networks against the first of them", DESCRIPTION, EXAMPLES)
    parser.add_argument("networks", nargs="+", metavar="NAME", help="two or more; forms too")
    parser.add_argument("--columns", metavar="A,B,…", help="which figures, or 'all'")
    parser.add_argument(
        "--input-size", metavar="N|HxW", help="count at this size instead of the papers': 64, 64x96"
    )
    parser.add_argument("--format", choices=compare.FORMATS, default="text", help="default: text")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    form = "json" if arguments.json else arguments.format
    size = parse_size(arguments.input_size)
    columns = arguments.columns
    if columns is None and form in ("json", "csv"):  # where nobody has to fit a line
        columns = [*(RESIZED if size else DEFAULT), "notes"]
    found = compare.compare(*arguments.networks, columns=columns, input_size=size)
    best = {r"\S+( [kMGT])?\*": "bold green"} if form == "text" else {}
    colour.show(found.to(form, terminal_width()), best)
    return 0
