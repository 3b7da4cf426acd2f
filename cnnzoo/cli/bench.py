"""``cnnzoo bench``: how long networks take on this machine, and how much memory they need."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cnnzoo.analysis.bench.plan import DTYPES, RUNTIMES
from cnnzoo.cli.shared import add_json, add_verb, terminal_width
from cnnzoo.cli.table import parse_size
from cnnzoo.errors import UsageError

DESCRIPTION = """\
Measure latency and memory of networks with random weights, on which neither depends. Every round
calls every network in every configuration once, so that noise of the machine hits all alike.
Without a name all networks are measured, which takes minutes.

runtimes:
  keras        the function the backend compiles: tf.function, jax.jit, torch in inference mode
  predict      model.predict, which most people call
  openvino     what Keras exports, run by OpenVINO
  onnxruntime  the same by ONNX Runtime"""
EXAMPLES = """\
  cnnzoo bench lenet5 resnet20 --batch 1 8
  cnnzoo bench resnet50 --runtime keras predict --dtype float32 bfloat16
  cnnzoo bench resnet50 --runtime openvino --precision bfloat16 int8 --batch 16
  cnnzoo bench vgg16 --threads 1 --out bench.json
  cnnzoo bench --json > bench.json
  cnnzoo table --bench bench.json
  KERAS_BACKEND=torch cnnzoo bench resnet20"""


def add_parser(verbs: Any) -> None:
    parser = add_verb(verbs, "bench", "latency and memory, measured here", DESCRIPTION, EXAMPLES)
    parser.add_argument("networks", nargs="*", metavar="NAME", help="names from 'cnnzoo list'")
    parser.add_argument(
        "--batch", nargs="+", type=int, default=[1], metavar="N", help="images at a time (1)"
    )
    parser.add_argument(
        "--runtime", nargs="+", default=["keras"], metavar="R",
        help=f"{', '.join(RUNTIMES)} (keras)",
    )  # fmt: skip
    parser.add_argument(
        "--dtype", "--precision", nargs="+", default=["float32"], metavar="D",
        help=f"{', '.join(DTYPES)} (float32)",
    )  # fmt: skip
    parser.add_argument("--rounds", type=int, default=20, metavar="N", help="timed calls (20)")
    parser.add_argument("--input-size", metavar="N|HxW", help="instead of the papers': 64, 64x96")
    parser.add_argument("--threads", type=int, metavar="N", help="of the backend (as it likes)")
    parser.add_argument(
        "--no-memory", dest="memory", action="store_false",
        help="leave out the peak memory, which takes a fresh process for each row",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FILE", help="keep the results as JSON")
    add_json(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    from cnnzoo.analysis.bench.plan import make_plan

    out = arguments.out
    if out is not None and out.is_dir():
        raise UsageError(f"--out {out} is a folder. Name a file, for example {out / 'bench.json'}.")
    settings: dict[str, Any] = {
        "batches": arguments.batch,
        "runtimes": arguments.runtime,
        "dtypes": arguments.dtype,
        "rounds": arguments.rounds,
        "input_size": parse_size(arguments.input_size),
        "threads": arguments.threads,
    }
    networks = arguments.networks or None
    make_plan(networks, **settings)  # a wrong word is answered at once, before Keras is imported

    from cnnzoo.analysis.bench.run import benchmark

    with _progress() as progress:
        results = benchmark(networks, **settings, memory=arguments.memory, progress=progress)
    print(results.to_json() if arguments.json else results.to_text(terminal_width()))
    if out is not None:
        results.save(out)
    return 0


@contextmanager
def _progress() -> Iterator[Callable[[float, str], None]]:
    """A bar on a terminal's standard error, nothing elsewhere."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    live = console.is_terminal and not console.is_dumb_terminal
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    # Drawn between calls only: a thread that draws would take time from what is measured.
    bar = Progress(*columns, console=console, transient=True, auto_refresh=False, disable=not live)
    task = bar.add_task("importing Keras", total=1.0)
    with bar:
        yield lambda share, what: bar.update(task, completed=share, description=what, refresh=True)
