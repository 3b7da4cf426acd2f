"""The arguments of ``build``, checked before any of them reaches a graph."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Iterable
from typing import Any

import keras

from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.spec import Choice, ModelSpec
from cnnzoo.errors import UsageError
from cnnzoo.lookup import did_you_mean, pick

Shape = tuple[int | None, ...]


def preprocessing(value: object) -> str | None:
    """The name of a preprocessing if ``value`` is one, ``None`` for true and false."""
    if isinstance(value, str):
        return pick(PREPROCESSING, value, kind="preprocessing").name
    check_flag("include_preprocessing", value)
    return None


def check_flag(name: str, value: object) -> None:
    """Refuse what is merely truthy: ``"no"`` is."""
    if not isinstance(value, bool):
        raise UsageError(f"{name}={value!r} is neither True nor False.")


def check_name(name: object) -> None:
    if name is not None and (not isinstance(name, str) or not name or "/" in name):
        raise UsageError(f"name={name!r} cannot be a model's name; use text without '/'.")


def class_count(num_classes: Any, classes: Any, include_top: bool, limit: int) -> int | None:
    """The number of outputs asked for under either name, ``None`` if neither is given."""
    if num_classes is not None and classes is not None:
        raise UsageError(
            f"num_classes={num_classes!r} and classes={classes!r} are two names of one argument. "
            "Give one of them."
        )
    name, count = ("num_classes", num_classes) if classes is None else ("classes", classes)
    if count is None:
        return None
    if not include_top:
        raise UsageError(
            f"{name}={count!r} has no meaning with include_top=False: the network ends before "
            "its classifier. Leave it out."
        )
    if not _is_positive_integer(count):
        raise UsageError(f"{name}={count!r} is not a number of classes. Use a whole number from 1.")
    if count > limit:
        gigabytes = int(count) * 4096 * 4 / 1e9
        raise UsageError(
            f"{name}={count} is more than {limit:,}: the last layer alone could take "
            f"{gigabytes:,.0f} GB. Use fewer classes, or include_top=False and a head of your own."
        )
    return int(count)


def check_pooling(pooling: object, include_top: bool, known: Iterable[str]) -> None:
    if pooling is None:
        return
    if not isinstance(pooling, str) or pooling not in known:
        raise UsageError(
            f"pooling={pooling!r} is unknown.{did_you_mean(pooling, known)} "
            "Use None, 'avg' or 'max'."
        )
    if include_top:
        raise UsageError(
            f"pooling={pooling!r} only acts with include_top=False: the classifier pools already. "
            "Leave it out, or pass include_top=False."
        )


def activation(value: str | Callable[..., Any] | None, include_top: bool) -> Callable[..., Any]:
    """The function behind ``classifier_activation``."""
    if not include_top and value not in ("softmax", None):
        raise UsageError(
            f"classifier_activation={value!r} has no meaning with include_top=False: the network "
            "ends before its classifier. Leave it out."
        )
    if value is not None and not isinstance(value, str) and not callable(value):
        raise UsageError(f"classifier_activation={value!r} is neither a name, a function nor None.")
    try:
        function: Callable[..., Any] = keras.activations.get(value)
    except ValueError as error:
        known = ["softmax", "sigmoid", "log_softmax", "linear", "relu", "tanh"]
        raise UsageError(
            f"classifier_activation={value!r} is not an activation of Keras."
            f"{did_you_mean(value, known)} Common ones: {', '.join(known)}; None for logits."
        ) from error
    return function


def smaller_forms(spec: ModelSpec, choices: dict[str, Choice]) -> str:
    """`` Or pass padding='same' for 28.`` where another form of the network takes less."""
    now = spec.min_size_for(choices)
    forms = [
        f"{option.name}={choice.value!r} for {choice.min_size}"
        for option in spec.options
        for choice in option.choices
        if choice.min_size is not None and choice.min_size < now
    ]
    return f" Or pass {' or '.join(forms)}." if forms else ""


def image_shape(
    input_shape: Any,
    input_tensor: Any,
    *,
    default: tuple[int, int, int],
    min_size: int,
    known_size: bool,
    network: str,
    smaller: str,
) -> Shape:
    """The shape of one image, in the order of Keras' data format.

    Args:
        default: Height, width, channels when nothing is asked for.
        known_size: Whether height and width must be numbers.
    """
    last = keras.config.image_data_format() == "channels_last"
    order = "(height, width, channels)" if last else "(channels, height, width)"
    if input_tensor is not None:
        input_shape = _tensor_shape(input_tensor, input_shape, order)
    if input_shape is None:
        return default if last else (default[2], *default[:2])
    if not isinstance(input_shape, (tuple, list)) or len(input_shape) != 3:
        raise UsageError(
            f"input_shape={input_shape!r} is not the shape of one image. Use {order}, "
            f"for example {default if last else (default[2], *default[:2])}."
        )
    for size in input_shape:
        if size is not None and not _is_positive_integer(size):
            raise UsageError(
                f"input_shape={input_shape!r}: {size!r} is not a number of pixels or channels. "
                f"Use whole numbers from 1 as {order}."
            )
    shape = tuple(None if size is None else int(size) for size in input_shape)
    height, width, channels = shape if last else (*shape[1:], shape[0])
    if channels is None:
        raise UsageError(
            f"input_shape={input_shape!r} leaves the channels open; the first convolution needs "
            f"their number. Use {order}."
        )
    if known_size and (height is None or width is None):
        raise UsageError(
            f"input_shape={input_shape!r} leaves height or width open, but the classifier of "
            f"{network} needs them. Give both, or pass include_top=False."
        )
    for side, size in (("height", height), ("width", width)):
        if size is not None and size < min_size:
            turned = (
                " Are the channels in the wrong place?" if min_size > size and size <= 4 else ""
            )
            raise UsageError(
                f"input_shape={input_shape!r}: a {side} of {size} pixels is below {min_size}, the "
                f"least that {network} can take.{turned} Use {order} with at least "
                f"{min_size} pixels.{smaller}"
            )
    return shape


def _tensor_shape(tensor: Any, input_shape: Any, order: str) -> Shape:
    """The shape of one image of ``input_tensor``; it must not contradict ``input_shape``."""
    if not isinstance(tensor, keras.KerasTensor):
        raise UsageError(
            f"input_tensor is a {type(tensor).__name__}, not a Keras tensor. "
            "Make one with keras.Input((height, width, channels))."
        )
    if len(tensor.shape) != 4:
        raise UsageError(
            f"input_tensor of shape {tensor.shape} is not a batch of images. Use (None, *{order})."
        )
    shape = tuple(tensor.shape[1:])
    if input_shape is not None and tuple(input_shape) != shape:
        raise UsageError(
            f"input_shape={tuple(input_shape)!r} contradicts input_tensor, whose images are "
            f"{shape!r}. Give one of the two."
        )
    return shape


def _is_positive_integer(value: object) -> bool:
    """Whole numbers of NumPy are welcome, truth values are not numbers."""
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        return False
    return int(value) > 0
