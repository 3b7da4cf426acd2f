"""ResNet-20 on few digits: from CIFAR-10's weights, and from nothing.

    CNNZOO_DATA=FOLDER python benchmarks/transfer_mnist.py --out runs/transfer

Trains on 10, 100 and 1,000 images of every class of MNIST, measures on all 10,000 test images, and
prints a table. All see the same images in the same number of epochs: "scratch" from random weights,
"transfer" and "adapt" from those of CIFAR-10. Finished runs are not run again. ``--record
benchmarks/results/transfer-mnist.json`` is what docs/results.md shows.
"""

from __future__ import annotations

import argparse
import json
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

import cnnzoo
from cnnzoo.files import write_json
from cnnzoo.training.data.dataset import Dataset

EPOCHS = {10: 60, 100: 40, 1000: 12}  # by the number of images of a class
RECIPES = {"scratch": None, "transfer": "cifar10", "adapt": "cifar10"}


def few(data: Dataset, count: int, seed: int) -> Dataset:
    """``data`` with so many training images of every class."""
    rng = np.random.default_rng(seed)
    labels = data.train.labels
    rows = [rng.permutation(np.flatnonzero(labels == label))[:count] for label in np.unique(labels)]
    return replace(data, train=data.train.rows(np.sort(np.concatenate(rows))))


def measure(data: Dataset, recipe: str, count: int, seed: int, folder: Path) -> float:
    """Test accuracy of one run."""
    out = folder / f"{recipe}-{count}-{seed}"
    if (out / "metrics.json").exists():
        found: dict[str, Any] = json.loads((out / "metrics.json").read_text("utf-8"))
    else:
        found = cnnzoo.fine_tune(
            "resnet20", data=few(data, count, seed), recipe=recipe, weights=RECIPES[recipe],
            epochs=EPOCHS[count], seed=seed, out=out, overwrite=True, progress=False,
            validation_fraction=0.1, batch_size=min(32, count), precision="float32",
        ).metrics  # fmt: skip
    return float(found["test_accuracy"])


def markdown(results: list[dict[str, Any]]) -> str:
    """A table of the mean accuracies, with those of all seeds behind them where there are more."""
    lines = [
        f"| images of a class | epochs | {' | '.join(f'`{recipe}`' for recipe in RECIPES)} |",
        "|---:|---:|" + "---:|" * len(RECIPES),
    ]
    for result in results:
        cells = [_cell(result["accuracy"][recipe]) for recipe in RECIPES]
        lines.append(f"| {result['images']:,} | {result['epochs']} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(values: list[float]) -> str:
    mean = f"{100 * statistics.mean(values):.2f} %"
    each = ", ".join(f"{100 * value:.2f}" for value in values)
    return f"{mean} ({each})" if len(values) > 1 else mean


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--seeds", type=int, default=1, help="how many of each")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write what the table shows")
    arguments = parser.parse_args()
    data = cnnzoo.load_data("mnist")
    results = []
    for count, epochs in EPOCHS.items():
        found = {
            recipe: [
                measure(data, recipe, count, seed, arguments.out) for seed in range(arguments.seeds)
            ]
            for recipe in RECIPES
        }
        results.append({"images": count, "epochs": epochs, "accuracy": found})
        print(markdown(results[-1:]), flush=True)
    if arguments.record:
        write_json(arguments.record, results)


if __name__ == "__main__":
    main()
