from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnzoo.catalogue.augmentations import parse
from cnnzoo.errors import DataError
from cnnzoo.pictures import ImageFiles
from cnnzoo.training.batches import Batches
from cnnzoo.training.data.dataset import Part

MOVES = parse(["rotate 20", "shift 0.2", "zoom 0.2"])


def _part(count: int = 10, side: int = 8) -> Part:
    """Image number i is filled with 10 * i; its label is i."""
    shades = np.arange(count, dtype=np.uint8) * 10
    return Part(np.tile(shades[:, None, None, None], (1, side, side, 1)), np.arange(count))


def _labels(batches: Batches, epoch: int = 0) -> list[int]:
    steps = range(epoch * batches.steps, (epoch + 1) * batches.steps)
    return [int(label) for step in steps for label in batches[step][1].argmax(axis=1)]


def test_an_epoch_covers_the_part_once_and_its_last_batch_may_be_smaller() -> None:
    batches = Batches(_part(), (8, 8, 1), 4, 10, seed=0)
    assert [len(batches[step][1]) for step in range(batches.steps)] == [4, 4, 2]
    assert sorted(_labels(batches)) == sorted(_labels(batches, epoch=7)) == list(range(10))


def test_labels_stay_with_their_images() -> None:
    batches = Batches(_part(), (8, 8, 1), 10, 10, seed=0)
    pixels, labels = batches[0]
    assert np.array_equal(pixels[:, 0, 0, 0], labels.argmax(axis=1) * 10)
    assert labels.dtype == np.float32
    assert np.array_equal(labels.sum(axis=1), np.ones(10))
    assert pixels.dtype == np.uint8


def test_order_depends_on_seed_and_epoch_only() -> None:
    def orders(seed: int, epochs: tuple[int, ...]) -> dict[int, list[int]]:
        batches = Batches(_part(), (8, 8, 1), 4, 10, seed=seed)
        np.random.random()  # another user of the global generator changes nothing
        return {epoch: _labels(batches, epoch) for epoch in epochs}

    assert orders(1, (0, 1, 2)) == orders(1, (2, 0, 1))
    assert orders(1, (0,)) != orders(2, (0,))
    assert orders(1, (0, 1))[0] != orders(1, (0, 1))[1]


def test_a_batch_asked_for_twice_comes_twice_even_when_images_move() -> None:
    part = Part(np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), np.uint8), np.arange(6))
    batches = Batches(part, (8, 8, 1), 3, 6, seed=0, effects=MOVES)
    again = Batches(part, (8, 8, 1), 3, 6, seed=0, effects=MOVES)
    again[0]  # asking in another order changes nothing
    assert np.array_equal(batches[1][0], again[1][0])
    assert not np.array_equal(batches[1][0], part.images[batches[1][1].argmax(axis=1)])


def test_an_image_moves_otherwise_in_every_epoch() -> None:
    part = Part(np.random.default_rng(0).integers(0, 256, (1, 8, 8, 1), np.uint8), np.zeros(1, int))
    batches = Batches(part, (8, 8, 1), 1, 1, seed=0, effects=MOVES)
    assert not np.array_equal(batches[0][0], batches[1][0])


def test_without_a_seed_the_order_is_kept() -> None:
    assert _labels(Batches(_part(), (8, 8, 1), 4, 10), epoch=1) == list(range(10))


def test_images_get_the_size_and_channels_of_the_network() -> None:
    assert Batches(_part(), (5, 7, 3), 4, 10)[0][0].shape == (4, 5, 7, 3)


def test_files_and_arrays_give_the_same_batches(tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (5, 9, 9, 3), np.uint8)
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    options = {"seed": 3, "effects": MOVES}
    from_files = Batches(Part(ImageFiles(paths), np.arange(5)), (6, 6, 1), 2, 5, **options)
    from_array = Batches(Part(images, np.arange(5)), (6, 6, 1), 2, 5, **options)
    for i in range(3):
        assert np.array_equal(from_files[i][0], from_array[i][0])


def test_a_file_that_vanishes_is_named(tmp_path: Path) -> None:
    part = Part(ImageFiles([tmp_path / "gone.png"]), np.zeros(1, int))
    with pytest.raises(DataError, match=r"gone\.png"):
        Batches(part, (8, 8, 1), 1, 1)[0]
    with pytest.raises(DataError, match=r"gone\.png"):
        list(Batches(part, (8, 8, 1), 1, 1).ahead(0, 5))


def test_batches_made_ahead_are_the_same_and_in_order() -> None:
    batches = Batches(_part(), (8, 8, 1), 4, 10, seed=0, effects=parse(["erase", "mixup"]))
    ahead = list(batches.ahead(1, 7))
    assert len(ahead) == 6
    for number, (images, labels) in enumerate(ahead, start=1):
        assert np.array_equal(images, batches[number][0])
        assert np.array_equal(labels, batches[number][1])


def test_making_ahead_stops_when_nobody_asks_any_more() -> None:
    made: list[int] = []

    class Noted(Batches):
        def __getitem__(self, number: int) -> tuple[np.ndarray, np.ndarray]:
            made.append(number)
            return super().__getitem__(number)

    stream = Noted(_part(), (8, 8, 1), 4, 10).ahead(0, 1000)
    next(stream)
    stream.close()
    assert len(made) < 10


def test_alternating_mirrors_each_image_in_every_other_epoch_half_of_them_in_the_first() -> None:
    ramp = np.tile(np.arange(8, dtype=np.uint8)[None, None, :, None], (40, 8, 1, 1))
    part = Part(ramp, np.arange(40))
    batches = Batches(part, (8, 8, 1), 7, 40, seed=0, effects=parse(["alternate"]))

    def mirrored(epoch: int) -> np.ndarray:
        found = np.zeros(40, bool)
        for step in range(epoch * batches.steps, (epoch + 1) * batches.steps):
            pixels, labels = batches[step]
            found[labels.argmax(axis=1)] = pixels[:, 0, 0, 0] == 7
        return found

    first = mirrored(0)
    assert 10 < first.sum() < 30
    assert np.array_equal(mirrored(1), ~first)
    assert np.array_equal(mirrored(2), first)


def test_an_epoch_shows_images_in_its_own_size() -> None:
    rng = np.random.default_rng(0)
    part = Part(rng.integers(0, 256, (6, 8, 12, 3), np.uint8), np.arange(6))
    sides = {0: 2, 1: 1}  # what sides are divided by
    batches = Batches(
        part, (8, 12, 3), 4, 6, effects=MOVES, sides=lambda epoch, side: side // sides[epoch]
    )
    shapes = [batches[number][0].shape for number in range(4)]
    assert shapes == [(4, 4, 6, 3), (2, 4, 6, 3), (4, 8, 12, 3), (2, 8, 12, 3)]
    assert abs(batches[0][0].mean() - batches[2][0].mean()) < 10


def test_smaller_images_are_means_of_their_pixels() -> None:
    stripes = np.zeros((1, 8, 8, 1), np.uint8)
    stripes[:, ::2] = 200
    batches = Batches(
        Part(stripes, np.zeros(1, int)), (8, 8, 1), 1, 1, sides=lambda epoch, side: side // 2
    )
    np.testing.assert_allclose(batches[0][0][:, 1:-1], 100, atol=1)
