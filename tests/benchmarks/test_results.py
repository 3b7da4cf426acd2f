from __future__ import annotations

import json
from pathlib import Path

from benchmarks import lectures, precision, transfer_mnist
from benchmarks.lectures import Row

ROW = Row("agh_mnist", "mnist", 99.63)


def _finished(folder: Path, seed: int, errors: int, seconds: float) -> None:
    path = folder / f"agh_mnist-modern-{seed}"
    path.mkdir()
    plan = {"recipe": {"epochs": 4, "precision": "float32"}}
    (path / "config.json").write_text(json.dumps({"plan": plan}))
    found = {"test_accuracy": 1 - errors / 10_000, "misclassified": errors, "seconds": seconds}
    (path / "metrics.json").write_text(json.dumps(found))


def test_a_row_of_the_lectures_holds_every_finished_seed(tmp_path: Path) -> None:
    _finished(tmp_path, 0, 35, 60.0)
    _finished(tmp_path, 1, 1200, 64.0)
    _finished(tmp_path, 2, 40, 100.0)
    (tmp_path / "agh_mnist-modern-3").mkdir()  # still running
    found = lectures.found(ROW, "modern", tmp_path)
    assert found is not None
    assert list(found["seeds"]) == ["0", "1", "2"]
    line = lectures.markdown([found]).splitlines()[-1]
    assert line == (
        "| `agh_mnist` | `modern` | 99.65<br>88.00<br>99.60 | 99.63 | 35<br>1,200<br>40 | 4 "
        "| 32 | 15.0 s | 1 min 0 s |"
    )


def test_a_row_without_a_finished_run_is_none(tmp_path: Path) -> None:
    assert lectures.found(ROW, "lecture", tmp_path) is None


def test_runs_of_another_day_stay_on_record_unless_the_recipe_was_another() -> None:
    def row(network: str, recipe: str, epochs: int, **seeds: int) -> dict[str, object]:
        return {"network": network, "recipe": recipe, "epochs": epochs, "seeds": seeds}

    before = [row("agh_mnist", "modern", 9, a=1), row("agh_cifar10", "modern", 9, a=2, c=3)]
    now = [
        row("agh_cifar10", "modern", 9, b=4, c=5),
        row("agh_mnist", "modern", 8, b=6),
        row("agh_mnist", "lecture", 9, b=7),
    ]
    assert lectures.joined(before, now) == [
        row("agh_mnist", "lecture", 9, b=7),
        row("agh_mnist", "modern", 8, b=6),
        row("agh_cifar10", "modern", 9, a=2, b=4, c=5),
    ]


def test_transfer_shows_the_mean_and_each_of_several_seeds() -> None:
    accuracy = {"scratch": [0.9], "transfer": [0.91, 0.93], "adapt": [0.95]}
    table = transfer_mnist.markdown([{"images": 1000, "epochs": 12, "accuracy": accuracy}])
    assert table.splitlines()[-1] == ("| 1,000 | 12 | 90.00 % | 92.00 % (91.00, 93.00) | 95.00 % |")


def test_a_row_of_precisions_says_the_mean_and_each_seed():
    row = {
        "network": "taif_mnist", "precision": "float32", "epochs": 4,
        "accuracies": [0.991, 0.992, 0.9945], "seconds": [70.0, 61.0, 300.0],
    }  # fmt: skip
    line = precision.markdown([row]).splitlines()[-1]
    assert line == ("| `taif_mnist` | float32 | 99.25 % | 99.10, 99.20, 99.45 | 1 min 10 s |")
