"""``cnnzoo info NAME``: the card of one network."""

from __future__ import annotations

import argparse
import json
from typing import Any

from cnnzoo.analysis import card
from cnnzoo.cli.shared import add_json, add_verb

EXAMPLES = """\
  cnnzoo info resnet50
  cnnzoo info GoogLeNet
  cnnzoo info xception --json"""


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs,
        "info",
        "the card of one network",
        "Print a network's paper, input, figures, options and weights.",
        EXAMPLES,
    )
    parser.add_argument("name", help="of the network; spelling is forgiven")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    found = card.info(arguments.name)
    print(json.dumps(found.to_dict(), indent=2, ensure_ascii=False) if arguments.json else found)
    return 0
