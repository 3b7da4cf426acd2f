"""What was measured, and where: the document of ``cnnzoo bench``, written and read.

Imports no framework, because tables and plots read the document too.
"""

from __future__ import annotations

import html
import json
import math
import textwrap
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from cnnzoo import files, units
from cnnzoo.analysis import render
from cnnzoo.errors import DataError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One network under one configuration. Only the first three figures are always known.

    Attributes:
        batch: Images at a time.
        median_ms: Half of the rounds took less, in milliseconds for the whole batch.
        p25_ms: A quarter of the rounds took less.
        p75_ms: A quarter of the rounds took more.
        input_size: Height and width of the images, in pixels.
        peak_rss_mib: Most memory of a fresh process that built the network and answered one
            batch, in MiB; ``None`` where it was not measured.
        framework_rss_mib: What that process had needed once Keras and its backend were imported.
        own: A model of the user's own; it stands for no network of the zoo, whatever its name.
    """

    network: str
    batch: int
    median_ms: float
    p25_ms: float | None = None
    p75_ms: float | None = None
    rounds: int | None = None
    runtime: str | None = None
    dtype: str | None = None
    input_size: tuple[int, int] | None = None
    peak_rss_mib: float | None = None
    framework_rss_mib: float | None = None
    own: bool = False

    @property
    def images_per_second(self) -> float:
        return 1000 * self.batch / self.median_ms

    @property
    def configuration(self) -> str:
        """``"batch 8, keras, float32"``."""
        return ", ".join(filter(None, (f"batch {self.batch}", self.runtime, self.dtype)))

    def to_dict(self) -> dict[str, Any]:
        size = list(self.input_size) if self.input_size else None
        speed = round(self.images_per_second, 3)
        return asdict(self) | {"input_size": size, "images_per_second": speed}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Row:
        """The row that ``to_dict`` wrote; what it does not know is left out.

        Raises:
            KeyError, TypeError, ValueError: It is no such row.
        """
        size, batch, median = values.get("input_size"), values["batch"], values["median_ms"]
        if type(batch) is not int or batch < 1:
            raise ValueError(f"batch={batch!r} is no number of images")
        if not 0 < float(median) < math.inf:
            raise ValueError(f"median_ms={median!r} is no time")
        known = {name: values[name] for name in cls.__slots__ if name in values}
        known |= {"network": str(values["network"]), "median_ms": float(median)}
        known["input_size"] = None if size is None else (int(size[0]), int(size[1]))
        return cls(**known)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """Measured times and memory with the machine they are true of; prints as a table.

    Attributes:
        machine: The machine, the versions and the day, in one line of words.
        rows: One for each network and configuration.
        environment: The same and more, for programs.
        notes: What could not be measured, and why.
    """

    machine: str
    rows: tuple[Row, ...]
    environment: dict[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Row:
        return self.rows[index]

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        drawn = render.html_table(*self._cells(len(_HEADERS)), ["" for _ in _HEADERS])
        return "\n".join([drawn, *(f"<p>{html.escape(line)}</p>" for line in self._remarks())])

    def to_text(self, width: int | None = None) -> str:
        """Aligned columns; below them how to read them and the machine. With ``width`` characters
        given, the last columns that do not fit are left out and named below."""
        shown = len(_HEADERS)
        drawn = render.text(*self._cells(shown))
        while width and shown > _LEAST and max(map(len, drawn.splitlines())) > width:
            shown -= 1
            drawn = render.text(*self._cells(shown))
        lines = self._remarks()
        if shown < len(_HEADERS):
            lines.insert(0, f"… for a wider terminal: {', '.join(_HEADERS[shown:])}")
        wrapped = [textwrap.fill(line, width, subsequent_indent="  ") for line in lines if width]
        return "\n".join([drawn, *(wrapped or lines)])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "machine": self.machine,
            "environment": self.environment,
            "notes": list(self.notes),
            "rows": [row.to_dict() for row in self.rows],
        }

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False, allow_nan=False)

    def save(self, path: str | Path) -> Path:
        """Write the document that tables and plots read.

        Raises:
            StorageError: The file cannot be written.
        """
        target = Path(path)
        files.write_json(target, self.to_dict())
        return target

    def select(
        self, batch: int | None = None, runtime: str | None = None, dtype: str | None = None
    ) -> Benchmark:
        """The rows of one configuration, so that what remains can be compared.

        Args:
            batch: Images at a time; the fewest that were measured unless given.
            runtime: The first that was measured unless given.
            dtype: The first that was measured unless given.

        Raises:
            UsageError: Nothing was measured so; the message says what was.
        """
        wanted = {"batch": batch, "runtime": runtime, "dtype": dtype}
        rows = self.rows
        for name, value in wanted.items():
            found = list(dict.fromkeys(getattr(row, name) for row in rows))
            if name == "batch":
                found.sort()
            if not found or value not in (None, *found):
                measured = ", ".join(map(str, found)) or "none at all"
                raise UsageError(f"There are no times for {name}={value}. Measured: {measured}.")
            chosen = found[0] if value is None else value
            rows = tuple(row for row in rows if getattr(row, name) == chosen)
        return replace(self, rows=rows)

    def by_network(self) -> dict[str, list[Row]]:
        """Name -> rows, for the networks of the zoo; models of the user's own are left out."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            if not row.own:
                found.setdefault(row.network, []).append(row)
        return found

    def _remarks(self) -> list[str]:
        told = [_OF_TIMES] if any(row.p25_ms for row in self.rows) else []
        told += [_OF_MEMORY] if any(row.peak_rss_mib for row in self.rows) else []
        return [*told, *self.notes, f"on {self.machine}"]

    def _cells(self, shown: int) -> tuple[list[str], list[list[str]], list[bool]]:
        headers = list(_HEADERS[:shown])
        numbers = [header not in ("network", "runtime", "dtype", "input") for header in headers]
        return headers, [_cells_of(row)[:shown] for row in self.rows], numbers


