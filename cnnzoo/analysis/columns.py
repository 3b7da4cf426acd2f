"""The columns a table of networks can have: what each says, its unit, how it is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cnnzoo import units
from cnnzoo.analysis.figures import facts_at, facts_of, published
from cnnzoo.catalogue.facts import Facts
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
        stated: What the records say of a network; or, where this is ``None``,
        counted: a figure that is measured and changes with the size of the image.
        show: The value as people read it.
        help: What is counted, one sentence.
        number: Aligned right, sorted by size.
        drawn: Stands in tables that people read; else only where programs do.
    """

    key: str
    header: str
    help: str
    stated: Callable[[ModelSpec], Value] | None = None
    counted: Callable[[Facts], Value] | None = None
    show: Callable[[Any], str] = str
    number: bool = True
    drawn: bool = True

    def value(self, spec: ModelSpec, size: tuple[int, int] | None = None) -> Value:
        """The exact value of a network, for images of ``size``; ``None`` where there is none."""
        if self.counted is None:
            return self.stated(spec) if self.stated else None
        facts = facts_of(spec) if size is None else facts_at(spec, size)
        return None if facts is None else self.counted(facts)

    def text(self, value: Value) -> str:
        return units.DASH if value is None else self.show(value)


def _accuracy(field: str) -> Callable[[ModelSpec], Value]:
    def value(spec: ModelSpec) -> Value:
        entry = published(spec)
        return None if entry is None else getattr(entry, field)

    return value


def _source(spec: ModelSpec) -> Value:
    entry = published(spec)
    return None if entry is None else f"weights {entry.tag!r}, {entry.evidence}"


def _mebibytes(size_bytes: int) -> float:
    return round(size_bytes / 2**20, 4)


def _size(value: float) -> str:
    return f"{value:,.1f}" if value >= 1 else f"{value:.2f}"


def _two_digits(value: float) -> str:
    return f"{value:.2f}"


def _short(value: float) -> str:
    return units.short(value, 2)


_NAMES = (
    Column("name", "network", "Name for build().", lambda s: s.name, number=False),
    Column("title", "title", "As people write it.", lambda s: s.title, number=False),
    Column("year", "year", "Year of the paper's first version.", lambda s: s.year or None),
    Column("family", "family", "Networks that share blocks.", lambda s: s.family, number=False),
)
_FIGURES = (
    Column(
        "input",
        "input",
        "Height x width x channels of the image all figures are for, in pixels.",
        counted=lambda f: "x".join(map(str, f.input_shape)),
        number=False,
    ),
    Column(
        "total_params",
        "params",
        "All parameters, batch-norm statistics included: model.count_params().",
        counted=lambda f: f.total_params,
        show=units.grouped,
    ),
    Column(
        "trainable_params",
        "trainable",
        "Parameters that training changes: what papers and torch count.",
        counted=lambda f: f.trainable_params,
        show=units.grouped,
    ),
    Column(
        "batch_norm_statistics",
        "BN stats",
        "Moving means and variances of batch normalisation.",
        counted=lambda f: f.batch_norm_statistics,
        show=units.grouped,
    ),
    Column(
        "macs",
        "MACs",
        "Multiply-accumulates of convolutions and dense layers for one image; FLOPs are twice.",
        counted=lambda f: f.macs,
        show=_short,
    ),
    Column(
        "depth_layers",
        "depth path",
        "Layers on the longest path, input and every Keras layer counted.",
        counted=lambda f: f.depth_layers,
    ),
    Column(
        "depth_parametric",
        "depth par.",
        "Layers that own parameters, in all branches.",
        counted=lambda f: f.depth_parametric,
    ),
    Column(
        "depth_weighted",
        "depth wgt.",
        "Convolutions and dense layers on the longest path: the 50 of ResNet-50.",
        counted=lambda f: f.depth_weighted,
    ),
    Column(
        "receptive_field",
        "RF px",
        "Side of the square of the image that one unit of the last feature map sees, in pixels.",
        counted=lambda f: f.receptive_field,
        show=units.grouped,
    ),
    Column(
        "effective_stride",
        "stride px",
        "Pixels of the image from one unit of the last feature map to the next.",
        counted=lambda f: f.effective_stride,
    ),
    Column(
        "activation_elements",
        "activations",
        "Numbers that all layers together put out for one image.",
        counted=lambda f: f.activation_elements,
        show=_short,
    ),
)
_MEMORY = (
    Column(
        "weight_mib",
        "fp32 MiB",
        "All parameters in float32, in MiB (2**20 bytes).",
        counted=lambda f: _mebibytes(f.weight_bytes),
        show=_size,
    ),
    Column(
        "weight_mib_fp16",
        "fp16 MiB",
        "All parameters in float16 or bfloat16, in MiB.",
        counted=lambda f: _mebibytes(f.weight_bytes_in("float16")),
        show=_size,
    ),
    Column(
        "weight_mib_int8",
        "int8 MiB",
        "All parameters in one byte each, scales not counted, in MiB.",
        counted=lambda f: _mebibytes(f.weight_bytes_in("int8")),
        show=_size,
    ),
    Column(
        "act_mib",
        "act MiB",
        "Most activations held at once to infer on one image, float32, weights not counted.",
        counted=lambda f: _mebibytes(f.activation_bytes()),
        show=_size,
    ),
    Column(
        "train_mib",
        "train MiB",
        "Activations kept to train, for each image of a batch, float32, weights not counted.",
        counted=lambda f: _mebibytes(f.activation_bytes(training=True)),
        show=_size,
    ),
)
_RECORDS = (
    Column(
        "top1",
        "top-1 %",
        "Published ImageNet-1k top-1 accuracy of the default weights, one crop.",
        _accuracy("top1"),
        show=_two_digits,
    ),
    Column(
        "top5",
        "top-5 %",
        "Published ImageNet-1k top-5 accuracy of the default weights, one crop.",
        _accuracy("top5"),
        show=_two_digits,
    ),
    Column("source", "accuracy published by", "Who states the accuracy.", _source, number=False),
    Column(
        "dataset",
        "dataset",
        "What the paper's classifier tells apart.",
        lambda s: s.dataset or None,
        number=False,
    ),
    Column("origin", "from", "Who brought the network.", lambda s: s.origin, number=False),
    Column(
        "notes",
        "notes",
        "Why other figures are in use for this name.",
        lambda s: " ".join(s.notes) or None,
        number=False,
    ),
)

