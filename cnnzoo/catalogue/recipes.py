"""Training recipes as data: what ``recipes.toml`` says, checked field by field."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import files
from typing import Any

from cnnzoo.errors import CatalogueError, UsageError
from cnnzoo.lookup import did_you_mean, pick

# Keras' name -> learning rate to start from. Adadelta was published with 1.0, which is also what
# `keras.optimizers.Adadelta()` meant before Keras 3 made its default 0.001.
LEARNING_RATES = {"adam": 2e-3, "adamw": 2e-3, "sgd": 0.05, "rmsprop": 1e-3, "adadelta": 1.0}
SCHEDULES = ("constant", "cosine", "one-cycle", "plateau")
CHOICES: dict[str, tuple[str, ...]] = {
    "optimizer": tuple(LEARNING_RATES),
    "schedule": SCHEDULES,
    "monitor": ("val_loss", "val_accuracy"),
    "batch_norm": ("frozen", "train"),
    "precision": ("auto", "float32", "mixed_bfloat16", "mixed_float16"),
    "validation": ("split", "test"),
    "tested": ("best", "last"),
    "loss": ("crossentropy", "softmax-twice"),
}
# Field -> smallest and largest value; what is not here is no number.
BOUNDS: dict[str, tuple[float, float]] = {
    "epochs": (1, 100_000),
    "batch_size": (1, 1_000_000),
    "learning_rate": (1e-12, math.inf),
    "momentum": (0, 0.9999),
    "weight_decay": (0, 10),
    "warmup": (0, 1000),
    "plateau_factor": (0.01, 0.99),
    "plateau_patience": (1, 1000),
    "plateau_least": (0, math.inf),
    "label_smoothing": (0, 0.9),
    "ema": (0, 0.999999),
    "clip_norm": (0, math.inf),
    "patience": (0, 100_000),
    "head_share": (0, 0.9),
    "head_learning_rate": (0, math.inf),
    "stage_decay": (0.01, 1),
    "validation_fraction": (0.0001, 0.9),
    "first_size": (0, 1),
}
ALIASES = {"lr": "learning_rate", "batch": "batch_size", "wd": "weight_decay"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How a network is trained. Numbers that are 0 mean "no such thing" unless said otherwise.

    Attributes:
        source: Where the recipe was published.
        epochs: Times every training image is shown; chosen by the number of images unless given.
        learning_rate: The highest; the usual one of the optimizer unless given.
        momentum, nesterov: Of SGD.
        weight_decay: Decoupled from the gradient, as in AdamW; not for biases and batch norm.
        schedule: "constant"; "cosine" falls to 0; "one-cycle" rises for 30 % of the steps, then
            falls to 0; "plateau" is multiplied by ``plateau_factor`` whenever ``monitor`` has not
            improved for ``plateau_patience`` epochs, down to ``plateau_least``.
        warmup: Epochs in which the rate rises from 0 before the schedule begins.
        label_smoothing: Share of the target spread over all classes.
        ema: How much of the averaged weights each step keeps, less in short runs; the averaged
            ones are measured.
        clip_norm: Largest norm of all gradients together.
        patience: Epochs of the last phase without a better one, after which the run stops.
        head_share: Share of the epochs in which only the head is trained, first of all.
        head_learning_rate: In that phase; 0 takes the usual one of the optimizer.
        whiten: The first convolution takes the patches of the training images apart, and is not
            trained (Jordan 2024).
        first_size: Side of the images in the first epoch as a share of the network's, from where
            it grows in steps of 4 pixels until 70 % of the epochs are over: progressive resizing,
            as fast.ai trained in 2018.
        freeze: Stage, layer or share of the layers up to which nothing is trained, in every phase.
        batch_norm: With trained weights: "frozen" keeps their statistics, "train" moves them.
        stage_decay: Each stage's rate as a share of that of the stage behind it.
        precision: Keras' dtype policy; "auto" is mixed_bfloat16 where the machine computes in it.
        augment: What is done to training images, such as "shift 0.1"; "auto" chooses by the data.
        validation: "split" sets a share of the training part aside; "test" measures the test
            part after every epoch, which is not sound and only there to repeat older work.
        validation_fraction: That share.
        tested: Which weights the test part judges, those of the "best" or of the "last" epoch.
        pixels: Preprocessing other than the network's own.
        loss: "softmax-twice" repeats a mistake: cross-entropy takes probabilities for logits.
    """

    name: str = "custom"
    help: str = ""
    source: str = ""
    epochs: int = 0
    batch_size: int = 32
    optimizer: str = "adam"
    learning_rate: float = 0.0
    momentum: float = 0.9
    nesterov: bool = True
    weight_decay: float = 0.0
    schedule: str = "cosine"
    warmup: float = 0.0
    plateau_factor: float = 0.5
    plateau_patience: int = 4
    plateau_least: float = 0.0
    monitor: str = "val_loss"
    label_smoothing: float = 0.0
    ema: float = 0.0
    clip_norm: float = 0.0
    patience: int = 0
    head_share: float = 0.0
    head_learning_rate: float = 0.0
    whiten: bool = False
    first_size: float = 0.0
    freeze: str = ""
    batch_norm: str = "frozen"
    stage_decay: float = 1.0
    precision: str = "float32"
    augment: tuple[str, ...] = ()
    validation: str = "split"
    validation_fraction: float = 0.1
    tested: str = "best"
    pixels: str = ""
    loss: str = "crossentropy"

    def with_settings(self, settings: Mapping[str, Any]) -> Recipe:
        """The recipe with other values; text, as typed on a command line, is converted.

        Raises:
            UnknownNameError: A value of a choice does not exist.
            UsageError: No field is called so, or a value cannot work.
        """
        changed = {}
        for given, value in settings.items():
            name = ALIASES.get(given, given)
            if name not in SETTINGS:
                hint = did_you_mean(given, [*SETTINGS, *ALIASES])
                raise UsageError(
                    f"A recipe has no setting {given!r}.{hint} It has: {', '.join(SETTINGS)}."
                )
            if name in changed:
                raise UsageError(f"{name} is set twice. Set it once.")
            changed[name] = _value(name, value)
        return replace(self, **changed)

    def lines(self) -> list[str]:
        """The whole recipe as people read it, a setting a line."""
        title = f"recipe {self.name}" + (f": {self.help}" if self.help else "")
        source = [f"  {'source':21} {self.source}"] if self.source else []
        return [title, *source, *(f"  {name:21} {_shown(self, name)}" for name in SETTINGS)]

    @property
    def rate(self) -> float:
        """The highest learning rate."""
        return self.learning_rate or LEARNING_RATES[self.optimizer]


