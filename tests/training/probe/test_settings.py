from __future__ import annotations

from typing import Any

import pytest

from cnnzoo.errors import UnknownNameError, UsageError
from cnnzoo.training.probe.heads import LEARN
from cnnzoo.training.probe.settings import HEADS, make_settings


def test_one_or_several_networks_and_heads_are_taken() -> None:
    one = make_settings("lenet5")
    assert [b.name for b in one.backbones] == ["lenet5"]
    assert (one.heads, one.views) == (("linear",), 0)
    two = make_settings(["lenet5", "resnet20"], head=["KNN", "mlp", "knn"], views=2)
    assert [b.weights for b in two.backbones] == ["mnist", "cifar10"]
    assert two.heads == ("knn", "mlp")


def test_every_head_that_is_named_can_learn() -> None:
    assert HEADS.keys() == LEARN.keys()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"head": "liner"}, "No head is named 'liner'. Did you mean 'linear'"),
        ({"head": []}, "Use one or more of: linear, mlp, knn"),
        ({"views": -1}, "views=-1 cannot be"),
        ({"views": True}, "views=True cannot be"),
        ({"views": 1.5}, "whole number from 0 to 100"),
        ({"architecture": []}, "no network to probe"),
    ],
)
def test_what_cannot_be_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((UsageError, UnknownNameError), match=message):
        make_settings(**{"architecture": "lenet5", **arguments})
