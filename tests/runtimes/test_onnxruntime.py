from __future__ import annotations

import copy
import gc
import weakref
from pathlib import Path
from typing import Any

import keras
import pytest

from cnnzoo.runtimes import onnxruntime


class _Graph:
    """As tf2onnx's, whose nodes know the graph that holds them."""

    def __init__(self) -> None:
        self.nodes = [{"graph": self} for _ in range(2000)]


def test_copies_of_the_network_do_not_pile_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """tf2onnx makes one, with all weights, for each of some thirty passes."""
    alive: weakref.WeakSet[_Graph] = weakref.WeakSet()
    counts = []

    def export(*_: Any, **__: Any) -> None:
        graph = _Graph()
        for _ in range(30):
            graph = copy.deepcopy(graph)
            alive.add(graph)
            counts.append(len(alive))

    model = keras.Sequential([keras.Input((2, 2, 1)), keras.layers.Flatten()])
    monkeypatch.setattr(model, "export", export)
    before = gc.get_threshold(), gc.get_freeze_count()
    onnxruntime.export(model, tmp_path)
    assert len(counts) == 30
    assert max(counts) <= 4
    assert len(alive) == 0
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
