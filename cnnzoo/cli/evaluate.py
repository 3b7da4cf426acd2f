"""``cnnzoo evaluate``: measure a network on labelled images and write a report."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from cnnzoo.cli.shared import (
    add_bad_data,
    add_json,
    add_options,
    add_runtime,
    add_verb,
    parse_options,
    typed,
)

DESCRIPTION = """\
Measure a network on labelled images: accuracy with its 95 % interval, figures of every class,
calibration, and where it looked when it was wrong. Writes a folder with config.json, metrics.json
and report.html, the page to look at.
The classes of the data must be those of the network, in its order; numbered ones take its names.
"""
EXAMPLES = """\
  cnnzoo evaluate runs/lenet5-digits --data digits
      a run of cnnzoo finetune, again or on other data

  cnnzoo evaluate resnet20 --weights cifar10 --data cifar10
      published weights; images are resized and cut as those were measured

  cnnzoo evaluate own.keras --data photos/ --part all --out runs/own
      any model of Keras that takes pixels 0 to 255"""

GIVEN = (
    "weights", "part", "out", "batch_size", "bad_data", "follow_links", "runtime", "precision",
)  # fmt: skip


def add_parser(verbs: Any) -> None:
    """Options are named, and default, as the arguments of ``cnnzoo.evaluate``."""
    parser = add_verb(
        verbs, "evaluate", "measure a network on images, with a report", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("model", help="folder of a run, .keras file, or a name of 'cnnzoo list'")
    parser.add_argument(
        "--data",
        required=True,
        help="digits, mnist, fashion_mnist, cifar10, an .npz file, or a folder of class folders",
    )
    parser.add_argument("--weights", metavar="TAG", help="with a name: tag or file (the first tag)")
    parser.add_argument("--part", help="test (default), validation, train or all")
    parser.add_argument("--out", metavar="FOLDER", help="results (runs/evaluate-<model>-<data>)")
    parser.add_argument(
        "--overwrite", action="store_true", help="replace an older evaluation in --out"
    )
    parser.add_argument("--batch-size", type=int, metavar="N", help="images at once (32)")
    add_bad_data(parser)
    add_runtime(parser, "float32")
    add_options(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the arguments, then load the framework, measure and print the result."""
    from cnnzoo.runtimes import names
    from cnnzoo.training.subject import find_subject

    names.check(arguments.runtime or "auto", arguments.precision or "auto")
    options = parse_options(arguments.option)
    find_subject(arguments.model, arguments.weights, options)  # before Keras takes its seconds

    from cnnzoo.training.evaluate import evaluate

    result = evaluate(
        arguments.model,
        data=arguments.data,
        overwrite=arguments.overwrite,
        progress=sys.stderr,
        **typed(arguments, GIVEN) | options,
    )
    if arguments.json:
        paths = {"path": str(result.path), "report": str(result.report)}
        print(json.dumps({**paths, **result.metrics}, ensure_ascii=False))
    else:
        print(result)
    return 0
