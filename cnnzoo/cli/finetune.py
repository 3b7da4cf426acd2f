"""``cnnzoo finetune``: train a network on labelled images and write a report."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from cnnzoo.cli.shared import (
    add_bad_data,
    add_json,
    add_options,
    add_verb,
    parse_options,
    parse_shape,
    typed,
)
from cnnzoo.errors import UsageError

DESCRIPTION = """\
Train a network on labelled images, measure it once on the test images, and write a folder with
config.json, history.csv, metrics.json, model.keras, checkpoints and report.html, the page to look
at. Images are resized to the network's input; grey becomes RGB and RGB grey as the network needs.
Ctrl-C saves and stops; --resume goes on, also after a crash.
"""
EXAMPLES = """\
  cnnzoo finetune lenet5 --data digits
      1,797 handwritten digits that come with scikit-learn: no download, half a minute

  cnnzoo finetune lenet5 --data mnist --recipe modern --epochs 12 --out runs/mnist
      MNIST: in the folder that CNNZOO_DATA names, else downloaded

  cnnzoo finetune --resume runs/mnist
      go on where it was stopped, to the same numbers

  cnnzoo finetune resnet50 --weights imagenet --data photos/ --set freeze=stage2 --set lr=1e-4
      your own images: photos/train/<class>/*.jpg and photos/test/<class>/*.jpg, or just
      photos/<class>/*.jpg, of which a fifth is set aside as the test part

  cnnzoo finetune lenet5 --data digits --find-lr --out rates.svg
      at which learning rate the network learns, and the line to type next

  cnnzoo finetune lenet5 --list-recipes
      every recipe, and those of one network"""


def add_parser(verbs: Any) -> None:
    """Options are named, and default, as the arguments of ``cnnzoo.fine_tune``."""
    parser = add_verb(
        verbs, "finetune", "train a network on images, with a report", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("network", nargs="?", help="a name from 'cnnzoo list'")
    parser.add_argument(
        "--data",
        help="digits, mnist, fashion_mnist, cifar10, an .npz file, a CSV list, a folder of classes",
    )
    add_bad_data(parser)
    parser.add_argument("--weights", help="weights to start from (none: random)")
    parser.add_argument("--recipe", help="how to train (scratch, or transfer with --weights)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a field of the recipe; repeatable",
    )
    parser.add_argument("--list-recipes", action="store_true", help="show the recipes and stop")
    parser.add_argument(
        "--find-lr", action="store_true", help="try learning rates, train nothing; --out FILE.svg"
    )
    parser.add_argument("--out", metavar="FOLDER", help="results (runs/<network>-<data>)")
    parser.add_argument("--overwrite", action="store_true", help="replace an older run in --out")
    parser.add_argument("--resume", metavar="FOLDER", help="go on with the run in FOLDER")
    parser.add_argument("--seed", type=int, metavar="N", help="of everything random (0)")
    parser.add_argument(
        "--input-shape", metavar="H,W,C", help="what images are resized to (the network's own)"
    )
    parser.add_argument("--tensorboard", action="store_true", help="also write for TensorBoard")
    parser.add_argument(
        "--checkpoint-minutes", type=float, metavar="X", help="longest time between checkpoints (5)"
    )
    fields = parser.add_argument_group("fields of the recipe, short for --set")
    for name, metavar, text in SHORT:
        fields.add_argument(f"--{name.replace('_', '-')}", metavar=metavar, help=text)
    add_options(parser)
    add_json(parser)
    parser.set_defaults(run=run)


OF_DATA = ("bad_data", "follow_links")
SHORT = (
    ("epochs", "N", "times every image is shown (12 to 60, by the number of images)"),
    ("batch_size", "N", "images per step"),
    ("learning_rate", "X", "the highest one"),
    ("optimizer", "NAME", "adam, adamw, sgd, rmsprop or adadelta"),
    ("augment", "LIST", "such as 'rotate 10, shift 0.1'; none, strokes, photos, auto"),
    ("freeze", "STAGE", "train nothing from the image up to here: stage, layer or 0.5"),
    ("validation_fraction", "X", "share of the training images that chooses the best epoch"),
)


def run(arguments: argparse.Namespace) -> int:
    """Check the arguments, then load the framework, train and print the result."""
    if arguments.list_recipes:
        return _list(arguments)
    if arguments.network is None and arguments.resume is None:
        raise UsageError(
            "Which network? Type: cnnzoo finetune NETWORK --data DATA, or cnnzoo finetune "
            "--resume FOLDER. 'cnnzoo list' names the networks."
        )
    if arguments.data is None and arguments.resume is None:
        raise UsageError(f"On which data? Type: cnnzoo finetune {arguments.network} --data digits")

    given = typed(arguments, ("recipe", "weights", "seed")) | parse_options(arguments.option)
    if arguments.input_shape is not None:
        given["input_shape"] = parse_shape(arguments.input_shape)
    if settings := _settings(arguments):
        given["settings"] = settings
    if arguments.network is None:
        if given:
            raise UsageError(
                f"{', '.join(sorted(given))} cannot be changed in a run that goes on. To compare "
                "them with those it was started with, name the network too."
            )
    else:
        from cnnzoo.training.plan import make_plan

        make_plan(arguments.network, **given)  # before the seconds that importing Keras takes
    if arguments.find_lr:
        return _find(arguments, given)

    from cnnzoo.training.finetune import fine_tune

    result = fine_tune(
        arguments.network,
        data=arguments.data,
        out=arguments.out,
        overwrite=arguments.overwrite,
        resume=arguments.resume,
        tensorboard=arguments.tensorboard,
        progress=sys.stderr if arguments.json else sys.stdout,
        **typed(arguments, (*OF_DATA, "checkpoint_minutes")),
        **given,
    )
    if arguments.json:
        paths = {"path": str(result.path), "report": str(result.report)}
        print(json.dumps({**paths, **result.metrics}, ensure_ascii=False))
    else:
        print(result)
    return 0


def _find(arguments: argparse.Namespace, given: Mapping[str, Any]) -> int:
    """Try learning rates; print what was found and the line to type next."""
    for name in ("resume", "overwrite", "tensorboard", "checkpoint_minutes"):
        if getattr(arguments, name):
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} is for training, --find-lr only tries. Leave one out.")

    from cnnzoo.training.rate_test import check_picture

    if arguments.out is not None:
        check_picture(arguments.out)

    from cnnzoo.training.lr_find import lr_find

    found = lr_find(
        arguments.network,
        data=arguments.data,
        **typed(arguments, OF_DATA),
        **given,
    )
    picture = None if arguments.out is None else found.save(arguments.out)
    command = None if found.suggestion is None else _command(arguments, found.suggestion)
    if arguments.json:
        paths = {"picture": None if picture is None else str(picture), "command": command}
        print(json.dumps({**found.to_dict(), **paths}, ensure_ascii=False))
        return 0
    print(found)
    if picture is not None:
        print(f"picture: {picture}")
    if command is not None:
        print(f"to train with it, type: {command}")
    return 0


def _command(arguments: argparse.Namespace, rate: float) -> str:
    """What was typed, with another learning rate and without --find-lr."""
    words = ["cnnzoo", "finetune", arguments.network, "--data", arguments.data]
    words += ["--follow-links"] if arguments.follow_links else []
    for name in (
        "bad_data",
        "weights",
        "recipe",
        "seed",
        "input_shape",
        *(short for short, _, _ in SHORT),
    ):
        value = getattr(arguments, name)
        if value is not None and name != "learning_rate":
            words += [f"--{name.replace('_', '-')}", str(value)]
    kept = [pair for pair in arguments.set if pair.split("=")[0] not in ("lr", "learning_rate")]
    for pair in [*kept, f"lr={rate:g}"]:
        words += ["--set", pair]
    for pair in arguments.option:
        words += ["--option", pair]
    return shlex.join(words)


def _settings(arguments: argparse.Namespace) -> dict[str, Any]:
    """What --set and its short forms say."""
    found: dict[str, Any] = {}
    for pair in arguments.set:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in found:
            raise UsageError(f"--set {pair!r} is not NAME=VALUE, each name once.")
        found[name] = value
    for name, _, _ in SHORT:
        if (value := getattr(arguments, name)) is not None:
            if name in found:
                raise UsageError(f"{name} is set twice. Set it once.")
            found[name] = value
    return found


def _list(arguments: argparse.Namespace) -> int:
    """The recipes for every network, then those of one or of each."""
    from cnnzoo.catalogue.recipes import all_recipes, recipes_by_network
    from cnnzoo.catalogue.registry import get_spec

    own = recipes_by_network()
    if arguments.network is not None:
        name = get_spec(arguments.network).name
        own = {name: own.get(name, {})}
    tables = {"": all_recipes(), **own}
    if arguments.json:
        plain = {name: {k: asdict(r) for k, r in table.items()} for name, table in tables.items()}
        print(json.dumps(plain, ensure_ascii=False))
        return 0
    for network, table in tables.items():
        for recipe in table.values():
            heading = f"{network}  {recipe.name}" if network else recipe.name
            print(f"{heading:28} {recipe.help}")
    print("\nAll settings of a recipe: cnnzoo finetune NETWORK --list-recipes --json")
    return 0
