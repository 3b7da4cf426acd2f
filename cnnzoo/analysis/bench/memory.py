"""Most memory that a network needs, found out in a process of its own.

Run as ``python -m cnnzoo.analysis.bench.memory`` with a case as JSON on standard input.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_STATUS = Path("/proc/self/status")


def measure(case: dict[str, Any], backend: str) -> tuple[float, float] | str:
    """Peak memory of a fresh process that builds and runs a case, and that after importing.

    Both in MiB; words instead where the process came to a bad end.

    Args:
        case: ``network``, ``batch``, ``runtime``, ``dtype``, ``size``, ``threads`` and
            ``data_format``.
    """
    paths = os.pathsep.join(path for path in sys.path if path)
    done = subprocess.run(  # noqa: S603 - this interpreter, this module
        [sys.executable, "-P", "-m", __name__],
        input=json.dumps(case),
        env=os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return f"its process ended with code {done.returncode}: {last}"
    framework, peak = json.loads(done.stdout.splitlines()[-1])
    return "this system does not tell" if peak is None else (peak, framework)


def main() -> None:
    """Import, note the memory, build, run one batch, note the memory, say both."""
    case = json.load(sys.stdin)
    import keras

    from cnnzoo import machine
    from cnnzoo.analysis.bench import timing

    framework = peak_mib()
    machine.set_threads(case["threads"])
    keras.config.set_image_data_format(case["data_format"])
    runtime, dtype, size = case["runtime"], case["dtype"], tuple(case["size"])
    model = timing.build_as(case["network"], timing.policy(runtime, dtype), size)
    timing.prepare(model, runtime, dtype, case["batch"], size)()
    sys.stdout.write(f"\n{json.dumps([framework, peak_mib()])}\n")


def peak_mib() -> float | None:
    """The most resident memory this process ever had; ``None`` where the system does not tell.

    On Linux ``getrusage`` would not do: a child inherits the peak of the parent that started it.
    """
    if _STATUS.exists():
        for line in _STATUS.read_text("ascii", errors="replace").splitlines():
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(most / (2**20 if sys.platform == "darwin" else 2**10), 1)


if __name__ == "__main__":
    main()
