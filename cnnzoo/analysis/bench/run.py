"""``cnnzoo.benchmark``: times in turn, then memory, each figure with its machine."""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras

from cnnzoo import machine
from cnnzoo.analysis.bench import timing
from cnnzoo.analysis.bench.memory import measure as measure_memory
from cnnzoo.analysis.bench.plan import Network, Plan, Size, make_plan
from cnnzoo.analysis.bench.results import Benchmark, Row
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import CnnZooError, UsageError

GROUP_BYTES = 2**30  # of weights that are held, and timed in turn, at once
_ITEM_BYTES = {"bfloat16": 2, "float16": 2}
# How much of the work is done, from 0 to 1, and what comes next.
Progress = Callable[[float, str], object]


@dataclass(frozen=True, slots=True)
class _Case:
    """One row to be, and the call that is timed for it."""

    row: Row
    call: timing.Call


def benchmark(
    networks: Any = None,
    *,
    batches: Iterable[int] = (1,),
    runtimes: Iterable[str] = ("keras",),
    dtypes: Iterable[str] | None = None,
    rounds: int = 20,
    input_size: int | Size | None = None,
    threads: int | None = None,
    memory: bool = True,
    progress: Progress | None = None,
) -> Benchmark:
    """Measure how long networks take and how much memory they need, on this machine.

    Networks of the zoo get random weights, on which neither depends. Every round makes one call
    of every network in every configuration, so that a disturbance of the machine hits all alike;
    networks with more than 1 GiB of weights together are timed one group after the other. A time
    is that of the whole batch, from pixels to answers in NumPy arrays.

    Args:
        networks: Names, Keras models of your own, or both; all networks unless given.
        batches: Images at a time.
        runtimes: ``"keras"``: the function the backend compiles, ``tf.function``, ``jax.jit`` or
            torch in inference mode; ``"predict"``: ``model.predict``; ``"openvino"`` and
            ``"onnxruntime"``, which run what Keras exports.
        dtypes: What is computed in: ``"float32"`` unless given, ``"bfloat16"``, ``"float16"`` of
            Keras, ``"int8"`` of the others. A model of your own keeps its own.
        rounds: Calls of each that are timed, after three that are not.
        input_size: Side of the images in pixels, or height and width; the papers' unless given.
        threads: That the backend computes with; as it likes unless given.
        memory: Measure the peak memory too, in a fresh process for each row, seconds for each.
        progress: Called with the share of the work done and with what is done next.

    Raises:
        UnknownNameError: A network, a runtime or a dtype is unknown.
        UsageError: An argument cannot work, or the machine cannot compute what is asked for.
    """
    plan = make_plan(
        networks,
        batches=batches,
        runtimes=runtimes,
        dtypes=dtypes,
        rounds=rounds,
        input_size=input_size,
        threads=threads,
    )
    machine.set_threads(plan.threads)
    report = _Report(progress, plan, memory)
    rows = [row for group in _groups(plan, report) for row in _timed(group, plan.rounds, report)]
    notes: list[str] = []
    if memory:
        rows = [_with_memory(row, plan, report, notes) for row in rows]
    found = machine.environment() | {"warm_up": timing.WARM_UP, "weights": "random"}
    return Benchmark(machine.in_words(found), tuple(rows), found, tuple(dict.fromkeys(notes)))


class _Report:
    """Says how far the work is: a case counts once when timed, and once more for its memory."""

    def __init__(self, progress: Progress | None, plan: Plan, memory: bool) -> None:
        self.progress = progress
        self.total = plan.cases * (1 + memory)
        self.done = 0.0

    def __call__(self, done: float, what: str) -> None:
        self.done += done
        if self.progress is not None:
            self.progress(min(1.0, self.done / self.total), what)


def _groups(plan: Plan, report: _Report) -> Iterator[list[_Case]]:
    """The networks in order, built and run once each, as many at a time as may be held."""
    group: list[_Case] = []
    held = 0
    for network in plan.networks:
        for dtype in plan.dtypes_of(network):
            report(0, f"building {network.name}")
            models = _models(plan, network, dtype)
            group += _cases(plan, network, dtype, models, report)
            for model in models.values():
                held += model.count_params() * _ITEM_BYTES.get(dtype, 4)
            del models, model
            if held >= GROUP_BYTES:
                yield group
                group.clear()
                gc.collect()  # models know their layers and layers their models
                held = 0
    if group:
        yield group


def _models(plan: Plan, network: Network, dtype: str) -> dict[str, Any]:
    """The network built under each policy that a runtime wants for the dtype."""
    policies = dict.fromkeys(timing.policy(runtime, dtype) for runtime in plan.runtimes)
    if network.spec is None:
        return dict.fromkeys(policies, network.model)
    return {name: timing.build_as(network.spec, name, network.size) for name in policies}


def _cases(
    plan: Plan, network: Network, dtype: str, models: dict[str, Any], report: _Report
) -> list[_Case]:
    """Every configuration of one built network, warmed up."""
    cases = []
    for batch in plan.batches:
        for runtime in plan.runtimes:
            row = Row(
                network=network.name,
                batch=batch,
                median_ms=math.nan,
                rounds=plan.rounds,
                runtime=runtime,
                dtype=dtype,
                input_size=network.size,
                own=network.spec is None,
            )
            report(0, f"warming up {row.network}, {row.configuration}")
            cases.append(_Case(row, _warm(row, models[timing.policy(runtime, dtype)])))
    return cases


def _warm(row: Row, model: Any) -> timing.Call:
    assert row.runtime is not None
    assert row.dtype is not None
    assert row.input_size is not None
    try:
        call = timing.prepare(model, row.runtime, row.dtype, row.batch, row.input_size)
        timing.warm_up(call)
    except CnnZooError:
        raise
    except Exception as error:  # every backend has its own kinds
        why = next(iter(str(error).strip().splitlines()), "")[:300] or type(error).__name__
        raise UsageError(
            f"{row.network} cannot be computed here with {row.configuration}: {why} "
            "– use dtype float32, fewer images at a time, or another machine."
        ) from error
    return call


def _timed(group: list[_Case], rounds: int, report: _Report) -> list[Row]:
    """The rows of a group, their figures filled in."""

    def after_round(number: int) -> None:
        report(len(group) / rounds, f"timed in turn: round {number} of {rounds}")

    seconds = timing.time_in_turn([case.call for case in group], rounds, after_round=after_round)
    rows = []
    for case, taken in zip(group, seconds, strict=True):
        low, middle, high = timing.quartiles_ms(taken)
        rows.append(replace(case.row, p25_ms=low, median_ms=middle, p75_ms=high))
    return rows


def _with_memory(row: Row, plan: Plan, report: _Report, notes: list[str]) -> Row:
    report(0, f"memory of {row.network}, {row.configuration}")
    found: tuple[float, float] | str
    if row.own or get_spec(row.network).origin == "registered":
        found = "a fresh process does not know how to build it"
    else:
        found = measure_memory(_case(row, plan), keras.backend.backend())
    report(1, "")
    if isinstance(found, str):
        notes.append(f"memory of {row.network} was not measured: {found}")
        return row
    return replace(row, peak_rss_mib=found[0], framework_rss_mib=found[1])


def _case(row: Row, plan: Plan) -> dict[str, Any]:
    """What a fresh process has to know."""
    return {
        "network": row.network,
        "batch": row.batch,
        "runtime": row.runtime,
        "dtype": row.dtype,
        "size": row.input_size,
        "threads": plan.threads,
        "data_format": keras.config.image_data_format(),
    }
