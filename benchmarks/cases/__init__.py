"""All cases by name. A new one is a `Case` in a list ``CASES`` of a module here.

Two questions take a dataset or a table of their own and are no cases:

- ``probe``: a frozen network's head, beside ``fit``; the script ``benchmarks/probe.py`` answers it.
- ``speedrun``: time to the lecture's accuracy on CIFAR-10, our recipe beside the lecture's. To be
  measured; its place is a case here or a script beside ``lectures.py``.
"""

from __future__ import annotations

from benchmarks.cases import building, inference, resnext, startup, training
from benchmarks.core import Case

_MODULES = (startup, building, inference, resnext, training)
CASES: dict[str, Case] = {case.name: case for module in _MODULES for case in module.CASES}
