"""What a case is and how it is measured: checked first, then timed in turn."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import metadata, util
from typing import Any

Call = Callable[[], Any]
# Of everything installed that a side may compute with, beside what `machine.environment` names.
PACKAGES = ("openvino", "onnxruntime", "timm", "torch")


class Differ(Exception):
    """The sides do not compute the same thing, so no times of theirs can be compared."""


@dataclass(frozen=True)
class Aim:
    """What a side should reach.

    Attributes:
        times: At least so many times as fast as ``against``.
        extra_ms: At most so many milliseconds more than ``against``.
        native_bfloat16: Only where the processor multiplies bfloat16.
    """

    side: str
    against: str
    times: float | None = None
    extra_ms: float | None = None
    native_bfloat16: bool = False

    def __str__(self) -> str:
        wanted = f"≥ {self.times:.3g} ×" if self.times else f"≤ {self.extra_ms:.3g} ms more than"
        return f"{self.side} {wanted} {self.against}"

    def judge(self, medians: Mapping[str, float]) -> tuple[float, bool]:
        """What was reached, and whether that is enough; ``medians`` in milliseconds."""
        ours, theirs = medians[self.side], medians[self.against]
        if self.times is None:
            assert self.extra_ms is not None
            return round(ours - theirs, 3), ours - theirs <= self.extra_ms
        return round(theirs / ours, 3), theirs / ours >= self.times


@dataclass(frozen=True)
class Prepared:
    """A case that is ready to run.

    Attributes:
        calls: What is timed, by the name of its side.
        same: Gets what each call answered; says in words what was compared, or raises `Differ`.
        images: That one call goes through.
        parts: Of a side whose call does one of many equal parts of the work: how many those are.
        notes: What a reader should know, found out while preparing.
    """

    calls: dict[str, Call]
    same: Callable[[dict[str, Any]], str]
    images: int | None = None
    parts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """A question that a measurement answers.

    Attributes:
        sides: Name -> its settings in words. The first is the one the others are compared with.
        prepare: Imports, builds, and gives every side the same weights and the same data.
        aims: What was wished for beforehand.
        needs: Modules without which the case cannot run.
        data: A dataset, by its name, that has to lie in the folder ``CNNZOO_DATA``.
        rounds: Instead of the number asked for, where a round takes minutes.
        warm_up: Calls before those that count, beside the one whose answer is checked.
        once: Where a call takes many minutes: there is one, whose answer is checked as well.
    """

    name: str
    question: str
    sides: Mapping[str, str]
    prepare: Callable[[], Prepared]
    aims: tuple[Aim, ...] = ()
    needs: tuple[str, ...] = ()
    data: str = ""
    rounds: int | None = None
    warm_up: int = 1
    once: bool = False

    @property
    def missing(self) -> list[str]:
        """What is needed and not here, in words."""
        missing = [name for name in self.needs if util.find_spec(name) is None]
        if self.data and not _is_here(self.data):
            missing.append(f"{self.data} in the folder that CNNZOO_DATA names")
        return missing


def _is_here(dataset: str) -> bool:
    from cnnzoo.catalogue.datasets import all_datasets
    from cnnzoo.training.data.published import data_folder, find_local

    folder = data_folder()
    return folder is not None and find_local(all_datasets()[dataset], folder) is not None


def measure(case: Case, rounds: int) -> dict[str, Any]:
    """The case as a JSON document: times, check, aims, machine.

    Raises:
        Differ: The sides do not compute the same thing.
    """
    from cnnzoo import machine
    from cnnzoo.analysis.bench.timing import quartiles_ms

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    prepared = case.prepare()
    calls = prepared.calls
    if list(calls) != list(case.sides):
        raise ValueError(f"{case.name} announces {list(case.sides)} and has {list(calls)}.")
    checked, seconds = _once(prepared) if case.once else _in_turn(case, prepared, rounds)
    sides = {}
    for side, taken in zip(calls, seconds, strict=True):
        parts = prepared.parts.get(side, 1)
        low, middle, high = quartiles_ms([parts * each for each in taken])
        sides[side] = {
            "settings": case.sides[side], "p25_ms": low, "median_ms": middle, "p75_ms": high
        }  # fmt: skip
        if prepared.images:
            sides[side]["images_per_second"] = round(1000 * prepared.images / middle, 2)
    medians = {side: float(found["median_ms"]) for side, found in sides.items()}
    for found in sides.values():
        found["times_as_fast"] = round(next(iter(medians.values())) / found["median_ms"], 3)
    return {
        "question": case.question,
        "rounds": len(seconds[0]),
        "sides": sides,
        "checked": checked,
        "aims": _judged(case.aims, medians, machine.has_native_bfloat16()),
        "notes": list(prepared.notes),
        "machine": machine.in_words(machine.environment()),
        "environment": machine.environment() | {"packages": _packages(), "load": load},
    }


def _in_turn(case: Case, prepared: Prepared, rounds: int) -> tuple[str, list[list[float]]]:
    """What was checked, and the seconds of each side, round after round."""
    from cnnzoo.analysis.bench.timing import time_in_turn

    calls = prepared.calls
    checked = prepared.same({side: call() for side, call in calls.items()})
    for call in calls.values():
        for _ in range(case.warm_up):
            call()
    gc.collect()
    seconds = time_in_turn(
        list(calls.values()), case.rounds or rounds, after_round=lambda number: gc.collect()
    )
    return checked, seconds


def _once(prepared: Prepared) -> tuple[str, list[list[float]]]:
    """The same, where nothing is called twice."""
    answers, seconds = {}, []
    for side, call in prepared.calls.items():
        began = time.perf_counter()
        answers[side] = call()
        seconds.append([time.perf_counter() - began])
    return prepared.same(answers), seconds


def _judged(
    aims: tuple[Aim, ...], medians: Mapping[str, float], native_bfloat16: bool
) -> list[dict[str, Any]]:
    judged = []
    for aim in aims:
        if native_bfloat16 or not aim.native_bfloat16:
            reached, met = aim.judge(medians)
            judged.append({"aim": str(aim), "side": aim.side, "reached": reached, "met": met})
    return judged


def _packages() -> dict[str, str]:
    return {name: metadata.version(name) for name in PACKAGES if util.find_spec(name)}


def close(tolerances: Mapping[str, float]) -> Callable[[dict[str, Any]], str]:
    """Answers of the sides named may differ so much from the first side's, relative to its largest.

    Sides without a tolerance compute something else on purpose, and are not compared.
    """
    import numpy as np

    def same(answers: dict[str, Any]) -> str:
        reference, *_ = answers
        known = np.asarray(answers[reference], "float64")
        words = []
        for side, tolerance in tolerances.items():
            found = np.asarray(answers[side], "float64")
            if found.shape != known.shape:
                raise Differ(f"{side} answers {found.shape}, {reference} {known.shape}.")
            difference = float(np.abs(found - known).max() / np.abs(known).max())
            if not difference <= tolerance:
                raise Differ(
                    f"{side} differs from {reference} by {difference:.1e}; {tolerance:.0e} is "
                    "allowed."
                )
            words.append(f"{side} differs by {difference:.0e}")
        return f"largest difference from {reference}, relative: {', '.join(words)}"

    return same


def nothing_in_common(words: str) -> Callable[[dict[str, Any]], str]:
    """For a case whose sides do different work: say so in place of a check."""
    return lambda answers: words
