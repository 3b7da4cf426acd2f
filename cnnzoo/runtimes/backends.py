"""Keras itself as a runtime: from a model to a function from pixels to answers, both NumPy."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import UsageError

Run = Callable[[NDArray[np.float32]], Any]


def compiled(model: keras.Model, graph: Any = None) -> Run:
    """What the backend compiles the network to, called without Keras' loop around it.

    ``tf.function``, ``jax.jit``, or torch as it is in inference mode.

    Args:
        graph: What `graph_of` drew, if it did; drawing it takes longer than many answers.

    Raises:
        UsageError: The backend is none of these.
    """
    backend = keras.backend.backend()
    if backend not in FORMS:
        raise UsageError(
            f"The runtime 'keras' is not known for the backend {backend!r}. Use one of: "
            f"{', '.join(FORMS)}, or the runtime 'predict'."
        )
    forward = FORMS[backend](model) if graph is None else _tensorflow(model, graph)
    dtype = model.inputs[0].dtype

    def run(pixels: NDArray[np.float32]) -> Any:
        return _to_numpy(forward(keras.ops.convert_to_tensor(pixels, dtype)))

    return run


def graph_of(model: keras.Model) -> Any:
    """What TensorFlow draws of the network, for any number of images; None on other backends."""
    if keras.backend.backend() != "tensorflow":
        return None
    tensorflow = import_module("tensorflow")
    (image,) = model.inputs
    traced = tensorflow.function(lambda images: model(images, training=False))
    # For any number of images at once, and now: TensorFlow warns of functions traced one by one.
    return traced.get_concrete_function(tensorflow.TensorSpec(image.shape, image.dtype))


def predict(model: keras.Model) -> Run:
    """``model.predict``, which most people call, with the whole batch as one batch."""
    if not model.compiled:  # its own compiled function, not one that has seen other batches
        model = keras.Model(model.inputs, model.outputs)
    return lambda pixels: model.predict(pixels, batch_size=len(pixels), verbose=0)


def called(model: keras.Model) -> Run:
    """The model layer by layer: slower, but nothing is compiled before the first answer."""
    return lambda pixels: _to_numpy(model(pixels, training=False))


def in_bfloat16(model: keras.Model) -> keras.Model:
    """A copy that computes in bfloat16, its last layer in float32, with the same weights."""
    last = {output._keras_history.operation for output in model.outputs}

    def again(layer: Any) -> Any:
        if isinstance(layer, keras.layers.InputLayer):
            return layer.__class__.from_config(layer.get_config())
        policy = "float32" if layer in last else "mixed_bfloat16"
        return layer.__class__.from_config({**layer.get_config(), "dtype": policy})

    copy = keras.models.clone_model(model, clone_function=again)
    copy.set_weights(model.get_weights())
    return copy


def _to_numpy(answer: Any) -> Any:
    return keras.tree.map_structure(keras.ops.convert_to_numpy, answer)  # waits for a GPU


def _tensorflow(model: keras.Model, graph: Any = None) -> Callable[[Any], Any]:
    forward = graph_of(model) if graph is None else graph

    def run(images: Any, weights: Any = model) -> Any:  # which TensorFlow itself does not hold
        return forward(images)

    return run


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


FORMS: dict[str, Callable[[keras.Model], Callable[[Any], Any]]] = {
    "tensorflow": _tensorflow,
    "jax": _jax,
    "torch": _torch,
}
