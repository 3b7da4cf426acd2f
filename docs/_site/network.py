"""The page of one network: a text written by hand among what the package knows by itself.

A text is ``networks/_texts/NAME.md``. Its first lines may name the networks it builds on and leads
to, ``before: [vgg16]`` and ``after: [resnext50]`` between two lines of three dashes.
"""

from __future__ import annotations

from pathlib import Path

from mkdocs.utils.meta import get_data

import cnnzoo
from cnnzoo import units
from cnnzoo.analysis import render
from cnnzoo.analysis.card import Card
from cnnzoo.analysis.figures import facts_of
from cnnzoo.analysis.graph import steps
from cnnzoo.analysis.measure import sketch, views
from cnnzoo.analysis.plot.svg import svg
from cnnzoo.analysis.plot.theme import THEMES
from cnnzoo.analysis.stages import stages
from cnnzoo.catalogue.datasets import all_datasets
from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.recipes import recipes_by_network
from cnnzoo.catalogue.spec import ModelSpec, Paper
from cnnzoo.catalogue.weights import WeightsEntry

from .proofs import proof

TEXTS = Path(__file__).resolve().parents[1] / "networks" / "_texts"


def page(card: Card) -> str:
    """Markdown of the page, from the paper to the command that trains."""
    spec = card.spec
    text, links = _text(spec.name)
    parts = [
        f"# {spec.title}",
        _source(spec.paper),
        f"**{spec.idea}.**" if spec.idea else "",
        links,
        f'```python\nimport cnnzoo\n\nmodel = cnnzoo.build("{spec.name}")\n```',
        text,
        "## In figures",
        _figures(card),
        _notes(spec),
        "## Block by block",
        _diagram(spec),
        "## Stage by stage",
        "A stage is what works at one image size. *Sees* is the side of the square of the image "
        "that one unit of the stage's output depends on, over the longest branch; *step* is how "
        "far apart the squares of two neighbours lie. *Held* is most of all activations at once "
        "to infer on one image, *kept* what training keeps of the stage, both float32.",
        _stages(spec.name),
        *_forms(spec),
        *_weights(card),
        "## Use",
        use(card),
    ]
    return "\n\n".join(part for part in parts if part)


def diagrams(name: str) -> dict[str, str]:
    """Path within the site -> SVG of the blocks, one for each colour scheme."""
    return {
        f"networks/{name}-{theme}.svg": svg(cnnzoo.plot.architecture(name, theme=theme))
        for theme in THEMES
    }


def _text(name: str) -> tuple[str, str]:
    """What somebody wrote about the network, and a line of links to its relatives."""
    path = TEXTS / f"{name}.md"
    if not path.exists():
        return "", ""
    text, head = get_data(path.read_text("utf-8"))
    links = [
        f"{words} {', '.join(f'[{cnnzoo.info(n).spec.title}]({n}.md)' for n in head[key])}"
        for key, words in (("before", "Builds on"), ("after", "Leads to"))
        if key in head
    ]
    return text.strip(), " · ".join(links)


def _source(paper: Paper) -> str:
    """Authors, title with its link if there is one, where it appeared, and the table."""
    title = f"[{paper.title}]({paper.url})" if paper.url else paper.title
    return f"{paper.authors}, “{title}”, {paper.venue}. {paper.table}."


def _figures(card: Card) -> str:
    spec, facts = card.spec, card.facts
    size = " × ".join(map(str, spec.input_shape))
    rows = [
        ("input", f"{size}, at least {spec.min_size} pixels a side"),
        ("classes", f"{spec.num_classes:,} ({spec.dataset})"),
        ("parameters", f"{facts.total_params:,}"),
        ("of which trainable", f"{facts.trainable_params:,}"),
        ("batch-norm statistics", f"{facts.batch_norm_statistics:,}"),
        ("MACs, one image", f"{facts.macs:,}"),
        ("weights in float32", units.mebibytes(facts.weight_bytes)),
        ("depth: convolutions and dense layers on the longest path", f"{facts.depth_weighted}"),
        ("depth: layers of any kind on the longest path", f"{facts.depth_layers}"),
        ("depth: layers with parameters", f"{facts.depth_parametric}"),
        ("receptive field", f"{facts.receptive_field:,} pixels a side"),
        ("also called", ", ".join(f"`{alias}`" for alias in spec.aliases) or units.DASH),
    ]
    return render.markdown(("figure", "value"), rows, (False, False))


def _notes(spec: ModelSpec) -> str:
    if not spec.notes:
        return ""
    notes = "\n\n    ".join(spec.notes)
    return f'!!! note "Why you may have seen other figures"\n    {notes}'


def _diagram(spec: ModelSpec) -> str:
    told = f"Block diagram of {spec.title}; the table below says the same in figures"
    pictures = "\n".join(f"![{told}]({spec.name}-{theme}.svg#only-{theme})" for theme in THEMES)
    inside = f'role="region" aria-label="Block diagram of {spec.title}" tabindex="0"'
    return f'<div class="diagram" {inside} markdown>\n\n{pictures}\n\n</div>'


