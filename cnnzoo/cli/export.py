"""``cnnzoo export``: a trained network for other programs."""

from __future__ import annotations

import argparse
import json
from typing import Any

from cnnzoo.cli.shared import add_json, add_options, add_verb, parse_options
from cnnzoo.inference import formats

DESCRIPTION = f"""\
Write a trained network for another program: a folder with the network, which takes pixels from 0 to
255 because its preprocessing is inside, its labels, and a description of what it takes and gives.
What was written is run and compared with Keras first. In int8 it is a quarter of the size; training
images of DATA set the ranges of its numbers, test images show what that costs in accuracy.

formats:
{chr(10).join(f"  {found.name:12} {found.help}" for found in formats.FORMATS.values())}
"""
EXAMPLES = """\
  cnnzoo export resnet20 --format onnx --out resnet20-onnx
  cnnzoo export runs/demo --format litert                     your own network
  cnnzoo export resnet50 --weights imagenet --format openvino
  cnnzoo export resnet20 --format onnx --precision int8 --calibration cifar10"""


def add_parser(verbs: Any) -> None:
    """Options are named, and default, as the arguments of ``cnnzoo.export``."""
    parser = add_verb(verbs, "export", "write a network for other programs", DESCRIPTION, EXAMPLES)
    parser.add_argument("network", help="a name from 'cnnzoo list', or the folder of a run")
    parser.add_argument("--format", required=True, metavar="NAME", help=", ".join(formats.FORMATS))
    parser.add_argument("--out", metavar="DIR", help="new folder (<network>-<format>)")
    parser.add_argument("--weights", help="a tag from 'cnnzoo info', or a file (the first tag)")
    parser.add_argument("--precision", metavar="P", help="float32 (default) or int8")
    parser.add_argument(
        "--calibration",
        metavar="DATA",
        help="for int8: what finetune takes as --data, with labels",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace an older export")
    add_options(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Refuse what cannot work before a framework is needed, then write and print."""
    from cnnzoo.inference.choice import check

    kind = formats.pick_format(arguments.format)
    precision = arguments.precision or "float32"
    formats.check_precision(precision, kind.name, arguments.calibration is not None)
    options = parse_options(arguments.option)
    check(arguments.network, arguments.weights, options)

    from cnnzoo.inference.export import export
    from cnnzoo.training.data.load import load_data

    found = export(
        arguments.network,
        format=arguments.format,
        out=arguments.out,
        weights=arguments.weights,
        precision=precision,
        calibration=None if arguments.calibration is None else load_data(arguments.calibration),
        overwrite=arguments.overwrite,
        **options,
    )
    print(json.dumps(found.to_dict(), indent=2) if arguments.json else found)
    return 0