COLUMNS = {column.key: column for column in (*_NAMES, *_FIGURES, *_MEMORY, *_RECORDS)}
# The first ones matter most: a narrow terminal leaves out the last.
DEFAULT = (
    "name", "year", "input", "total_params", "macs", "top1", "top5", "weight_mib", "act_mib",
    "train_mib", "dataset", "depth_weighted", "depth_layers", "depth_parametric",
    "trainable_params", "batch_norm_statistics",
)  # fmt: skip
# At another size the published accuracies do not hold.
RESIZED = tuple(key for key in DEFAULT if key not in ("top1", "top5"))
ALIASES = {
    "network": "name", "params": "total_params", "parameters": "total_params",
    "trainable": "trainable_params", "flops": "macs", "size": "weight_mib", "depth": "depth_layers",
    "top-1": "top1", "top-5": "top5", "rf": "receptive_field", "bn": "batch_norm_statistics",
    "activations": "activation_elements", "memory": "act_mib", "stride": "effective_stride",
}  # fmt: skip


# Not on file: they come with the results of a benchmark.
MEASURED = ("latency_ms", "images_per_second", "measured_on")


def get_columns(keys: Iterable[str] | str | None, measured: Sequence[Column] = ()) -> list[Column]:
    """The columns asked for, in that order; ``None`` is the usual ones, ``"all"`` all.

    Args:
        measured: Columns of results; they can be asked for like the others.

    Raises:
        UnknownNameError: There is no such column.
        UsageError: A column is named twice, none is, or times are asked for without results.
    """
    if keys is None:
        keys = DEFAULT
    elif keys == "all":
        keys = COLUMNS
    elif isinstance(keys, str):
        keys = [key.strip() for key in keys.split(",")]
    columns = [get_column(key, measured) for key in keys]
    names = [column.key for column in columns]
    if not names or len(set(names)) < len(names):
        raise UsageError(f"columns={list(keys)!r} names a column twice or none. Name each once.")
    return columns


def get_column(key: str, measured: Sequence[Column] = ()) -> Column:
    """The column called ``key`` or by one of its common names."""
    if key in MEASURED and not measured:
        raise UsageError(
            f"{key!r} is true of one machine only, so it is not on file: pass bench=PATH "
            "(--bench PATH) of your own. Type: cnnzoo bench --json > bench.json"
        )
    known = COLUMNS | {column.key: column for column in measured}
    return pick(known, key, kind="column", aliases=ALIASES)
