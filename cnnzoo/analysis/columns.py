"""The columns a table of networks can have: what each says, its unit, how it is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from cnnzoo import units
from cnnzoo.analysis.figures import facts_of, published
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import UsageError
from cnnzoo.lookup import pick

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Attributes:
        key: Its name in Python, on the command line, in CSV and JSON.
        header: Its heading, unit included, for people.
        value: The exact value of a network, ``None`` where there is none.
        show: The value as people read it.
        help: What is counted, one sentence.
        number: Aligned right, sorted by size.
    """

    key: str
    header: str
    value: Callable[[ModelSpec], Value]
    help: str
    show: Callable[[Any], str] = str
    number: bool = True

    def text(self, value: Value) -> str:
        return units.DASH if value is None else self.show(value)


def _accuracy(field: str) -> Callable[[ModelSpec], Value]:
    def value(spec: ModelSpec) -> Value:
        entry = published(spec)
        return None if entry is None else getattr(entry, field)

    return value


def _counted(field: str) -> Callable[[ModelSpec], Value]:
    return lambda spec: getattr(facts_of(spec), field)


def _source(spec: ModelSpec) -> Value:
    entry = published(spec)
    return None if entry is None else f"weights {entry.tag!r}, {entry.evidence}"


def _size(value: float) -> str:
    return f"{value:,.1f}"


def _two_digits(value: float) -> str:
    return f"{value:.2f}"


_ALL = (
    Column("name", "network", lambda s: s.name, "Name for build().", number=False),
    Column("title", "title", lambda s: s.title, "As people write it.", number=False),
    Column("year", "year", lambda s: s.year or None, "Year of the paper's first version."),
    Column("family", "family", lambda s: s.family, "Networks that share blocks.", number=False),
    Column(
        "input",
        "input",
        lambda s: "x".join(map(str, s.input_shape)),
        "Height x width x channels of the paper, in pixels.",
        number=False,
    ),
    Column(
        "total_params",
        "params",
        _counted("total_params"),
        "All parameters, batch-norm statistics included: model.count_params().",
        units.grouped,
    ),
    Column(
        "trainable_params",
        "trainable",
        _counted("trainable_params"),
        "Parameters that training changes: what papers and torch count.",
        units.grouped,
    ),
    Column(
        "batch_norm_statistics",
        "BN stats",
        _counted("batch_norm_statistics"),
        "Moving means and variances of batch normalisation.",
        units.grouped,
    ),
    Column(
        "macs",
        "MACs",
        _counted("macs"),
        "Multiply-accumulates of convolutions and dense layers for one image; FLOPs are twice.",
        lambda value: units.short(value, 2),
    ),
    Column(
        "depth_layers",
        "depth path",
        _counted("depth_layers"),
        "Layers on the longest path, input and every Keras layer counted.",
    ),
    Column(
        "depth_parametric",
        "depth par.",
        _counted("depth_parametric"),
        "Layers that own parameters, in all branches.",
    ),
    Column(
        "depth_weighted",
        "depth wgt.",
        _counted("depth_weighted"),
        "Convolutions and dense layers on the longest path: the 50 of ResNet-50.",
    ),
    Column(
        "receptive_field",
        "RF px",
        _counted("receptive_field"),
        "Side of the square of the image that one unit of the last feature map sees, in pixels.",
        units.grouped,
    ),
    Column(
        "weight_mib",
        "fp32 MiB",
        lambda s: round(facts_of(s).weight_bytes / 2**20, 4),
        "All parameters in float32, in MiB (2**20 bytes).",
        _size,
    ),
    Column(
        "top1",
        "top-1 %",
        _accuracy("top1"),
        "Published ImageNet top-1 accuracy of the default weights, one crop.",
        _two_digits,
    ),
    Column(
        "top5",
        "top-5 %",
        _accuracy("top5"),
        "Published ImageNet top-5 accuracy of the default weights, one crop.",
        _two_digits,
    ),
    Column("source", "accuracy published by", _source, "Who states the accuracy.", number=False),
    Column("origin", "from", lambda s: s.origin, "Who brought the network.", number=False),
)

COLUMNS = {column.key: column for column in _ALL}
# The first ones matter most: a narrow terminal leaves out the last.
DEFAULT = (
    "name", "year", "input", "total_params", "macs", "top1", "top5", "weight_mib", "depth_layers",
    "depth_parametric", "depth_weighted", "trainable_params", "batch_norm_statistics",
)  # fmt: skip
ALIASES = {
    "network": "name", "params": "total_params", "parameters": "total_params",
    "trainable": "trainable_params", "flops": "macs", "size": "weight_mib", "depth": "depth_layers",
    "top-1": "top1", "top-5": "top5", "rf": "receptive_field", "bn": "batch_norm_statistics",
}  # fmt: skip


def get_columns(keys: Iterable[str] | str | None) -> list[Column]:
    """The columns asked for, in that order; ``None`` is the usual ones, ``"all"`` all.

    Raises:
        UnknownNameError: There is no such column.
        UsageError: A column is named twice, or none is.
    """
    if keys is None:
        keys = DEFAULT
    elif keys == "all":
        keys = COLUMNS
    elif isinstance(keys, str):
        keys = [key.strip() for key in keys.split(",")]
    columns = [get_column(key) for key in keys]
    names = [column.key for column in columns]
    if not names or len(set(names)) < len(names):
        raise UsageError(f"columns={list(keys)!r} names a column twice or none. Name each once.")
    return columns


def get_column(key: str) -> Column:
    """The column called ``key`` or by one of its common names."""
    return pick(COLUMNS, key, kind="column", aliases=ALIASES)
