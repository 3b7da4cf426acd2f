"""A new head on the trunk of any network."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import keras
from keras import layers

from cnnzoo import arguments
from cnnzoo.builder import MAX_CLASSES
from cnnzoo.errors import UsageError
from cnnzoo.lookup import did_you_mean
from cnnzoo.models import heads
from cnnzoo.training.trunk import before, check_model, trunk_end

HEADS = ("gap", "flatten", "mlp")
log = logging.getLogger("cnnzoo")


def add_head(
    model: keras.Model,
    num_classes: int,
    head: str = "gap",
    *,
    dropout: float = 0.2,
    hidden: int = 256,
    classifier_activation: str | Callable[..., Any] | None = "softmax",
) -> keras.Model:
    """``(N, height, width, channels) -> (N, num_classes)``: the trunk of a network, a new head.

    An old head is left out: the global pooling or flattening that the output is computed by, all
    behind it, and auxiliary outputs. A network without one keeps all its layers. The graph stays
    flat, and the trunk is that of ``model``, not a copy: training one trains the other. What is
    frozen stays frozen.

    Args:
        model: A network of the zoo or any functional Keras model.
        num_classes: Outputs of the new classifier.
        head: ``"gap"``: global average pooling; ``"flatten"``: all places of the last feature map
            side by side; ``"mlp"``: global average pooling and a hidden layer. Each ends in
            dropout and a dense layer. A model that already gives vectors is not pooled.
        dropout: Share of the features left out while training; 0 for no such layer.
        hidden: Units of the hidden layer of ``"mlp"``, with ReLU.
        classifier_activation: Of the last layer; ``None`` gives logits.

    Returns:
        A model with the name and the inputs of ``model``. New layers are called ``head_pool``,
        ``head_flatten``, ``head_hidden``, ``head_dropout`` and ``predictions``.

    Raises:
        UsageError: An argument cannot work; ``model`` is untouched.
    """
    check_model(model)
    _check(head, dropout, hidden)
    count = arguments.class_count(num_classes, None, True, MAX_CLASSES)
    if count is None:
        raise UsageError("num_classes=None: a new head needs to know its number of classes.")
    activation = arguments.activation(classifier_activation, True)
    features = trunk_end(model)
    trunk = before(model, features)
    _check_features(model, features, trunk, head)
    x = features
    if len(x.shape) == 4 and head == "flatten":
        x = layers.Flatten(name="head_flatten")(x)
    elif len(x.shape) == 4:
        x = layers.GlobalAveragePooling2D(name="head_pool")(x)
    if head == "mlp":
        x = layers.Dense(hidden, activation="relu", name="head_hidden")(x)
    if dropout:
        x = layers.Dropout(dropout, name="head_dropout")(x)
    classify: Any = heads.classify
    # Fed as before: one tensor, a list or a dict; a sequential model does not tell.
    inputs = model.inputs[0] if isinstance(model, keras.Sequential) else model.input
    result = keras.Model(inputs, classify(x, count, activation), name=model.name)
    dropped = [layer.name for layer in model.layers if layer not in trunk]
    log.info(
        "%s: head %r for %d classes on %s %s%s",
        model.name,
        head,
        count,
        trunk[-1].name,
        tuple(features.shape[1:]),
        f", in place of {', '.join(dropped)}" if dropped else "",
    )
    return result


def _check(head: object, dropout: object, hidden: object) -> None:
    if head not in HEADS:
        raise UsageError(
            f"head={head!r} is unknown.{did_you_mean(head, HEADS)} Use one of: {', '.join(HEADS)}."
        )
    number = isinstance(dropout, int | float) and not isinstance(dropout, bool)
    if not number or not 0 <= dropout < 1:  # type: ignore[operator]
        raise UsageError(f"dropout={dropout!r} is no share of the features. Use 0 to below 1.")
    if isinstance(hidden, bool) or not isinstance(hidden, int) or hidden < 1:
        raise UsageError(f"hidden={hidden!r} is not a number of units. Use a whole number from 1.")


def _check_features(model: keras.Model, features: Any, trunk: list[Any], head: str) -> None:
    """Refuse what no head can stand on."""
    shape = tuple(features.shape)
    if len(shape) not in (2, 4):
        raise UsageError(
            f"{model.name!r} ends in {shape[1:]} for one image: neither a feature map (height, "
            "width, filters) nor a vector. Cut it where it has one: keras.Model(model.inputs, "
            "model.get_layer(name).output)."
        )
    if None in shape[1:] and (head == "flatten" or len(shape) == 2):
        raise UsageError(
            f"head={head!r} of {model.name!r} needs to know height and width, and its feature map "
            f"is {shape[1:]}. Build it with input_shape=(height, width, channels), or use "
            "head='gap'."
        )
    if taken := {layer.name for layer in trunk} & _NAMES:
        raise UsageError(
            f"{model.name!r} has no pooling to cut at and a layer called {min(taken)!r}, as the "
            "new head would. Cut its head off: keras.Model(model.inputs, "
            "model.get_layer(name).output)."
        )


_NAMES = {"head_pool", "head_flatten", "head_hidden", "head_dropout", "predictions"}
