"""Networks side by side. Imports no framework unless a network of your own must be measured."""

from __future__ import annotations

import html
import json
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any

from cnnzoo.analysis import render
from cnnzoo.analysis.bench import join
from cnnzoo.analysis.bench.results import Benchmark
from cnnzoo.analysis.columns import RESIZED, Column, Value, get_column, get_columns
from cnnzoo.analysis.figures import facts_at
from cnnzoo.analysis.footnotes import footnotes
from cnnzoo.analysis.listing import list_models
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import MissingExtraError, UsageError

FORMATS = ("text", "markdown", "csv", "json", "html", "latex")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of figures: iterate for dictionaries, print for people, ``to_...`` for programs.

    Attributes:
        footnotes: What a reader must know to read the figures right; below the text form.
        caption: Where and how times were measured; below every form for readers. Programs find it
            in the column ``measured_on``.
    """

    columns: tuple[Column, ...]
    rows: tuple[dict[str, Value], ...]
    footnotes: tuple[str, ...] = ()
    caption: str = ""

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
        """Aligned columns and the footnotes; with ``width`` characters given, the last columns
        that do not fit are left out and named below."""
        columns = self._drawn()
        drawn = self._draw(render.text, columns)
        while width and len(columns) > 1 and max(map(len, drawn.splitlines())) > width:
            columns.pop()
            drawn = self._draw(render.text, columns)
        left_out = [column.key for column in self._drawn()[len(columns) :]]
        lines = [*self.footnotes, *filter(None, [self.caption])]
        if left_out:
            lines.append(f"… for a wider terminal, or --columns: {', '.join(left_out)}")
        wrapped = [textwrap.fill(line, width, subsequent_indent="  ") for line in lines if width]
        return "\n".join([drawn, *(wrapped or lines)])

    def to_markdown(self) -> str:
        """A GitHub-flavoured Markdown table."""
        return self._captioned(self._draw(render.markdown, self._drawn()), self.caption)

    def to_latex(self) -> str:
        """A ``tabular`` environment; needs the LaTeX package ``booktabs``."""
        drawn = self._draw(render.latex, self._drawn())
        return self._captioned(drawn, render.latex_escaped(self.caption))

    def to_html(self) -> str:
        """A ``<table>``; notebooks show it by themselves."""
        columns = self._drawn()
        drawn = render.html_table(*self._cells(columns), [column.help for column in columns])
        return self._captioned(drawn, f"<p>{html.escape(self.caption)}</p>")

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

    def _drawn(self) -> list[Column]:
        return [column for column in self.columns if column.drawn]

    def _captioned(self, drawn: str, caption: str) -> str:
        return f"{drawn}\n\n{caption}" if self.caption else drawn

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
    input_size: int | tuple[int, int] | None = None,
    bench: str | Path | Benchmark | None = None,
) -> Table:
    """The networks' figures side by side.

    Args:
        models: Names, in the order wanted; all networks unless given.
        columns: Keys of the columns; the usual ones unless given, ``"all"`` for all.
        sort: Column to sort by; by year, then parameters, unless ``models`` is given.
        reverse: Largest first.
        pattern: Shell wildcards over the names, as in ``list_models``.
        max_params: Only networks with at most so many parameters, statistics included, at the
            paper's size.
        min_top1: Only networks with at least this published top-1 accuracy, in per cent.
        input_size: Side of the image in pixels, or height and width, to count at instead of the
            paper's; networks that need larger images have no figures there. Imports Keras.
        bench: What ``cnnzoo.benchmark`` returned, or the file it was saved in, for the columns
            ``latency_ms`` and ``images_per_second``. Of several configurations the fewest images,
            the first runtime and the first dtype are taken: ``select`` another.

    Raises:
        UnknownNameError: A network or a column does not exist; the message gives the nearest.
        UsageError: A name is given twice, no network passes the filters, none takes the size, or
            none was timed at it.
        DataError: The file of results cannot be read.
    """
    size = None if input_size is None else check_size(input_size)
    results = None if bench is None else join.load(bench)
    measured = () if results is None else join.columns(results, size)
    chosen = get_columns(RESIZED if columns is None and size else columns, measured)
    by = None if sort is None else get_column(sort, measured)
    specs = _choose(models, pattern, family, max_params, min_top1)
    if size is not None:
        _measure(specs, size)
    if by is not None:
        known = [s for s in specs if by.value(s, size) is not None]
        unknown = [s for s in specs if by.value(s, size) is None]
        known.sort(key=lambda s: (by.value(s, size), s.name), reverse=reverse)
        specs = known + unknown
    elif reverse:
        specs.reverse()
    caption = ""
    if results is not None:
        chosen, caption = join.place(chosen, measured), join.caption(results, specs, size)
    rows = ({column.key: column.value(spec, size) for column in chosen} for spec in specs)
    return Table(tuple(chosen), tuple(rows), tuple(footnotes(specs, chosen, size)), caption)


def check_size(input_size: Any) -> tuple[int, int]:
    """Height and width of ``32`` or ``(64, 96)``.

    Raises:
        UsageError: It is neither.
    """
    sides = input_size if isinstance(input_size, tuple | list) else (input_size, input_size)
    whole = all(isinstance(side, int) and not isinstance(side, bool) for side in sides)
    if len(sides) != 2 or not whole or min(sides) < 1:
        raise UsageError(
            f"input_size={input_size!r} is no image size. Use a side in pixels such as 64, or "
            "height and width: (64, 96), 64x96 on the command line."
        )
    return sides[0], sides[1]


def _choose(
    models: Iterable[str] | None,
    pattern: str,
    family: str | None,
    max_params: int | None,
    min_top1: float | None,
) -> list[ModelSpec]:
    """The networks that pass the filters, in order."""
    names = list_models(pattern, family=family, max_params=max_params)
    if models is not None:
        if not isinstance(models, Iterable):
            raise UsageError(
                f"models={models!r} is no list of names such as ['vgg16', 'xception']."
            )
        asked = [get_spec(name).name for name in ([models] if isinstance(models, str) else models)]
        if len(set(asked)) < len(asked):
            raise UsageError(f"models={asked!r} names a network twice. Name each once.")
        names = [name for name in asked if name in names]
    specs = [get_spec(name) for name in names]
    if min_top1 is not None:
        top1 = get_column("top1").value
        specs = [s for s in specs if (v := top1(s)) is not None and float(v) >= min_top1]
    if not specs:
        raise UsageError("No network passes these filters. Loosen one, or type: cnnzoo list")
    return specs


def _measure(specs: Sequence[ModelSpec], size: tuple[int, int]) -> None:
    """Count every network at ``size``; says so on standard error once it takes long."""
    what = f"counting networks at {size[0]} x {size[1]} pixels …"
    patience = Timer(2.0, lambda: sys.stderr.write(f"{what}\n"))
    patience.daemon = True
    patience.start()
    try:
        measured = [facts_at(spec, size) for spec in specs]
    finally:
        patience.cancel()
    if not any(measured):
        least = ", ".join(f"{spec.name} {spec.min_size_for(spec.choose({}))}" for spec in specs)
        raise UsageError(
            f"No network takes images of {size[0]} x {size[1]} pixels. Least sides: {least}."
        )
