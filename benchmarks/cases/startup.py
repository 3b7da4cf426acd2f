"""Start-up: whole processes, from the shell's side."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from benchmarks.core import Aim, Call, Case, Prepared, nothing_in_common

ALONE = "Python alone"
KERAS = "import keras"
_SAME = nothing_in_common(
    "Different work on purpose: importing Keras is what a listing that needs it would cost. "
    "Every process ended well."
)


def _process(*words: str) -> Call:
    def call() -> Any:
        done = subprocess.run([sys.executable, *words], capture_output=True, check=True)
        return done.returncode

    return call


def _case(name: str, question: str, ours: Mapping[str, list[str]], extra_ms: float) -> Case:
    words = {KERAS: ["-c", "import keras"], ALONE: ["-c", ""], **ours}
    calls = {side: _process(*each) for side, each in words.items()}
    return Case(
        name,
        question,
        sides={side: "python " + " ".join(each) for side, each in words.items()},
        prepare=lambda: Prepared(calls, _SAME),
        aims=tuple(Aim(side, ALONE, extra_ms=extra_ms) for side in ours),
    )


CASES = [
    _case(
        "startup.import",
        "What does `import cnnzoo` cost?",
        {"import cnnzoo": ["-c", "import cnnzoo"]},
        extra_ms=50,
    ),
    _case(
        "startup.list",
        "What does it cost to look networks up on the command line?",
        {
            f"cnnzoo {verb}": ["-m", "cnnzoo", *verb.split()]
            for verb in ("list", "table", "info resnet50", "--help")
        },
        extra_ms=300,
    ),
]
