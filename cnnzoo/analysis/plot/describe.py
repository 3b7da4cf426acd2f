"""What the box of a layer says, as papers write it: ``3×3, 64 /2``."""

from __future__ import annotations

import re
from typing import Any

from keras import layers

from cnnzoo.analysis import costs
from cnnzoo.analysis.graph import Step
from cnnzoo.analysis.plot.structure import Label

# Layers that a drawing of blocks leaves out.
MINOR = (
    layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Softmax,
    layers.BatchNormalization, layers.Dropout, layers.SpatialDropout2D, layers.GaussianNoise,
    layers.ZeroPadding2D, layers.Flatten, layers.Reshape, layers.Identity, layers.Rescaling,
)  # fmt: skip
GLOBAL = {
    layers.GlobalAveragePooling2D: "global average",
    layers.GlobalMaxPooling2D: "global max",
}
POOLING = {layers.MaxPooling2D: "max", layers.AveragePooling2D: "average"}


def describe(step: Step) -> Label | None:
    """The label of a step; ``None`` for what is not drawn."""
    layer = step.layer
    if isinstance(layer, MINOR):
        return None
    if isinstance(layer, layers.InputLayer):
        return Label("other", "image" if len(step.outputs[0]) == 4 else "input")
    if isinstance(layer, layers.Dense):
        return Label("dense", f"dense {layer.units}")
    for kind, name in GLOBAL.items():
        if isinstance(layer, kind):
            return Label("pool", name)
    for kind, name in POOLING.items():
        if isinstance(layer, kind):
            return Label("pool", f"{_sides(layer.pool_size)} {name}{_stride(layer)}")
    if isinstance(layer, costs.WEIGHTED):
        return Label("conv", _convolution(layer))
    return Label("other", _words(type(layer).__name__))


def leads(step: Step) -> bool:
    """Whether a layer that is not drawn prepares the next one: zeros around the image."""
    return isinstance(step.layer, layers.ZeroPadding2D)


def join(step: Step) -> str:
    """How branches come together: ``+``, ``concat``, or the layer's name."""
    name = type(step.layer).__name__
    if name.endswith("Add"):
        return "+"
    return "concat" if name.startswith("Concat") else _words(name)


def _convolution(layer: Any) -> str:
    text = _sides(layer.kernel_size)
    if isinstance(layer, costs.DEPTHWISE):
        return f"{text} depthwise{_stride(layer)}"
    if isinstance(layer, costs.SEPARABLE):
        text += " separable"
    if isinstance(layer, costs.TRANSPOSED):
        text += " transposed"
    text += f", {layer.filters}{_stride(layer)}"
    groups = getattr(layer, "groups", 1)
    return f"{text}, {groups} groups" if groups > 1 else text


def _sides(sizes: Any) -> str:
    return "×".join(map(str, sizes)) if isinstance(sizes, tuple | list) else f"{sizes}×{sizes}"


def _stride(layer: Any) -> str:
    strides = layer.strides if isinstance(layer.strides, tuple | list) else (layer.strides,)
    return f" /{max(strides)}" if max(strides) > 1 else ""


def _words(name: str) -> str:
    """``LocalResponseNormalization`` -> ``local response normalization``."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name.removesuffix("2D"))
    return spaced.replace("_", " ").lower()
