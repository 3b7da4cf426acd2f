"""Where a network looked: Grad-CAM, on any backend.

R. R. Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based
Localization", ICCV 2017, equations 1 and 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from PIL import Image

from cnnzoo.errors import UsageError
from cnnzoo.training.trunk import made_by, maker_of

# What only passes a feature map on: the map before it is finer, or says the same.
_PASSING = (
    layers.InputLayer,
    layers.MaxPooling2D,
    layers.AveragePooling2D,
    layers.Dropout,
    layers.SpatialDropout2D,
    layers.ZeroPadding2D,
)


def gradcam(
    model: keras.Model,
    images: np.ndarray,
    classes: Sequence[int] | np.ndarray | None = None,
    layer: str | None = None,
    *,
    batch_size: int = 16,
) -> np.ndarray:
    """(N, height, width, C) images -> (N, height, width) float32, 1 where most spoke for a class.

    A feature map counts by the mean gradient of the class's logit with respect to it (equation
    1); of their weighted sum what is above 0 is kept (equation 2), enlarged to the image and
    divided by its maximum. Where nothing spoke for the class the map is 0. The gradient is that
    of the logit, not of the probability, which vanishes where a network is sure. Where a layer
    that is not dense ends in the softmax, the mean of all logits is taken off.

    Args:
        model: A functional model with one input and one output (N, classes); if the output ends
            in a softmax, what enters it is the logit.
        images: As the model takes them; channels first under that data format of Keras.
        classes: One class number per image; what the network predicts unless given.
        layer: The feature map; unless given, the last one of more than 1 x 1 values through which
            everything passes, pooling and dropout left aside.
        batch_size: Images at once.

    Raises:
        UsageError: The model has no such layer, or none with a feature map that can be used.
    """
    first, last = _halves(model, layer)
    found = []
    for start in range(0, len(images), batch_size):
        batch = np.asarray(images[start : start + batch_size], "float32")
        asked = None if classes is None else np.asarray(classes)[start : start + batch_size]
        found.append(_maps(first, last, batch, asked))
    sides = images.shape[1:3] if _channels_last() else images.shape[2:4]
    maps = np.concatenate(found) if found else np.zeros((0, 1, 1), "float32")
    return _enlarged(maps, (sides[0], sides[1]))


def _halves(model: keras.Model, layer: str | None) -> tuple[keras.Model, keras.Model]:
    """The model as two: image -> feature map -> logits; weights are shared."""
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs or len(inputs) != 1 or len(outputs) != 1:
        raise UsageError(
            f"{model.name} is not a functional model with one input and one output; Grad-CAM "
            "needs its graph."
        )
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs)
    logits = _logits(model)
    for candidate in _candidates(model, layer):
        try:
            (features,) = made_by(model, candidate)
            return keras.Model(inputs[0], features), keras.Model(features, logits)
        except ValueError:  # the output can be reached around this layer
            continue
    which = "no feature map" if layer is None else f"{layer!r} is no layer of it"
    raise UsageError(
        f"{model.name}: {which} through which everything passes, so there is no Grad-CAM. "
        "Give layer= the name of a layer whose output is (N, height, width, filters)."
    )


def _candidates(model: keras.Model, layer: str | None) -> list[Any]:
    """The layers to try, the one nearest to the output first."""
    if layer is not None:
        named = [found for found in model.layers if found.name == layer]
        return [found for found in named if _sides(model, found) is not None]
    fitting = (found for found in model.layers if not isinstance(found, _PASSING))
    return [f for f in reversed(list(fitting)) if (_sides(model, f) or (1, 1)) != (1, 1)]


def _sides(model: keras.Model, layer: Any) -> tuple[int | None, int | None] | None:
    """Height and width of a layer's only output, None if that is no feature map."""
    made = made_by(model, layer)
    if len(made) != 1:  # several outputs, or called several times
        return None
    shape = made[0].shape
    if len(shape) != 4:
        return None
    return (shape[1], shape[2]) if _channels_last() else (shape[2], shape[3])


def _logits(model: keras.Model) -> Any:
    """The tensor before the softmax that ends the model; the output where none does."""
    last, (read, *_) = maker_of(model.outputs[0])
    if isinstance(last, layers.Softmax):
        return read
    if getattr(last, "activation", None) is not keras.activations.softmax:
        return model.outputs[0]
    linear = type(last).from_config({**last.get_config(), "activation": "linear"})
    logits = linear(read)
    linear.set_weights(last.get_weights())
    if isinstance(last, layers.Dense | layers.Activation):
        return logits
    # A softmax is blind to what all classes have in common, such as the squared length in the
    # distances to the codes of LeNet-5 of 1998, and so must be what stands for a class.
    return logits - keras.ops.mean(logits, axis=-1, keepdims=True)


def _maps(
    first: keras.Model, last: keras.Model, images: np.ndarray, classes: np.ndarray | None
) -> np.ndarray:
    """(N, h, w): equation 2 for one batch."""
    features = first(images, training=False)
    if classes is None:
        logits = keras.ops.convert_to_numpy(last(features, training=False))
        classes = logits.argmax(axis=-1)
    gradient = _numpy(_GRADIENTS[keras.config.backend()](last, features, np.asarray(classes)))
    values = _numpy(features)
    if not _channels_last():
        values, gradient = np.moveaxis(values, 1, -1), np.moveaxis(gradient, 1, -1)
    weights = gradient.mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.maximum((weights * values).sum(axis=-1), 0), "float32")


def _numpy(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor), "float32")


def _picked(logits: Any, classes: np.ndarray) -> Any:
    """The sum over the batch of the logit of each image's class; images do not mix."""
    chosen = keras.ops.one_hot(classes, logits.shape[-1], dtype=logits.dtype)
    return keras.ops.sum(logits * chosen)


def _tensorflow_gradient(last: keras.Model, features: Any, classes: np.ndarray) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(features)
        score = _picked(last(features, training=False), classes)
    return tape.gradient(score, features)


def _jax_gradient(last: keras.Model, features: Any, classes: np.ndarray) -> Any:
    import jax

    trainable = [variable.value for variable in last.trainable_variables]
    others = [variable.value for variable in last.non_trainable_variables]

    def score(values: Any) -> Any:
        logits, _ = last.stateless_call(trainable, others, values, training=False)
        return _picked(logits, classes)

    return jax.grad(score)(features)


def _torch_gradient(last: keras.Model, features: Any, classes: np.ndarray) -> Any:
    import torch

    with torch.enable_grad():
        values = features.detach().requires_grad_()
        score = _picked(last(values, training=False), classes)
        return torch.autograd.grad(score, values)[0]


_GRADIENTS = {
    "tensorflow": _tensorflow_gradient,
    "jax": _jax_gradient,
    "torch": _torch_gradient,
}


def _enlarged(maps: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
    """(N, h, w) from 0 -> (N, height, width) from 0 to 1, bilinear."""
    size = (sides[1], sides[0])
    large = np.zeros((len(maps), *sides), "float32")
    for row, values in enumerate(maps):
        if (most := values.max()) > 0:
            seen = Image.fromarray(values / most).resize(size, Image.Resampling.BILINEAR)
            large[row] = np.asarray(seen) / max(np.asarray(seen).max(), 1e-12)
    return large


def _channels_last() -> bool:
    return bool(keras.config.image_data_format() == "channels_last")
