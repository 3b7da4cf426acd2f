from __future__ import annotations

import keras
import numpy as np
import pytest

from cnnzoo.errors import UsageError
from cnnzoo.training.whitening import first_convolution, images_for, whiten, whitening_filters


def _photos(count: int = 60) -> np.ndarray:
    """Smooth noise in three colours that go together, as in photos."""
    rng = np.random.default_rng(0)
    grey = rng.normal(size=(count, 12, 12, 1)).cumsum(1).cumsum(2)
    return np.clip(128 + 9 * grey + rng.normal(0, 4, (count, 12, 12, 3)), 0, 255)


def _model(filters: int) -> keras.Model:
    image = keras.Input((12, 12, 3))
    x = keras.layers.Rescaling(1 / 128, -1)(image)
    x = keras.layers.Conv2D(filters, 2, name="first")(x)
    x = keras.layers.Conv2D(4, 3, name="second")(x)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(x))


def test_what_the_filters_answer_is_uncorrelated_and_of_one_size() -> None:
    model, photos = _model(24), _photos()
    whiten(model, photos)
    seen = keras.Model(model.input, model.get_layer("first").output).predict(photos, verbose=0)
    answers = seen.reshape(-1, 24)[:, ::2]  # one of each pair
    found = answers.T @ answers / len(answers)
    assert np.allclose(np.diag(found)[:3], 1, atol=0.01)  # those that vary much more than 5e-4
    assert np.abs(found - np.diag(np.diag(found))).max() < 1e-3
    assert np.allclose(seen[..., ::2], -seen[..., 1::2], atol=1e-4)


def test_the_largest_variance_comes_first() -> None:
    filters = whitening_filters(np.diag([1.0, 9.0, 4.0]).astype("float32"))
    assert np.allclose(np.abs(filters[:, ::2]), [[0, 0, 1], [1 / 3, 0, 0], [0, 0.5, 0]], atol=1e-3)


def test_filters_beyond_the_pairs_keep_their_random_values_and_fewer_take_the_first() -> None:
    many, few = _model(30), _model(5)
    before = np.array(many.get_layer("first").kernel)
    whiten(many, _photos())
    whiten(few, _photos())
    after = np.array(many.get_layer("first").kernel)
    assert np.array_equal(after[..., 24:], before[..., 24:])
    assert np.allclose(np.array(few.get_layer("first").kernel), after[..., :5], atol=1e-4)


def test_a_network_without_convolution_is_refused() -> None:
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    with pytest.raises(UsageError, match="whiten"):
        first_convolution(model)


def test_large_images_are_looked_at_in_smaller_numbers() -> None:
    assert images_for((32, 32, 3)) == 5000
    assert images_for((224, 224, 3)) == 102
    assert images_for((9000, 9000, 3)) == 1
