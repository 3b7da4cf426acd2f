"""A training step on TensorFlow's CPU, with the slow parts of Keras' own done another way.

`small_maps.py`, `norms.py` and `masks.py` change how three kinds of layers compute, `fused.py` how
an optimizer does. The layers stay Keras' plain ones: their names, weights and files are the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import keras

from cnnzoo import machine
from cnnzoo.training import masks, norms, small_maps

WAYS = tuple((module.gains, module.faster) for module in (small_maps, norms, masks))


@contextlib.contextmanager
def fast_steps(model: keras.Model) -> Iterator[None]:
    """Let what is traced inside take the faster way, layer by layer."""
    found = {}
    if on_tensorflows_cpu():
        found = {
            layer: faster(layer)
            for layer in model.layers
            for gains, faster in WAYS
            if gains(layer)
        }  # fmt: skip
    for layer, call in found.items():
        layer.call = call
    try:
        yield
    finally:
        for layer in found:
            del layer.call  # its class has one


def on_tensorflows_cpu() -> bool:
    """Whether the step is one of TensorFlow on a processor."""
    return keras.backend.backend() == "tensorflow" and not machine.hardware()["accelerators"]
