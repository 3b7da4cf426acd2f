from __future__ import annotations

import csv
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import keras
import pytest

from cnnzoo.errors import CnnZooError
from cnnzoo.training.fitting import OPTIMIZERS, Recorder
from cnnzoo.training.recipe import LEARNING_RATES
from cnnzoo.training.rundir import RunDirectory


class Counting:
    """Stands for a network: saves how often it was asked to be saved."""

    def __init__(self) -> None:
        self.epoch = 0

    def save(self, path: str) -> None:
        Path(path).write_text(str(self.epoch))


def _record(path: Path, *figures: tuple[float, float]) -> Recorder:
    """Epochs of the given validation accuracy and loss."""
    network = Counting()
    recorder = Recorder(network, RunDirectory(path))  # type: ignore[arg-type]
    recorder.set_model(SimpleNamespace(optimizer=SimpleNamespace(learning_rate=0.1)))
    for epoch, (accuracy, loss) in enumerate(figures):
        network.epoch = epoch + 1
        recorder.on_epoch_begin(epoch)
        logs = {"loss": 0.3, "accuracy": 0.7, "val_loss": loss, "val_accuracy": accuracy}
        recorder.on_epoch_end(epoch, logs)
    return recorder


@pytest.mark.parametrize(
    ("figures", "best"),
    [
        ([(0.8, 0.5), (0.9, 0.6), (0.7, 0.1)], 2),  # the accuracy decides
        ([(0.9, 0.5), (0.9, 0.4), (0.9, 0.45)], 2),  # among equals the loss
        ([(0.9, 0.5), (0.9, 0.5)], 1),
        ([(0.0, 9.0)], 1),
    ],
)
def test_the_model_kept_is_the_one_of_the_best_epoch(
    tmp_path: Path, figures: list[tuple[float, float]], best: int
) -> None:
    _record(tmp_path, *figures)
    assert (tmp_path / "model.keras").read_text() == str(best)


def test_history_is_complete_after_every_epoch(tmp_path: Path) -> None:
    _record(tmp_path, (0.5, 1.0), (0.6, 0.9))
    with (tmp_path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["1", "2"]
    assert rows[1] | {"seconds": "0"} == {
        "epoch": "2", "loss": "0.3", "accuracy": "0.7", "val_loss": "0.9",
        "val_accuracy": "0.6", "learning_rate": "0.1", "seconds": "0",
    }  # fmt: skip


@pytest.mark.parametrize("loss", [math.nan, math.inf])
def test_a_loss_that_is_no_number_stops_the_run_and_keeps_the_best(
    tmp_path: Path, loss: float
) -> None:
    with pytest.raises(CnnZooError, match=r"no longer a number in epoch 2. Try a smaller learning"):
        _record(tmp_path, (0.5, 1.0), (0.9, loss))
    assert (tmp_path / "model.keras").read_text() == "1"
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 3


@pytest.mark.parametrize("name", LEARNING_RATES)
def test_every_optimizer_of_a_recipe_can_be_made(name: str) -> None:
    optimizer: Any = OPTIMIZERS[name](LEARNING_RATES[name])
    assert isinstance(optimizer, keras.optimizers.Optimizer)
    assert float(optimizer.learning_rate) == pytest.approx(LEARNING_RATES[name])


def test_sgd_has_momentum() -> None:
    optimizer: Any = OPTIMIZERS["sgd"](0.1)
    assert (optimizer.momentum, optimizer.nesterov) == (0.9, True)
