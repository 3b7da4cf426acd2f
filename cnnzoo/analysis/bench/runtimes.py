"""Ways to run a network: from a Keras model to a function from pixels to answers, both NumPy."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import UsageError

Run = Callable[[NDArray[np.float32]], Any]


def compiled(model: keras.Model) -> Run:
    """What the backend compiles the network to, called without Keras' loop around it.

    ``tf.function``, ``jax.jit``, or torch as it is in inference mode.

    Raises:
        UsageError: The backend is none of these.
    """
    backend = keras.backend.backend()
    forms = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
    if backend not in forms:
        raise UsageError(
            f"The runtime 'keras' is not known for the backend {backend!r}. Use one of: "
            f"{', '.join(forms)}, or the runtime 'predict'."
        )
    forward = forms[backend](model)

    def run(pixels: NDArray[np.float32]) -> Any:
        answer = forward(keras.ops.convert_to_tensor(pixels))
        return keras.tree.map_structure(keras.ops.convert_to_numpy, answer)  # waits for a GPU

    return run


def predict(model: keras.Model) -> Run:
    """``model.predict``, which most people call, with the whole batch as one batch."""
    if not model.compiled:  # its own compiled function, not one that has seen other batches
        model = keras.Model(model.inputs, model.outputs)
    return lambda pixels: model.predict(pixels, batch_size=len(pixels), verbose=0)


def _tensorflow(model: keras.Model) -> Callable[[Any], Any]:
    forward: Callable[[Any], Any] = import_module("tensorflow").function(
        lambda images: model(images, training=False)
    )
    return forward


def _jax(model: keras.Model) -> Callable[[Any], Any]:
    trainable, rest = list(model.trainable_variables), list(model.non_trainable_variables)

    def stateless(trainable: Any, rest: Any, images: Any) -> Any:
        return model.stateless_call(trainable, rest, images, training=False)[0]

    # As arguments: what a jitted function closes over is compiled into it, every weight.
    # Read anew every time: model.predict gives the variables' memory to XLA and gets other memory.
    forward = import_module("jax").jit(stateless)
    return lambda images: forward([v.value for v in trainable], [v.value for v in rest], images)


def _torch(model: keras.Model) -> Callable[[Any], Any]:
    torch = import_module("torch")

    def forward(images: Any) -> Any:
        with torch.inference_mode():
            return model(images, training=False)

    return forward
