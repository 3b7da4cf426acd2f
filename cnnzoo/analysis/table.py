"""Networks side by side. Imports no framework unless a network of your own must be measured."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from cnnzoo.analysis import render
from cnnzoo.analysis.columns import Column, Value, get_column, get_columns
from cnnzoo.analysis.listing import list_models
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import MissingExtraError, UsageError

FORMATS = ("text", "markdown", "csv", "json", "html", "latex")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of figures: iterate for dictionaries, print for people, ``to_...`` for programs."""

    columns: tuple[Column, ...]
    rows: tuple[dict[str, Value], ...]

    def __iter__(self) -> Iterator[dict[str, Value]]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, Value]:
        return self.rows[index]

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_text(self, width: int | None = None) -> str:
        """Aligned columns; with ``width`` characters given, the last columns that do not fit are
        left out and named below."""
        columns = list(self.columns)
        drawn = self._draw(render.text, columns)
        while width and len(columns) > 1 and max(map(len, drawn.splitlines())) > width:
            columns.pop()
            drawn = self._draw(render.text, columns)
        left_out = [column.key for column in self.columns[len(columns) :]]
        if left_out:
            drawn += f"\n… for a wider terminal, or --columns: {', '.join(left_out)}"
        return drawn

    def to_markdown(self) -> str:
        """A GitHub-flavoured Markdown table."""
        return self._draw(render.markdown, self.columns)

    def to_latex(self) -> str:
        """A ``tabular`` environment; needs the LaTeX package ``booktabs``."""
        return self._draw(render.latex, self.columns)

    def to_html(self) -> str:
        """A ``<table>``; notebooks show it by themselves."""
        titles = [column.help for column in self.columns]
        return render.html_table(*self._cells(self.columns), titles)

    def to_csv(self) -> str:
        """Exact values, keys as headings, an empty cell where there is no value."""
        keys = [column.key for column in self.columns]
        return render.csv_text(keys, [[row[key] for key in keys] for row in self.rows])

    def to_json(self) -> str:
        """A list of objects with exact values, ``null`` where there is none."""
        return json.dumps(self.to_dicts(), indent=2, ensure_ascii=False)

    def to_dicts(self) -> list[dict[str, Value]]:
        return [dict(row) for row in self.rows]

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame``, one row per network, indexed by name where there is one.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError(
                "to_pandas() needs pandas. Type: pip install 'cnnzoo[pandas]'"
            ) from error
        frame = pd.DataFrame(self.to_dicts())
        return frame.set_index("name") if "name" in frame else frame

    def to(self, form: str, width: int | None = None) -> str:
        """The table in one of ``FORMATS``."""
        return self.to_text(width) if form == "text" else str(getattr(self, f"to_{form}")())

    def _cells(self, columns: Sequence[Column]) -> tuple[list[str], list[list[str]], list[bool]]:
        """Headings, rows as people read them, and which columns are numbers."""
        rows = [[column.text(row[column.key]) for column in columns] for row in self.rows]
        return [c.header for c in columns], rows, [c.number for c in columns]

    def _draw(self, draw: Any, columns: Sequence[Column]) -> str:
        return str(draw(*self._cells(columns)))


def table(
    models: Iterable[str] | None = None,
    *,
    columns: Iterable[str] | str | None = None,
    sort: str | None = None,
    reverse: bool = False,
    pattern: str = "*",
    family: str | None = None,
    max_params: int | None = None,
    min_top1: float | None = None,
) -> Table:
    """The networks' figures side by side.

    Args:
        models: Names, in the order wanted; all networks unless given.
        columns: Keys of the columns; the usual ones unless given, ``"all"`` for all.
        sort: Column to sort by; by year, then parameters, unless ``models`` is given.
        reverse: Largest first.
        pattern: Shell wildcards over the names, as in ``list_models``.
        max_params: Only networks with at most so many parameters, statistics included.
        min_top1: Only networks with at least this published top-1 accuracy, in per cent.

    Raises:
        UnknownNameError: A network or a column does not exist; the message gives the nearest.
        UsageError: A name is given twice, or no network passes the filters.
    """
    chosen = get_columns(columns)
    names = list_models(pattern, family=family, max_params=max_params)
    if models is not None:
        asked = [get_spec(name).name for name in models]
        if len(set(asked)) < len(asked):
            raise UsageError(f"models={asked!r} names a network twice. Name each once.")
        names = [name for name in asked if name in names]
    specs = [get_spec(name) for name in names]
    if min_top1 is not None:
        top1 = get_column("top1").value
        specs = [s for s in specs if (v := top1(s)) is not None and float(v) >= min_top1]
    if not specs:
        raise UsageError("No network passes these filters. Loosen one, or type: cnnzoo list")
    if sort is not None:
        by = get_column(sort)
        known = [s for s in specs if by.value(s) is not None]
        unknown = [s for s in specs if by.value(s) is None]
        specs = sorted(known, key=lambda s: (by.value(s), s.name), reverse=reverse) + unknown
    elif reverse:
        specs.reverse()
    rows = ({column.key: column.value(spec) for column in chosen} for spec in specs)
    return Table(tuple(chosen), tuple(rows))
