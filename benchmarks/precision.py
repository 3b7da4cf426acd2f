"""Whether 16 bits cost accuracy: the same short trainings in float32 and in mixed_bfloat16.

    CNNZOO_DATA=FOLDER python benchmarks/precision.py --out runs/precision

Three seeds of each on MNIST and on CIFAR-10; prints a table. Finished runs are not run again.
``--record benchmarks/results/precision.json`` is what docs/benchmarks.md shows.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path
from typing import Any

import cnnzoo
from cnnzoo.files import write_json
from cnnzoo.units import duration

NETWORKS = {"taif_mnist": "mnist", "taif_cifar10": "cifar10"}
PRECISIONS = ("float32", "mixed_bfloat16")
EPOCHS = 4


def measure(network: str, precision: str, seed: int, folder: Path) -> tuple[float, float]:
    """Test accuracy and seconds of one run."""
    out = folder / f"{network}-{precision}-{seed}"
    if not (out / "metrics.json").exists():
        cnnzoo.fine_tune(
            network, data=NETWORKS[network], recipe="modern", epochs=EPOCHS, precision=precision,
            seed=seed, out=out, overwrite=True, progress=False,
        )  # fmt: skip
    found = json.loads((out / "metrics.json").read_text("utf-8"))
    return float(found["test_accuracy"]), float(found["seconds"])


def markdown(results: list[dict[str, Any]]) -> str:
    """A table of rows as `main` records them."""
    lines = [
        "| network | trained in | test accuracy, mean | of each seed | median time |",
        "|---|---|---:|---|---:|",
    ]
    for row in results:
        each = ", ".join(f"{100 * accuracy:.2f}" for accuracy in row["accuracies"])
        mean = f"{100 * statistics.mean(row['accuracies']):.2f} %"
        time = duration(statistics.median(row["seconds"]))
        lines.append(f"| `{row['network']}` | {row['precision']} | {mean} | {each} | {time} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--seeds", type=int, default=3, help="how many of each")
    parser.add_argument("--record", type=Path, metavar="FILE", help="write what the table shows")
    arguments = parser.parse_args()
    results = []
    for network in NETWORKS:
        for precision in PRECISIONS:
            runs = [
                measure(network, precision, seed, arguments.out) for seed in range(arguments.seeds)
            ]
            accuracies, seconds = zip(*runs, strict=True)
            results.append(
                {
                    "network": network, "precision": precision, "epochs": EPOCHS,
                    "accuracies": accuracies, "seconds": seconds,
                }
            )  # fmt: skip
            print(markdown(results[-1:]), flush=True)
    if arguments.record:
        write_json(arguments.record, results)


if __name__ == "__main__":
    main()
