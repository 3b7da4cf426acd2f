"""What of a layer decides what it computes, in the words of papers.

Not among it: names, values and initialisation of weights, regularisation, number types, and how
fast batch normalisation follows its batches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keras import layers

from cnnzoo.analysis import costs
from cnnzoo.analysis.graph import Step
from cnnzoo.analysis.stages import image_size

IGNORED = frozenset(
    {
        "name", "trainable", "dtype", "data_format", "activation", "padding", "momentum",
        "seed", "noise_shape", "synchronized", "autocast", "build_config", "registered_name",
        "renorm", "renorm_clipping", "renorm_momentum", "quantization_config", "lora_rank",
        "lora_alpha",
    }
)  # fmt: skip
IGNORED_ENDS = ("_initializer", "_regularizer", "_constraint")
WORDS = {
    "kernel_size": "kernel", "strides": "stride", "use_bias": "bias", "dilation_rate": "dilation",
    "pool_size": "window", "depth_multiplier": "depth multiplier",
}  # fmt: skip
STEPS = {"stride", "dilation"}
FOLLOWERS = {layers.BatchNormalization: "batch norm", layers.Dropout: "dropout"}
PLAIN = {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}  # of an ordinary ReLU


@dataclass(frozen=True, slots=True)
class Padding:
    """Rows and columns of zeros around what a window sees.

    Attributes:
        rule: How they were asked for: ``same``, ``valid``, or the layers that add them.
        text: How many there are: ``1``, ``0 before and 1 after``; the rule where that is unknown.
    """

    rule: str
    text: str


def settings(step: Step) -> tuple[tuple[str, str], ...]:
    """Name and value of everything that two layers of a kind can differ in, padding apart."""
    if isinstance(step.layer, layers.InputLayer):
        return (("shape", " × ".join("?" if n is None else str(n) for n in step.outputs[0][1:])),)
    return _words(step)


def follower(step: Step) -> tuple[str, str]:
    """A layer that goes with another one: what it is, and how it is set."""
    layer = step.layer
    if isinstance(layer, layers.Activation):
        return "activation", layer.activation.__name__
    if isinstance(layer, layers.ReLU) and PLAIN.items() >= _config(layer).items():
        return "activation", "relu"
    if isinstance(layer, layers.Softmax):
        return "activation", "softmax"
    name = next((word for kind, word in FOLLOWERS.items() if isinstance(layer, kind)), None)
    pairs = _words(step)
    text = pairs[0][1] if len(pairs) == 1 else ", ".join(f"{key} {value}" for key, value in pairs)
    return name or type(layer).__name__, text


def padding(step: Step, before: Sequence[Any]) -> Padding | None:
    """The padding of a layer with a window, given the layers of zeros before it."""
    rule = getattr(step.layer, "padding", None)
    if not isinstance(rule, str):
        return None
    zeros = [sides for layer in before for sides in [layer.padding]]
    rule = f"{rule}, zeros {zeros}" if zeros else rule
    around = [_around(step, axis, zeros) for axis in (0, 1)]
    if None in around:
        return Padding(rule, rule)
    texts = [f"{a}" if a == b else f"{a} before and {b} after" for a, b in filter(None, around)]
    text = " by ".join(dict.fromkeys(texts))
    # A pooling leaves out what it pads itself, and takes zeros for values.
    return Padding(rule, f"{text} of zeros" if zeros and _pools(step) else text)


def _pools(step: Step) -> bool:
    return isinstance(step.layer, costs.POOLINGS)


def _around(step: Step, axis: int, zeros: Sequence[Any]) -> tuple[int, int] | None:
    """Zeros before and after along one axis; ``None`` where that is unknown."""
    given, made = (image_size(shapes[0]) for shapes in (step.inputs, step.outputs))
    before, after = (given or (None, None))[axis], (made or (None, None))[axis]
    if before is None or after is None or isinstance(step.layer, costs.TRANSPOSED):
        return None
    window, total = costs.window(step.layer), 0
    if step.layer.padding == "same":
        total = max(0, round((after - 1) * window.stride[axis]) + window.kernel[axis] - before)
    first = sum(sides[axis][0] for sides in zeros) + total // 2
    last = sum(sides[axis][1] for sides in zeros) + total - total // 2
    return first, last


def _config(layer: Any) -> dict[str, Any]:
    """The layer's settings as Keras keeps them; none where it keeps none."""
    try:
        config = layer.get_config()
    except NotImplementedError:  # a user's layer without get_config
        return {}
    return {
        key: value
        for key, value in config.items()
        if key not in IGNORED and not key.endswith(IGNORED_ENDS)
    }


def _words(step: Step) -> tuple[tuple[str, str], ...]:
    config, rank = _config(step.layer), len(step.outputs[0])
    if isinstance(axis := config.get("axis"), int):
        config["axis"] = axis - rank if axis > 0 else axis  # counted from the last
    found = {WORDS.get(k, k.replace("_", " ")): _text(v) for k, v in config.items()}
    for name in STEPS & found.keys():  # 2×2 is written 2, as papers do
        sides = set(found[name].split("×"))
        found[name] = sides.pop() if len(sides) == 1 else found[name]
    return tuple(found.items())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple | list) and value and all(isinstance(n, int) for n in value):
        return "×".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
