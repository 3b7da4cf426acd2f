"""``cnnzoo probe``: which network's features suit these images, in seconds."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from cnnzoo.cli.shared import add_bad_data, add_json, add_options, add_verb, parse_options, typed
from cnnzoo.errors import UsageError

DESCRIPTION = """\
Train heads on the features of frozen networks and compare them in one table. Every image passes
each network once; its features are kept in the cache, so that other heads, and the same again,
need no network. A tenth of the training images chooses the settings, the test part is read once.

heads:
  linear  one dense layer on standardised features: logistic regression
  mlp     a hidden layer of 256 units before it
  knn     nearest neighbours by cosine"""
EXAMPLES = """\
  cnnzoo probe resnet20 lenet5 --data digits
      which of two networks to fine-tune

  cnnzoo probe resnet20 --data digits --head linear mlp knn --views 3
      three heads, every training image as it is and in three changed views

  cnnzoo probe resnet20 --data digits --save digits.keras
      the network with its new head as one Keras model, for predict and evaluate

environment:
  CNNZOO_CACHE           the folder that keeps the features
  CNNZOO_FEATURES_GIB    how much it may hold of them (4); 0 keeps none"""
GIVEN = (
    "weights", "head", "views", "seed", "batch_size", "runtime", "precision", "bad_data",
    "follow_links",
)  # fmt: skip


def add_parser(verbs: Any) -> None:
    """Options are named, and default, as the arguments of ``cnnzoo.probe``."""
    words = "heads on frozen features, in seconds"
    parser = add_verb(verbs, "probe", words, DESCRIPTION, EXAMPLES)
    parser.add_argument(
        "networks", nargs="+", metavar="NETWORK",
        help="a name of 'cnnzoo list', folder of a run, or .keras file",
    )  # fmt: skip
    parser.add_argument(
        "--data",
        required=True,
        help="digits, mnist, fashion_mnist, cifar10, an .npz file, or a folder of class folders",
    )
    parser.add_argument("--weights", metavar="TAG", help="tag, file or random (the first tag)")
    parser.add_argument("--head", nargs="+", metavar="HEAD", help="linear (default), mlp, knn")
    parser.add_argument(
        "--views", type=int, metavar="K", help="changed views of every training image (0)"
    )
    parser.add_argument("--seed", type=int, metavar="N", help="of the split and the views (0)")
    parser.add_argument("--batch-size", type=int, metavar="N", help="images at once (32)")
    parser.add_argument("--runtime", metavar="R", help="what runs the networks (auto)")
    parser.add_argument("--precision", metavar="P", help="in which numbers (auto)")
    parser.add_argument(
        "--no-cache", dest="cache", action="store_false", help="keep no features, use none"
    )
    add_bad_data(parser)
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="the best one by validation, as a .keras file"
    )
    add_options(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the arguments, then load the framework, probe and print the table."""
    from cnnzoo.training.probe.settings import make_settings

    options = parse_options(arguments.option)
    asked = typed(arguments, ("weights", "head", "views"))
    heads = make_settings(arguments.networks, options=options, **asked).heads
    _check_file(arguments.save, heads)

    from cnnzoo.training.probe.run import probe

    found = probe(
        arguments.networks,
        arguments.data,
        cache=arguments.cache,
        progress=sys.stderr,
        **typed(arguments, GIVEN) | options,
    )
    if arguments.save is not None:
        from cnnzoo.files import write_with

        write_with(arguments.save, found.model().save)
    if arguments.json:
        print(json.dumps(found.to_dict(), indent=2, ensure_ascii=False))
        return 0
    print(found)
    if arguments.save is not None:
        best = found.best()
        print(f"saved: {best.network} with head {best.head!r}, {arguments.save}")
    return 0


def _check_file(file: Path | None, heads: tuple[str, ...]) -> None:
    """Refuse, before hours of work, what could not be saved in the end."""
    if file is None:
        return
    if file.suffix != ".keras":
        raise UsageError(f"--save {file} is no .keras file. Give a name that ends in .keras.")
    if set(heads) == {"knn"}:
        raise UsageError(
            "--save needs a head of layers, and nearest neighbours have none. "
            "Type: --head linear or --head mlp"
        )