def read(path: str | Path) -> Benchmark:
    """The document that ``cnnzoo bench --json`` printed or ``Benchmark.save`` wrote.

    Raises:
        DataError: The file cannot be read, holds something else, or one thing twice.
    """
    try:
        document = json.loads(Path(path).read_text("utf-8"))
        rows = tuple(Row.from_dict(row) for row in document["rows"])
        machine = str(document["machine"])
        environment = dict(document.get("environment", {}))
        notes = tuple(map(str, document.get("notes", ())))
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise DataError(
            f"{path} is no document of cnnzoo bench --json with 'machine' and 'rows' of "
            f"'network', 'batch' and 'median_ms': {error!r}."
        ) from error
    seen = set()
    for row in rows:
        key = (row.network, row.own, row.configuration, row.input_size)
        if key in seen:
            raise DataError(
                f"{path} holds two times of {row.network} with {row.configuration}: nobody can "
                "tell which one is meant. Keep one of them, or measure again: cnnzoo bench --json"
            )
        seen.add(key)
    return Benchmark(machine, rows, environment, notes)


_HEADERS = (
    "network", "batch", "runtime", "dtype", "input", "median ms", "images/s", "quartiles ms",
    "peak MiB", "framework MiB",
)  # fmt: skip
_LEAST = 7  # columns that stand in any terminal
_OF_TIMES = "median and quartiles of the rounds, for a whole batch; random weights, NumPy to NumPy"
_OF_MEMORY = (
    "peak: memory of a fresh process that builds the network and answers one batch; framework: of "
    "that, what importing Keras and its backend took"
)


def _cells_of(row: Row) -> list[str]:
    quartiles = (row.p25_ms, row.p75_ms)
    return [
        row.network,
        str(row.batch),
        row.runtime or units.DASH,
        row.dtype or units.DASH,
        "x".join(map(str, row.input_size)) if row.input_size else units.DASH,
        digits(row.median_ms),
        digits(row.images_per_second),
        units.DASH if None in quartiles else " – ".join(digits(q) for q in quartiles if q),
        *(
            units.DASH if size is None else f"{size:,.0f}"
            for size in (row.peak_rss_mib, row.framework_rss_mib)
        ),
    ]


def digits(value: float) -> str:
    """Three digits that count: ``1.23``, ``12.3``, ``1,234``."""
    return f"{value:,.{max(0, 2 - math.floor(math.log10(value)))}f}"
