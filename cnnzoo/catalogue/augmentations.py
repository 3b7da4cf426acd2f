"""What can be done to training images, as words with numbers: ``"rotate 10"``, ``"flip"``."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from cnnzoo.errors import UsageError
from cnnzoo.lookup import pick


@dataclass(frozen=True, slots=True)
class Number:
    """One number of an effect and its bounds; without ``default`` it must be given."""

    name: str
    low: float
    high: float
    default: float | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """What an effect does and which numbers it takes."""

    help: str
    numbers: tuple[Number, ...] = ()


@dataclass(frozen=True, slots=True)
class Effect:
    """A kind of effect with its numbers."""

    name: str
    numbers: tuple[float, ...] = ()


KINDS = {
    "rotate": Kind("turned by up to so many degrees", (Number("degrees", 0, 180),)),
    "shift": Kind("moved by up to this share of each side", (Number("share", 0, 1),)),
    "zoom": Kind("enlarged or reduced by up to this share", (Number("share", 0, 0.9),)),
    "crop": Kind("moved by up to so many whole pixels", (Number("pixels", 0, 1000),)),
    "flip": Kind("mirrored left to right, half of the time; never digits"),
    "alternate": Kind(
        "mirrored in every other epoch, by a coin for each image (Jordan 2024); never digits"
    ),
    "shear": Kind("upright lines lean by up to so many degrees", (Number("degrees", 0, 80),)),
    "elastic": Kind(
        "bent like rubber: points moved by this share of each side, neighbours alike (Simard 2003)",
        (Number("share", 0, 0.5),),
    ),
    "background": Kind("what is uncovered takes the top left pixel's colour, not the edge's"),
    "brightness": Kind("lighter or darker by up to this share", (Number("share", 0, 1),)),
    "contrast": Kind("more or less contrast by up to this share", (Number("share", 0, 1),)),
    "erase": Kind(
        "a rectangle painted over, with this probability (Zhong et al. 2017)",
        (Number("probability", 0, 1, 0.5),),
    ),
    "cutout": Kind(
        "a rectangle made grey, with this probability (DeVries and Taylor 2017)",
        (Number("probability", 0, 1, 0.5),),
    ),
    "randaugment": Kind(
        "so many random effects of this strength (Cubuk et al. 2019)",
        (Number("effects", 1, 10, 2), Number("strength", 0, 1, 0.5)),
    ),
    "augmix": Kind(
        "several random chains, mixed (Hendrycks et al. 2019)", (Number("strength", 0, 1, 0.3),)
    ),
    "mixup": Kind(
        "pairs of images and of their labels, mixed (Zhang et al. 2017)",
        (Number("alpha", 0.01, 10, 0.2),),
    ),
    "cutmix": Kind(
        "a rectangle out of another image, labels in proportion (Yun et al. 2019)",
        (Number("alpha", 0.01, 10, 1.0),),
    ),
    "gridmask": Kind(
        "a grid of squares painted over (Chen et al. 2020); needs the extra 'cv'",
        (Number("share", 0.01, 0.99, 0.5),),
    ),
}
PRESETS = {
    "none": (),
    "strokes": ("rotate 10", "shift 0.08", "zoom 0.1", "background"),  # never mirrored
    "photos": ("flip", "shift 0.1", "zoom 0.1"),
}
AUTO = "auto"  # strokes for grey images, photos for coloured ones


def parse(words: Iterable[str]) -> tuple[Effect, ...]:
    """``["rotate 10", "flip"]`` -> effects, in the order given.

    Raises:
        UnknownNameError: No effect is called so.
        UsageError: A number is missing, too many, or out of its bounds.
    """
    found: list[Effect] = []
    for phrase in words:
        name, *rest = phrase.split()
        key = pick({kind: kind for kind in KINDS}, name, kind="augmentation")
        if any(effect.name == key for effect in found):
            raise UsageError(f"The augmentation {key!r} is given twice. Give it once.")
        found.append(Effect(key, _numbers(key, rest)))
    return tuple(found)


def expand(
    words: Iterable[str], channels: int, class_names: Collection[str] = ()
) -> tuple[str, ...]:
    """Put the effects of presets in the place of their names.

    "auto" depends on the images: grey ones, and those whose classes are numbers, are taken for
    writing, which is never mirrored.
    """
    written = channels == 1 or are_numbers(class_names)
    presets = PRESETS | {AUTO: PRESETS["strokes" if written else "photos"]}
    return tuple(part for word in words for part in presets.get(word.lower(), (word,)))


_NUMERALS = frozenset(
    ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
)


def are_numbers(class_names: Collection[str]) -> bool:
    """Whether they are digits, or may be: arrays seldom tell what their classes are called."""
    return bool(class_names) and all(
        name.isdigit() or name.casefold() in _NUMERALS for name in class_names
    )


def check(words: Iterable[str]) -> None:
    """Refuse what neither a preset nor an effect is; the same errors as `parse`."""
    effects = [word for word in words if word.lower() not in (AUTO, *PRESETS)]
    for word in effects:
        if len(word.split()) == 1:  # may be a misspelt preset
            pick({name: name for name in (AUTO, *PRESETS, *KINDS)}, word, kind="augmentation")
    parse(effects)


def _numbers(name: str, given: list[str]) -> tuple[float, ...]:
    wanted = KINDS[name].numbers
    shape = " ".join([name, *(number.name.upper() for number in wanted)])
    if len(given) > len(wanted):
        raise UsageError(f"{' '.join([name, *given])!r} has too many numbers. Use: {shape}.")
    values = []
    for i, number in enumerate(wanted):
        try:
            value = float(given[i]) if i < len(given) else number.default
        except ValueError:
            value = None
        if value is None or not number.low <= value <= number.high:
            raise UsageError(
                f"{' '.join([name, *given])!r} cannot be. Use: {shape}, {number.name} from "
                f"{number.low:g} to {number.high:g}."
            )
        values.append(value)
    return tuple(values)