BARE = Recipe(name="bare", help="every setting as it is unless given")
SETTINGS = tuple(f.name for f in fields(Recipe) if f.name not in ("name", "help", "source"))
_KINDS = {f.name: type(f.default) for f in fields(Recipe)}


def _shown(recipe: Recipe, name: str) -> str:
    value = getattr(recipe, name)
    if name == "augment":
        return ", ".join(value) or "none"
    if name == "learning_rate":
        return f"{recipe.rate:g}"
    if name == "head_learning_rate" and recipe.head_share:
        return f"{value or LEARNING_RATES[recipe.optimizer]:g}"
    if name == "epochs" and not value:
        return "by the number of images"
    return str(value) if value != "" else "–"


def all_recipes(network: str | None = None) -> dict[str, Recipe]:
    """Name -> recipe: "bare", those for every network, then those of ``network``."""
    table = _table()
    return {BARE.name: BARE} | table[""] | table.get(network or "", {})


def recipes_by_network() -> dict[str, dict[str, Recipe]]:
    """Network -> its own recipes by name."""
    return {network: found for network, found in _table().items() if network}


def get_recipe(name: str, network: str) -> Recipe:
    """The recipe called ``name``, the network's own one first.

    Raises:
        UnknownNameError: There is none; the message gives the nearest names.
    """
    return pick(
        all_recipes(network), name, kind="recipe", see="Type: cnnzoo finetune --list-recipes"
    )


@cache
def _table() -> dict[str, dict[str, Recipe]]:
    """Network -> name -> recipe; the empty network holds those for all."""
    text = files("cnnzoo.catalogue").joinpath("recipes.toml").read_text("utf-8")
    document = tomllib.loads(text)
    own = document.pop("networks", {})
    return {
        network: {name: _recipe(name, record) for name, record in records.items()}
        for network, records in [("", document), *own.items()]
    }


def _recipe(name: str, record: Mapping[str, Any]) -> Recipe:
    fields = dict(record)
    help, source = (str(fields.pop(key, "")) for key in ("help", "source"))
    try:
        return replace(Recipe().with_settings(fields), name=name, help=help, source=source)
    except UsageError as error:
        raise CatalogueError(f"recipes.toml, {name!r}: {error}") from error


def _value(name: str, value: Any) -> Any:
    """``value`` as the field ``name`` needs it."""
    if name == "augment":
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, (list, tuple)) or not all(isinstance(w, str) for w in words):
            raise UsageError(f"augment={value!r} is no list such as 'rotate 10, shift 0.1, flip'.")
        return tuple(word.strip() for word in words if word.strip())
    if name in CHOICES:
        return pick({choice: choice for choice in CHOICES[name]}, value, kind=name)
    if name in BOUNDS:
        return _number(name, value)
    if _KINDS[name] is bool:
        flags = {"true": True, "false": False, True: True, False: False}
        key = value.lower() if isinstance(value, str) else value
        if not isinstance(key, (str, bool)) or key not in flags:
            raise UsageError(f"{name}={value!r} is neither true nor false.")
        return flags[key]
    if name == "freeze" and isinstance(value, float):
        return str(value)
    if not isinstance(value, str):
        raise UsageError(f"{name}={value!r} is no text.")
    return value


def _number(name: str, value: Any) -> int | float:
    low, high = BOUNDS[name]
    whole = _KINDS[name] is int
    try:
        if isinstance(value, bool):
            raise TypeError
        number = float(value)
        if not low <= number <= high or math.isinf(number) or (whole and number != int(number)):
            raise ValueError
    except (TypeError, ValueError) as error:
        kind = "whole number" if whole else "finite number"
        upper = "" if math.isinf(high) else f" to {high:g}"
        raise UsageError(
            f"{name}={value!r} cannot be. Use a {kind} from {low:g}{upper}."
        ) from error
    return int(number) if whole else number
