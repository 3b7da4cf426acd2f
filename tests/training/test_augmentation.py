from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from cnnzoo.training.augmentation import Augmentation, fit_picture

RGB = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]], np.uint8)


def _gradient(side: int = 8) -> Image.Image:
    return Image.fromarray(np.arange(side * side, dtype=np.uint8).reshape(side, side))


def test_fit_picture_weighs_red_green_and_blue_by_luma() -> None:
    grey = fit_picture(Image.fromarray(RGB), (1, 4, 1))
    luma = np.rint(RGB @ [0.299, 0.587, 0.114])
    assert grey[..., 0].tolist() == luma.tolist() == [[76, 150, 29, 18]]


def test_fit_picture_repeats_grey_three_times() -> None:
    rgb = fit_picture(_gradient(), (8, 8, 3))
    assert np.array_equal(rgb, np.repeat(np.asarray(_gradient())[..., None], 3, axis=-1))


def test_fit_picture_interpolates_linearly_where_it_grows() -> None:
    grown = fit_picture(Image.fromarray(np.array([[0, 100]], np.uint8)), (1, 4, 1))
    assert grown.ravel().tolist() == [0, 25, 75, 100]


@pytest.mark.parametrize("augmentation", [None, Augmentation(turn=10)])
def test_fit_picture_averages_where_it_shrinks(augmentation: Augmentation | None) -> None:
    stripes = np.tile(np.array([0, 200, 200, 200], np.uint8), (8, 16))
    shrunk = fit_picture(Image.fromarray(stripes), (1, 8, 1), augmentation, [0.0] * 5)
    assert np.abs(shrunk.astype(int) - 150).max() <= 6  # the border sees half


def test_fit_picture_without_movement_is_the_same_picture() -> None:
    still = Augmentation(turn=10, shift=0.1, zoom=0.1)
    assert np.array_equal(
        fit_picture(_gradient(), (8, 8, 1), still, [0.0] * 5)[..., 0], np.asarray(_gradient())
    )


def test_fit_picture_grows_the_same_with_and_without_movement() -> None:
    still = fit_picture(_gradient(), (16, 16, 1), Augmentation(turn=10), [0.0] * 5)
    assert np.abs(still.astype(int) - fit_picture(_gradient(), (16, 16, 1))).max() <= 1


@pytest.mark.parametrize(
    ("augmentation", "draws", "expected"),
    [
        (Augmentation(mirror=True), [0, 0, 0, 0, -1], np.fliplr),
        (Augmentation(mirror=True), [0, 0, 0, 0, 1], np.asarray),
        (Augmentation(turn=180), [1, 0, 0, 0, 1], lambda a: np.rot90(a, 2)),
        (Augmentation(turn=90), [1, 0, 0, 0, 1], lambda a: np.rot90(a, 1)),
    ],
)
def test_fit_picture_moves_as_told(augmentation, draws, expected) -> None:  # type: ignore[no-untyped-def]
    moved = fit_picture(_gradient(), (8, 8, 1), augmentation, draws)[..., 0]
    difference = moved.astype(int) - expected(np.asarray(_gradient()))
    assert np.abs(difference).max() <= 1  # Pillow computes in fixed point


def test_fit_picture_shows_what_lies_to_the_right_and_fills_with_the_corner() -> None:
    moved = fit_picture(_gradient(), (8, 8, 1), Augmentation(shift=0.25), [0, 1, 0, 0, 1])[..., 0]
    assert np.array_equal(moved[:, :6], np.asarray(_gradient())[:, 2:])
    assert not moved[:, 6:].any()  # the corner is black


def test_zoom_shows_more_or_less_of_the_picture() -> None:
    zoom = Augmentation(zoom=0.5)
    less = fit_picture(_gradient(), (8, 8, 1), zoom, [0, 0, 0, -1, 1])[..., 0]
    more = fit_picture(_gradient(), (8, 8, 1), zoom, [0, 0, 0, 1, 1])[..., 0]
    assert less.min() > 9  # the outer rows are gone
    assert (more == 0).sum() > 20  # a black frame came in
