"""The measured figures of every built-in network and of its named forms.

``facts.toml`` is written by ``cnnzoo measure --write`` and compared with the built networks by a
test; nobody edits it.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from cnnzoo.errors import UsageError
from cnnzoo.lookup import did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What can be counted on a network without running it.

    Attributes:
        total_params: Every number of every weight, batch-norm statistics included:
            ``model.count_params()``.
        trainable_params: Those that training changes; what papers and torch count.
        batch_norm_statistics: Moving means and variances.
        macs: Multiply-accumulates for one image of the stated input: convolutions of every kind
            and dense layers. FLOPs are exactly twice.
        depth_layers: Layers on the longest path from input to output, the input among them and
            every Keras layer counted. The "depth" of the lectures and of older Keras tables.
        depth_parametric: Layers that own parameters, in all branches. The "depth" of newer ones.
        depth_weighted: Convolutions and dense layers on the longest path: the 50 of ResNet-50.
        receptive_field: Side in pixels of the square that one unit of the last feature map sees.
        effective_stride: Pixels of the image from one unit of the last feature map to the next.
        activation_elements: Numbers that all layers together put out for one image, the image
            among them.
        peak_activation_elements: Most of them that are held at once to infer on one image, by the
            rules of ``cnnzoo.analysis.memory``.
        training_activation_elements: Those that training keeps for the backward pass of one image.
        layers: Number of Keras layers.
        not_counted: Kinds of the layers whose MACs nobody can count, one for each call; where
            there are any, ``macs`` is a lower bound.
    """

    input_shape: tuple[int, ...]
    total_params: int
    trainable_params: int
    batch_norm_statistics: int
    macs: int
    depth_layers: int
    depth_parametric: int
    depth_weighted: int
    receptive_field: int
    effective_stride: float
    activation_elements: int
    peak_activation_elements: int
    training_activation_elements: int
    layers: int
    not_counted: tuple[str, ...] = ()

    @property
    def uncounted(self) -> str:
        """``not_counted`` as people read it: ``"LSTM, Mine ×2"``."""
        return tally(self.not_counted)

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights in float32."""
        return self.weight_bytes_in("float32")

    def weight_bytes_in(self, dtype: str) -> int:
        """Bytes of all weights in one of ``DTYPE_BYTES``; for int8, scales are not counted."""
        return self.total_params * _bytes_of(dtype)

    def activation_bytes(
        self, *, batch_size: int = 1, dtype: str = "float32", training: bool = False
    ) -> int:
        """Bytes of activations held at once to infer, or kept to train, on a batch.

        Raises:
            UsageError: ``dtype`` is not one of ``DTYPE_BYTES``, or the batch holds no image.
        """
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
            raise UsageError(f"batch_size={batch_size!r} is not a number of images from 1.")
        peak = self.training_activation_elements if training else self.peak_activation_elements
        return batch_size * peak * _bytes_of(dtype)

    def to_toml(self) -> str:
        """The figures of a built-in network; of those, every layer is counted."""

        def text(value: Any) -> str:
            return str(list(value)) if isinstance(value, tuple) else f"{value:_}"

        rows = ((key, value) for key, value in asdict(self).items() if key != "not_counted")
        return "".join(f"{key} = {text(value)}\n" for key, value in rows)


def tally(kinds: Iterable[str]) -> str:
    """``["LSTM", "Mine", "Mine"]`` -> ``"LSTM, Mine ×2"``."""
    return ", ".join(kind + (f" ×{n}" if n > 1 else "") for kind, n in Counter(kinds).items())


DTYPE_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}


def _bytes_of(dtype: str) -> int:
    if dtype not in DTYPE_BYTES:
        raise UsageError(
            f"dtype={dtype!r} is unknown.{did_you_mean(dtype, DTYPE_BYTES)} "
            f"Use one of: {', '.join(DTYPE_BYTES)}."
        )
    return DTYPE_BYTES[dtype]


HEADER = "# Measured on the built networks by `cnnzoo measure --write`. Do not edit.\n"


@cache
def recorded() -> dict[str, Facts]:
    """Key -> facts; the key of a form is ``form_key(name, options)``."""
    text = files("cnnzoo.catalogue").joinpath("facts.toml").read_text(encoding="utf-8")
    names = {field.name for field in fields(Facts)} - {"not_counted"}
    found = {}
    for key, row in tomllib.loads(text).items():
        row["input_shape"] = tuple(row["input_shape"])
        found[key] = Facts(**{name: row[name] for name in names})
    return found


def form_key(name: str, options: dict[str, bool | str]) -> str:
    """``("resnet50", {"variant": "v1.5"})`` -> ``"resnet50 variant=v1.5"``."""
    return " ".join([name, *(f"{option}={value}" for option, value in sorted(options.items()))])
