"""Chosen networks against each other, one column each, a line per figure.

Imports no framework unless a model or another image size must be measured.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

from cnnzoo.analysis import render
from cnnzoo.analysis.columns import DEFAULT, RESIZED, Column, Value, get_columns
from cnnzoo.analysis.footnotes import footnotes
from cnnzoo.analysis.subjects import Subject, get_subjects
from cnnzoo.analysis.table import FORMATS, check_size
from cnnzoo.catalogue.facts import Facts
from cnnzoo.errors import UsageError

__all__ = ["FORMATS", "Comparison", "Figure", "compare"]

# Columns where less, or more, is better; the others have no better direction.
LESS = frozenset(
    {
        "total_params", "trainable_params", "macs", "activation_elements", "weight_mib",
        "weight_mib_fp16", "weight_mib_int8", "act_mib", "train_mib",
    }
)  # fmt: skip
MORE = frozenset({"top1", "top5"})
BEST = "*"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of every network, in their order.

    Attributes:
        values: Exact; ``None`` where a network has none.
    """

    column: Column
    values: tuple[Value, ...]

    @property
    def key(self) -> str:
        return self.column.key

    @property
    def best(self) -> tuple[int, ...]:
        """Positions of the best value, several where they tie; none where all are alike or the
        figure has no better direction."""
        known = [value for value in self.values if isinstance(value, int | float)]
        if self.key not in LESS | MORE or len(set(known)) < 2:
            return ()
        best = min(known) if self.key in LESS else max(known)
        return tuple(i for i, value in enumerate(self.values) if value == best)

    @property
    def against_first(self) -> tuple[float | None, ...]:
        """Of each value: its ratio to the first, or, of an accuracy, the points between them."""
        first = self.values[0]
        return tuple(self._against(first, value) for value in self.values)

    def _against(self, first: Value, value: Value) -> float | None:
        if not isinstance(first, int | float) or not isinstance(value, int | float):
            return None
        if self.key in MORE:
            return round(value - first, 4)
        return value / first if self.key in LESS and first else None

    def distances(self) -> list[str]:
        """``against_first`` as people read it: ``×5.40``, ``+4.09``."""
        show = _points if self.key in MORE else ratio
        rest = self.against_first[1:]
        return ["", *("" if value is None else show(value) for value in rest)]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Figures of chosen networks: iterate for the figures, print for people, ``to_...`` for
    programs.

    Attributes:
        footnotes: What a reader must know to read the figures right; below the text form.
    """

    networks: tuple[str, ...]
    figures: tuple[Figure, ...]
    footnotes: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Figure]:
        return iter(self.figures)

    def __len__(self) -> int:
        return len(self.figures)

    def __getitem__(self, key: str) -> dict[str, Value]:
        """Network -> value of one figure, by the key of its column."""
        (column,) = get_columns(key)
        for figure in self.figures:
            if figure.key == column.key:
                return dict(zip(self.networks, figure.values, strict=True))
        keys = ", ".join(figure.key for figure in self.figures)
        raise UsageError(f"{key!r} is not among the figures compared. These are: {keys}.")

    def __str__(self) -> str:
        return self.to_text()

    def _repr_html_(self) -> str:
        return self.to_html()

    def to_text(self, width: int | None = None) -> str:
        """Aligned columns, the best value of each line marked, and the footnotes; networks that
        do not fit into ``width`` characters follow below, beside the first again."""
        blocks = [list(range(len(self.networks)))]
        while width and len(blocks[-1]) > 2 and _width(self._draw_text(blocks[-1])) > width:
            last = blocks[-1]
            rest: list[int] = []
            while len(last) > 2 and _width(self._draw_text(last)) > width:
                rest.insert(0, last.pop())
            blocks.append([0, *rest])
        notes = [self._legend(), *self.footnotes]
        wrapped = [textwrap.fill(n, width, subsequent_indent="  ") if width else n for n in notes]
        return "\n".join(["\n\n".join(map(self._draw_text, blocks)), *wrapped])

    def to_markdown(self) -> str:
        """A GitHub-flavoured Markdown table, the best values bold."""
        return render.markdown(*self._cells(lambda value: f"**{value}**"))

    def to_latex(self) -> str:
        """A ``tabular`` environment; needs the LaTeX package ``booktabs``."""
        return render.latex(*self._cells(_star))

    def to_html(self) -> str:
        """A ``<table>``; notebooks show it by themselves."""
        headers, rows, right = self._cells(_star)
        table = render.html_table(headers, rows, right, ["" for _ in headers])
        return f"{table}\n<p>{self._legend()}</p>"

    def to_csv(self) -> str:
        """Exact values, a line per figure, an empty cell where there is none."""
        rows = [[figure.key, *figure.values] for figure in self.figures]
        return render.csv_text(["figure", *self.networks], rows)

    def to_dict(self) -> dict[str, Any]:
        figures = [
            {
                "key": figure.key,
                "heading": figure.column.header,
                "values": dict(zip(self.networks, figure.values, strict=True)),
                "best": [self.networks[i] for i in figure.best],
                "against_first": dict(zip(self.networks, figure.against_first, strict=True)),
            }
            for figure in self.figures
        ]
        return {
            "networks": list(self.networks),
            "figures": figures,
            "footnotes": list(self.footnotes),
        }

    def to_json(self) -> str:
        """One object with exact values; ``against_first`` holds ratios, of accuracies points."""
        return json.dumps(self.to_dict(), indent=2, ensure_ascii=False)

    def to(self, form: str, width: int | None = None) -> str:
        """The comparison in one of ``FORMATS``."""
        return self.to_text(width) if form == "text" else str(getattr(self, f"to_{form}")())

    def _legend(self) -> str:
        return f"{BEST} best of its line; × and ± against {self.networks[0]}"

    def _cells(self, mark: Callable[[str], str]) -> tuple[list[str], list[list[str]], list[bool]]:
        """Headings, rows with the distances in brackets, and which columns are numbers."""
        rows = []
        for figure in self.figures:
            shown = [figure.column.text(value) for value in figure.values]
            shown = [mark(text) if i in figure.best else text for i, text in enumerate(shown)]
            cells = zip(shown, figure.distances(), strict=True)
            rows.append([figure.column.header, *(f"{v} ({d})" if d else v for v, d in cells)])
        return ["figure", *self.networks], rows, [False, *(True for _ in self.networks)]

    def _draw_text(self, chosen: Sequence[int]) -> str:
        """The networks at these positions: values to the right, their distances beside them."""
        columns = [["figure", *(figure.column.header for figure in self.figures)]]
        columns += [self._column(i) for i in chosen]
        headers, *rows = zip(*columns, strict=True)
        return render.text(headers, rows, [False for _ in headers])

    def _column(self, position: int) -> list[str]:
        """Name, then the lines below it."""
        name, values, distances = self.networks[position], [], []
        for figure in self.figures:
            text = figure.column.text(figure.values[position])
            values.append(_star(text) if position in figure.best else f"{text} ")
            distances.append(figure.distances()[position])
        left, right = (max(map(len, texts)) for texts in (values, distances))
        left = max(left, len(name) - right)
        lines = zip(values, distances, strict=True)
        cells = [f"{value.rjust(left)} {distance.rjust(right)}" for value, distance in lines]
        return [name.rjust(left - 1), *cells]


def compare(
    *networks: Any,
    columns: Iterable[str] | str | None = None,
    input_size: int | tuple[int, int] | None = None,
) -> Comparison:
    """Chosen networks against each other, the first being what the others are measured by.

    Args:
        *networks: Names, forms such as ``"resnet50:variant=v1.5"``, and functional or sequential
            Keras models of your own, which are measured by the same rules.
        columns: Keys of the figures, as for ``table``; the usual ones that any of the networks
            has unless given, ``"all"`` for all.
        input_size: Side of the image in pixels, or height and width, to count at instead of each
            network's own. Imports Keras.

    Raises:
        UnknownNameError: A network or a column does not exist; the message gives the nearest.
        UnknownOptionError: A form names an option that its network does not have.
        UsageError: Fewer than two networks, one given twice, a model without a graph, or a size
            that one of them cannot take.
    """
    size = None if input_size is None else check_size(input_size)
    subjects = _at_least_two(get_subjects(networks))
    asked = get_columns((RESIZED if size else DEFAULT) if columns is None else columns)
    chosen = [column for column in asked if column.key != "name"]
    if not chosen:
        raise UsageError(f"columns={columns!r} has no figure to compare but the name.")
    if size is not None:
        _check_least(subjects, size)
    facts = [subject.facts(size) for subject in subjects]
    pairs = list(zip(subjects, facts, strict=True))
    figures = [Figure(c, tuple(s.value(c, counted) for s, counted in pairs)) for c in chosen]
    if columns is None:
        figures = [f for f in figures if any(value is not None for value in f.values)]
    notes = dict.fromkeys(_footnotes(pairs, chosen, size))
    return Comparison(tuple(s.label for s in subjects), tuple(figures), tuple(notes))


def _at_least_two(subjects: list[Subject]) -> list[Subject]:
    if len(subjects) < 2:
        given = f"{subjects[0].label!r} alone" if subjects else "No network"
        raise UsageError(
            f"{given} is nothing to compare. Name at least two networks, one by one: "
            "compare('resnet50', 'vgg16') in Python, cnnzoo compare resnet50 vgg16 to type."
        )
    return subjects


def _check_least(subjects: Sequence[Subject], size: tuple[int, int]) -> None:
    small = [f"{s.label} {s.min_size()}" for s in subjects if min(size) < s.min_size()]
    if small:
        raise UsageError(
            f"Images of {size[0]} x {size[1]} pixels are too small. Least sides: "
            f"{', '.join(small)}."
        )


def _footnotes(
    pairs: Sequence[tuple[Subject, Facts]],
    columns: Sequence[Column],
    size: tuple[int, int] | None,
) -> Iterator[str]:
    """Those of the table, and what it cannot know of forms and models."""
    plain = [s.spec for s, _ in pairs if s.spec is not None and (size is None or not s.options)]
    yield from footnotes(list(dict.fromkeys(plain)), columns, size)
    for subject, facts in pairs:
        measured = subject.spec is None or bool(subject.options)
        if measured and facts.not_counted and any(column.key == "macs" for column in columns):
            yield f"MACs of {subject.label} are at least so many; not counted: {facts.uncounted}"


def _star(text: str) -> str:
    return f"{text}{BEST}"


def _points(difference: float) -> str:
    return f"{difference:+.2f}".replace("-", "−")


def ratio(times: float) -> str:
    """``×5.40``, ``×2,242``, ``×0.00045``: two digits at least."""
    digits = 2 if times < 10 else 1 if times < 100 else 0
    if 0 < times < 0.1:
        digits = 1 - floor(log10(times))
    return f"×{times:,.{digits}f}"


def _width(drawn: str) -> int:
    return max(map(len, drawn.splitlines()))
