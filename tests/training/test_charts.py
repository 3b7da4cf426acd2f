from __future__ import annotations

import pytest

from cnnzoo.training import charts
from cnnzoo.training.charts import curves, heat_map, nice_ticks


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
    left, middle, right = (tuple(map(float, p.split(","))) for p in drawn.train.split())
    assert left[0] == charts.LEFT
    assert right == (charts.WIDTH - charts.RIGHT, charts.HEIGHT - charts.BOTTOM)
    assert middle[0] == pytest.approx((left[0] + right[0]) / 2, abs=0.1)
    assert left[1] < middle[1] < right[1]


def test_curves_mark_the_best_epoch_on_the_validation_curve() -> None:
    drawn = curves(_history([1.0, 0.2, 0.5]), "loss", "Loss", 2, share=False)
    x, y = map(float, drawn.validation.split()[1].split(","))
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


def test_epoch_ticks_begin_with_1_and_end_with_the_last_without_crowding() -> None:
    drawn = curves(_history([0.5] * 61), "loss", "Loss", 1, share=False)
    assert [tick.text for tick in drawn.x_ticks] == ["1", "20", "40", "61"]


def test_heat_map_leaves_out_zeros_and_makes_the_worst_mistake_the_strongest() -> None:
    drawn = heat_map([[8, 2, 0], [0, 10, 0], [1, 0, 9]], ["a", "b", "c"])
    cells = {(cell.row, cell.column): cell for cell in drawn.cells}
    assert set(cells) == {(0, 0), (0, 1), (1, 1), (2, 0), (2, 2)}
    assert cells[0, 1].opacity == 0.75
    assert cells[2, 0].opacity == 0.45
    assert cells[1, 1].opacity == 1.0
    assert cells[0, 1].text == "true a, predicted b: 2"


def test_heat_map_of_many_classes_has_small_cells_without_counts() -> None:
    few, many = heat_map([[1, 0], [0, 1]], ["a", "b"]), heat_map([[1] * 100] * 100, ["x"] * 100)
    assert (few.counts, many.counts) == (True, False)
    assert few.cell > 40
    assert many.side == 900


def test_heat_map_shortens_long_names() -> None:
    assert heat_map([[1, 0], [0, 1]], ["b", "a" * 30]).names == ["b", "a" * 15 + "…"]
