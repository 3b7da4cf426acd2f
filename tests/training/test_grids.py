from __future__ import annotations

import re
from importlib.resources import files

import numpy as np
import pytest

from cnnzoo.training import grids
from cnnzoo.training.grids import heat_map, reliability
from cnnzoo.training.metrics import calibration


def test_heat_map_leaves_out_zeros_and_makes_the_worst_mistake_the_strongest() -> None:
    drawn = heat_map([[8, 2, 0], [0, 10, 0], [1, 0, 9]], ["a", "b", "c"])
    cells = {(cell.row, cell.column): cell for cell in drawn.cells}
    assert set(cells) == {(0, 0), (0, 1), (1, 1), (2, 0), (2, 2)}
    assert cells[0, 1].opacity == 0.75
    assert cells[2, 0].opacity == 0.45
    assert cells[1, 1].opacity == 1.0
    assert cells[0, 1].text == "true a, predicted b: 2"


def _palettes() -> list[dict[str, str]]:
    """The variables of the style sheet, in light and in the dark."""
    sheet = files("cnnzoo.training").joinpath("templates/style.css").read_text("utf-8")
    light, dark = (
        dict(re.findall(r"--([\w-]+): ([^;]+);", block)) for block in sheet.split(":root")[1:3]
    )
    return [light, light | dark]


def _rgb(text: str) -> np.ndarray:
    if text.startswith("#"):
        text = "".join(2 * digit for digit in text[1:]) if len(text) == 4 else text[1:]
        return np.array([int(text[i : i + 2], 16) for i in (0, 2, 4)])
    return np.array([int(part) for part in text.split(",")])


def _luminance(colour: np.ndarray) -> float:
    """Of sRGB, as WCAG 2.2 defines it."""
    share = colour / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize("row", [0, 1])
def test_counts_can_be_read_on_every_cell_in_light_and_in_the_dark(row: int) -> None:
    for palette in _palettes():
        paper = _rgb(palette["paper"])
        colour = _rgb(palette["blue" if row == 0 else "red"])
        for opacity in np.linspace(0.15, 1.0 if row == 0 else 0.75, 200):
            cell = grids.Cell(0, row, 1, round(float(opacity), 3), "")
            ground = np.rint(cell.opacity * colour + (1 - cell.opacity) * paper)
            dark, light = sorted((_luminance(ground), _luminance(_rgb(palette[f"on-{cell.tone}"]))))
            assert (light + 0.05) / (dark + 0.05) >= 4.5, (opacity, cell.tone)


def test_heat_map_of_many_classes_has_small_cells_without_counts() -> None:
    few, many = heat_map([[1, 0], [0, 1]], ["a", "b"]), heat_map([[1] * 100] * 100, ["x"] * 100)
    assert (few.density, few.counts) == ("few", True)
    assert (many.density, many.counts) == ("many", False)
    assert (len(many.names), many.classes) == (40, 100)


def test_heat_map_shortens_long_names() -> None:
    """Names that begin alike are told apart by their ends."""
    names = [f"a very long name of a class, number {i}" for i in (1, 2)]
    assert heat_map([[1, 0], [0, 1]], names).names == ["a very l…umber 1", "a very l…umber 2"]
    assert heat_map([[1, 0], [0, 1]], ["b", "sixteen in total"]).names[1] == "sixteen in total"


def test_of_many_classes_those_with_the_most_mistakes_are_shown_in_their_own_order() -> None:
    counts = np.diag(np.full(50, 9))
    counts[7, 41] = 3
    counts[20, 2] = 1
    drawn = heat_map(counts, [str(i) for i in range(50)], most=4)
    assert drawn.names == ["2", "7", "20", "41"]
    cells = {(cell.row, cell.column): cell for cell in drawn.cells}
    assert cells[1, 3].text == "true 7, predicted 41: 3"
    assert cells[1, 1].opacity == 0.75  # 9 of the 12 in the whole row


def test_reliability_draws_bins_at_their_confidence() -> None:
    rows = np.array([[0.9, 0.1], [0.9, 0.1], [0.55, 0.45], [0.9, 0.1]])
    drawn = reliability(calibration(np.array([0, 0, 0, 1]), rows, bins=10))
    low, high = drawn.bars
    side = grids.RELIABILITY
    assert drawn.most == 3
    assert (low.x, low.width) == (side / 2, side / 10)
    assert (low.accuracy, low.confidence) == (side, pytest.approx(0.55 * side))
    assert (high.accuracy, high.confidence) == (side * 2 / 3, pytest.approx(0.9 * side))
    assert (low.over, high.over) == (False, True)
    assert high.count == grids.COUNTS
    assert high.text == ("confidence 80 to 90 %: 3 answers, mean confidence 90.0 %, right 66.7 %")
