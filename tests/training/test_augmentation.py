from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from cnnzoo.catalogue.augmentations import Effect, parse
from cnnzoo.errors import MissingExtraError
from cnnzoo.training.augmentation import Effects, Movement
from cnnzoo.view import View

RGB = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]], np.uint8)


def _gradient(side: int = 8) -> Image.Image:
    return Image.fromarray(np.arange(side * side, dtype=np.uint8).reshape(side, side))


def test_view_weighs_red_green_and_blue_by_luma() -> None:
    grey = View(1, 4, 1).pixels(Image.fromarray(RGB))
    luma = np.rint(RGB @ [0.299, 0.587, 0.114])
    assert grey[..., 0].tolist() == luma.tolist() == [[76, 150, 29, 18]]


def test_view_repeats_grey_three_times() -> None:
    rgb = View(8, 8, 3).pixels(_gradient())
    assert np.array_equal(rgb, np.repeat(np.asarray(_gradient())[..., None], 3, axis=-1))


def test_view_interpolates_linearly_where_it_grows() -> None:
    grown = View(1, 4, 1).pixels(Image.fromarray(np.array([[0, 100]], np.uint8)))
    assert grown.ravel().tolist() == [0, 25, 75, 100]


def test_view_averages_where_it_shrinks() -> None:
    stripes = np.tile(np.array([0, 200, 200, 200], np.uint8), (8, 16))
    shrunk = View(1, 8, 1).pixels(Image.fromarray(stripes))
    assert np.abs(shrunk.astype(int) - 150).max() <= 6  # the border sees half


def _moved(movement: Movement, draws: list[float]) -> np.ndarray:
    image = np.asarray(_gradient())[None, ..., None]
    found = movement(image, np.array([draws], float))
    assert found.shape == image.shape
    assert found.dtype == np.float32
    return found[0, ..., 0]


def test_without_draws_nothing_moves() -> None:
    still = _moved(Movement(rotate=10, shift=0.1, zoom=0.1, crop=3), [0.0] * Movement.DRAWS)
    assert np.allclose(still, np.asarray(_gradient()), atol=1e-4)


@pytest.mark.parametrize(
    ("movement", "draws", "expected"),
    [
        (Movement(flip=True), [0, 0, 0, 0, -1, 0, 0, 0], np.fliplr),
        (Movement(flip=True), [0, 0, 0, 0, 1, 0, 0, 0], np.asarray),
        (Movement(rotate=180), [1, 0, 0, 0, 1, 0, 0, 0], lambda a: np.rot90(a, 2)),
        (Movement(rotate=90), [1, 0, 0, 0, 1, 0, 0, 0], lambda a: np.rot90(a, 1)),
    ],
)
def test_images_move_as_told(movement, draws, expected) -> None:  # type: ignore[no-untyped-def]
    assert np.allclose(_moved(movement, draws), expected(np.asarray(_gradient())), atol=1e-3)


def test_a_shift_shows_what_lies_to_the_right_and_repeats_the_edge() -> None:
    moved, still = _moved(Movement(shift=0.25), [0, 1, 0, 0, 1, 0, 0, 0]), np.asarray(_gradient())
    assert np.allclose(moved[:, :6], still[:, 2:])
    assert np.allclose(moved[:, 6:], still[:, [7, 7]])


def test_what_is_uncovered_may_take_the_colour_of_the_background() -> None:
    image = np.full((2, 8, 8, 1), 30, np.uint8)
    image[1] = 90
    image[:, :, 7] = 200  # touches the edge
    shift = Movement(shift=0.25, background=True)
    moved = shift(image, np.array([[0, 1, 0, 0, 1, 0, 0, 0]] * 2, float))
    assert np.allclose(moved[:, :, 5], 200)
    assert np.allclose(moved[0, :, 6:], 30)
    assert np.allclose(moved[1, :, 6:], 90)


def test_zoom_shows_more_or_less_of_the_picture() -> None:
    zoom = Movement(zoom=0.5)
    less, more = (_moved(zoom, [0, 0, 0, side, 1, 0, 0, 0]) for side in (-1, 1))
    assert less.min() > 9  # the outer rows are gone
    assert (np.diff(more[4]) < 0.6).sum() >= 2  # the edge is repeated around it
    assert np.diff(more[4]).max() == pytest.approx(1.5)


def test_crop_moves_by_whole_pixels() -> None:
    moved = _moved(Movement(crop=2), [0, 0, 0, 0, 1, 1, -1, 0])
    assert np.array_equal(moved[2:, :6], np.asarray(_gradient())[:6, 2:])


def test_shear_moves_rows_aside_by_their_distance_from_the_middle() -> None:
    still = np.asarray(_gradient(9), float)
    image = still.astype(np.uint8)[None, ..., None]
    moved = Movement(shear=45)(image, np.array([[0, 0, 0, 0, 1, 0, 0, 1]], float))[0, ..., 0]
    rows, columns = np.mgrid[:9, :9]
    assert np.allclose(moved, still[rows, np.clip(columns + rows - 4, 0, 8)], atol=1e-3)


