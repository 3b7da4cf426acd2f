from __future__ import annotations

import json
import math
import subprocess
import sys
from typing import Any

import pytest

from cnnzoo.catalogue.recipes import LEARNING_RATES, Recipe, get_recipe
from cnnzoo.errors import UnknownNameError, UnknownOptionError, UsageError
from cnnzoo.training.finetune import split_options
from cnnzoo.training.plan import Plan, differences, from_record, make_plan


def plan(network: str, **given: Any) -> Plan:
    """As ``fine_tune`` makes it: fields of the recipe among the options."""
    known = ("recipe", "weights", "input_shape", "seed")
    options = {name: value for name, value in given.items() if name not in known}
    own, fields = split_options(options, None)
    rest = {name: value for name, value in given.items() if name in known}
    return make_plan(network, settings=fields, **rest, **own)


DIGITS = tuple("0123456789")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs=0 cannot be. Use a whole number from 1 to 100000"),
        ({"epochs": True}, "epochs=True"),
        ({"epochs": 1.5}, "epochs=1.5"),
        ({"batch_size": -1}, "batch_size=-1"),
        ({"seed": -1}, "seed=-1 cannot be. Use a whole number from 0 to 4294967295"),
        ({"seed": 2**32}, "seed=4294967296"),
        ({"learning_rate": -0.1}, "learning_rate=-0.1 cannot be. Use a finite number from 1e-12"),
        ({"learning_rate": math.nan}, "learning_rate=nan"),
        ({"learning_rate": math.inf}, "learning_rate=inf"),
        ({"learning_rate": "fast"}, "learning_rate='fast'"),
        ({"validation_fraction": 0}, "validation_fraction=0"),
        ({"validation_fraction": 1.0}, "from 0.0001 to 0.9"),
        ({"input_shape": (32, 32)}, r"not the shape of one image. Use \(height, width, channels\)"),
        ({"input_shape": (32, None, 1)}, "Use whole numbers from 1"),
        ({"input_shape": (32, 32, 4)}, r"1 channel \(grey\) or 3 \(RGB\), not 4"),
        ({"input_shape": (28, 28, 1)}, "lenet5 needs at least 32 x 32 pixels"),
        ({"input_shape": 32}, "input_shape=32"),
        ({"padding": "none"}, "padding='none' is not a form of lenet5"),
    ],
)
def test_arguments_that_cannot_work_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan("lenet5", **arguments)


