from __future__ import annotations

import numpy as np
import pytest

from cnnzoo.training.splits import emptied, stratified

LABELS = np.repeat([0, 1, 2], [50, 30, 11])


def test_stratified_takes_the_same_share_of_every_class() -> None:
    _, taken = stratified(LABELS, 0.2, seed=0)
    assert np.bincount(LABELS[taken]).tolist() == [10, 6, 2]


def test_stratified_parts_are_disjoint_and_complete() -> None:
    kept, taken = stratified(LABELS, 0.2, seed=0)
    assert sorted([*kept, *taken]) == list(range(len(LABELS)))


def test_stratified_depends_on_the_seed_only() -> None:
    first, again, other = (stratified(LABELS, 0.2, seed)[1].tolist() for seed in (3, 3, 4))
    assert first == again
    assert first != other


def test_stratified_does_not_depend_on_how_the_classes_are_ordered_in_memory() -> None:
    _, taken = stratified(LABELS[::-1], 0.2, seed=0)
    assert np.bincount(LABELS[::-1][taken]).tolist() == [10, 6, 2]


def test_stratified_takes_one_image_of_a_class_too_small_for_its_share() -> None:
    _, taken = stratified(np.array([0, 0, 0, 1, 1, 1]), 0.1, seed=0)
    assert len(taken) == 2


@pytest.mark.parametrize(
    ("labels", "fraction", "empty"),
    [([0, 0, 1], 0.2, [1]), ([0, 0, 1, 1], 0.2, []), ([0] * 10 + [1] * 20, 0.95, [0])],
)
def test_emptied_names_the_classes_nothing_would_be_left_of(
    labels: list[int], fraction: float, empty: list[int]
) -> None:
    assert emptied(np.array(labels), fraction) == empty


def test_copies_stay_together_and_count_once() -> None:
    pictures = np.array([0, 0, 0, 1, 2, 3, 4, 5, 6, 6])
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    for seed in range(8):
        kept, taken = stratified(labels, 0.3, seed, pictures)
        assert not set(pictures[kept]) & set(pictures[taken])
        distinct = np.unique(pictures[taken])
        assert (distinct < 3).sum() == 1
        assert (distinct >= 3).sum() == 1
    assert emptied(labels, 0.3, pictures) == []
    assert emptied(labels, 0.3, np.array([0, 0, 0, 0, 0, 3, 4, 5, 6, 6])) == [0]
