"""The measured figures of every built-in network and of its named forms.

``facts.toml`` is written by ``cnnzoo measure --write`` and compared with the built networks by a
test; nobody edits it.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.resources import files


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
        layers: Number of Keras layers.
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
    layers: int

    @property
    def weight_bytes(self) -> int:
        """Bytes of all weights in float32."""
        return 4 * self.total_params

    def to_toml(self) -> str:
        def text(value: object) -> str:
            return f"{value:_}" if isinstance(value, int) else str(list(value))  # type: ignore[call-overload]

        return "".join(f"{key} = {text(value)}\n" for key, value in asdict(self).items())


HEADER = "# Measured on the built networks by `cnnzoo measure --write`. Do not edit.\n"


@cache
def recorded() -> dict[str, Facts]:
    """Key -> facts; the key of a form is ``form_key(name, options)``."""
    text = files("cnnzoo.catalogue").joinpath("facts.toml").read_text(encoding="utf-8")
    names = {field.name for field in fields(Facts)}
    found = {}
    for key, row in tomllib.loads(text).items():
        row["input_shape"] = tuple(row["input_shape"])
        found[key] = Facts(**{name: row[name] for name in names})
    return found


def form_key(name: str, options: dict[str, bool | str]) -> str:
    """``("resnet50", {"variant": "v1.5"})`` -> ``"resnet50 variant=v1.5"``."""
    return " ".join([name, *(f"{option}={value}" for option, value in sorted(options.items()))])
