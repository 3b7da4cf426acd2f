"""``cnnzoo plot KIND``: pictures of the networks."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cnnzoo.cli.shared import add_options, add_verb, parse_options
from cnnzoo.lookup import fold

EXAMPLES = """\
  cnnzoo plot accuracy-vs macs                    who is accurate for how much work
  cnnzoo plot accuracy-vs params --models resnet50,vgg16,xception
  cnnzoo bench --json > bench.json
  cnnzoo plot accuracy-vs latency --results bench.json
  cnnzoo plot timeline --theme dark               what was new, year by year
  cnnzoo plot treemap resnet50                    where the weights and the work sit
  cnnzoo plot architecture inception_v3           block by block
  cnnzoo plot architecture lenet5 --option original=true --out lenet.png"""
DESCRIPTION = """\
Draw a picture and print the name of its file.

pictures:
  accuracy-vs   ImageNet accuracy against params, macs, memory (weights and activations), latency
                (measured with cnnzoo bench) or any column of numbers, with the Pareto front
  timeline      the networks by year, with what was new
  treemap       the layers as areas, by parameters and by multiply-accumulates
  architecture  the blocks of a network, stage by stage

The suffix of --out says what is written: .svg, .png or .pdf."""


def add_parser(verbs: Any) -> None:
    parser = add_verb(verbs, "plot", "pictures: accuracy, years, areas, blocks", DESCRIPTION,
                      EXAMPLES)  # fmt: skip
    kinds = parser.add_subparsers(metavar="PICTURE", dest="picture", required=True)
    accuracy = kinds.add_parser("accuracy-vs", help="accuracy against a cost")
    accuracy.add_argument("cost", help="params, macs, memory, latency or a column of numbers")
    accuracy.add_argument("--results", metavar="FILE", help="what cnnzoo bench --json printed")
    accuracy.add_argument("--batch", type=int, metavar="N", help="images at a time, of latencies")
    timeline = kinds.add_parser("timeline", help="the networks by year")
    for kind in (accuracy, timeline):
        kind.add_argument("--models", metavar="A,B,…", help="only these networks")
    treemap = kinds.add_parser("treemap", help="where parameters and work sit")
    treemap.add_argument("--of", metavar="WHAT", help="params or macs; default: both")
    architecture = kinds.add_parser("architecture", help="the blocks, stage by stage")
    for kind in (treemap, architecture):
        kind.add_argument("model", metavar="NAME", help="of the network; spelling is forgiven")
        add_options(kind)
    for kind in (accuracy, timeline, treemap, architecture):
        kind.add_argument("--out", metavar="FILE", help="default: after the picture, .svg, here")
        kind.add_argument("--theme", default="light", help="light or dark; default: light")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from cnnzoo.analysis import plot
    from cnnzoo.analysis.plot.canvas import check_suffix

    kind = arguments.picture
    subject = {"accuracy-vs": "cost", "treemap": "model", "architecture": "model"}.get(kind)
    chosen = [getattr(arguments, subject)] if subject else []
    name = "-".join([kind, *map(fold, chosen)])
    target = Path(arguments.out or f"{name}.svg")
    check_suffix(target)  # before the work, not after
    options: dict[str, Any] = {"theme": arguments.theme}
    if kind in ("accuracy-vs", "timeline"):
        options["models"] = arguments.models.split(",") if arguments.models else None
    else:
        options |= parse_options(arguments.option)
    for key in {"accuracy-vs": ("results", "batch"), "treemap": ("of",)}.get(kind, ()):
        options[key] = getattr(arguments, key)
    picture = getattr(plot, kind.replace("-", "_"))(*chosen, **options)
    print(picture.save(target))
    return 0
