"""The machine that a figure is true of: hardware, versions, threads, the day."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cnnzoo import __version__
from cnnzoo.errors import UsageError


def environment() -> dict[str, Any]:
    """What a measurement depends on beside its arguments, on this day."""
    backend = keras.backend.backend()
    found = versions()
    found["backend_version"] = found.pop(backend)
    return {"date": datetime.now(UTC).isoformat(timespec="seconds"), **hardware(), **found}


def versions() -> dict[str, str]:
    """Python, Keras, its backend, NumPy and cnnzoo; the backend's own name is the key."""
    backend = keras.backend.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.version(),
        "backend": backend,
        backend: str(getattr(import_module(backend), "__version__", "unknown")),
        "numpy": np.__version__,
        "cnnzoo": __version__,
    }


def hardware() -> dict[str, Any]:
    """The processor, the cores this process may use, and what else Keras computes on.

    ``threads`` is ``None`` where the backend takes as many as it likes and does not tell.
    """
    backend = keras.backend.backend()
    return {
        "cpu": _processor(),
        "cores": _cores(),
        "accelerators": _ACCELERATORS.get(backend, lambda: [])(),
        "threads": _THREADS.get(backend, lambda: None)(),
        "platform": platform.platform(),
    }


def in_words(found: dict[str, Any]) -> str:
    """The environment in one line for people."""
    threads = found["threads"]
    parts = [
        *dict.fromkeys(found["accelerators"]),
        found["cpu"],
        f"{found['cores']} {'core' if found['cores'] == 1 else 'cores'}",
        *([f"{threads} {'thread' if threads == 1 else 'threads'}"] if threads else []),
        f"Keras {found['keras']} on {found['backend']} {found['backend_version']}",
        f"Python {found['python']}",
        f"cnnzoo {found['cnnzoo']}",
        found["date"][:10],
    ]
    return ", ".join(parts)


def set_threads(count: int | None) -> None:
    """Let the backend compute with so many threads from now on; ``None`` changes nothing.

    Raises:
        UsageError: The backend cannot, or no longer.
    """
    if count is None:
        return
    backend = keras.backend.backend()
    if backend == "torch":
        import_module("torch").set_num_threads(count)
        return
    if backend != "tensorflow":
        raise UsageError(
            f"threads={count} cannot be set on the backend {backend!r}, which takes one thread "
            f"for each core. Bind the process to cores instead, on Linux with taskset."
        )
    threading = import_module("tensorflow").config.threading
    try:
        threading.set_intra_op_parallelism_threads(count)
        threading.set_inter_op_parallelism_threads(count)
    except RuntimeError as error:
        raise UsageError(
            f"threads={count} comes too late: TensorFlow has computed something and keeps its "
            "threads. Call benchmark first in a fresh process, or type: cnnzoo bench --threads"
        ) from error


def _cores() -> int:
    """Those this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def _processor() -> str:
    """The model's name as the processor gives it; on Linux Python does not know it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _of_tensorflow() -> list[str]:
    config = import_module("tensorflow").config
    devices = [device for device in config.list_physical_devices() if device.device_type != "CPU"]
    details = config.experimental.get_device_details
    return [details(device).get("device_name", device.name) for device in devices]


def _of_jax() -> list[str]:
    devices = import_module("jax").devices()
    return [device.device_kind for device in devices if device.platform != "cpu"]


def _of_torch() -> list[str]:
    """What Keras computes on with torch: CUDA where there is any, else Apple's, else the CPU."""
    torch = import_module("torch")
    if torch.cuda.is_available():
        return [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return ["Apple GPU"] if torch.backends.mps.is_available() else []


def _threads_of_tensorflow() -> int | None:
    """0 means that TensorFlow decides."""
    threading = import_module("tensorflow").config.threading
    return int(threading.get_intra_op_parallelism_threads()) or None


_ACCELERATORS: dict[str, Callable[[], list[str]]] = {
    "tensorflow": _of_tensorflow,
    "jax": _of_jax,
    "torch": _of_torch,
}
_THREADS: dict[str, Callable[[], int | None]] = {
    "tensorflow": _threads_of_tensorflow,
    "torch": lambda: int(import_module("torch").get_num_threads()),
}
