"""ResNet-20 on few digits: from CIFAR-10's weights, and from nothing.

    CNNZOO_DATA=FOLDER python benchmarks/transfer_mnist.py --out runs/transfer

Trains on 10, 100 and 1,000 images of every class of MNIST, measures on all 10,000 test images, and
prints a table. All see the same images in the same number of epochs: "scratch" from random weights,
"transfer" and "adapt" from those of CIFAR-10. Finished runs are not run again.
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
from cnnzoo.training.datasets import Dataset

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--seeds", type=int, default=1, help="how many of each")
    arguments = parser.parse_args()
    data = cnnzoo.load_data("mnist")
    print("| images of a class | epochs | recipe | test accuracy | of seeds |")
    print("|---:|---:|---|---:|---|")
    for count, epochs in EPOCHS.items():
        for recipe in RECIPES:
            found = [
                measure(data, recipe, count, seed, arguments.out) for seed in range(arguments.seeds)
            ]
            each = ", ".join(f"{100 * value:.2f}" for value in found)
            mean = statistics.mean(found)
            print(f"| {count:,} | {epochs} | {recipe} | {100 * mean:.2f} % | {each} |", flush=True)


if __name__ == "__main__":
    main()
