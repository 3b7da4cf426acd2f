"""`decode_predictions`: the right names in the right order."""

from __future__ import annotations

import numpy as np
import pytest

import cnnzoo
from cnnzoo.errors import UnknownNameError, UsageError


def test_likeliest_classes_come_first_with_their_identifiers() -> None:
    rows = np.full((2, 1000), 1e-5)
    rows[0, 207], rows[0, 151] = 0.7, 0.29
    rows[1, 999] = 0.99
    first, second = cnnzoo.decode_predictions(rows, "resnet50", top=2)
    assert first[0] == ("n02099601", "golden retriever", 0.7)
    assert first[1].name == "Chihuahua"
    assert second[0][:2] == ("n15075141", "toilet tissue")


@pytest.mark.parametrize("of", ["mnist", "MNIST", "lenet5", "LeNet-5"])
def test_network_or_dataset_gives_the_classes(of: str) -> None:
    assert cnnzoo.decode_predictions(np.eye(10), of, top=1)[3] == [("3", "3", 1.0)]
    assert len(cnnzoo.decode_predictions(np.eye(10), of, top=50)[0]) == 10


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        (np.eye(9), r"\(N, 10\)"),
        (np.full(10, 0.1), r"\(N, 10\)"),
        (np.full((1, 10), 3.0), "no probabilities"),
        (np.full((1, 10), np.nan), "no probabilities"),
        (np.array([[1.5, -0.5, *[0] * 8]]), "no probabilities"),
    ],
)
def test_what_is_no_prediction_is_refused(rows: np.ndarray, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        cnnzoo.decode_predictions(rows, "lenet5")


def test_unknown_network_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean"):
        cnnzoo.decode_predictions(np.eye(10), "lenet6")
