from __future__ import annotations

import numpy as np
import pytest

from cnnzoo.errors import UsageError
from cnnzoo.runtimes.runner import Runner, batch_of


def _runner(sizes, batch_size=4):
    def run(images):
        sizes.append(len(images))
        return images.sum(axis=(1, 2, 3)).astype("float64")[:, None]

    return Runner(run, "keras", "float32", "", batch_size, (2, 2, None))


def test_images_are_cut_into_batches_of_one_size_and_answered_in_order():
    sizes = []
    pixels = np.arange(10 * 4, dtype="uint8").reshape(10, 2, 2, 1)
    answers = _runner(sizes)(pixels)
    assert sizes == [4, 4, 4]
    assert answers.dtype == np.float32
    np.testing.assert_array_equal(answers[:, 0], pixels.reshape(10, 4).sum(axis=1))


@pytest.mark.parametrize(
    ("count", "most", "size"), [(0, 8, 1), (1, 8, 1), (3, 8, 4), (5, 8, 8), (9, 8, 8), (3, 3, 3)]
)
def test_few_images_make_a_small_batch(count, most, size):
    assert batch_of(count, most) == size


def test_no_images_have_no_answers():
    assert _runner([])(np.zeros((0, 2, 2, 1))).shape == (0, 1)


@pytest.mark.parametrize(
    "pixels", [np.zeros((2, 2, 1)), np.zeros((1, 2, 3, 1)), np.zeros(()), "no"]
)
def test_other_shapes_are_refused(pixels):
    with pytest.raises(UsageError, match=r"takes numbers of shape \(N, 2, 2, any\)"):
        _runner([])(pixels)
