from __future__ import annotations

import math

import pytest

from cnnzoo.training import charts
from cnnzoo.training.charts import curves, nice_ticks, rates

FLOOR = charts.RATE_HEIGHT - charts.BOTTOM


def _history(losses: list[float]) -> list[dict[str, float]]:
    return [
        {"loss": loss, "val_loss": loss + 0.1, "accuracy": 1 - loss, "val_accuracy": 0.9 - loss}
        for loss in losses
    ]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]),
        (0, 2.3, [0, 0.5, 1, 1.5, 2, 2.5]),
        (0.83, 1, [0.8, 0.85, 0.9, 0.95, 1]),
        (0, 60, [0, 20, 40, 60]),
        (0.5, 0.5, [0.5, 0.5000002]),
    ],
)
def test_nice_ticks_are_round_and_enclose(low: float, high: float, expected: list[float]) -> None:
    assert nice_ticks(low, high) == pytest.approx(expected)


def test_curves_put_the_first_epoch_left_the_last_right_and_zero_at_the_bottom() -> None:
    drawn = curves(_history([1.0, 0.5, 0.0]), "loss", "Loss", 3, share=False)
    left, middle, right = (tuple(map(float, p.split(","))) for p in drawn.lines[0].points.split())
    assert left[0] == charts.LEFT
    assert right == (charts.WIDTH - charts.RIGHT, charts.HEIGHT - charts.BOTTOM)
    assert middle[0] == pytest.approx((left[0] + right[0]) / 2, abs=0.1)
    assert left[1] < middle[1] < right[1]


def test_curves_mark_the_best_epoch_on_the_validation_curve() -> None:
    drawn = curves(_history([1.0, 0.2, 0.5]), "loss", "Loss", 2, share=False)
    x, y = map(float, drawn.lines[1].points.split()[1].split(","))
    assert drawn.best == (x, y)


def test_curves_of_shares_are_labelled_in_per_cent() -> None:
    drawn = curves(_history([0.3, 0.2, 0.1]), "accuracy", "Accuracy", 3, share=True)
    assert drawn.y_ticks[-1].text == "100 %"
    assert drawn.y_ticks[-1].at == charts.TOP
    assert drawn.strips[1][2] == "epoch 2: training 80.00 %, validation 70.00 %"


def test_curves_do_not_let_the_start_press_the_end_together() -> None:
    drawn = curves(_history([100.0] + [0.3] * 19), "loss", "Loss", 5, share=False)
    assert drawn.y_ticks[-1].text == "0.4"


def test_curves_of_one_epoch_can_be_drawn() -> None:
    drawn = curves(_history([0.0]), "accuracy", "Accuracy", 1, share=True)
    assert [tick.text for tick in drawn.x_ticks] == ["1"]
    assert [tick.text for tick in drawn.y_ticks][-1] == "100 %"


def test_a_single_epoch_is_a_short_line_in_the_middle() -> None:
    drawn = _rates([0.5])
    left, right = (float(point.split(",")[0]) for point in drawn.lines[0].points.split())
    middle = (charts.LEFT + charts.WIDTH - charts.RIGHT) / 2
    assert (left, right) == (middle - charts.ALONE, middle + charts.ALONE)
    assert drawn.best[0] == middle


@pytest.mark.parametrize("count", [1, 2, 3, 20])
def test_tooltips_stay_inside_their_chart_and_cover_it(count: int) -> None:
    strips = [strip[:2] for strip in _rates([1.0] * count).strips]
    ends = [round(left + width, 1) for left, width in strips]
    assert strips[0][0] == charts.LEFT
    assert ends[-1] == charts.WIDTH - charts.RIGHT
    assert [left for left, _ in strips[1:]] == pytest.approx(ends[:-1], abs=0.2)


def test_epoch_ticks_begin_with_1_and_end_with_the_last_without_crowding() -> None:
    drawn = curves(_history([0.5] * 61), "loss", "Loss", 1, share=False)
    assert [tick.text for tick in drawn.x_ticks] == ["1", "20", "40", "61"]


def _rates(values: list[float], phases: str = "") -> charts.Chart:
    history = [{"learning_rate": value} for value in values]
    for row, phase in zip(history, phases, strict=False):
        row["phase"] = phase  # type: ignore[assignment]
    return rates(history, 1)


def test_rates_are_linear_from_zero_up_to_a_hundredfold() -> None:
    drawn = _rates([0.1, 0.05, 0.001])
    assert drawn.title == "Learning rate"
    assert [tick.text for tick in drawn.y_ticks] == ["0", "0.05", "0.1"]
    assert drawn.lines[0].points.split()[0].endswith(f",{charts.TOP}.0")
    assert drawn.strips[1][2] == "epoch 2: learning rate 0.05"


def test_rates_are_logarithmic_beyond_and_zero_lies_on_the_floor() -> None:
    drawn = _rates([0.1, 0.01, 0.00099, 0.0])
    heights = [float(point.split(",")[1]) for point in drawn.lines[0].points.split()]
    assert drawn.title == "Learning rate, logarithmic"
    assert [tick.text for tick in drawn.y_ticks] == ["1e-1", "1e-2", "1e-3", "1e-4"]
    assert heights[0] == charts.TOP
    assert heights[1] - heights[0] == pytest.approx((FLOOR - charts.TOP) / 3, abs=0.1)
    assert heights[3] == FLOOR


def test_rates_that_end_next_to_nothing_do_not_press_the_others_together() -> None:
    cosine = [0.05 + 0.05 * math.cos(math.pi * (i + 0.999) / 32) for i in range(32)]
    assert cosine[-1] < 1e-8
    assert _rates(cosine).title == "Learning rate"
    assert [tick.text for tick in _rates([0.1, 0.0005, 1e-12]).y_ticks] == [
        "1e-1", "1e-2", "1e-3", "1e-4"
    ]  # fmt: skip
    assert _rates([0.1, 0.0005, 1e-12]).lines[0].points.endswith(f",{FLOOR}.0")
    assert _rates([0.0, 0.0]).title == "Learning rate"


def test_rates_of_zero_throughout_can_be_drawn() -> None:
    assert _rates([0.0, 0.0]).y_ticks[0].text == "0"


def test_phases_begin_between_two_epochs() -> None:
    drawn = _rates([1.0, 1.0, 1.0, 1.0], "hhaa")
    assert [(p.name, p.first) for p in drawn.phases] == [("h", True), ("a", False)]
    assert drawn.phases[0].start == charts.LEFT
    first, second = (line.points.split() for line in drawn.lines)  # no line from one to the other
    before, after = (float(p.split(",")[0]) for p in (first[-1], second[0]))
    assert drawn.phases[1].start == pytest.approx((before + after) / 2, abs=0.1)


def test_one_phase_throughout_is_not_marked() -> None:
    assert _rates([1.0, 1.0], "aa").phases == []


def test_an_average_that_is_not_there_yet_is_passed_over() -> None:
    history = _history([0.3, 0.2, 0.1])
    for row, value in zip(history, (None, 0.5, 0.6), strict=True):
        row["ema_val_accuracy"] = value  # type: ignore[assignment]
    drawn = curves(history, "accuracy", "Accuracy", 3, share=True)
    assert [line.kind for line in drawn.lines] == ["train", "validation", "averaged"]
    assert len(drawn.lines[2].points.split()) == 2
    assert "averaged" not in drawn.strips[0][2]
    assert "averaged weights 50.00 %" in drawn.strips[1][2]