@pytest.mark.parametrize(
    ("network", "arguments", "error", "message"),
    [
        ("lenet6", {}, UnknownNameError, "Did you mean 'lenet5'"),
        ("lenet5", {"optimizer": "adma"}, UnknownNameError, "Did you mean 'adam'"),
        ("lenet5", {"augment": "photo"}, UnknownNameError, "Did you mean 'photos'"),
        ("lenet5", {"epoch": 3}, UnknownOptionError, "lenet5 has no option 'epoch'"),
        ("inception_v1", {"aux": True}, UsageError, "fine_tune trains one"),
    ],
)
def test_names_that_do_not_exist_are_refused(
    network: str, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plan(network, **arguments)


def test_spelling_is_forgiven() -> None:
    made = plan("LeNet-5", optimizer="AdamW", recipe="Careful", augment="None")
    filled = made.for_data(100, 1, ("a", "b"))
    assert (made.network, made.recipe.optimizer, filled.recipe.augment) == ("lenet5", "adamw", ())


def test_options_change_the_default_shape() -> None:
    assert plan("lenet5").input_shape == (32, 32, 1)
    assert plan("lenet5", padding="same").input_shape == (28, 28, 1)


def test_adadelta_starts_from_the_rate_it_was_published_with() -> None:
    assert plan("lenet5", optimizer="adadelta").recipe.rate == 1.0


def test_pretrained_weights_are_trained_more_slowly() -> None:
    made = plan("vgg16", weights="imagenet")
    assert made.recipe.name == "transfer"
    assert made.recipe.rate == LEARNING_RATES["adamw"] / 2
    other = plan("vgg16", weights="imagenet", optimizer="sgd")
    assert other.recipe.rate == LEARNING_RATES["sgd"] / 10
    assert plan("vgg16", weights="imagenet", learning_rate=0.5).recipe.rate == 0.5


@pytest.mark.parametrize(
    ("images", "epochs"), [(100, 60), (1438, 60), (20_000, 32), (60_000, 12), (10**6, 12)]
)
def test_epochs_follow_the_number_of_images(images: int, epochs: int) -> None:
    assert plan("lenet5").for_data(images, 1, DIGITS).recipe.epochs == epochs
    assert plan("lenet5", epochs=3).for_data(images, 1, DIGITS).recipe.epochs == 3


def test_the_images_decide_how_they_are_moved() -> None:
    strokes, photos = (
        ("rotate 10", "shift 0.08", "zoom 0.1", "background"),
        ("flip", "shift 0.1", "zoom 0.1"),
    )
    letters = ("a", "b")
    assert plan("lenet5").for_data(100, 1, letters).recipe.augment == strokes
    assert plan("lenet5").for_data(100, 3, letters).recipe.augment == photos
    asked = plan("lenet5", augment="photos, erase 0.5").for_data(100, 1, letters)
    assert asked.recipe.augment == (*photos, "erase 0.5")


def test_digits_are_never_mirrored() -> None:
    assert "flip" not in plan("lenet5").for_data(100, 3, DIGITS).recipe.augment
    words = ("zero", "One", "two", "three", "four", "five", "six", "seven", "eight", "Nine")
    assert "flip" not in plan("lenet5").for_data(100, 1, words).recipe.augment
    with pytest.raises(UsageError, match="Digits are never mirrored"):
        plan("lenet5", augment="flip").for_data(100, 1, words)
    for augment in ("photos", "flip", "alternate"):
        with pytest.raises(UsageError, match="Digits are never mirrored"):
            plan("lenet5", augment=augment).for_data(100, 1, DIGITS)


def test_photos_whose_classes_have_only_numbers_are_mirrored_if_asked_for(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Arrays of CIFAR-10 do not say what their classes are called."""
    asked = plan("lenet5", augment="crop 4, flip").for_data(100, 3, DIGITS)
    assert "flip" in asked.recipe.augment
    assert "if these are digits, leave 'flip' out" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"freeze": "stem"}, "keeps what was learnt, and nothing was: give weights"),
        ({"head_share": 0.5}, "head_share=0.5 keeps what was learnt"),
        ({"whiten": True, "augment": "erase 0.5"}, "use 'cutout', which paints grey"),
        ({"validation": "test", "patience": 3}, "patience cannot go with validation='test'"),
        ({"pixels": "zero-won"}, "Did you mean 'zero-one'"),
    ],
)
def test_settings_that_contradict_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        plan("lenet5", **arguments)


def test_a_field_is_given_once() -> None:
    with pytest.raises(UsageError, match="epochs is given by name and in settings"):
        split_options({"epochs": 3}, {"epochs": 4})


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(UsageError, match=r"batch_size=64 is more than the 50 training images"):
        plan("lenet5", batch_size=64).for_data(50, 1, DIGITS)


def test_command_names_the_recipe_and_spells_out_what_differs() -> None:
    made = plan("lenet5", epochs=3, seed=7, original=True, padding="valid", learning_rate=0.01)
    assert made.for_data(1000, 1, DIGITS).command("my data.npz") == (
        "cnnzoo finetune lenet5 --data 'my data.npz' --option original=true "
        "--option padding=valid --input-shape 32,32,1 --recipe scratch --set epochs=3 "
        "--set learning_rate=0.01 "
        "--set 'augment=rotate 10, shift 0.08, zoom 0.1, background' --seed 7"
    )


def test_a_record_is_the_plan_again() -> None:
    made = plan("lenet5", epochs=3, augment="flip, crop 2", original=True)
    assert made.for_data(100, 1, ("a",)).record()["recipe"]["learning_rate"] == 0.002
    record = json.loads(json.dumps(made.record()))
    assert from_record(record) == made
    del record["recipe"]["ema"]
    with pytest.raises(
        UsageError, match=r"another version of cnnzoo, whose recipes differ in: ema"
    ):
        from_record(record)


def test_differences_are_listed_one_by_one() -> None:
    one, other = plan("lenet5", epochs=3), plan("lenet5", epochs=4, seed=1)
    assert differences(one.record(), other.record()) == [
        "recipe.epochs: 3, now 4",
        "seed: 0, now 1",
    ]
    assert differences(one.record(), json.loads(json.dumps(one.record()))) == []


def test_a_recipe_of_ones_own_is_taken_as_it_is() -> None:
    own = Recipe(name="mine", learning_rate=0.25)
    assert plan("lenet5", recipe=own).recipe == own
    assert plan("lenet5", recipe="modern").recipe == get_recipe("modern", "lenet5")


def test_making_a_plan_imports_no_framework() -> None:
    code = (
        "import sys; from cnnzoo.training.plan import make_plan; make_plan('lenet5');"
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
