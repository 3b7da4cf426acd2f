from __future__ import annotations

import numpy as np
import pytest

from cnnzoo.training.probe import samples
from cnnzoo.training.probe.samples import Samples, unit

RNG = np.random.default_rng(0)
VIEWS = tuple(RNG.normal(3, 2, (10, 4)).astype("float32") for _ in range(2))
ROWS = np.array([1, 2, 4, 7, 8])


@pytest.fixture
def some(monkeypatch: pytest.MonkeyPatch) -> Samples:
    """Two views of five images, read two at a time."""
    monkeypatch.setattr(samples, "ROWS", 2)
    return Samples(VIEWS, ROWS, np.array([0, 1, 2, 0, 1]))


def _expected() -> np.ndarray:
    return np.concatenate([view[ROWS] for view in VIEWS])


def test_blocks_are_the_rows_of_every_view_in_the_order_of_the_labels(some: Samples) -> None:
    blocks = list(some.blocks())
    assert max(map(len, blocks)) == 2
    np.testing.assert_array_equal(np.concatenate(blocks), _expected())
    assert some.all_labels.tolist() == 2 * [0, 1, 2, 0, 1]
    assert (len(some), some.width) == (10, 4)


def test_scaled_features_have_mean_0_and_deviation_1(some: Samples) -> None:
    mean, scale = some.statistics()
    np.testing.assert_allclose(mean, _expected().mean(axis=0), rtol=1e-5)
    np.testing.assert_allclose(scale, _expected().std(axis=0), rtol=1e-5)
    found = some.scaled(mean, scale)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(found.std(axis=0), 1, atol=1e-6)


def test_a_feature_that_is_always_the_same_stays_finite() -> None:
    views = (np.stack([np.arange(6), np.full(6, 5), np.zeros(6)], axis=1).astype("float32"),)
    some = Samples(views, np.arange(6), np.zeros(6, int))
    mean, scale = some.statistics()
    assert scale.tolist()[1:] == [1, 1]
    assert np.isfinite(some.scaled(mean, scale)).all()


def test_units_have_length_1_and_nothing_stays_nothing(some: Samples) -> None:
    np.testing.assert_allclose(np.linalg.norm(some.units(), axis=1), 1, rtol=1e-6)
    assert unit(np.zeros((1, 3), "float32")).tolist() == [[0, 0, 0]]
