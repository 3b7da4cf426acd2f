"""The command ``cnnzoo``: finds the verb, runs it, turns errors into one line and an exit code."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

import cnnzoo
from cnnzoo import _keras_hook
from cnnzoo.cli import (
    bench,
    cache,
    compare,
    convert,
    data,
    diff,
    download,
    evaluate,
    export,
    finetune,
    info,
    list_,
    measure,
    plain,
    plot,
    predict,
    probe,
    summary,
    table,
    verify,
)
from cnnzoo.errors import CnnZooError, StorageError, UsageError
from cnnzoo.lookup import did_you_mean

VERBS = (
    list_,
    info,
    table,
    compare,
    diff,
    summary,
    plot,
    bench,
    finetune,
    evaluate,
    probe,
    predict,
    export,
    data,
    download,
    verify,
    cache,
    convert,
    measure,
)

DESCRIPTION = (
    "The classic convolutional networks for Keras 3: exact, comparable, ready to fine-tune."
)
EPILOG = """\
examples:
  cnnzoo list                                   what there is
  cnnzoo info resnet50                          one network's card
  cnnzoo table --sort macs                      all networks side by side
  cnnzoo summary inception_v3                   stage by stage
  cnnzoo finetune lenet5 --data digits          train on real data, with a report

exit codes: 0 done, 1 a bug, 2 usage, 3 network, 4 damaged file, 5 bad data,
6 weights that do not fit, 7 disk or permission, 8 a run that cannot go on,
130 interrupted, 143 terminated
"""


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, with the nearest word and the help to ask for."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{message}. Type: {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        if action.choices is not None and value not in action.choices:
            known = [str(choice) for choice in action.choices]
            what = "command" if action.dest == "command" else f"value of {action.dest}"
            self.error(
                f"{value!r} is not a {what}.{did_you_mean(value, known)} Known: {', '.join(known)}"
            )


def parser() -> argparse.ArgumentParser:
    """The whole command line, every verb included."""
    top = _Parser(
        prog="cnnzoo",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"cnnzoo {cnnzoo.__version__}")
    top.add_argument("--debug", action="store_true", help="show the whole traceback of an error")
    verbs = top.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    for verb in VERBS:
        verb.add_parser(verbs)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    plain.allow_any_alphabet()
    top = parser()
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        arguments = top.parse_args(words)
        if arguments.command is None:
            top.print_help()
            return 0
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # its greetings are not our output
        _keras_hook.import_quietly()
        code = int(arguments.run(arguments))
        sys.stdout.flush()
        return code
    except CnnZooError as error:
        if "--debug" in words:
            raise
        return _report(error, "--json" in words)
    except KeyboardInterrupt:
        print("cnnzoo: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:  # the reader, `| head` for example, has seen enough
        _discard_output()
        return 0
    except OSError as error:
        _discard_output()
        return _report(StorageError(f"The output cannot be written: {error}"), False)


def _discard_output() -> None:
    """Nobody reads stdout any more; let the interpreter flush it into nothing when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report(error: CnnZooError, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"error": str(error), "code": error.exit_code}))
    print(f"cnnzoo: {error}", file=sys.stderr)
    return error.exit_code
