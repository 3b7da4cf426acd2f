"""``cnnzoo table``: the networks' figures side by side."""

from __future__ import annotations

import argparse
from typing import Any

from cnnzoo.analysis import table
from cnnzoo.analysis.bench.results import Benchmark, read
from cnnzoo.analysis.columns import COLUMNS, DEFAULT, RESIZED
from cnnzoo.cli.shared import add_json, add_verb, parse_count, terminal_width
from cnnzoo.errors import UsageError

EXAMPLES = """\
  cnnzoo table
  cnnzoo table --sort macs --columns name,macs,top1
  cnnzoo table resnet50 vgg16 xception --columns all
  cnnzoo table --max-params 30M --min-top1 75 --format markdown
  cnnzoo table --input-size 64 --sort macs
  cnnzoo table --format csv > networks.csv
  cnnzoo table --bench bench.json --sort latency_ms"""


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
    parser.add_argument("--max-params", type=parse_count, metavar="N", help="at most so many: 30M")
    parser.add_argument("--min-top1", type=float, metavar="P", help="at least P per cent top-1")
    parser.add_argument(
        "--input-size", metavar="N|HxW", help="count at this size instead of the papers': 64, 64x96"
    )
    parser.add_argument(
        "--bench", metavar="FILE", help="add the times that 'cnnzoo bench --json' measured"
    )
    parser.add_argument("--batch", type=int, metavar="N", help="of --bench (fewest)")
    parser.add_argument("--runtime", metavar="R", help="of --bench (the first in the file)")
    parser.add_argument("--dtype", metavar="D", help="of --bench (the first in the file)")
    parser.add_argument("--format", choices=table.FORMATS, default="text", help="default: text")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    form = "json" if arguments.json else arguments.format
    size = parse_size(arguments.input_size)
    columns = arguments.columns
    if columns is None and form in ("json", "csv"):  # where nobody has to fit a line
        columns = [*(RESIZED if size else DEFAULT), "notes"]
    rows = table.table(
        arguments.models or None,
        columns=columns,
        sort=arguments.sort,
        reverse=arguments.reverse,
        pattern=arguments.pattern,
        family=arguments.family,
        max_params=arguments.max_params,
        min_top1=arguments.min_top1,
        input_size=size,
        bench=_times(arguments),
    )
    print(rows.to(form, terminal_width()))
    return 0


def _times(arguments: argparse.Namespace) -> Benchmark | None:
    """The results asked for, in the configuration asked for."""
    wanted = {key: getattr(arguments, key) for key in ("batch", "runtime", "dtype")}
    if arguments.bench is not None:
        return read(arguments.bench).select(**wanted)
    for key, value in wanted.items():
        if value is not None:
            raise UsageError(f"--{key} {value} belongs to --bench FILE, which is missing.")
    return None


def parse_size(text: str | None) -> tuple[int, int] | None:
    """``"64"`` -> ``(64, 64)``, ``"64x96"`` -> ``(64, 96)``."""
    if text is None:
        return None
    sides = text.lower().split("x")
    try:
        height, width = map(int, sides * 2 if len(sides) == 1 else sides)
    except ValueError as error:
        raise UsageError(f"--input-size {text!r} is not a size such as 64 or 64x96.") from error
    return height, width
