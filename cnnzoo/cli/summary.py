"""``cnnzoo summary NAME``: a network stage by stage or layer by layer."""

from __future__ import annotations

import argparse
from typing import Any

from cnnzoo.cli.shared import (
    add_json,
    add_options,
    add_verb,
    parse_options,
    parse_shape,
    terminal_width,
)
from cnnzoo.lookup import resolve

EXAMPLES = """\
  cnnzoo summary resnet50
  cnnzoo summary inception_v3 --by layer
  cnnzoo summary vgg16 --input-shape 64,64,3 --no-top
  cnnzoo summary resnet50 --option variant=v1.5"""


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "summary",
        "a network stage by stage",
        "Print shapes, parameters, multiply-accumulates (MACs) and memory of a network. A stage "
        "is what works at one image size.",
        EXAMPLES,
    )
    parser.add_argument("name", help="of the network; spelling is forgiven")
    parser.add_argument("--by", choices=("stage", "layer"), default="stage", help="default: stage")
    parser.add_argument("--input-shape", metavar="H,W,C", help="instead of the paper's")
    parser.add_argument("--no-top", action="store_true", help="without the classifier")
    add_options(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    counted = resolve("cnnzoo.analysis.summary:summary")(
        arguments.name,
        by=arguments.by,
        input_shape=parse_shape(arguments.input_shape),
        include_top=not arguments.no_top,
        **parse_options(arguments.option),
    )
    print(counted.to_json() if arguments.json else counted.to_text(terminal_width()))
    return 0
