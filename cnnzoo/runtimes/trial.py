"""Candidates side by side: do they answer what Keras answers, and which is the fastest?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cnnzoo import machine
from cnnzoo.errors import MissingExtraError, UsageError
from cnnzoo.runtimes import backends, probe
from cnnzoo.runtimes.backends import Run
from cnnzoo.runtimes.forms import Forms
from cnnzoo.runtimes.names import PRECISIONS

ROUNDS, SECONDS = 3, 0.05  # of timing at least; the best round counts


class Candidate(NamedTuple):
    runtime: str
    precision: str

    def __str__(self) -> str:
        return f"{self.runtime} in {self.precision}"


class Decision(NamedTuple):
    runtime: str
    precision: str
    note: str


KERAS = Candidate("keras", "float32")


def candidates(runtime: str, precision: str) -> list[Candidate]:
    """What can be meant by two names that `names.check` let pass, Keras in float32 first."""
    runtimes = list(PRECISIONS) if runtime == "auto" else [runtime]
    precisions = [precision]
    if precision == "auto":
        precisions = ["float32", *(["bfloat16"] if machine.has_native_bfloat16() else [])]
    return [Candidate(r, p) for r in runtimes for p in precisions if p in PRECISIONS[r]]


def measure(forms: Forms, asked: list[Candidate], *, choosing: bool) -> tuple[Run, Decision]:
    """The fastest of the candidates that say what Keras says, and why.

    Where OpenVINO can run the network, ONNX Runtime, whose form takes minutes to make, and Keras in
    bfloat16 are not tried.

    Args:
        choosing: Whether Keras in float32 may answer if no candidate can. If not, one was named:
            it answers though it differs, and the note says by how much.

    Raises:
        MissingExtraError, UsageError: What was named cannot be had.
    """
    trial = _Trial(forms, strict=not choosing)
    first = [one for one in asked if one == KERAS or one.runtime == "openvino"]
    for candidate in first:
        trial.try_(candidate)
    if not any(one.runtime == "openvino" for one in trial.good):
        for candidate in asked:
            if candidate not in first:
                trial.try_(candidate)
    return trial.result()


class _Trial:
    """Tries candidates on the probe batch, or for int8 on calibration pictures."""

    def __init__(self, forms: Forms, strict: bool) -> None:
        self.forms, self.strict = forms, strict
        shape = forms.model.inputs[0].shape[1:]
        self.pixels = probe.pictures(shape)
        if forms.calibration is not None:
            self.pixels = forms.calibration[: 4 * probe.COUNT]
        self.truth: NDArray[np.float32] | None = None  # what Keras answers in float32
        self.good: dict[Candidate, Run] = {}
        self.other: dict[Candidate, Run] = {}  # they differ
        self.differences: dict[Candidate, float] = {}
        self.notes: list[str] = []

    def try_(self, candidate: Candidate) -> None:
        try:
            run = self.forms.run(*candidate)
            answers = np.asarray(run(self.pixels), "float32")
        except MissingExtraError as error:
            if self.strict:
                raise
            self._note(str(error))
            return
        except Exception as error:  # every runtime has its own kinds
            why = " ".join(str(error).split())[:200] or type(error).__name__
            if self.strict:
                raise UsageError(
                    f"{self.forms.model.name} cannot be run by {candidate}: {why} – use "
                    "runtime='keras'."
                ) from error
            self._note(f"{candidate} cannot run it: {why}")
            return
        known = self._known(candidate, answers)
        problem = probe.disagreement(answers, known, candidate.precision)
        self.differences[candidate] = probe.difference(answers, known)
        if problem:
            self._note(f"{candidate} {problem}")
        (self.other if problem else self.good)[candidate] = run

    def _known(self, candidate: Candidate, answers: NDArray[np.float32]) -> NDArray[np.float32]:
        """What Keras answers: the candidate's answers if it is Keras, else asked for once."""
        if self.truth is None:
            by_keras = (
                answers if candidate == KERAS else backends.called(self.forms.model)(self.pixels)
            )
            self.truth = np.asarray(by_keras, "float32")
        return self.truth

    def result(self) -> tuple[Run, Decision]:
        """The fastest good one; a named one that differs; or Keras."""
        runs = self.good or (self.other if self.strict else {KERAS: self.forms.run(*KERAS)})
        best = fastest(runs, self.pixels) if len(runs) > 1 else next(iter(runs))
        if self.notes and not (self.strict and best in self.other):
            self._note(f"{best} answers")
        elif not self.notes and best.precision != "float32":
            self._note(
                f"{best} differs from Keras in float32 by {self.differences[best]:.1e} on "
                f"{len(self.pixels)} pictures"
            )
        return runs[best], Decision(*best, "; ".join(self.notes))

    def _note(self, text: str) -> None:
        text = text.rstrip(".")
        if text not in self.notes:
            self.notes.append(text)


def fastest(runs: Mapping[Candidate, Run], pixels: NDArray[np.float32]) -> Candidate:
    """The candidate with the shortest call, taken in turn, each compiled by a call before."""
    best = dict.fromkeys(runs, float("inf"))
    rounds, end = 0, time.perf_counter() + SECONDS
    while rounds < ROUNDS or time.perf_counter() < end:
        rounds += 1
        for candidate, run in runs.items():
            began = time.perf_counter()
            run(pixels)
            best[candidate] = min(best[candidate], time.perf_counter() - began)
    return min(best, key=best.__getitem__)
