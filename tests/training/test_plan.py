from __future__ import annotations

import math
import subprocess
import sys
from typing import Any

import pytest

from cnnzoo.errors import UnknownNameError, UnknownOptionError, UsageError
from cnnzoo.training.recipe import LEARNING_RATES, check_recipe


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs=0 cannot be. Use a whole number from 1"),
        ({"epochs": True}, "epochs=True"),
        ({"epochs": 1.5}, "epochs=1.5"),
        ({"batch_size": -1}, "batch_size=-1"),
        ({"seed": -1}, "seed=-1 cannot be. Use a whole number from 0 to 4294967295"),
        ({"seed": 2**32}, "seed=4294967296"),
        ({"learning_rate": -0.1}, "learning_rate=-0.1 cannot be. Use a finite number above 0"),
        ({"learning_rate": math.nan}, "learning_rate=nan"),
        ({"learning_rate": math.inf}, "learning_rate=inf"),
        ({"learning_rate": "fast"}, "learning_rate='fast'"),
        ({"validation_fraction": 0}, "validation_fraction=0"),
        ({"validation_fraction": 1.0}, "above 0 and below 1"),
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
        check_recipe("lenet5", **arguments)


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
        check_recipe(network, **arguments)


def test_spelling_is_forgiven() -> None:
    recipe = check_recipe("LeNet-5", optimizer="AdamW", augment="None")
    assert (recipe.network, recipe.optimizer, recipe.augment) == ("lenet5", "adamw", "none")


def test_options_change_the_default_shape() -> None:
    assert check_recipe("lenet5").input_shape == (32, 32, 1)
    assert check_recipe("lenet5", padding="same").input_shape == (28, 28, 1)


def test_adadelta_starts_from_the_rate_it_was_published_with() -> None:
    assert check_recipe("lenet5", optimizer="adadelta").learning_rate == 1.0


def test_pretrained_weights_are_trained_ten_times_slower() -> None:
    recipe = check_recipe("vgg16", weights="imagenet")
    assert recipe.learning_rate == LEARNING_RATES["adam"] / 10


@pytest.mark.parametrize(
    ("images", "epochs"), [(100, 60), (1438, 60), (20_000, 32), (60_000, 12), (10**6, 12)]
)
def test_epochs_follow_the_number_of_images(images: int, epochs: int) -> None:
    assert check_recipe("lenet5").for_data(images, 1).epochs == epochs
    assert check_recipe("lenet5", epochs=3).for_data(images, 1).epochs == 3


def test_grey_images_are_never_mirrored_unless_asked_for() -> None:
    assert check_recipe("lenet5").for_data(100, 1).augment == "strokes"
    assert check_recipe("lenet5").for_data(100, 3).augment == "photos"
    assert check_recipe("lenet5", augment="photos").for_data(100, 1).augment == "photos"


def test_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(UsageError, match=r"batch_size=64 is more than the 50 training images"):
        check_recipe("lenet5", batch_size=64).for_data(50, 1)


def test_command_spells_out_every_setting() -> None:
    recipe = check_recipe("lenet5", epochs=3, seed=7, original=True, padding="valid")
    assert recipe.for_data(1000, 1).command("my data.npz") == (
        "cnnzoo finetune lenet5 --data 'my data.npz' --option original=true "
        "--option padding=valid --input-shape 32,32,1 --epochs 3 --batch-size 32 "
        f"--optimizer adam --learning-rate {LEARNING_RATES['adam']} --augment strokes "
        "--validation-fraction 0.1 --seed 7"
    )


def test_checking_a_recipe_imports_no_framework() -> None:
    code = (
        "import sys; from cnnzoo.training.recipe import check_recipe; check_recipe('lenet5');"
        "sys.exit(any(name in sys.modules for name in ('keras', 'tensorflow', 'numpy')))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
