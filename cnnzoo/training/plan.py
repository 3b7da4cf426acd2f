"""One run, every setting of it, checked before anything heavy is touched."""

from __future__ import annotations

import logging
import numbers
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from cnnzoo.catalogue import augmentations
from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.recipes import ALIASES, BARE, SETTINGS, Recipe, all_recipes, get_recipe
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import UsageError
from cnnzoo.lookup import pick

log = logging.getLogger("cnnzoo")
IMAGES_SHOWN = 650_000  # what the number of epochs aims at unless it is given
EPOCHS = (12, 60)  # the least and the most it chooses
AUTO = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is trained, from what, and how; some of the recipe waits for the data.

    Attributes:
        input_shape: Height, width, channels of the network.
    """

    network: str
    options: Mapping[str, Any]
    weights: str | None
    input_shape: tuple[int, int, int]
    seed: int
    recipe: Recipe

    def for_data(self, images: int, channels: int, class_names: tuple[str, ...]) -> Plan:
        """Fill in what was open: the epochs, the augmentation, the learning rate, the precision.

        Args:
            images: How many the training part has, validation included.
            channels: 1 if they are all grey, else 3.

        Raises:
            UsageError: A batch would be larger than the training part, or grey digits mirrored.
        """
        recipe = self.recipe
        if recipe.batch_size > images:
            raise UsageError(
                f"batch_size={recipe.batch_size} is more than the {images} training images. "
                f"Use {images} or less."
            )
        least, most = EPOCHS
        epochs = recipe.epochs or min(most, max(least, round(IMAGES_SHOWN / images)))
        words = augmentations.expand(recipe.augment, channels, class_names)
        mirrors = [word for word in ("flip", "alternate") if word in words]
        if mirrors and augmentations.are_numbers(class_names):
            if channels == 1:
                raise UsageError(
                    f"Digits are never mirrored: leave {mirrors[0]!r} out of the augmentation."
                )
            log.warning(
                "The classes are called %s, …: if these are digits, leave %r out.",
                ", ".join(class_names[:3]), mirrors[0],
            )  # fmt: skip
        augmentations.parse(words)
        filled = replace(recipe, epochs=epochs, augment=words, learning_rate=recipe.rate)
        if recipe.precision == AUTO:
            from cnnzoo.machine import best_precision  # Keras, which a wrong word need not wait for

            filled = replace(filled, precision=best_precision())
        return replace(self, recipe=filled)

    def command(self, data: str) -> str:
        """What to type to do it again: the recipe by name, what differs from it spelt out."""
        words = ["cnnzoo", "finetune", self.network, "--data", data]
        for name, value in self.options.items():
            shown = str(value).lower() if isinstance(value, bool) else str(value)
            words += ["--option", f"{name}={shown}"]
        if self.weights is not None:
            words += ["--weights", self.weights]
        words += ["--input-shape", ",".join(map(str, self.input_shape))]
        named = all_recipes(self.network).get(self.recipe.name, BARE)
        words += ["--recipe", named.name]
        for name in SETTINGS:
            value = getattr(self.recipe, name)
            if value != getattr(named, name):
                shown = ", ".join(value) or "none" if name == "augment" else str(value)
                words += ["--set", f"{name}={shown}"]
        return shlex.join([*words, "--seed", str(self.seed)])

    def record(self) -> dict[str, Any]:
        """Plain values, for config.json; `from_record` reads them."""
        return asdict(self)


def from_record(record: Mapping[str, Any]) -> Plan:
    """The plan that `Plan.record` wrote.

    Raises:
        UsageError: It was written by a version that knew other settings.
    """
    recipe = dict(record["recipe"])
    known = {f.name for f in fields(Recipe)}
    if recipe.keys() != known:
        raise UsageError(
            "The run was started by another version of cnnzoo, whose recipes differ in: "
            f"{', '.join(sorted(recipe.keys() ^ known))}. Take it up with that version."
        )
    recipe["augment"] = tuple(recipe["augment"])
    shape = tuple(record["input_shape"])
    return Plan(**{**record, "recipe": Recipe(**recipe), "input_shape": shape})


def make_plan(
    architecture: str,
    *,
    recipe: str | Recipe = AUTO,
    settings: Mapping[str, Any] | None = None,
    weights: str | None = None,
    input_shape: tuple[int, int, int] | None = None,
    seed: int = 0,
    **options: Any,
) -> Plan:
    """The arguments of ``fine_tune`` as a plan.

    Args:
        recipe: A name, or "auto": "scratch" without weights and "transfer" with them.
        settings: Fields of the recipe to change.

    Raises:
        UnknownNameError: No network, recipe, optimizer or augmentation is called so.
        UnknownOptionError: The network has no such option.
        UsageError: An argument cannot work; the message names what would.
    """
    spec = get_spec(architecture)
    choices = spec.choose(options)
    if options.get("aux"):
        raise UsageError(
            f"aux=True gives {spec.name} several outputs; fine_tune trains one. Leave it out."
        )
    if isinstance(recipe, Recipe):
        named = recipe
    else:
        auto = "scratch" if weights is None else "transfer"
        named = get_recipe(auto if recipe == AUTO else recipe, spec.name)
    changed = dict(settings or {})
    chosen = named.with_settings(changed)
    optimizer_is_other = chosen.optimizer != named.optimizer
    if optimizer_is_other and not {"learning_rate", "lr"} & changed.keys():
        slower = 10 if weights is not None else 1
        chosen = replace(chosen, learning_rate=replace(chosen, learning_rate=0.0).rate / slower)
    _check_together(chosen, weights)
    shape = spec.shape_for(choices) if input_shape is None else input_shape
    return Plan(
        network=spec.name,
        options=options,
        weights=weights,
        input_shape=_checked_shape(shape, spec, spec.min_size_for(choices)),
        seed=check_seed(seed),
        recipe=chosen,
    )


def _check_together(recipe: Recipe, weights: str | None) -> None:
    """Refuse settings that contradict one another or act on nothing."""
    augmentations.check(recipe.augment)
    if recipe.pixels:
        pick(PREPROCESSING, recipe.pixels, kind="preprocessing")
    for name in ("freeze", "head_share"):
        if getattr(recipe, name) and weights is None:
            raise UsageError(
                f"{name}={getattr(recipe, name)!r} keeps what was learnt, and nothing was: give "
                "weights (--weights TAG) or leave it out."
            )
    if recipe.whiten and weights is not None:
        raise UsageError(
            "whiten=True replaces the first layer, and it was learnt: leave whiten or weights out."
        )
    if recipe.whiten and any(word.split()[0].lower() == "erase" for word in recipe.augment if word):
        raise UsageError(
            "'erase' paints noise, which a whitened first layer blows up until nothing is learnt: "
            "use 'cutout', which paints grey, or leave whiten out."
        )
    if recipe.validation == "test" and recipe.patience:
        raise UsageError("patience cannot go with validation='test': the test part would choose.")


def check_seed(seed: Any) -> int:
    """Refuse what no generator of random numbers takes."""
    whole = isinstance(seed, numbers.Integral) and not isinstance(seed, bool)
    if not whole or not 0 <= seed < 2**32:
        raise UsageError(f"seed={seed!r} cannot be. Use a whole number from 0 to {2**32 - 1}.")
    return int(seed)


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


def differences(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> list[str]:
    """``"recipe.epochs: 10, now 12"`` for every value in which two records differ."""
    found = []
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key), now.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found += differences(old, new, f"{prefix}{key}.")
        elif _plain(old) != _plain(new):
            found.append(f"{prefix}{ALIASES.get(key, key)}: {old!r}, now {new!r}")
    return found


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
