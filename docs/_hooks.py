"""Fills the site with what the package itself knows, so that no page can go stale.

A line ``<!-- cnnzoo: WHAT -->`` in a page is replaced when the site is built; ``networks/*.md``,
``decisions/index.md`` and the changelog are made here whole.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

import cnnzoo
from cnnzoo import errors
from cnnzoo.analysis.card import Card
from cnnzoo.analysis.columns import COLUMNS
from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.spec import Paper
from cnnzoo.catalogue.weights import WeightsEntry
from cnnzoo.cli.main import VERBS, parser
from cnnzoo.units import mebibytes

ROOT = Path(__file__).resolve().parents[1]
MARK = re.compile(r"<!-- cnnzoo: (.+?) -->")


def on_files(files: Any, config: Any) -> Any:
    """Add the generated pages."""
    pages = {f"networks/{name}.md": _network(cnnzoo.info(name)) for name in cnnzoo.list_models()}
    pages["changelog.md"] = (ROOT / "CHANGELOG.md").read_text("utf-8")
    pages["decisions/index.md"] = _decisions()
    for path, content in pages.items():
        files.append(File.generated(config, path, content=content))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Replace the marks of a page."""
    return MARK.sub(lambda match: _fill(*shlex.split(match[1])), markdown)


def _fill(what: str, *arguments: str) -> str:
    if what == "table":
        options = dict(argument.split("=", 1) for argument in arguments)
        models = options.pop("models", None)
        folder = options.pop("links")
        text = cnnzoo.table(models.split(",") if models else None, **options).to_markdown()
        return _linked(text, folder)
    marks = {
        "columns": _columns,
        "errors": _errors,
        "proofs": _proofs,
        "verbs": _verbs,
        "weights": _files,
    }
    return marks[what]()


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


def _network(card: Card) -> str:
    spec, facts = card.spec, card.facts
    rule = PREPROCESSING[spec.preprocessing]
    size = " × ".join(map(str, spec.input_shape))
    rows = [
        ("input", f"{size}, at least {spec.min_size} pixels a side"),
        ("pixels", f"`{rule.name}`: {rule.note}"),
        ("classes", f"{spec.num_classes:,} ({spec.dataset})"),
        ("parameters", f"{facts.total_params:,}"),
        ("of which trainable", f"{facts.trainable_params:,}"),
        ("batch-norm statistics", f"{facts.batch_norm_statistics:,}"),
        ("MACs, one image", f"{facts.macs:,}"),
        ("depth: convolutions and dense layers on the longest path", f"{facts.depth_weighted}"),
        ("depth: layers of any kind on the longest path", f"{facts.depth_layers}"),
        ("depth: layers with parameters", f"{facts.depth_parametric}"),
        ("receptive field", f"{facts.receptive_field:,} pixels a side"),
        ("also called", ", ".join(f"`{alias}`" for alias in spec.aliases) or "–"),
    ]
    parts = [
        f"# {spec.title}",
        _source(spec.paper),
        f'```python\nimport cnnzoo\n\nmodel = cnnzoo.build("{spec.name}")\n```',
        _rows("figure", "value", rows),
    ]
    if spec.notes:
        notes = "\n\n    ".join(spec.notes)
        parts.append(f'!!! note "Why you may have seen other figures"\n    {notes}')
    if spec.options:
        rows = [
            (f"`{option.name}={choice.value!r}`", choice.help + (" (default)" if i == 0 else ""))
            for option in spec.options
            for i, choice in enumerate(option.choices)
        ]
        parts += ["## Options", _rows("option", "what it makes", rows)]
    stages = cnnzoo.summary(spec.name, by="stage").to_markdown()
    parts += ["## Stage by stage", "A stage is what works at one image size.", stages]
    if card.weights:
        parts += ["## Public weights", "Accuracies are those their publishers state."]
        parts.append(_weights(card))
    return "\n\n".join(parts)


def _source(paper: Paper) -> str:
    """Authors, title with its link if there is one, where it appeared, and the table."""
    title = f"[{paper.title}]({paper.url})" if paper.url else paper.title
    return f"{paper.authors}, “{title}”, {paper.venue}. {paper.table}."


def _weights(card: Card) -> str:
    head = "| tag | part | top-1 % | top-5 % | evaluation | origin | licence |"
    cells = (
        f"| `{w.tag}` | {w.part} | {_or_dash(w.top1)} | {_or_dash(w.top5)} "
        f"| {w.evaluation or '–'} | {w.origin} | {w.licence} |"
        for w in card.weights
    )
    return "\n".join([head, "|---|---|---:|---:|---|---|---|", *cells])


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


# Layout -> what stands for a file that could not be had here.
_PROOFS = {
    "keras1-flat-suffix": "file of Keras' own network in this layout: equal answers (tests)",
    "keras1-flat": "file of Keras' own network in this layout: equal answers (tests)",
    "keras2-nested": "file of Keras' own network in this layout: equal answers (tests)",
    "keras2-nested-depthwise": "published names and shapes; depthwise kernels regrouped (tests)",
    "keras1-own-names": "names and shapes as documented, matched in order (tests)",
    "torch-state-dict": "published names and shapes (tests)",
    "caffe-onnx": "names and shapes of the Caffe network through ONNX (tests)",
    "own-names": "loads bit by bit",
}
_AGAINST_TORCH = (
    *("alexnet", "vgg16", "vgg19", "inception_v1", "inception_v3", "inception_v4", "resnext50"),
    *("inception_resnet_v2", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
)


def _proofs() -> str:
    """Network, source, layout, and what was proved how."""
    lines = ["| network | tag | source | layout | proved |", "|---|---|---|---|---|"]
    for name in cnnzoo.list_models():
        for entry in cnnzoo.list_weights(name):
            if entry.part == "full":
                lines.append(
                    f"| [{name}](networks/{name}.md) | `{entry.tag}` | {entry.origin} "
                    f"| {entry.layout} | {_proof(entry)} |"
                )
    return "\n".join(lines)


def _proof(entry: WeightsEntry) -> str:
    proof = _PROOFS[entry.layout]
    if entry.layout == "torch-state-dict" and entry.network in _AGAINST_TORCH:
        proof += "; the same weights in torch's network: equal answers (above)"
    if entry.golden_path.exists():
        return f"**this file**: golden logits on TensorFlow, JAX and torch (tests); {proof}"
    return f"{proof}; no golden logits recorded yet"


def _size(entry: WeightsEntry) -> str:
    return "not stated" if entry.size_bytes is None else mebibytes(entry.size_bytes)


def _rows(left: str, right: str, rows: list[tuple[str, str]]) -> str:
    lines = (f"| {a} | {b} |" for a, b in rows)
    return "\n".join([f"| {left} | {right} |", "|---|---|", *lines])


def _or_dash(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
