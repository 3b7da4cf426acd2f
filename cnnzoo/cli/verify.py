"""``cnnzoo verify``: is the network on this machine the published one?"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from cnnzoo.cli.shared import add_json, add_verb
from cnnzoo.errors import UsageError

DESCRIPTION = """\
Check a weight file (size, hash), load it, and compare what the network answers to four computed
pictures, from pixels through preprocessing to logits, with what was recorded for that file. Works
on any backend: KERAS_BACKEND=jax cnnzoo verify resnet20.
Without a name every file that ships with the package or lies in the cache is verified.
"""
EXAMPLES = """\
  cnnzoo verify
  cnnzoo verify lenet5 resnet20
  cnnzoo verify resnet50 --weights imagenet-torchvision
  cnnzoo verify resnet50 --record       write down what it answers here, for later

exit codes: 0 nothing differs (or nothing is recorded yet), 4 another file, 6 other numbers"""


def add_parser(verbs: Any) -> None:
    parser = add_verb(
        verbs, "verify", "check weights, preprocessing and answers", DESCRIPTION, EXAMPLES
    )
    parser.add_argument(
        "networks", nargs="*", metavar="network", help="names from 'cnnzoo list' (all that is here)"
    )
    parser.add_argument("--weights", metavar="TAG", help="which ones (the first of them)")
    parser.add_argument("--record", action="store_true", help="write the golden logits instead")
    parser.add_argument(
        "--to", metavar="DIR", type=Path, help="with --record: the folder (that of the cache)"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="with --record: replace one that says otherwise"
    )
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from cnnzoo.catalogue.registry import get_spec
    from cnnzoo.catalogue.weights import get_weights

    names = arguments.networks
    if len(names) != 1 and (arguments.weights or arguments.record):
        raise UsageError("--weights and --record need the name of one network before them.")
    if (arguments.to or arguments.overwrite) and not arguments.record:
        raise UsageError("--to and --overwrite belong to --record.")
    for name in names:
        spec = get_spec(name)
        if arguments.weights is not None:
            get_weights(spec.name, arguments.weights)

    from cnnzoo.inference import verify

    if arguments.record:
        path = verify.record(
            names[0], weights=arguments.weights, to=arguments.to, overwrite=arguments.overwrite
        )
        print(json.dumps({"record": str(path)}) if arguments.json else f"recorded: {path}")
        return 0
    if names:
        results = [verify.verify(name, weights=arguments.weights) for name in names]
    else:
        results = [verify.verify_entry(entry) for entry in verify.entries_here()]
    if arguments.json:
        print(json.dumps([result.to_dict() for result in results], indent=2, ensure_ascii=False))
    else:
        print("\n".join(map(str, results)))
    return max((result.exit_code for result in results), default=0)
