"""What cnnzoo knows about a network before Keras is imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from cnnzoo.errors import UnknownOptionError, UsageError
from cnnzoo.lookup import did_you_mean

Address = str | Callable[..., Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """Where a network was published."""

    authors: str
    title: str
    year: int  # of the first public version
    venue: str
    url: str
    table: str  # where the layers are printed: "Table 1, column D"

    def __str__(self) -> str:
        return f'{self.authors}, "{self.title}", {self.venue}. {self.table}. {self.url}'


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of an option, and the input it wants where that differs from the network's."""

    value: bool | str
    help: str
    input_size: int | None = None  # default height and width in pixels
    min_size: int | None = None  # smallest height and width in pixels


@dataclass(frozen=True, slots=True)
class Option:
    """A declared choice between forms of one network; the first choice is the default."""

    name: str
    help: str
    choices: tuple[Choice, ...]

    @property
    def default(self) -> bool | str:
        return self.choices[0].value

    def choose(self, value: object, network: str) -> Choice:
        """The choice whose value is ``value``; ``UsageError`` names those that exist."""
        for choice in self.choices:
            if type(value) is type(choice.value) and value == choice.value:
                return choice
        values = [choice.value for choice in self.choices]
        hint = did_you_mean(value, [v for v in values if isinstance(v, str)])
        raise UsageError(
            f"{self.name}={value!r} is not a form of {network}.{hint} "
            f"Use one of: {', '.join(map(repr, values))}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSpec:
    """One network of the zoo. ``trunk``, ``top`` and ``auxiliary`` are addresses or functions.

    Attributes:
        name: Registry key and default name of the Keras model.
        title: As people write it.
        family: Networks that share blocks share a family.
        input_shape: Height, width and channels of the paper, whatever Keras' data format is.
        min_size: Smallest height or width the trunk accepts, in pixels.
        num_classes: Classes of the paper's task.
        preprocessing: Key of ``PREPROCESSING`` for the network's own canonical weights.
        trunk: ``(image, **options) -> features``.
        top: ``(features, num_classes, activation, **options) -> probabilities``.
        auxiliary: ``(tensor_of, num_classes, activation) -> list`` of the training-time outputs,
            ``tensor_of`` giving the output of a layer by name; called when option ``aux`` is true.
        flat_top: The top flattens, so a network with top needs a known height and width.
        stages: The layer that ends each stage, from the image on; the first stage is called
            ``stem``, the others ``stage1``, ``stage2`` and so on. A new stage is where the image
            becomes smaller, the last layer is the trunk's. Every form has these layers.
        dataset: What the paper's head was trained for; empty when nothing was published.
        origin: "cnnzoo", "registered", or the name of the package that brought it.
        idea: What was new about it, in at most 56 characters.
        notes: Why figures for this name differ in the world, one sentence each.
    """

    name: str
    title: str
    family: str
    paper: Paper
    input_shape: tuple[int, int, int]
    min_size: int
    num_classes: int
    preprocessing: str
    trunk: Address
    top: Address = "cnnzoo.models.heads:pooled"
    auxiliary: Address | None = None
    flat_top: bool = False
    stages: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    aliases: tuple[str, ...] = ()
    idea: str = ""
    notes: tuple[str, ...] = ()
    dataset: str = "ImageNet-1k"
    origin: str = "cnnzoo"

    @property
    def year(self) -> int:
        return self.paper.year

    @property
    def stage_ends(self) -> dict[str, str]:
        """``{"stem": layer, "stage1": layer, ...}``: the layer that ends each stage, in order."""
        return {f"stage{i}" if i else "stem": layer for i, layer in enumerate(self.stages)}

    def choose(self, options: Mapping[str, object]) -> dict[str, Choice]:
        """Every declared option with its choice; refuses what is not declared.

        Raises:
            UnknownOptionError: The network has no such option.
            UsageError: The option has no such value.
        """
        declared = {option.name: option for option in self.options}
        for name in options:
            if name not in declared:
                known = (
                    f"Its options: {', '.join(sorted(declared))}." if declared else "It has none."
                )
                hint = did_you_mean(name, [*declared, *BUILD_ARGUMENTS])
                raise UnknownOptionError(f"{self.name} has no option {name!r}.{hint} {known}")
        return {
            name: option.choose(options.get(name, option.default), self.name)
            for name, option in declared.items()
        }

    def shape_for(self, choices: Mapping[str, Choice]) -> tuple[int, int, int]:
        """Default height, width and channels of the form these choices make."""
        height, width, channels = self.input_shape
        for choice in choices.values():
            if choice.input_size is not None:
                height = width = choice.input_size
        return height, width, channels

    def min_size_for(self, choices: Mapping[str, Choice]) -> int:
        """Smallest height and width, in pixels, of the form these choices make."""
        sizes = [c.min_size for c in choices.values() if c.min_size is not None]
        return sizes[-1] if sizes else self.min_size


def stem_option(small: str, min_size: int) -> Option:
    """The choice of a stem that leaves images of 32x32 pixels large enough for what follows.

    No weight changes its shape, so published weights load into either. Declared behind ``aux``,
    whose smallest image it replaces: ``min_size`` holds with auxiliary classifiers too.
    """
    return Option(
        "stem",
        "how soon the image is made smaller",
        (
            Choice("paper", "as published"),
            Choice("small", f"for 32x32 images: {small}; the same weights", 32, min_size),
        ),
    )


BUILD_ARGUMENTS = (
    "weights",
    "include_top",
    "num_classes",
    "classes",
    "input_shape",
    "input_tensor",
    "pooling",
    "classifier_activation",
    "include_preprocessing",
    "name",
)
