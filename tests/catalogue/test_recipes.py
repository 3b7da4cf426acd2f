from __future__ import annotations

import pytest

from cnnzoo.catalogue import recipes
from cnnzoo.catalogue.recipes import SETTINGS, Recipe, all_recipes, get_recipe, recipes_by_network
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import CatalogueError, UnknownNameError, UsageError


def test_every_recipe_that_ships_is_whole_and_belongs_to_a_network() -> None:
    for network, own in recipes_by_network().items():
        assert get_spec(network).name == network
        assert own
    for table in (all_recipes(), *recipes_by_network().values()):
        for name, recipe in table.items():
            assert recipe.name == name
            assert 20 < len(recipe.help) <= 110


def test_text_becomes_what_the_field_needs() -> None:
    recipe = Recipe().with_settings(
        {"lr": "1e-2", "epochs": "5", "nesterov": "False", "augment": "flip, shift 0.1",
         "optimizer": "AdamW", "freeze": "stage2"}
    )  # fmt: skip
    assert recipe == Recipe(
        learning_rate=0.01, epochs=5, nesterov=False, augment=("flip", "shift 0.1"),
        optimizer="adamw", freeze="stage2",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"lrr": 1}, r"no setting 'lrr'\. Did you mean 'lr'"),
        ({"epochs": 1.5}, "Use a whole number from 1"),
        ({"epochs": "many"}, "epochs='many' cannot be"),
        ({"epochs": True}, "epochs=True"),
        ({"batch_size": 0}, "Use a whole number from 1"),
        ({"lr": float("nan")}, "learning_rate=nan"),
        ({"ema": 1}, "Use a finite number from 0 to 0.999999"),
        ({"schedule": "cosin"}, "Did you mean 'cosine'"),
        ({"nesterov": "maybe"}, "neither true nor false"),
        ({"augment": 3}, "no list such as"),
        ({"freeze": 3}, "no text"),
        ({"lr": 1, "learning_rate": 2}, "learning_rate is set twice"),
        ({"name": "x"}, "no setting 'name'"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Recipe().with_settings(settings)


def test_the_usual_rate_belongs_to_the_optimizer() -> None:
    assert Recipe(optimizer="adadelta").rate == 1.0
    assert Recipe(optimizer="sgd", learning_rate=0.3).rate == 0.3


def test_lines_show_every_setting() -> None:
    lines = Recipe(name="mine", source="a book", augment=("flip",)).lines()
    assert lines[0] == "recipe mine"
    shown = {line.split()[0]: " ".join(line.split()[1:]) for line in lines[1:]}
    assert set(shown) == {"source", *SETTINGS}
    assert shown["learning_rate"] == "0.002"
    assert shown["epochs"] == "by the number of images"
    assert shown["augment"] == "flip"


def test_a_network_may_have_recipes_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    mine = Recipe(name="modern", help="of one network only")
    table = {"": {"modern": Recipe(name="modern")}, "lenet5": {"modern": mine}}
    monkeypatch.setattr(recipes, "_table", lambda: table)
    assert get_recipe("modern", "lenet5") == mine
    assert get_recipe("modern", "vgg16") != mine
    with pytest.raises(UnknownNameError, match=r"Did you mean 'modern'\? Type: cnnzoo finetune"):
        get_recipe("modem", "lenet5")


def test_a_broken_recipe_is_named() -> None:
    with pytest.raises(
        CatalogueError, match=r"recipes\.toml, 'x': A recipe has no setting 'lerning'"
    ):
        recipes._recipe("x", {"lerning": 3})
