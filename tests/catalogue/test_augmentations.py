from __future__ import annotations

import pytest

from cnnzoo.catalogue.augmentations import KINDS, Effect, check, expand, parse
from cnnzoo.errors import UnknownNameError, UsageError


def test_effects_keep_their_order_and_take_usual_numbers() -> None:
    assert parse(["rotate 10", "Flip", "randaugment 3"]) == (
        Effect("rotate", (10,)),
        Effect("flip"),
        Effect("randaugment", (3, 0.5)),
    )
    assert parse([]) == ()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["rotate"], r"'rotate' cannot be. Use: rotate DEGREES, degrees from 0 to 180"),
        (["rotate far"], "cannot be"),
        (["shift 2"], "share from 0 to 1"),
        (["flip 1"], "too many numbers. Use: flip"),
        (["flip", "flip"], "given twice"),
        (["mixup nan"], "cannot be"),
    ],
)
def test_numbers_that_cannot_be_are_refused(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(words)


@pytest.mark.parametrize(("word", "meant"), [("flipp", "flip"), ("photo", "photos")])
def test_names_are_guessed(word: str, meant: str) -> None:
    with pytest.raises(UnknownNameError, match=f"Did you mean '{meant}'"):
        check([word])


def test_presets_are_expanded() -> None:
    assert expand(["auto", "erase"], 1) == (
        "rotate 10",
        "shift 0.08",
        "zoom 0.1",
        "background",
        "erase",
    )
    assert expand(["Auto"], 3) == expand(["photos"], 1)
    assert expand(["none"], 3) == ()


@pytest.mark.parametrize("preset", ["auto", "strokes", "photos", "none"])
def test_every_preset_is_made_of_effects_that_exist(preset: str) -> None:
    check([preset])
    for channels in (1, 3):
        assert {effect.name for effect in parse(expand([preset], channels))} <= set(KINDS)
