"""What a run depended on beside its arguments: versions and hardware."""

from __future__ import annotations

import os
import platform
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import keras
import numpy as np

from cnnzoo import __version__


def versions() -> dict[str, str]:
    """Python, Keras, its backend, NumPy and cnnzoo; the backend's own name is the key."""
    backend = keras.config.backend()
    return {
        "python": platform.python_version(),
        "keras": keras.__version__,
        "backend": backend,
        backend: _installed(backend),
        "numpy": np.__version__,
        "cnnzoo": __version__,
    }


def hardware() -> dict[str, str | int]:
    """The processor, the cores this process may use, and what else Keras computes on."""
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        cores = os.cpu_count() or 1
    return {
        "cpu": _processor(),
        "cores": cores,
        "platform": platform.platform(),
        "devices": ", ".join(keras.distribution.list_devices()),
    }


def _processor() -> str:
    """The model's name as the processor gives it; on Linux Python does not know it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:  # TensorFlow goes by several package names
        return str(getattr(import_module(package), "__version__", "unknown"))
