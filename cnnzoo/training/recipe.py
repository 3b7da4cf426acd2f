"""How a network is fine-tuned: every setting, checked before anything heavy is touched."""

from __future__ import annotations

import math
import numbers
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import UsageError
from cnnzoo.lookup import pick

# Keras' name -> learning rate to start from. Adadelta was published with 1.0, which is also what
# `keras.optimizers.Adadelta()` meant before Keras 3 made its default 0.001.
LEARNING_RATES = {"adam": 2e-3, "adamw": 2e-3, "sgd": 0.05, "rmsprop": 1e-3, "adadelta": 1.0}
AUGMENTATIONS = ("auto", "none", "strokes", "photos")
IMAGES_SHOWN = 650_000  # what the default number of epochs aims at
EPOCHS = (12, 60)  # the least and the most it chooses


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The settings of one run; ``None`` and ``"auto"`` wait for the data.

    Attributes:
        input_shape: Height, width, channels of the network.
        learning_rate: At the start; it falls to 0 along a cosine.
        validation_fraction: Share of the training part that chooses the best epoch.
    """

    network: str
    options: Mapping[str, Any]
    weights: str | None
    input_shape: tuple[int, int, int]
    epochs: int | None
    batch_size: int
    optimizer: str
    learning_rate: float
    augment: str
    validation_fraction: float
    seed: int

    def for_data(self, images: int, channels: int) -> Recipe:
        """Fill in what depends on the data: the epochs and the augmentation.

        Args:
            images: How many the training part has, validation included.
            channels: 1 if they are all grey, else 3.

        Raises:
            UsageError: A batch would be larger than the training part.
        """
        if self.batch_size > images:
            raise UsageError(
                f"batch_size={self.batch_size} is more than the {images} training images. "
                f"Use {images} or less."
            )
        least, most = EPOCHS
        epochs = self.epochs or min(most, max(least, round(IMAGES_SHOWN / images)))
        augment = self.augment
        if augment == "auto":
            augment = "strokes" if channels == 1 else "photos"
        return replace(self, epochs=epochs, augment=augment)

    def command(self, data: str) -> str:
        """What to type to do it again, every setting spelt out."""
        words = ["cnnzoo", "finetune", self.network, "--data", data]
        for name, value in self.options.items():
            words += [
                "--option",
                f"{name}={str(value).lower() if value in (True, False) else value}",
            ]
        words += ["--input-shape", ",".join(map(str, self.input_shape))]
        for name in ("weights", *_SPELT_OUT):
            if (value := getattr(self, name)) is not None:
                words += [f"--{name.replace('_', '-')}", str(value)]
        return shlex.join(words)


_SPELT_OUT = (
    "epochs",
    "batch_size",
    "optimizer",
    "learning_rate",
    "augment",
    "validation_fraction",
    "seed",
)


def check_recipe(
    architecture: str,
    *,
    epochs: int | None = None,
    seed: int = 0,
    weights: str | None = None,
    batch_size: int = 32,
    learning_rate: float | None = None,
    validation_fraction: float = 0.1,
    augment: str = "auto",
    input_shape: tuple[int, int, int] | None = None,
    optimizer: str = "adam",
    **options: Any,
) -> Recipe:
    """The arguments of ``fine_tune`` as a recipe.

    Raises:
        UnknownNameError: No network, optimizer or augmentation is called so.
        UnknownOptionError: The network has no such option.
        UsageError: An argument cannot work; the message names what would.
    """
    spec = get_spec(architecture)
    choices = spec.choose(options)
    if options.get("aux"):
        raise UsageError(
            f"aux=True gives {spec.name} several outputs; fine_tune trains one. Leave it out."
        )
    optimizer = pick({name: name for name in LEARNING_RATES}, optimizer, kind="optimizer")
    if learning_rate is None:
        learning_rate = LEARNING_RATES[optimizer] / (1 if weights is None else 10)
    shape = spec.shape_for(choices) if input_shape is None else input_shape
    return Recipe(
        network=spec.name,
        options=options,
        weights=weights,
        input_shape=_checked_shape(shape, spec, spec.min_size_for(choices)),
        epochs=None if epochs is None else _whole("epochs", epochs, least=1),
        batch_size=_whole("batch_size", batch_size, least=1),
        optimizer=optimizer,
        learning_rate=_between("learning_rate", learning_rate, math.inf),
        augment=pick({name: name for name in AUGMENTATIONS}, augment, kind="augmentation"),
        validation_fraction=_between("validation_fraction", validation_fraction, 1),
        seed=_whole("seed", seed, least=0, most=2**32 - 1),
    )


def _whole(name: str, value: Any, least: int, most: int | None = None) -> int:
    """``value`` as a whole number within bounds, both included."""
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        upper = "" if most is None else f" to {most}"
        raise UsageError(f"{name}={value!r} cannot be. Use a whole number from {least}{upper}.")
    return int(value)


def _between(name: str, value: Any, below: float) -> float:
    """``value`` as a number above 0 and below ``below``."""
    number = isinstance(value, numbers.Real) and not isinstance(value, bool)
    if not number or not 0 < value < below:
        upper = "" if below == math.inf else f" and below {below:g}"
        raise UsageError(f"{name}={value!r} cannot be. Use a finite number above 0{upper}.")
    return float(value)


def _checked_shape(shape: Any, spec: ModelSpec, min_size: int) -> tuple[int, int, int]:
    usual = spec.input_shape
    if not isinstance(shape, (tuple, list)) or len(shape) != 3:
        raise UsageError(
            f"input_shape={shape!r} is not the shape of one image. "
            f"Use (height, width, channels), for example {usual}."
        )
    if any(isinstance(n, bool) or not isinstance(n, numbers.Integral) or n < 1 for n in shape):
        raise UsageError(
            f"input_shape={shape!r} cannot be. Use whole numbers from 1 as "
            f"(height, width, channels), for example {usual}."
        )
    height, width, channels = map(int, shape)
    if channels not in (1, 3):
        raise UsageError(
            f"input_shape={shape!r}: images have 1 channel (grey) or 3 (RGB), not {channels}. "
            f"Use (height, width, channels), for example {usual}."
        )
    if min(height, width) < min_size:
        raise UsageError(
            f"input_shape={shape!r} is too small: {spec.name} needs at least "
            f"{min_size} x {min_size} pixels. Images are resized to it, so any data will do."
        )
    return height, width, channels
