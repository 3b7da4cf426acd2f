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
        "accelerators": _accelerators(),
        "threads": _THREADS.get(backend, lambda: None)(),
        "platform": platform.platform(),
    }


def has_native_bfloat16() -> bool:
    """Whether what Keras computes on multiplies bfloat16 itself, rather than by way of float32."""
    backend = keras.backend.backend()
    if _accelerators():
        return _BFLOAT16_ON_ACCELERATORS.get(backend, lambda: False)()
    return bool(NATIVE_BFLOAT16 & _processor_flags())


def best_precision() -> str:
    """Keras' dtype policy for the fastest training here: "mixed_bfloat16" or "float32".

    JAX on a CPU gains nothing from 16 bits, whatever the CPU can do.
    """
    gains = keras.backend.backend() != "jax" or bool(_accelerators())
    return "mixed_bfloat16" if gains and has_native_bfloat16() else "float32"


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


def _accelerators() -> list[str]:
    """What Keras computes on instead of the processor."""
    return _ACCELERATORS.get(keras.backend.backend(), lambda: [])()


CPUINFO = Path("/proc/cpuinfo")  # on Linux
NATIVE_BFLOAT16 = {"amx_bf16", "avx512_bf16", "bf16"}  # as Linux names them; the last one on ARM


def _processor_flags() -> set[str]:
    """What the CPU says it can do; nothing where the system does not tell."""
    return set(_cpuinfo("flags", "Features").split())


def _cpuinfo(*names: str) -> str:
    """The first value that Linux gives under one of the names; "" elsewhere."""
    if CPUINFO.exists():
        for line in CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith(names):
                return line.partition(":")[2].strip()
    return ""


def _processor() -> str:
    """The model's name as the processor gives it; on Linux Python does not know it."""
    return _cpuinfo("model name") or platform.processor() or platform.machine()


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


def _tensorflow_gpu_has_bfloat16() -> bool:
    """Tensor cores since the Ampere generation of NVIDIA do."""
    config = import_module("tensorflow").config
    found = [config.experimental.get_device_details(d) for d in config.list_physical_devices("GPU")]
    return all(details.get("compute_capability", (0, 0)) >= (8, 0) for details in found)


def _jax_device_has_bfloat16() -> bool:
    devices = import_module("jax").devices()
    capable = [float(getattr(d, "compute_capability", 0) or 0) >= 8 for d in devices]
    return devices[0].platform == "tpu" or all(capable)


def _torch_gpu_has_bfloat16() -> bool:
    cuda = import_module("torch").cuda
    return bool(cuda.is_available() and cuda.is_bf16_supported(including_emulation=False))


def _threads_of_tensorflow() -> int | None:
    """0 means that TensorFlow decides."""
    threading = import_module("tensorflow").config.threading
    return int(threading.get_intra_op_parallelism_threads()) or None


_ACCELERATORS: dict[str, Callable[[], list[str]]] = {
    "tensorflow": _of_tensorflow,
    "jax": _of_jax,
    "torch": _of_torch,
}
_BFLOAT16_ON_ACCELERATORS: dict[str, Callable[[], bool]] = {
    "tensorflow": _tensorflow_gpu_has_bfloat16,
    "jax": _jax_device_has_bfloat16,
    "torch": _torch_gpu_has_bfloat16,
}
_THREADS: dict[str, Callable[[], int | None]] = {
    "tensorflow": _threads_of_tensorflow,
    "torch": lambda: int(import_module("torch").get_num_threads()),
}
