"""Activation memory by arithmetic: what is held at once to infer, what is kept to train.

Counted in elements of one image; times batch size, times bytes of the dtype. The rules:

- Steps run in the order in which Keras calls them. A tensor is held from the step that makes it
  to the last that reads it; outputs of the model are held to the end.
- Nothing is computed in place and layers are not fused, so batch normalisation and ReLU make
  tensors of their own; an activation inside a layer (``Conv2D(..., activation="relu")``) does not.
- Flattening, reshaping and, to infer, dropout hand on the tensor they were given.
- To train, each layer keeps what its gradient is computed from: weighted layers and normalisation
  their input, activations their output, max pooling both, dropout its mask; sums, concatenation,
  padding and average pooling nothing. A layer of another kind is taken to keep input and output.
- Not counted: weights, their gradients and the optimizer's state, gradients of activations, the
  workspace of a convolution and whatever else a layer makes inside itself, but for the tensor
  between the two halves of a separable convolution.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any

import keras
from keras import layers

from cnnzoo.analysis import costs
from cnnzoo.analysis.graph import Step
from cnnzoo.models.layers import PixelNormalization, ScaledAdd

DROPOUTS = (
    layers.Dropout, layers.SpatialDropout1D, layers.SpatialDropout2D, layers.SpatialDropout3D,
    layers.GaussianDropout, layers.GaussianNoise, layers.AlphaDropout,
)  # fmt: skip
VIEWS = (layers.Flatten, layers.Reshape, layers.Identity, layers.ActivityRegularization)
NORMALIZATIONS = (
    layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization,
    layers.RMSNormalization,
)  # fmt: skip
ACTIVATIONS = (
    layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU, layers.Softmax,
)  # fmt: skip
# Their gradient needs neither input nor output.
LINEAR = (
    layers.InputLayer, layers.Add, layers.Subtract, layers.Average, layers.Concatenate,
    layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D,
    layers.Cropping1D, layers.Cropping2D, layers.Cropping3D,
    layers.AveragePooling1D, layers.AveragePooling2D, layers.AveragePooling3D,
    layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D, layers.GlobalAveragePooling3D,
    layers.Permute, layers.RepeatVector, layers.Rescaling, *costs.RESAMPLING, *VIEWS,
    ScaledAdd, PixelNormalization,
)  # fmt: skip


def elements(step: Step) -> int | None:
    """Numbers in the outputs of a step, for one image; ``None`` where a size is open."""
    sizes = [size for shape in step.outputs for size in shape[1:]]
    if None in sizes:
        return None
    return sum(prod(size or 0 for size in shape[1:]) for shape in step.outputs)


def held(walked: list[Step]) -> list[int | None]:
    """Elements held at the same time while each step works, to infer on one image."""
    sizes = _sizes(walked)
    if sizes is None:
        return [None] * len(walked)
    owners = _owners(walked, (*VIEWS, *DROPOUTS))
    ends = {owner: position for position, owner in enumerate(owners)}
    for position, step in enumerate(walked):
        for owner in (owners[parent] for parent in step.parents):
            ends[owner] = max(ends[owner], position)
    for position, step in enumerate(walked):
        if step.is_output:
            ends[owners[position]] = len(walked)
    found: list[int | None] = []
    now = 0
    for position, step in enumerate(walked):
        now += sizes[position] if owners[position] == position else 0
        found.append(now + costs.between(step))
        now -= sum(sizes[owner] for owner in set(owners) if ends[owner] == position)
    return found


def kept(walked: list[Step]) -> list[int | None]:
    """Elements of each step that training keeps until its backward pass, for one image."""
    sizes = _sizes(walked)
    if sizes is None:
        return [None] * len(walked)
    owners = _owners(walked, VIEWS)
    needed: set[int] = set()
    for position, step in enumerate(walked):
        reads, makes = _gradient_needs(step.layer)
        needed |= {owners[parent] for parent in step.parents if reads}
        needed |= {owners[position]} if makes or step.is_output else set()
    found: list[int | None] = []
    for position, step in enumerate(walked):
        mask = sizes[position] if isinstance(step.layer, DROPOUTS) else 0
        own = sizes[position] if position in needed else 0
        found.append(own + mask + costs.between(step))
    return found


def _gradient_needs(layer: Any) -> tuple[bool, bool]:
    """Whether the gradient of a layer is computed from its input, and from its output."""
    if isinstance(layer, (*LINEAR, *DROPOUTS)):
        return False, False
    if isinstance(layer, ACTIVATIONS):
        return False, True
    if isinstance(layer, NORMALIZATIONS):
        return True, False
    if isinstance(layer, costs.WEIGHTED):
        return True, layer.activation is not keras.activations.linear
    return True, True


def _sizes(walked: list[Step]) -> list[int] | None:
    sizes = [elements(step) for step in walked]
    return None if None in sizes else [size or 0 for size in sizes]


def _owners(walked: list[Step], views: tuple[type, ...]) -> list[int]:
    """The step that made each step's output; not itself where it hands on what it was given."""
    owners: list[int] = []
    for position, step in enumerate(walked):
        passes_on = isinstance(step.layer, views) and len(step.parents) == 1
        owners.append(owners[step.parents[0]] if passes_on else position)
    return owners


def largest(values: list[int | None]) -> int | None:
    """The peak; ``None`` where a size is open."""
    return None if None in values else max(_known(values))


def total(values: list[int | None]) -> int | None:
    """The sum; ``None`` where a size is open."""
    return None if None in values else sum(_known(values))


def _known(values: list[int | None]) -> Iterator[int]:
    return (value for value in values if value is not None)
