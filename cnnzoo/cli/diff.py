"""``cnnzoo diff A B``: what changed from one network to another, stage by stage."""

from __future__ import annotations

import argparse
from typing import Any

from cnnzoo.cli import colour
from cnnzoo.cli.shared import add_json, add_verb, terminal_width
from cnnzoo.lookup import resolve

EXAMPLES = """\
  cnnzoo diff vgg16 vgg19
  cnnzoo diff resnet50 resnext50
  cnnzoo diff resnet50 resnet50:variant=v1.5
  cnnzoo diff inception_v1 inception_v1:aux=true --json"""
DESCRIPTION = """\
Print what changed from the first network to the second: + added, - removed, ~ changed.

A stage is what works at one image size, with the pooling that ends it. 'conv 3×3, 64 /2' is a
convolution with a window of 3×3, 64 filters and stride 2; in brackets stand the branches of a
block. NAME:OPTION=VALUE,OPTION=VALUE is another form of a network; 'cnnzoo info NAME' lists its
options. Names, values and initialisation of weights do not count."""
STYLES = {
    rf"(?m)^ *{sign} .*(\n {{8,}}[^ ~+-].*)*": style  # a long line goes on further to the right
    for sign, style in ((r"\+", "green"), ("-", "red"), ("~", "yellow"))
}


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs, "diff", "what changed from one network to another", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("left", metavar="A", help="a network or a form of one")
    parser.add_argument("right", metavar="B", help="likewise")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    found = resolve("cnnzoo.analysis.diff:diff")(arguments.left, arguments.right)
    text = found.to_json() if arguments.json else found.to_text(terminal_width())
    colour.show(text, {} if arguments.json else STYLES)
    return 0
