"""Keras weights in HDF5, all generations, under one way to name a tensor: ``layer/kernel``.

```text
Keras 1   /block1_conv1/block1_conv1_W_1:0, /bn_conv1/bn_conv1_running_std:0
Keras 2   /conv1_conv/conv1_conv/kernel:0
Keras 3   /conv1/conv1/kernel                        (save("model.h5"))
Keras 3   /layers/conv2d/vars/0                      (save_weights("model.weights.h5"))
```

A whole model keeps the same under ``/model_weights``. Up to Keras 2 the attributes ``layer_names``
and ``weight_names`` say what there is; groups are never iterated, because that is alphabetical.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import BinaryIO

from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.readers import hdf5
from cnnzoo.pretrained.readers.tensor import Tensor, Tensors

# What Keras 1 called them. Its "running_std" holds the variance.
_LEAVES = {
    "W": "kernel",
    "b": "bias",
    "running_mean": "moving_mean",
    "running_std": "moving_variance",
}
_NUMBERED = re.compile(
    r"(conv2d|depthwise_conv2d|separable_conv2d|batch_normalization|dense"
    r"|convolution2d|separableconvolution2d|batchnormalization)(?:_(\d+))?"
)
_NORMALIZATION = ("gamma", "beta", "moving_mean", "moving_variance")
_SEPARABLE = ("depthwise_kernel", "pointwise_kernel", "bias")
_PLAIN = ("kernel", "bias")


@contextlib.contextmanager
def tensors(file: BinaryIO, name: str) -> Iterator[Tensors]:
    """``layer/variable`` -> tensor, in the order of the file; layers nobody named count from 1.

    Raises:
        WeightsError: The file is damaged, unsafe, or no Keras file.
    """
    with hdf5.opened(file, name) as inside:
        for root in ("", "model_weights"):
            layers = inside.strings(root, "layer_names")
            if layers is not None:
                yield _by_attributes(inside, root, layers, name)
                return
        groups = inside.members("layers")
        if not groups:
            raise WeightsError(
                f"{name} is HDF5, but not of Keras: it has neither 'layer_names' nor /layers."
            )
        yield _by_variables(inside, groups, name)


def _by_attributes(inside: hdf5.Hdf5, root: str, layers: list[str], name: str) -> Tensors:
    """Keras 1 and 2, and what Keras 3 writes for old readers."""
    found: dict[str, Tensor] = {}
    for layer, known_as in zip(layers, renumbered(layers), strict=True):
        group = f"{root}/{layer}".removeprefix("/")
        for weight in inside.strings(group, "weight_names") or []:
            _add(found, f"{known_as}/{_leaf(layer, weight)}", inside.tensor(f"{group}/{weight}"))
    if not found:
        raise WeightsError(f"{name} holds layers, but no weights.")
    return found


def _by_variables(inside: hdf5.Hdf5, groups: list[str], name: str) -> Tensors:
    """Keras 3: variables by number; each group says what its layer was called."""
    named = []
    for group in groups:
        numbers = sorted(inside.members(f"layers/{group}/vars"), key=lambda n: (len(n), n))
        if numbers:
            layer = (inside.strings(f"layers/{group}/vars", "name") or [group])[0]
            named.append((layer, group, numbers))
    known = renumbered([layer for layer, _, _ in named])
    found: dict[str, Tensor] = {}
    for known_as, (_, group, numbers) in zip(known, named, strict=True):
        for number, leaf in zip(numbers, _leaves(group, numbers), strict=True):
            _add(found, f"{known_as}/{leaf}", inside.tensor(f"layers/{group}/vars/{number}"))
    if not found:
        raise WeightsError(f"{name} holds layers, but no weights.")
    return found


def renumbered(layers: list[str]) -> list[str]:
    """Count each kind of unnamed layer from 1.

    ``conv2d_95`` is called so because 94 others were made before it in the same process, and
    Keras 3 begins with ``conv2d``; what a file means is the order of the numbers.
    """
    numbers: dict[str, set[int]] = {}
    for layer in layers:
        if match := _NUMBERED.fullmatch(layer):
            numbers.setdefault(match[1], set()).add(int(match[2] or 0))
    ranks = {
        kind: {number: rank for rank, number in enumerate(sorted(used), start=1)}
        for kind, used in numbers.items()
    }
    return [
        f"{match[1]}_{ranks[match[1]][int(match[2] or 0)]}"
        if (match := _NUMBERED.fullmatch(layer))
        else layer
        for layer in layers
    ]


def _leaf(layer: str, weight: str) -> str:
    """``("fc1", "fc1_W_1:0")`` -> ``"kernel"``; ``("fc1", "fc1/kernel:0")`` -> ``"kernel"``."""
    last = weight.rpartition("/")[2].partition(":")[0]
    last = re.sub(r"_\d+$", "", last.removeprefix(f"{layer}_"))
    return _LEAVES.get(last, last)


def _leaves(group: str, numbers: list[str]) -> list[str]:
    """Names of a Keras 3 layer's variables, by the class its group is named after."""
    kind = re.sub(r"_\d+$", "", group)
    if kind == "batch_normalization":  # without scale there is no gamma, and it is the first
        return list(_NORMALIZATION[-len(numbers) :])
    names = _SEPARABLE if kind == "separable_conv2d" else _PLAIN
    plain = kind.endswith("conv2d") or kind == "dense"
    return list(names[: len(numbers)]) if plain else numbers


def _add(found: dict[str, Tensor], name: str, tensor: Tensor) -> None:
    if name in found:
        raise WeightsError(f"Two tensors of the file are called {name}.")
    found[name] = tensor
