"""Measure cases side by side.

    python -m benchmarks --list
    python -m benchmarks                                   # all that is installed for
    python -m benchmarks inference.resnet50 resnext --rounds 7 --out FILE.json
    python -m benchmarks --markdown FILE.json

Each case runs in a process of its own, with an empty cache of ours. A name without a dot stands for
the whole group. FILE.json keeps the cases it has and gets those measured now.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.cases import CASES
from benchmarks.core import Differ, measure
from cnnzoo.errors import CnnZooError, UsageError
from cnnzoo.files import write_json
from cnnzoo.lookup import pick


def chosen(names: Sequence[str]) -> list[str]:
    """The cases of names and groups, all of them for none.

    Raises:
        UnknownNameError: There is no such case or group; the nearest is named.
    """
    groups: dict[str, list[str]] = {name: [name] for name in CASES}
    for name in CASES:
        groups.setdefault(name.partition(".")[0], []).append(name)
    found = [case for name in names for case in pick(groups, name, kind="case")]
    return list(dict.fromkeys(found)) or list(CASES)


def in_a_process(name: str, rounds: int) -> dict[str, Any] | str:
    """The result of one case, or why there is none."""
    if missing := CASES[name].missing:
        return f"needs {', '.join(missing)}"
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "result.json"
        words = [sys.executable, "-m", "benchmarks", name, "--here", str(out)]
        done = subprocess.run(
            [*words, "--rounds", str(rounds)],
            env={"TF_CPP_MIN_LOG_LEVEL": "3"} | os.environ | {"CNNZOO_CACHE": folder},
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        found: dict[str, Any] = json.loads(out.read_text("utf-8"))
        return found


def main() -> int:
    arguments = _parser().parse_args()
    if arguments.markdown:
        print(report.markdown(json.loads(arguments.markdown.read_text("utf-8"))))
        return 0
    names = chosen(arguments.cases)
    if arguments.list:
        for name in names:
            print(f"{name:26} {CASES[name].question}")
        return 0
    if arguments.here:
        write_json(arguments.here, measure(CASES[names[0]], arguments.rounds))
        return 0
    out = arguments.out
    results = json.loads(out.read_text("utf-8")) if out and out.exists() else {}
    failed = False
    for name in names:
        found = in_a_process(name, arguments.rounds)
        if isinstance(found, str):
            failed |= not CASES[name].missing
            print(f"{name}: not measured: {found}\n", flush=True)
            continue
        print(report.text(name, found), end="\n\n", flush=True)
        results[name] = found
        if out:
            write_json(out, {known: results[known] for known in CASES if known in results})
    return int(failed)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="of --list (all)")
    parser.add_argument("--list", action="store_true", help="name the cases and do nothing")
    parser.add_argument("--rounds", type=_count, default=7, metavar="N", help="timed calls (7)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="keep the results as JSON")
    parser.add_argument("--markdown", type=Path, metavar="FILE", help="print results as Markdown")
    parser.add_argument("--here", type=Path, help=argparse.SUPPRESS)
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rounds")
    return int(text)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UsageError as error:
        sys.exit(f"{error}")
    except (CnnZooError, Differ) as error:
        sys.exit(f"{type(error).__name__}: {error}")
