"""What the runtimes and precisions are called; needs no framework."""

from __future__ import annotations

from cnnzoo.errors import UsageError
from cnnzoo.lookup import pick

# Runtime -> the precisions it computes in here.
PRECISIONS = {
    "keras": ("float32", "bfloat16"),
    "openvino": ("float32", "bfloat16", "int8"),
    "onnxruntime": ("float32", "int8"),
}
_RUNTIMES = {name: name for name in ("auto", *PRECISIONS)}
_PRECISIONS = {name: name for name in ("auto", "float32", "bfloat16", "int8")}


def check(runtime: str, precision: str) -> tuple[str, str]:
    """Both as they are spelled.

    Raises:
        UnknownNameError: One is unknown; the nearest is named.
        UsageError: The runtime does not compute in that precision.
    """
    runtime = pick(_RUNTIMES, runtime, kind="runtime")
    precision = pick(_PRECISIONS, precision, kind="precision")
    if "auto" not in (runtime, precision) and precision not in PRECISIONS[runtime]:
        able = [name for name, precisions in PRECISIONS.items() if precision in precisions]
        raise UsageError(
            f"{runtime} does not compute in {precision} here, but in "
            f"{', '.join(PRECISIONS[runtime])}. For {precision} use the runtime "
            f"{' or '.join(able)}."
        )
    return runtime, precision
