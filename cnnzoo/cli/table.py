"""``cnnzoo table``: the networks' figures side by side."""

from __future__ import annotations

import argparse
from typing import Any

from cnnzoo.analysis import table
from cnnzoo.analysis.columns import COLUMNS
from cnnzoo.cli.shared import add_json, add_verb, terminal_width

EXAMPLES = """\
  cnnzoo table
  cnnzoo table --sort macs --columns name,macs,top1
  cnnzoo table resnet50 vgg16 xception --columns all
  cnnzoo table --max-params 30e6 --min-top1 75 --format markdown
  cnnzoo table --format csv > networks.csv"""


def add_parser(verbs: Any) -> None:
    meanings = "\n".join(f"  {column.key:<22} {column.help}" for column in COLUMNS.values())
    parser = add_verb(
        verbs,
        "table",
        "figures of the networks side by side",
        f"Compare the networks in a table.\n\ncolumns:\n{meanings}",
        EXAMPLES,
    )
    parser.add_argument("models", nargs="*", metavar="NAME", help="only these, in this order")
    parser.add_argument("--columns", metavar="A,B,…", help="which columns, or 'all'")
    parser.add_argument("--sort", metavar="COLUMN", help="sort by this column")
    parser.add_argument("--reverse", action="store_true", help="largest first")
    parser.add_argument("--pattern", default="*", help="wildcards over names: 'vgg*'")
    parser.add_argument("--family", help="resnet, inception, vgg, …")
    parser.add_argument("--max-params", type=float, metavar="N", help="at most so many: 30e6")
    parser.add_argument("--min-top1", type=float, metavar="P", help="at least P per cent top-1")
    parser.add_argument("--format", choices=table.FORMATS, default="text", help="default: text")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    rows = table.table(
        arguments.models or None,
        columns=arguments.columns,
        sort=arguments.sort,
        reverse=arguments.reverse,
        pattern=arguments.pattern,
        family=arguments.family,
        max_params=arguments.max_params,
        min_top1=arguments.min_top1,
    )
    print(rows.to("json" if arguments.json else arguments.format, terminal_width()))
    return 0