@pytest.mark.parametrize("background", [True, False])
def test_bending_by_nothing_leaves_the_other_movements(background: bool) -> None:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (3, 9, 14, 2), np.uint8)
    movement = Movement(
        rotate=40, shift=0.2, zoom=0.3, shear=20, flip=True, elastic=0.1, background=background
    )
    draws = rng.uniform(-1, 1, (3, Movement.DRAWS))
    bends = movement.bends(rng, 3)
    assert bends is not None
    bent = movement(images, draws, 0 * bends)
    assert bent.dtype == np.float32
    assert np.allclose(bent, movement(images, draws), atol=0.01)
    assert np.abs(movement(images, draws, bends) - bent).mean() > 5


def test_bends_move_points_so_far_and_neighbours_alike() -> None:
    """On a ramp of columns, then of rows, colours tell where they were found."""
    movement = Movement(elastic=0.03)
    ramp = np.broadcast_to(np.arange(40, dtype="float32"), (400, 20, 40))
    images = np.stack([ramp, 2 * np.moveaxis(ramp, 2, 1)[:, :20].repeat(2, axis=2)], axis=-1)
    bends = movement.bends(np.random.default_rng(1), 400)
    moved = movement(images, np.zeros((400, Movement.DRAWS)), bends) - images
    inside = moved[:, 4:-4, 6:-6]
    across, down = inside[..., 0] / 40, inside[..., 1] / 2 / 20
    for share in (across, down):
        assert np.sqrt((share**2).mean()) == pytest.approx(0.03, rel=0.05)
        assert np.abs(share.mean()) < 0.003
        assert np.corrcoef(share[:, :, 1:].ravel(), share[:, :, :-1].ravel())[0, 1] > 0.95
        assert np.corrcoef(share[:, 0, 0], share[:, -1, -1])[0, 1] < 0.2
    assert abs(np.corrcoef(across.ravel(), down.ravel())[0, 1]) < 0.1  # Keras' own has one field


def test_images_that_are_not_square_turn_about_their_middle() -> None:
    image = np.zeros((1, 4, 10, 1), np.uint8)
    image[0, 1:3, 4:6] = 200
    turned = Movement(rotate=180)(image, np.array([[1, 0, 0, 0, 1, 0, 0, 0]], float))
    assert np.allclose(turned, image, atol=1e-3)


def test_a_movement_is_made_of_the_effects_that_move() -> None:
    assert Movement.of(parse(["rotate 10", "flip", "erase 0.5"])) == Movement(rotate=10, flip=True)
    assert Movement.of(parse(["erase"])) is None


BATCH = np.random.default_rng(0).integers(0, 256, (6, 12, 12, 3), dtype=np.uint8)
LABELS = np.eye(3, dtype="float32")[np.arange(6) % 3]


@pytest.mark.parametrize(
    "words",
    [
        "brightness 0.5",
        "contrast 0.5",
        "erase 1",
        "cutout 1",
        "randaugment",
        "augmix",
        "mixup",
        "cutmix",
    ],
)
def test_effects_change_images_alike_for_the_same_number_of_a_batch(words: str) -> None:
    effects, again = Effects(parse([words]), seed=3), Effects(parse([words]), seed=3)
    again(BATCH, LABELS, 9)  # what was asked before changes nothing
    images, labels = effects(BATCH, LABELS, 4)
    same, same_labels = again(BATCH, LABELS, 4)
    assert np.array_equal(images, same)
    assert np.array_equal(labels, same_labels)
    assert images.shape == BATCH.shape
    assert images.dtype == labels.dtype == np.float32
    assert images.min() >= 0
    assert images.max() <= 255
    assert not np.array_equal(images, BATCH)
    assert not np.array_equal(images, effects(BATCH, LABELS, 5)[0])
    assert not np.array_equal(images, Effects(parse([words]), seed=4)(BATCH, LABELS, 4)[0])


@pytest.mark.parametrize("words", ["mixup 1", "cutmix"])
def test_labels_are_mixed_with_their_images(words: str) -> None:
    _, labels = Effects(parse([words]), seed=0)(BATCH, LABELS, 0)
    assert np.allclose(labels.sum(axis=1), 1, atol=1e-5)
    assert ((labels > 0.01) & (labels < 0.99)).any()


def test_gridmask_without_its_extra_says_what_to_type(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keras_cv", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cnnzoo\[cv\]'"):
        Effects([Effect("gridmask", (0.5,))], seed=0)


def test_gridmask_is_the_same_for_the_same_number_of_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A layer that draws as those of KerasCV do stands for it."""

    class Noise:
        variables = ()

        def __init__(self, ratio_factor: tuple[float, float]) -> None:
            assert ratio_factor == (0.25, 0.25)
            self._random_generator = tf.random.get_global_generator()

        def __call__(self, images: np.ndarray, training: bool) -> tf.Tensor:
            return images * self._random_generator.uniform(images.shape)

    fake = SimpleNamespace(layers=SimpleNamespace(GridMask=Noise))
    monkeypatch.setitem(sys.modules, "keras_cv", fake)
    effects = Effects(parse(["gridmask 0.25"]), seed=1)
    first, other, again = (effects(BATCH, LABELS, number)[0] for number in (4, 5, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
