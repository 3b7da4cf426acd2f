"""The card of one network: everything known about it without building it."""

from __future__ import annotations

import textwrap
from dataclasses import asdict, dataclass
from typing import Any

from cnnzoo import units
from cnnzoo.analysis.figures import facts_of
from cnnzoo.catalogue.facts import Facts
from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.catalogue.weights import WeightsEntry, list_weights

Line = tuple[str, str]  # label and content
WIDTH = 96


@dataclass(frozen=True, slots=True)
class Card:
    """Paper, input, figures, options and weights of one network; prints as a page."""

    spec: ModelSpec
    facts: Facts
    weights: tuple[WeightsEntry, ...]

    @property
    def name(self) -> str:
        return self.spec.name

    def to_dict(self) -> dict[str, Any]:
        """The card as plain values, for JSON."""
        record = asdict(self.spec)
        for field in ("trunk", "top", "auxiliary"):
            address = record[field]
            record[field] = address if isinstance(address, str | None) else repr(address)
        record["facts"] = asdict(self.facts)
        record["weights"] = [asdict(entry) for entry in self.weights]
        return record

    def __str__(self) -> str:
        spec = self.spec
        lines = [
            *_name_lines(spec),
            *_input_lines(spec),
            *_figure_lines(self.facts),
            *_accuracy_lines(self.weights),
            *_stage_lines(spec),
            *_option_lines(spec),
            *_weight_lines(self.weights),
            *(("differs" if i == 0 else "", note) for i, note in enumerate(spec.notes)),
        ]
        return "\n".join([spec.title, "─" * len(spec.title), *_layout(lines)])


def info(name: str) -> Card:
    """The card of a network: paper, input, figures, options, weights.

    Raises:
        UnknownNameError: No network is called so; the message gives the nearest names.
    """
    spec = get_spec(name)
    return Card(spec, facts_of(spec), list_weights(spec.name))


def _name_lines(spec: ModelSpec) -> list[Line]:
    paper = spec.paper
    lines = [("name", " = ".join([spec.name, *spec.aliases]))]
    if spec.idea:
        lines.append(("idea", spec.idea))
    if paper.title:
        year = f" ({paper.year})" if paper.year else ""
        lines += [
            ("paper", f"{paper.authors}{year}"),
            ("", f"“{paper.title}”"),
            ("", f"{paper.venue}, {paper.table}"),
        ]
    if paper.url:
        lines.append(("", paper.url))
    return lines if spec.origin == "cnnzoo" else [*lines, ("from", spec.origin)]


def _input_lines(spec: ModelSpec) -> list[Line]:
    size = " x ".join(map(str, spec.input_shape))
    rule = PREPROCESSING[spec.preprocessing]
    dataset = f" ({spec.dataset})" if spec.dataset else ""
    return [
        ("input", f"{size}, at least {spec.min_size} pixels a side"),
        ("pixels", f"{rule.name}: {rule.note}"),
        ("classes", f"{spec.num_classes:,}{dataset}"),
    ]


def _figure_lines(facts: Facts) -> list[Line]:
    count = facts.batch_norm_statistics
    statistics = f", {count:,} batch-norm statistics" if count else ""
    return [
        ("parameters", f"{facts.total_params:,} in all, {facts.trainable_params:,} trainable"
                       f"{statistics}"),
        ("memory", f"{units.mebibytes(facts.weight_bytes)} of weights in float32; "
                   f"{units.mebibytes(facts.activation_bytes())} of activations at most at once to "
                   "infer on one image"),
        ("", f"{units.mebibytes(facts.activation_bytes(training=True))} of activations kept for "
             "each image of a training batch"),
        ("MACs", f"{facts.macs:,} for one image ({units.short(2 * facts.macs, 2)}FLOP)"),
        ("depth", f"{facts.depth_weighted} convolutions and dense layers on the longest path"),
        ("", f"{facts.depth_layers} layers of any kind on it, {facts.depth_parametric} in the "
             "network with parameters"),
        ("sees", f"{facts.receptive_field:,} pixels a side from one unit of the last feature map, "
                 f"in steps of {facts.effective_stride:g}"),
    ]  # fmt: skip


def _accuracy_lines(entries: tuple[WeightsEntry, ...]) -> list[Line]:
    """The accuracy of the default weights, on the dataset they were trained for."""
    entry = next((e for e in entries if e.part == "full" and e.top1 is not None), None)
    if entry is None:
        return []
    top5 = f", top-5 {entry.top5} %" if entry.top5 is not None else ""
    return [
        ("accuracy", f"{entry.dataset} top-1 {entry.top1} %{top5} ({entry.evaluation})"),
        ("", f"{entry.evidence}; weights {entry.tag!r}"),
    ]


def _stage_lines(spec: ModelSpec) -> list[Line]:
    """What ``cnnzoo.freeze(model, upto=...)`` can name."""
    ends = ", ".join(f"{stage} to {layer}" for stage, layer in spec.stage_ends.items())
    return [("stages", ends)] if ends else []


def _option_lines(spec: ModelSpec) -> list[Line]:
    lines = []
    for option in spec.options:
        for i, choice in enumerate(option.choices):
            usual = " (default)" if i == 0 else ""
            lines.append((f"{option.name}={choice.value}", f"{choice.help}{usual}"))
    return lines


def _weight_lines(entries: tuple[WeightsEntry, ...]) -> list[Line]:
    lines = []
    for entry in (entry for entry in entries if entry.part == "full"):
        size = units.mebibytes(entry.size_bytes) if entry.size_bytes else "size not stated"
        top1 = f"top-1 {entry.top1} %, " if entry.top1 is not None else ""
        lines.append((f"weights={entry.tag}", f"{top1}{size}, {entry.origin}"))
    return lines


def _layout(rows: list[Line]) -> list[str]:
    """Labels in one column; long lines go on under their beginning."""
    width = max(len(label) for label, _ in rows)
    lines = []
    for label, content in rows:
        wrapped = textwrap.wrap(
            content, WIDTH - width, break_on_hyphens=False, break_long_words=False
        )
        for i, part in enumerate(wrapped or [""]):
            lines.append(f"{label if i == 0 else '':<{width}}  {part}")
    return lines
