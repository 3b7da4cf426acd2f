"""Pictures of networks: accuracy against cost, the years, where the weights sit, the blocks.

Every function returns a ``Picture``: notebooks show it, ``save(path)`` writes SVG, PNG or PDF.
The functions are resolved when first used, because two of them need no framework.
"""

from __future__ import annotations

import sys
from typing import Any

_PUBLIC = {
    "accuracy_vs": "cnnzoo.analysis.plot.scatter:accuracy_vs",
    "architecture": "cnnzoo.analysis.plot.blocks:architecture",
    "timeline": "cnnzoo.analysis.plot.years:timeline",
    "treemap": "cnnzoo.analysis.plot.areas:treemap",
}

__all__ = ["accuracy_vs", "architecture", "timeline", "treemap"]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'cnnzoo.plot' has no attribute {name!r}")
    from cnnzoo.lookup import resolve

    value = resolve(_PUBLIC[name])
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return __all__
