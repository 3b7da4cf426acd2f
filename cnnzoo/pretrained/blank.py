"""Networks about to be filled: their variables hold nothing yet, so no random number is drawn.

Drawing the weights of VGG16 takes longer than reading them. What a file does not bring is drawn
after all, by the initialiser the layer was made with: layers and configurations stay as they are.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.pretrained.readers.tensor import aligned, is_aligned

# The id of a variable -> the initialiser that was not called.
Initializers = dict[int, Callable[..., Any]]

_one_at_a_time = threading.RLock()


@contextlib.contextmanager
def blank_variables() -> Iterator[Initializers]:
    """Layers that this thread builds get variables without numbers; how to get some is noted.

    Whoever enters must give every variable noted either the numbers of a file or those of `draw`.
    """
    pending: Initializers = {}
    thread = threading.get_ident()
    with _one_at_a_time:
        original = keras.layers.Layer.add_weight

        def add_weight(layer: Any, *arguments: Any, **named: Any) -> Any:
            initializer = named.get("initializer")
            if threading.get_ident() != thread or not callable(initializer):
                return original(layer, *arguments, **named)
            variable = original(layer, *arguments, **named | {"initializer": _nothing})
            pending[id(variable)] = initializer
            return variable

        keras.layers.Layer.add_weight = add_weight
        try:
            yield pending
        finally:
            keras.layers.Layer.add_weight = original


def draw(variable: Any, pending: Initializers) -> None:
    """Give a blank variable the numbers its layer would have started with."""
    initializer = pending.pop(id(variable))
    variable.assign(initializer(tuple(variable.shape), dtype=variable.dtype))


def hand_over(variable: Any, values: NDArray[np.float32]) -> None:
    """Let a variable hold ``values``, whose memory nobody may use any more.

    TensorFlow, which would copy them twice, takes the memory itself. It has to begin where those
    of TensorFlow begin: otherwise the process would die in the first convolution.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        if not (is_aligned(values) and values.flags.c_contiguous and values.flags.writeable):
            own = aligned(values.shape, values.dtype)
            own[...] = values
            values = own
        values = tf.experimental.dlpack.from_dlpack(values.__dlpack__())
    variable.assign(values)


def _nothing(shape: tuple[int, ...], dtype: str | None = None) -> Any:
    """Memory that the system has promised, but need not find before it is written to."""
    if keras.backend.backend() == "tensorflow":  # for which `empty` writes zeros
        import tensorflow as tf

        return tf.raw_ops.Empty(shape=shape, dtype=tf.as_dtype(dtype), init=False)
    return keras.ops.empty(shape, dtype)
