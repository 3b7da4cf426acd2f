"""All cases by name. A new one is a `Case` in a list ``CASES`` of a module here."""

from __future__ import annotations

from benchmarks.cases import building, inference, probe, resnext, speedrun, startup, training
from benchmarks.core import Case

_MODULES = (startup, building, inference, resnext, training, probe, speedrun)
CASES: dict[str, Case] = {case.name: case for module in _MODULES for case in module.CASES}
