"""Rows of text as aligned columns, Markdown, CSV, HTML or LaTeX. Knows nothing of networks."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence

Rows = Sequence[Sequence[str]]


def text(headers: Sequence[str], rows: Rows, right: Sequence[bool]) -> str:
    """Columns two spaces apart, numbers to the right, a rule under the headings."""
    widths = [max(map(len, cells)) for cells in zip(headers, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        parts = (
            cell.rjust(width) if number else cell.ljust(width)
            for cell, width, number in zip(cells, widths, right, strict=True)
        )
        return "  ".join(parts).rstrip()

    return "\n".join([line(headers), "  ".join("─" * w for w in widths), *map(line, rows)])


def markdown(headers: Sequence[str], rows: Rows, right: Sequence[bool]) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = "|" + "|".join("---:" if number else "---" for number in right) + "|"
    return "\n".join([line(headers), rule, *map(line, rows)])


def csv_text(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """RFC 4180 with line feeds; an empty cell where there is no value."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(headers)
    writer.writerows(["" if value is None else value for value in row] for row in rows)
    return buffer.getvalue().rstrip("\n")


def html_table(
    headers: Sequence[str], rows: Rows, right: Sequence[bool], titles: Sequence[str]
) -> str:
    """A ``<table>`` whose headings explain themselves when pointed at."""

    def cell(tag: str, content: str, number: bool, title: str = "") -> str:
        style = ' style="text-align:right"' if number else ' style="text-align:left"'
        tip = f' title="{html.escape(title)}"' if title else ""
        return f"<{tag}{style}{tip}>{html.escape(content)}</{tag}>"

    head = "".join(cell("th", *fields) for fields in zip(headers, right, titles, strict=True))
    body = (
        "<tr>" + "".join(cell("td", *fields) for fields in zip(row, right, strict=True)) + "</tr>"
        for row in rows
    )
    lines = [f"<tr>{head}</tr>", "</thead>", "<tbody>", *body]
    return "\n".join(["<table>", "<thead>", *lines, "</tbody>", "</table>"])


_LATEX = (
    {"\\": r"\textbackslash{}"} | {c: f"\\{c}" for c in "&%$#_{}"} | {"~": r"\textasciitilde{}"}
)


def latex(headers: Sequence[str], rows: Rows, right: Sequence[bool]) -> str:
    """A ``tabular`` with the rules of the package ``booktabs``."""

    def line(cells: Sequence[str]) -> str:
        return " & ".join(map(latex_escaped, cells)) + r" \\"

    columns = "".join("r" if number else "l" for number in right)
    top = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", line(headers), r"\midrule"]
    return "\n".join([*top, *map(line, rows), r"\bottomrule", r"\end{tabular}"])


def latex_escaped(words: str) -> str:
    return "".join(_LATEX.get(character, character) for character in words)