def _stages(name: str) -> str:
    """Shapes, what is seen, and costs."""
    model = sketch(name)
    summary = cnnzoo.summary(model, by="stage")
    walked = steps(model)
    seen = {id(step): sides for step, sides in zip(walked, views(walked), strict=True)}
    sides = [seen[id(stage.result)] for stage in stages(walked)]
    rows = [
        (
            row.name,
            "\u00a0×\u00a0".join(map(str, row.output_shape)),
            f"{max(side for side, _ in view):,.0f}" if view else "",
            f"{row.stride:g}" if row.stride else "",
            f"{row.params:,}",
            f"{100 * row.params / summary.params:.1f}" if row.params else "",
            f"{row.macs or 0:,}",
            f"{100 * (row.macs or 0) / summary.macs:.1f}" if row.macs else "",
            _mebibytes(row.held),
            _mebibytes(row.kept),
        )
        for row, view in zip(summary.rows, sides, strict=True)
    ]
    whole = ("**all**", "", "", "", f"{summary.params:,}", "", f"{summary.macs:,}", "")
    rows.append((*whole, _mebibytes(summary.held), _mebibytes(summary.kept)))
    heads = ("stage", "output", "sees px", "step px", "params", "%", "MACs", "%", "held MiB")
    return render.markdown((*heads, "kept MiB"), rows, (False, False, *(True,) * 8))


def _mebibytes(elements: int | None) -> str:
    return units.DASH if elements is None else f"{4 * elements / 2**20:,.2f}"


def _forms(spec: ModelSpec) -> list[str]:
    if not spec.options:
        return []
    rows = []
    for option in spec.options:
        for i, choice in enumerate(option.choices):
            facts = facts_of(spec, {option.name: choice.value} if i else None)
            side = facts.input_shape[0]
            what = choice.help + (" (default)" if i == 0 else "")
            name = f"`{option.name}={choice.value!r}`"
            rows.append((name, what, f"{side}", f"{facts.total_params:,}", f"{facts.macs:,}"))
    heads = ("option", "what it makes", "image px", "parameters", "MACs")
    table = render.markdown(heads, rows, (False, False, True, True, True))
    return [
        "## Forms",
        "Options of `build`; each is counted with the others at their default.",
        table,
    ]


def _weights(card: Card) -> list[str]:
    files = [entry for entry in card.weights if entry.part == "full"]
    if not files:
        return []
    how = [
        (f"`{w.tag}`", _or_dash(w.top1), _or_dash(w.top5), w.dataset, w.evaluation or units.DASH)
        for w in files
    ]
    whence = [(f"`{w.tag}`", w.origin, w.licence, w.evidence, proof(w)) for w in files]
    heads = ("tag", "top-1 %", "top-5 %", "dataset", "evaluated on")
    accuracies = render.markdown(heads, how, (False, True, True, False, False))
    heads = ("tag", "origin", "licence", "accuracy by", "verified here")
    sources = render.markdown(heads, whence, (False,) * 5)
    said = "Every file with its address, size and hash: [Weight files](../weights.md)."
    without = [w.tag for w in card.weights if w.part == "notop"]
    if without:
        tags = ", ".join(f"`{tag}`" for tag in without)
        said += f" Also published without the classifier: {tags}."
    return ["## Public weights", accuracies, sources, said]


def use(card: Card) -> str:
    """Pixels, prediction and fine-tuning, as far as the network can."""
    spec = card.spec
    rule = PREPROCESSING[spec.preprocessing]
    size = ", ".join(map(str, spec.input_shape))
    parts = [
        f"**Pixels.** The network reads `{rule.name}`: {rule.note}. Data, `predict` and "
        "`finetune` do it by themselves; for the bare network:",
        "```python\nimport numpy as np\n\n"
        f"pixels = np.random.default_rng(0).integers(0, 256, (1, {size}))  # 0 to 255\n"
        f'ready = cnnzoo.preprocess_input(pixels, "{spec.name}")\n'
        f'model = cnnzoo.build("{spec.name}", include_preprocessing=True)  # or inside\n```',
    ]
    entry = next((w for w in card.weights if w.part == "full"), None)
    if entry is not None:
        picture = "photo.jpg" if spec.input_shape[2] == 3 else "digit.png"
        parts += [
            f"**Predicting** with trained weights, {_whence(entry)}:",
            f"```sh\ncnnzoo predict {spec.name} {picture} --weights {entry.tag}\n```",
        ]
    parts += ["**Fine-tuning** or training:", f"```sh\n{_finetune(spec, entry)}\n```"]
    return "\n\n".join(parts)


def _whence(entry: WeightsEntry) -> str:
    if entry.shipped_path:
        return "which come with the package"
    size = "" if entry.size_bytes is None else f" ({units.mebibytes(entry.size_bytes)})"
    return f"which are downloaded the first time{size}"


def _finetune(spec: ModelSpec, entry: WeightsEntry | None) -> str:
    """The command that suits the network, and that of its own recipe."""
    own = next((d.name for d in all_datasets().values() if d.labels == spec.dataset), None)
    lines = []
    if own is None:
        weights = f" --weights {entry.tag}" if entry else ""
        lines.append(f"cnnzoo finetune {spec.name}{weights} --data photos/")
    else:
        lines.append(f"cnnzoo finetune {spec.name} --data {own}")
        for recipe in recipes_by_network().get(spec.name, {}):
            lines.append(f"cnnzoo finetune {spec.name} --data {own} --recipe {recipe}")
    return "\n".join(lines)


def _or_dash(value: float | None) -> str:
    return units.DASH if value is None else f"{value:.2f}"
