"""``cnnzoo compare NAME NAME …``: networks against the first of them, or runs side by side."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cnnzoo.analysis import compare
from cnnzoo.analysis.columns import DEFAULT, RESIZED
from cnnzoo.cli import colour
from cnnzoo.cli.shared import add_json, add_verb, terminal_width
from cnnzoo.cli.table import parse_size
from cnnzoo.errors import UsageError

EXAMPLES = """\
  cnnzoo compare resnet50 vgg16 xception
  cnnzoo compare resnet50 resnet50:variant=v1.5 resnet101 --columns params,macs,top1
  cnnzoo compare vgg16 resnet18 resnet34 --input-size 64
  cnnzoo compare inception_v3 inception_v4 --format markdown
  cnnzoo compare runs/scratch runs/modern --out runs.html"""
DESCRIPTION = """\
Set networks side by side: a column for each, a line for each figure, the best value of a line
marked, and beside it how it stands to the first network. 'cnnzoo table --help' says what the
columns mean. NAME:OPTION=VALUE,OPTION=VALUE is another form of a network; 'cnnzoo info NAME' lists
its options. Given the folders of runs of 'cnnzoo finetune' instead, set these side by side: their
figures, the settings in which they differ and, with --out, their curves on one page."""


def add_parser(verbs: Any) -> None:
    parser = add_verb(verbs, "compare", "networks, or runs, side by side", DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "networks", nargs="+", metavar="NAME", help="two or more, forms too; or folders of runs"
    )
    parser.add_argument("--columns", metavar="A,B,…", help="which figures, or 'all'")
    parser.add_argument(
        "--input-size", metavar="N|HxW", help="count at this size instead of the papers': 64, 64x96"
    )
    parser.add_argument("--format", choices=compare.FORMATS, help="of networks; default: text")
    parser.add_argument("--out", metavar="FILE.html", help="also write a page with curves; of runs")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    if _are_runs(arguments.networks):
        return _runs(arguments)
    if arguments.out is not None:
        raise UsageError("--out draws curves of runs; networks have none. Type: cnnzoo plot --help")
    form = "json" if arguments.json else arguments.format or "text"
    size = parse_size(arguments.input_size)
    columns = arguments.columns
    if columns is None and form in ("json", "csv"):  # where nobody has to fit a line
        columns = [*(RESIZED if size else DEFAULT), "notes"]
    found = compare.compare(*arguments.networks, columns=columns, input_size=size)
    best = {r"\S+( [kMGT])?\*": "bold green"} if form == "text" else {}
    colour.show(found.to(form, terminal_width()), best)
    return 0


def _are_runs(words: Sequence[str]) -> bool:
    """Whether folders of runs are meant; a word with a separator is no network's name."""
    separators = {os.sep, os.altsep or os.sep, "/"}
    if not any(Path(word).is_dir() or separators & set(word) for word in words):
        return False

    from cnnzoo.runfiles import is_run

    strays = [word for word in words if not is_run(word)]
    if not strays:
        return True
    paths = [word for word in words if word not in strays or separators & set(word)]
    if not paths:  # folders that only happen to be called like networks
        return False
    why = "is no folder of a run: it has no config.json that 'cnnzoo finetune' wrote"
    raise UsageError(f"{strays[0]!r} {why}. Give networks only, or folders of runs only.")


def _runs(arguments: argparse.Namespace) -> int:
    from cnnzoo.training.overlay import check_page, compare_runs

    for name in ("columns", "input_size", "format"):
        if getattr(arguments, name) is not None:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} is for networks. Of runs there are --json and --out.")
    if arguments.out is not None:
        check_page(arguments.out)
    found = compare_runs(*arguments.networks)
    page = None if arguments.out is None else found.save(arguments.out)
    print(found.to_json() if arguments.json else found.to_text(terminal_width()))
    if page is not None and not arguments.json:
        print(f"\npage: {page}")
    return 0
