"""``cnnzoo download NAME``: fetch weights now, for later or for another machine."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from cnnzoo.cli.shared import add_verb

_TERMINATED = 128 + signal.SIGTERM

_DESCRIPTION = """\
Fetch the weights of a network, check size and hash, and print where they are.
What is in the cache and intact is not fetched again."""

_EXAMPLES = """\
  cnnzoo download resnet50
  cnnzoo download resnet50 --weights imagenet-torchvision
  cnnzoo download vgg16 --no-top --to /media/stick

environment:
  CNNZOO_CACHE    folder for downloads
  CNNZOO_MIRROR   https address asked before the publishers: <mirror>/<file name>
  CNNZOO_OFFLINE  1 forbids the network"""


def add_parser(verbs: Any) -> None:
    parser = add_verb(verbs, "download", "fetch and check weights", _DESCRIPTION, _EXAMPLES)
    parser.add_argument("name", help="of the network; spelling is forgiven")
    parser.add_argument("--weights", metavar="TAG", help="which ones (default: the first of them)")
    parser.add_argument(
        "--no-top", action="store_true", help="the smaller file without classifier, if there is one"
    )
    parser.add_argument(
        "--to", metavar="DIR", type=Path, help="put the file into DIR instead of the cache"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from cnnzoo.downloads import download

    with _terminable():
        path = download(
            arguments.name,
            weights=arguments.weights,
            include_top=not arguments.no_top,
            to=arguments.to,
        )
        print(path)
    return 0


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM clean up as Ctrl-C does, then end the program."""

    def leave(number: int, frame: object) -> NoReturn:
        raise SystemExit(_TERMINATED)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
