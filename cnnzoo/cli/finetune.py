"""``cnnzoo finetune``: train a network on labelled images and write a report."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from cnnzoo.cli.shared import add_json, add_options, add_verb, parse_options, parse_shape

DESCRIPTION = """\
Train a network on labelled images, measure it once on the test images, and write a folder with
config.json, history.csv, metrics.json, model.keras and report.html, the page to look at.
Images are resized to the network's input; grey becomes RGB and RGB grey as the network needs.
"""
EXAMPLES = """\
  cnnzoo finetune lenet5 --data digits
      1,797 handwritten digits that come with scikit-learn: no download, half a minute

  cnnzoo finetune lenet5 --data mnist --epochs 12 --out runs/mnist
      MNIST: mnist.npz in the folder that CNNZOO_DATA names, else downloaded

  cnnzoo finetune resnet50 --data photos/ --input-shape 96,96,3 --batch-size 16
      your own images: photos/train/<class>/*.jpg and photos/test/<class>/*.jpg, or just
      photos/<class>/*.jpg, of which a fifth is set aside as the test part

  cnnzoo finetune lenet5 --data my.npz --option original=true --seed 1
      arrays x_train, y_train, x_test, y_test; LeNet-5 as it was in 1998"""


def add_parser(verbs: Any) -> None:
    """Options are named, and default, as the arguments of ``cnnzoo.fine_tune``."""
    parser = add_verb(
        verbs, "finetune", "train a network on images, with a report", DESCRIPTION, EXAMPLES
    )
    parser.add_argument("network", help="a name from 'cnnzoo list'")
    parser.add_argument(
        "--data",
        required=True,
        help="digits, mnist, fashion_mnist, cifar10, an .npz file, or a folder of class folders",
    )
    parser.add_argument("--out", metavar="FOLDER", help="results (runs/<network>-<data>)")
    parser.add_argument("--overwrite", action="store_true", help="replace an older run in --out")
    parser.add_argument("--epochs", type=int, metavar="N", help="12 to 60, by the number of images")
    parser.add_argument("--seed", type=int, metavar="N", help="of everything random (0)")
    parser.add_argument("--weights", help="weights to start from (none: random)")
    parser.add_argument("--batch-size", type=int, metavar="N", help="images per step (32)")
    parser.add_argument(
        "--learning-rate", type=float, metavar="X", help="at the start; falls to 0 along a cosine"
    )
    parser.add_argument("--optimizer", help="adam (default), adamw, sgd, rmsprop or adadelta")
    parser.add_argument(
        "--augment", help="none, strokes, photos or auto (default): move training images at random"
    )
    parser.add_argument(
        "--validation-fraction",
        type=float,
        metavar="X",
        help="share of the training images that chooses the best epoch (0.1)",
    )
    parser.add_argument(
        "--input-shape", metavar="H,W,C", help="what images are resized to (the network's own)"
    )
    add_options(parser)
    add_json(parser)
    parser.set_defaults(run=run)


_SETTINGS = (
    "epochs",
    "seed",
    "weights",
    "batch_size",
    "learning_rate",
    "optimizer",
    "augment",
    "validation_fraction",
)


def run(arguments: argparse.Namespace) -> int:
    """Check the arguments, then load the framework, train and print the result."""
    from cnnzoo.training.recipe import check_recipe

    given = {name: getattr(arguments, name) for name in _SETTINGS}
    given["input_shape"] = parse_shape(arguments.input_shape)
    given = {name: value for name, value in given.items() if value is not None}
    given |= parse_options(arguments.option)
    check_recipe(arguments.network, **given)  # before the seconds that importing Keras takes

    from cnnzoo.training.finetune import fine_tune

    result = fine_tune(
        arguments.network,
        data=arguments.data,
        out=arguments.out,
        overwrite=arguments.overwrite,
        progress=sys.stderr if arguments.json else sys.stdout,
        **given,
    )
    if arguments.json:
        paths = {"path": str(result.path), "report": str(result.report)}
        print(json.dumps({**paths, **result.metrics}, ensure_ascii=False))
    else:
        print(result)
    return 0
