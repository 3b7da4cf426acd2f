"""What a range test suggests, from losses that are made up; no network is needed."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from cnnzoo.errors import UsageError
from cnnzoo.training.rate_test import RateTest, rates_between, smooth


def _test(losses: list[float], grown: bool = False) -> RateTest:
    rates = rates_between(1e-6, 10.0, 100)[: len(losses)]
    return RateTest("net", "data", tuple(rates), tuple(losses), tuple(smooth(losses)), grown)


@pytest.fixture
def found() -> RateTest:
    """A loss that falls from 2.3 to 0.3, fastest at 1e-3, and grows beyond 1e-1."""
    losses = []
    for rate in rates_between(1e-6, 10.0, 100):
        place = math.log10(rate)
        losses.append(0.3 + 2 / (1 + math.exp(4 * (place + 3))) + 3 * max(0.0, place + 1) ** 2)
    return _test(losses, grown=True)


def test_rates_grow_by_the_same_ratio_from_the_lowest_to_the_highest() -> None:
    rates = rates_between(1e-6, 10.0, 100)
    assert len(rates) == 100
    assert (rates[0], rates[-1]) == pytest.approx((1e-6, 10.0))
    assert rates[50] / rates[49] == pytest.approx(10 ** (7 / 99))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 20), "lowest=0 is no learning rate"),
        ((1e-3, math.inf, 20), "highest=inf is no learning rate"),
        ((True, 1, 20), "lowest=True"),
        ((1e-3, 1e-4, 20), "has to be less than highest=0.0001"),
        ((1e-3, 1, 9), "steps=9 cannot be. Use a whole number from 10"),
        ((1e-3, 1, 20.5), "steps=20.5 cannot be"),
    ],
)
def test_rates_that_cannot_be_are_refused(
    arguments: tuple[float, float, int], message: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        rates_between(*arguments)


def test_the_running_mean_is_corrected_for_its_start_at_zero() -> None:
    assert smooth([2.0] * 5) == pytest.approx([2.0] * 5)
    assert smooth([1.0, 2.0]) == pytest.approx([1.0, (0.09 * 1 + 0.1 * 2) / 0.19])


def test_the_suggestion_is_where_the_loss_itself_falls_fastest(found: RateTest) -> None:
    assert found.steepest == pytest.approx(1e-3, rel=0.2)  # its running mean does so at 2e-3
    assert found.suggestion == float(f"{found.steepest:.2g}")
    assert found.tenth == found.lowest / 10
    assert found.lowest > 1e-2


def test_a_loss_that_hardly_falls_suggests_nothing() -> None:
    slightly = [2.0 - 0.001 * i for i in range(50)]
    for losses in ([2.0] * 50, slightly, [2.0 + 0.01 * (i % 3) for i in range(50)], [2.0, 3.0]):
        found = _test(losses)
        assert found.steepest is None
        assert found.suggestion is None
        assert "The loss hardly fell: no rate can be suggested." in str(found)


def test_the_text_says_what_was_tried_and_what_follows(found: RateTest) -> None:
    lines = str(found).splitlines()
    assert lines[0].startswith("net on data: 100 rates from 1e-06 to 10, where the loss had grown")
    assert lines[1].startswith(f"{found.suggestion:.2g}")
    assert lines[2].endswith(f"{found.lowest:.2g}")


def test_json_holds_every_loss_and_the_suggestions(found: RateTest) -> None:
    document = json.loads(found.to_json())
    assert document["suggestion"] == found.suggestion
    assert document["rates"] == list(found.rates)
    assert document["losses"] == list(found.losses)
    assert document["grown"] is True


def test_the_picture_is_an_svg_with_the_curve_and_the_suggestion(
    found: RateTest, tmp_path: Path
) -> None:
    path = found.save(tmp_path / "rates.svg")
    root = ElementTree.parse(path).getroot()
    lines = [element for element in root.iter() if element.tag.endswith("polyline")]
    assert [len(line.get("points", "").split()) for line in lines] == [100, 100]
    assert f"falls fastest at {found.steepest:.2g}" in path.read_text("utf-8")
    assert found._repr_svg_() == path.read_text("utf-8")
    assert "prefers-color-scheme: dark" in path.read_text("utf-8")


def test_a_network_called_like_a_tag_does_not_break_the_picture() -> None:
    losses = tuple(2.0 - 0.02 * i for i in range(50))
    rates = tuple(rates_between(1e-4, 1e-1, 50))
    svg = RateTest("<b>&", '"x"', rates, losses, losses, False).to_svg()
    assert ElementTree.fromstring(svg).get("aria-label") == '<b>& on "x": loss over learning rate'


def test_only_an_svg_is_written(found: RateTest, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has to end in \.svg"):
        found.save(tmp_path / "rates.png")
    assert list(tmp_path.iterdir()) == []
