"""``cnnzoo predict``: what is on these pictures?"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from cnnzoo.cli.shared import add_json, add_options, add_runtime, add_verb, parse_options
from cnnzoo.errors import DataError
from cnnzoo.units import percent

DESCRIPTION = """\
Show pictures to a trained network and print its likeliest classes. LeNet-5 for digits and
ResNet-20 for the ten classes of CIFAR-10 come trained with the package; other weights are fetched
once. The folder of a run of 'cnnzoo finetune' stands for the network trained there.
Pictures of any size and kind are fitted to the network as its accuracy was measured.
"""
EXAMPLES = """\
  cnnzoo predict lenet5 digit.png
  cnnzoo predict lenet5 scan.jpg --invert            a dark digit on light paper
  cnnzoo predict resnet20 photo.png --weights cifar10 --top 3
  cnnzoo predict resnet50 holiday/ --weights imagenet --json
  cnnzoo predict runs/demo digit.png                 your own network

exit codes: 0 all pictures were looked at, 5 some could not be read"""


def add_parser(verbs: Any) -> None:
    """Options are named, and default, as the arguments of ``cnnzoo.predict``."""
    parser = add_verb(verbs, "predict", "say what is on pictures", DESCRIPTION, EXAMPLES)
    parser.add_argument("network", help="a name from 'cnnzoo list', or the folder of a run")
    parser.add_argument("images", nargs="+", help="picture files, or folders of them")
    parser.add_argument("--weights", help="a tag from 'cnnzoo info', or a file (the first tag)")
    parser.add_argument("--top", type=int, default=5, metavar="K", help="classes shown (5)")
    parser.add_argument("--invert", action="store_true", help="exchange dark and light first")
    parser.add_argument(
        "--batch-size", type=int, default=32, metavar="N", help="pictures in memory at once (32)"
    )
    add_runtime(parser, "auto")
    add_options(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the arguments, then load the framework, look and print, picture by picture."""
    from cnnzoo.inference.choice import check
    from cnnzoo.runtimes import names

    asked = names.check(arguments.runtime or "auto", arguments.precision or "auto")
    options = parse_options(arguments.option)
    check(arguments.network, arguments.weights, options)

    from cnnzoo.inference.classifier import open_classifier
    from cnnzoo.inference.predict import classify, find_sources
    from cnnzoo.runtimes.choose import compile

    sources = find_sources(arguments.images)
    classifier = open_classifier(arguments.network, arguments.weights, **options)
    runner = compile(classifier.model, *asked, batch_size=arguments.batch_size, images=len(sources))
    if runner.note:
        print(f"cnnzoo: {runner.note}.", file=sys.stderr)
    rows = classify(classifier, sources, runner, top=arguments.top, invert=arguments.invert)
    seen = _shown(rows, classifier.title, len(sources), arguments)
    failed = sum(bool(row.error) for row in seen)
    inverted = [str(row.image) for row in seen if row.looks_inverted]
    if inverted:
        cure = "Leave out --invert for them" if arguments.invert else "Try --invert"
        print(
            f"cnnzoo: {_pictures(len(inverted))} dark on light{' now' * arguments.invert}, but the "
            f"digits of MNIST are light on dark: {_few(inverted)}. {cure}.",
            file=sys.stderr,
        )
    if failed:
        print(f"cnnzoo: {_pictures(failed)} not readable.", file=sys.stderr)
    return DataError.exit_code if failed else 0


def _shown(rows: Iterator[Any], title: str, count: int, arguments: argparse.Namespace) -> list[Any]:
    """Print every row as it comes, or one document at the end."""
    if arguments.json:
        from rich.console import Console
        from rich.progress import track

        console = Console(stderr=True)
        quiet = not console.is_terminal
        seen = list(track(rows, "looking", count, console=console, transient=True, disable=quiet))
        document = {"network": title, "predictions": [row.to_dict() for row in seen]}
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return seen
    seen = []
    print(title)
    for row in rows:
        print(row if count == 1 else _line(row, arguments.top))
        seen.append(row)
    return seen


def _line(row: Any, top: int) -> str:
    """One picture in one line."""
    if row.error:
        return f"{row.image}: {row.error}"
    classes = (
        f"{guess.name} {percent(guess.probability, 1)}" for guess in row.classes[: min(top, 3)]
    )
    return f"{row.image}: {', '.join(classes)}"


def _few(names: list[str]) -> str:
    more = len(names) - 5
    return ", ".join(names[:5]) + (f" and {more:,} more" if more > 0 else "")


def _pictures(count: int) -> str:
    return "1 picture is" if count == 1 else f"{count:,} pictures are"
