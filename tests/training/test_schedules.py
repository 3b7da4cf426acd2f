from __future__ import annotations

import pytest

from cnnzoo.catalogue.recipes import Recipe
from cnnzoo.training.schedules import Phase, learning_rate, mean_rate, phases, shrunk

TEN = Phase("all", 0, 10, 0.5)


def _rates(recipe: Recipe, phase: Phase = TEN, steps: int = 10, factor: float = 1) -> list[float]:
    return [
        learning_rate(recipe, phase, step, steps, factor) for step in range(phase.epochs * steps)
    ]


def test_constant_stays() -> None:
    assert set(_rates(Recipe(schedule="constant"))) == {0.5}


def test_cosine_falls_from_the_highest_rate_to_nothing() -> None:
    rates = _rates(Recipe(schedule="cosine"))
    assert rates[0] == 0.5
    assert rates[50] == pytest.approx(0.25)
    assert rates == sorted(rates, reverse=True)
    assert 0 < rates[-1] < 0.001


def test_one_cycle_rises_for_three_tenths_and_falls() -> None:
    rates = _rates(Recipe(schedule="one-cycle"))
    assert rates[0] == pytest.approx(0.5 / 25)
    assert rates.index(max(rates)) == 30
    assert max(rates) == pytest.approx(0.5)
    assert rates[:31] == sorted(rates[:31])
    assert rates[30:] == sorted(rates[30:], reverse=True)
    assert rates[-1] < 0.001


def test_warm_up_rises_in_even_steps_before_the_schedule() -> None:
    rates = _rates(Recipe(schedule="cosine", warmup=2))
    assert rates[0] == pytest.approx(0.5 / 21)
    assert rates[9] == pytest.approx(0.5 * 10 / 21)
    assert rates[20] == 0.5
    assert max(_rates(Recipe(warmup=100))) < 0.5001  # never more than half of the phase


def test_plateau_is_what_it_has_come_to() -> None:
    assert set(_rates(Recipe(schedule="plateau"), factor=0.25)) == {0.125}
    least = Recipe(schedule="plateau", plateau_least=0.2)
    assert set(_rates(least, factor=0.25)) == {0.2}
    above = Recipe(schedule="plateau", plateau_least=2.0)
    assert set(_rates(above, factor=0.25)) == {0.5}  # the least rate raises none


def test_the_mean_rate_of_an_epoch_is_that_of_its_steps() -> None:
    recipe, later = Recipe(schedule="cosine"), Phase("all", 3, 10, 0.5)
    rates = _rates(recipe)
    assert mean_rate(recipe, later, 4, 10) == pytest.approx(sum(rates[10:20]) / 10)
    assert mean_rate(recipe, later, 3, 10) < later.rate


def test_without_a_head_phase_there_is_one() -> None:
    assert phases(Recipe(epochs=7, optimizer="sgd")) == (Phase("all", 0, 7, 0.05),)


def test_the_head_comes_first_at_its_own_rate() -> None:
    recipe = Recipe(epochs=10, head_share=0.2, learning_rate=1e-4, head_learning_rate=3e-3)
    assert phases(recipe) == (Phase("head", 0, 2, 3e-3), Phase("all", 2, 8, 1e-4))


@pytest.mark.parametrize(("epochs", "head"), [(1, 0), (2, 1), (3, 1)])
def test_few_epochs_still_train_everything(epochs: int, head: int) -> None:
    found = phases(Recipe(epochs=epochs, head_share=0.01))
    assert found[-1] == Phase("all", head, epochs - head, 2e-3)
    assert phases(Recipe(epochs=epochs, head_share=0.9))[-1].epochs >= 1


def test_a_phase_begins_its_schedule_anew() -> None:
    recipe = Recipe(epochs=10, head_share=0.5)
    head, everything = phases(recipe)
    assert learning_rate(recipe, head, 0, 10) == learning_rate(recipe, everything, 0, 10)


def test_images_grow_in_steps_of_four_pixels_until_seven_tenths_are_over() -> None:
    recipe = Recipe(epochs=10, first_size=0.5)
    sides = [shrunk(recipe, epoch, 32) for epoch in range(10)]
    assert sides == [16, 20, 20, 24, 24, 28, 28, 32, 32, 32]
    assert {shrunk(Recipe(epochs=10), epoch, 31) for epoch in range(10)} == {31}
    assert shrunk(Recipe(epochs=1, first_size=0.5), 0, 32) == 16
    assert [shrunk(recipe, epoch, 29) for epoch in (0, 6, 7, 9)] == [16, 28, 29, 29]
