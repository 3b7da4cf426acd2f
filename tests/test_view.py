from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from cnnzoo.pictures import ImageFiles
from cnnzoo.view import View


def test_arrays_of_the_right_size_are_seen_as_they_are() -> None:
    images = np.random.default_rng(0).integers(0, 256, (4, 6, 5, 3), np.uint8)
    assert np.array_equal(View(6, 5, 3).rows(images, np.array([2, 0])), images[[2, 0]])


def test_grey_is_repeated_and_the_whole_picture_squeezed() -> None:
    image = np.zeros((1, 10, 20, 1), np.uint8)
    image[:, :, 10:] = 200
    (seen,) = View(8, 8, 3).rows(image, np.array([0]))
    assert seen.shape == (8, 8, 3)
    assert (seen[:, 0] == 0).all()
    assert (seen[:, -1] == 200).all()


def test_with_resize_the_middle_is_cut_out(tmp_path: Path) -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, 20:60] = (0, 255, 0)  # what is left of the sides when the middle square is taken
    Image.fromarray(picture).save(tmp_path / "wide.png")
    view = View(16, 16, 3, resize=20)
    (seen,) = view.rows(ImageFiles([tmp_path / "wide.png"]), np.array([0]))
    assert (seen == (0, 255, 0)).all()
    expected = Image.fromarray(picture).resize((40, 20), Image.Resampling.BILINEAR)
    assert np.array_equal(seen, np.asarray(expected)[2:18, 12:28])


def test_no_pictures_give_no_pixels() -> None:
    assert View(6, 5, 3).rows(np.zeros((2, 6, 5, 3), np.uint8), np.array([], int)).shape == (
        0, 6, 5, 3,
    )  # fmt: skip
