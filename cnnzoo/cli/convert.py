"""``cnnzoo convert``: any readable weight file as safetensors, under the network's own names."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from cnnzoo.cli.shared import add_options, add_verb, parse_options
from cnnzoo.errors import UsageError

DESCRIPTION = """\
Read the weights of a network from any file or tag that 'weights=' takes, check every tensor, and
write them as safetensors under the network's own names: smaller to depend on, safe to open, the
same bytes whenever they are written. 'weights=FILE' reads them back.
"""
EXAMPLES = """\
  cnnzoo convert resnet20 resnet20-12fca82f.th resnet20.safetensors
  cnnzoo convert resnet50 imagenet resnet50.safetensors
  cnnzoo convert resnet50 mine.weights.h5 mine.safetensors --option variant=v1.5"""


def add_parser(verbs: Any) -> None:
    parser = add_verb(verbs, "convert", "write weights as safetensors", DESCRIPTION, EXAMPLES)
    parser.add_argument("network", help="a name from 'cnnzoo list'")
    parser.add_argument("source", help="a weight file, or a tag from 'cnnzoo info'")
    parser.add_argument("target", type=Path, help="file to write, ending in .safetensors")
    parser.add_argument("--overwrite", action="store_true", help="replace an existing file")
    parser.add_argument("--num-classes", type=int, metavar="N", help="width of the classifier")
    parser.add_argument(
        "--note", metavar="TEXT", default="",
        help="what the file shall say about itself, such as its origin and licence",
    )  # fmt: skip
    add_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from cnnzoo.catalogue.registry import get_spec

    spec = get_spec(arguments.network)
    options: dict[str, Any] = dict(parse_options(arguments.option))
    spec.choose(options)
    if arguments.target.exists() and not arguments.overwrite:
        raise UsageError(f"{arguments.target} exists. Add --overwrite to replace it.")

    from cnnzoo.builder import build
    from cnnzoo.pretrained.save import save_weights

    model = build(spec, weights=arguments.source, num_classes=arguments.num_classes, **options)
    path = save_weights(model, arguments.target, arguments.note)
    print(f"{path}: {len(model.weights)} tensors, {path.stat().st_size:,} bytes")
    return 0
