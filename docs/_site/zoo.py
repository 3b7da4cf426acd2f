"""The table of all networks: HTML that reads without a script and that zoo.js brings to life.

The script takes everything it needs from the table: what a column is called and holds
(``data-key``, ``data-number``), and the exact value of a cell (``data-value``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from html import escape

import cnnzoo
from cnnzoo.analysis.columns import COLUMNS, Column
from cnnzoo.analysis.plot.theme import THEMES
from cnnzoo.catalogue.registry import all_specs
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.catalogue.weights import WeightsEntry

# Shown until the reader chooses others; the title, which leads to the page, always is.
USUAL = ("year", "dataset", "total_params", "macs", "top1", "depth_weighted", "weight_mib")
COSTS = ("macs", "total_params", "weight_mib", "act_mib", "train_mib")  # axes of the plot


def columns() -> list[Column]:
    """Those of ``cnnzoo.table``, but accuracies are of the dataset in the row."""
    found = [c for c in COLUMNS.values() if c.drawn and c.key not in ("title", "origin", "notes")]
    return [_adapted(column) for column in found]


def _adapted(column: Column) -> Column:
    if column.key == "name":
        return replace(column, header="name")
    words = {
        "top1": "Published or measured top-1 accuracy of the default weights on the row's dataset.",
        "top5": "Published top-5 accuracy of the default weights on the row's dataset.",
        "source": "Who states the accuracy.",
    }
    if column.key not in words:
        return column

    def stated(spec: ModelSpec) -> str | float | None:
        entry = _default(spec)
        if entry is None:
            return None
        if column.key == "source":
            return f"weights {entry.tag!r}, {entry.evidence}"
        return entry.top1 if column.key == "top1" else entry.top5

    return replace(column, stated=stated, help=words[column.key])


def _default(spec: ModelSpec) -> WeightsEntry | None:
    """The first whole file with an accuracy on what the network was made for."""
    for entry in cnnzoo.list_weights(spec.name):
        if entry.part == "full" and entry.dataset == spec.dataset and entry.top1 is not None:
            return entry
    return None


def zoo() -> str:
    """Filters, plot and table, as HTML for the page of all networks."""
    specs = [all_specs()[name] for name in cnnzoo.list_models()]
    return "\n".join(
        [_colours(specs), '<div class="zoo">', _filters(specs), _plot(), _table(specs), "</div>"]
    )


def _colours(specs: list[ModelSpec]) -> str:
    """One colour a family, the same as in the pictures."""
    families = _once(spec.family for spec in specs)
    rules = []
    for scheme, theme in (("default", "light"), ("slate", "dark")):
        hues = THEMES[theme].by_family(families)
        rules += [
            f'[data-md-color-scheme="{scheme}"] [data-family="{family}"] {{ --hue: {hue}; }}'
            for family, hue in hues.items()
        ]
    return f"<style>{' '.join(rules)}</style>"


def _table(specs: list[ModelSpec]) -> str:
    shown = columns()
    return "\n".join(
        [
            '<div class="zoo-box" role="region" aria-label="Table of all networks" tabindex="0">',
            '<table class="zoo-table">',
            "<thead><tr>",
            '<th scope="col" data-key="title">network</th>',
            *(_head(column) for column in shown),
            '<th scope="col">build</th>',
            "</tr></thead>",
            "<tbody>",
            *(_row(spec, shown) for spec in specs),
            "</tbody>",
            "</table>",
            "</div>",
        ]
    )


def _head(column: Column) -> str:
    number = ' class="number" data-number' if column.number else ""
    return (
        f'<th scope="col" data-key="{column.key}"{number} title="{escape(column.help)}"'
        f"{_hidden(column)}>{escape(column.header)}</th>"
    )


def _row(spec: ModelSpec, shown: Iterable[Column]) -> str:
    words = [spec.name, spec.title, spec.family, spec.idea, spec.dataset, *spec.aliases]
    words.append(spec.paper.authors)
    cells = [
        f'<th scope="row" data-value="{escape(spec.title)}">'
        f'<a href="{spec.name}.html">{escape(spec.title)}</a></th>'
    ]
    for column in shown:
        value = column.value(spec)
        exact = "" if value is None else escape(str(value))
        kind = ' class="number"' if column.number else ""
        said = escape(column.text(value))
        cells.append(f'<td{kind} data-value="{exact}"{_hidden(column)}>{said}</td>')
    cells.append(f'<td><code>cnnzoo.build("{spec.name}")</code></td>')
    told = escape(" ".join(words).lower())
    return f'<tr data-family="{spec.family}" data-words="{told}">{"".join(cells)}</tr>'


def _hidden(column: Column) -> str:
    return "" if column.key in USUAL else " hidden"


def _filters(specs: list[ModelSpec]) -> str:
    """Fields named as the address names them; ``data-column`` says what a field tests."""
    years = sorted({spec.year for spec in specs if spec.year})
    bounds = f'type="number" min="{years[0]}" max="{years[-1]}"'
    size = 'type="text" inputmode="text" autocomplete="off" size="7"'
    fields = [
        _field("Search", 'name="text" type="search" placeholder="name, idea, author"'),
        _choice("Family", "family", "all", [(f, f) for f in _once(s.family for s in specs)]),
        _choice("Dataset", "dataset", "all", [(d, d) for d in _once(s.dataset for s in specs)]),
        _field("From year", f'name="min_year" data-column="year" data-bound="min" {bounds}'),
        _field("To year", f'name="max_year" data-column="year" data-bound="max" {bounds}'),
        _field(
            "Parameters at most",
            f'name="max_params" data-column="total_params" data-bound="max" {size} '
            'placeholder="30M"',
        ),
        _field(
            "MACs at most",
            f'name="max_macs" data-column="macs" data-bound="max" {size} placeholder="5G"',
        ),
        _field(
            "Top-1 at least, %",
            'name="min_top1" data-column="top1" data-bound="min" type="number" min="0" max="100" '
            'step="any" placeholder="75"',
        ),
    ]
    boxes = [
        f'<label title="{escape(c.help)}"><input type="checkbox" name="column" value="{c.key}"'
        f"{' checked' if c.key in USUAL else ''}> {escape(c.header)}</label>"
        for c in columns()
    ]
    return "\n".join(
        [
            '<form class="zoo-filters" role="search" aria-label="Filter the networks" hidden>',
            *fields,
            '<button type="reset">Show all</button>',
            "<details><summary>Columns</summary>",
            f"<fieldset><legend>Columns shown</legend>{''.join(boxes)}</fieldset>",
            "</details>",
            '<p class="zoo-status" role="status"></p>',
            "</form>",
        ]
    )


def _plot() -> str:
    axes = [(key, COLUMNS[key].header) for key in COSTS]
    return "\n".join(
        [
            '<figure class="zoo-plot" hidden>',
            _choice("Accuracy against", "x", None, axes),
            '<div class="zoo-canvas"></div>',
            '<figcaption class="zoo-caption"></figcaption>',
            "</figure>",
        ]
    )


def _field(label: str, attributes: str) -> str:
    return f"<label>{label}<input {attributes}></label>"


def _choice(label: str, name: str, every: str | None, options: list[tuple[str, str]]) -> str:
    choices = [] if every is None else [f'<option value="">{every}</option>']
    choices += [f'<option value="{escape(v)}">{escape(t)}</option>' for v, t in options]
    return f'<label>{label}<select name="{name}">{"".join(choices)}</select></label>'


def _once(words: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(word for word in words if word))
