"""Fills the site with what the package itself knows, so that no page can go stale.

A line ``<!-- cnnzoo: WHAT -->`` in a page is replaced when the site is built; ``networks/*.md``,
``guides/*.md``, ``decisions/index.md``, the changelog and the pictures of ``ideas/`` are made here
whole.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _site import guides, network, results
from _site.ideas_photos import photos
from _site.ideas_pictures import drawings
from _site.proofs import proofs
from _site.zoo import zoo
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

import cnnzoo
from cnnzoo import errors
from cnnzoo.analysis.columns import COLUMNS
from cnnzoo.catalogue.weights import WeightsEntry
from cnnzoo.cli.main import VERBS, main, parser
from cnnzoo.units import mebibytes

ROOT = Path(__file__).resolve().parents[1]
MARK = re.compile(r"<!-- cnnzoo: (.+?) -->")


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages."""
    pages = drawings() | photos() | guides.pages() | results.drawings()
    for name in cnnzoo.list_models():
        pages[f"networks/{name}.md"] = network.page(cnnzoo.info(name))
        pages |= network.diagrams(name)
    pages["changelog.md"] = (ROOT / "CHANGELOG.md").read_text("utf-8")
    pages["decisions/index.md"] = _decisions()
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the marks of a page."""
    return MARK.sub(lambda match: _fill(*shlex.split(match[1])), markdown)


def on_post_page(output: str, **_: Any) -> str:
    """Give the theme's search dialog a name for those who hear the page."""
    return output.replace('role="dialog"', 'role="dialog" aria-label="Search"')


on_post_template = on_post_page  # the page for what is not found is none of the pages


def _fill(what: str, *arguments: str) -> str:
    if what == "table":
        options = dict(argument.split("=", 1) for argument in arguments)
        models = options.pop("models", None)
        folder = options.pop("links")
        text = cnnzoo.table(models.split(",") if models else None, **options).to_markdown()
        return _linked(text, folder)
    if what == "run":
        return _run(arguments)
    marks = {
        "benchmarks": results.of_benchmarks,
        "columns": _columns,
        "errors": _errors,
        "lectures": results.of_lectures,
        "proofs": proofs,
        "precision": results.of_precision,
        "transfer": results.of_transfer,
        "verbs": _verbs,
        "weights": _files,
        "zoo": zoo,
    }
    return marks[what]()


def _run(arguments: Sequence[str]) -> str:
    """A command as it is typed, and what it prints now, in the folder of the pictures."""
    printed = io.StringIO()
    with contextlib.chdir(ROOT / "docs" / "images"), contextlib.redirect_stdout(printed):
        code = main(list(arguments))
    typed = shlex.join(["cnnzoo", *arguments])
    if code:
        raise PluginError(f"{typed!r} of a page ends with exit code {code}.")
    return f"```sh\n{typed}\n```\n\n```text\n{printed.getvalue().rstrip()}\n```"


def _linked(text: str, folder: str) -> str:
    """A table whose first column, names or titles, leads to the networks' pages."""
    for name in cnnzoo.list_models():
        for shown in (name, cnnzoo.info(name).spec.title):
            text = text.replace(f"\n| {shown} |", f"\n| [{shown}]({folder}{name}.md) |")
    return text


def _columns() -> str:
    rows = [f"| `{c.key}` | {c.header} | {c.help} |" for c in COLUMNS.values()]
    return "\n".join(["| column | heading | meaning |", "|---|---|---|", *rows])


def _errors() -> str:
    classes = [value for value in vars(errors).values() if isinstance(value, type)]
    rows = [
        f"| `{c.__name__}` | {c.exit_code} | {(c.__doc__ or '').splitlines()[0]} |" for c in classes
    ]
    return "\n".join(["| error | exit code | raised for |", "|---|---:|---|", *rows])


def _verbs() -> str:
    """The help of every command, as a terminal prints it."""
    top = parser()
    choices = next(action.choices for action in top._actions if action.dest == "command")
    assert len(choices) == len(VERBS)
    helps = {"cnnzoo": top.format_help()}
    helps |= {f"cnnzoo {name}": verb.format_help() for name, verb in choices.items()}
    return "\n\n".join(
        f"## {name}\n\n```text\n{text.rstrip()}\n```" for name, text in helps.items()
    )


def _decisions() -> str:
    lines = ["# Decisions", "", "Why the house is built as it is, one page each.", ""]
    for path in sorted((ROOT / "docs" / "decisions").glob("0*.md")):
        lines.append(f"- [{path.read_text('utf-8').splitlines()[0].lstrip('# ')}]({path.name})")
    return "\n".join(lines)


def _files() -> str:
    """Every weight file of the catalogue."""
    head = "| network | tag | part | format | size | hash | stated by | licence |"
    lines = [
        f"| [{name}](networks/{name}.md) | `{w.tag}` | {w.part} | {w.format} | {_size(w)} "
        f"| `{w.hash[:19]}…` | {w.hash_stated_by} | {w.licence} |"
        for name in cnnzoo.list_models()
        for w in cnnzoo.list_weights(name)
    ]
    return "\n".join([head, "|---|---|---|---|---:|---|---|---|", *lines])


def _size(entry: WeightsEntry) -> str:
    return "not stated" if entry.size_bytes is None else mebibytes(entry.size_bytes)
