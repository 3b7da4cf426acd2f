"""PREDICTS with networks: images in, labels out.

``compile`` is resolved when first used, so that importing this costs nothing.
"""

from __future__ import annotations

from typing import Any

__all__ = ["compile"]


def __getattr__(name: str) -> Any:
    if name != "compile":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from cnnzoo.runtimes.choose import compile

    return compile
