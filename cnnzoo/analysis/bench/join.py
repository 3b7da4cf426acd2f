"""Measured times as columns of a table, and the line that says where they were measured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from cnnzoo.analysis.bench.results import Benchmark, Row, digits, read
from cnnzoo.analysis.columns import Column, Value
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import UsageError

Size = tuple[int, int]


def load(bench: str | Path | Benchmark) -> Benchmark:
    """The results, from their file unless they are at hand; one configuration of them.

    Raises:
        DataError: The file cannot be read or holds something else.
        UsageError: It is neither a path nor results, or holds no times.
    """
    if not isinstance(bench, str | Path | Benchmark):
        raise UsageError(f"bench={bench!r} is neither a file of cnnzoo bench nor its results.")
    return (bench if isinstance(bench, Benchmark) else read(bench)).select()


def columns(results: Benchmark, size: Size | None) -> tuple[Column, ...]:
    """Times of networks at ``size``, at the papers' sizes unless given, and where they are from."""

    def column(key: str, header: str, help: str, value: Callable[[Row], Value]) -> Column:
        def stated(spec: ModelSpec) -> Value:
            row = _row(results, spec, size)
            return None if row is None else value(row)

        number = key != "measured_on"
        show = digits if number else str
        return Column(key, header, help, stated, show=show, number=number, drawn=number)

    where = f"measured with {_configuration(results)}, on {results.machine}"
    return (
        column("latency_ms", "latency ms", f"Median time of a batch, {where}.",
               lambda row: row.median_ms),
        column("images_per_second", "images/s", f"Batch over median time, {where}.",
               lambda row: round(row.images_per_second, 3)),
        column("measured_on", "measured on", "Configuration and machine of the times.",
               lambda row: where),
    )  # fmt: skip


def place(chosen: Sequence[Column], measured: Sequence[Column]) -> list[Column]:
    """The columns with those of the results: where they were asked for, else after the MACs.

    ``measured_on`` goes with every time.
    """
    asked = [column for column in measured if column in chosen]
    missing = [c for c in measured if c not in asked and (not asked or c.key == "measured_on")]
    after = [column.key for column in asked] or ["macs"]
    places = [i for i, column in enumerate(chosen, start=1) if column.key in after]
    i = max(places, default=len(chosen))
    return [*chosen[:i], *missing, *chosen[i:]]


def caption(results: Benchmark, specs: Sequence[ModelSpec], size: Size | None) -> str:
    """What stands below the table in every form that people read.

    Raises:
        UsageError: No network of the table was measured at the size it has there.
    """
    if not any(_row(results, spec, size) for spec in specs):
        measured = ", ".join(dict.fromkeys(f"{row.network} ({_size(row)})" for row in results))
        raise UsageError(
            f"There are no times for these networks at these sizes. Measured: {measured}."
        )
    known = results.by_network()
    other = [s.name for s in specs if s.name in known and not _row(results, s, size)]
    left_out = f"; not shown, because of another size: {', '.join(other)}" if other else ""
    return (
        f"latency ms and images/s: median with {_configuration(results)}, measured on "
        f"{results.machine}{left_out}"
    )


def _row(results: Benchmark, spec: ModelSpec, size: Size | None) -> Row | None:
    height, width, _ = spec.shape_for(spec.choose({}))
    rows = results.by_network().get(spec.name, [])
    return next((row for row in rows if row.input_size == (size or (height, width))), None)


def _configuration(results: Benchmark) -> str:
    return results[0].configuration


def _size(row: Row) -> str:
    return "x".join(map(str, row.input_size)) if row.input_size else "size unknown"
