"""Whether 16 bits cost accuracy: the same short trainings in float32 and in mixed_bfloat16.

    CNNZOO_DATA=FOLDER python benchmarks/precision.py --out runs/precision

Three seeds of each on MNIST and on CIFAR-10; prints a table. Finished runs are not run again.
"""

from __future__ import annotations

import argparse
import json
import statistics
from pathlib import Path

import cnnzoo
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--seeds", type=int, default=3, help="how many of each")
    arguments = parser.parse_args()
    print("| network | precision | test accuracy | of seeds | median time |")
    print("|---|---|---:|---|---:|")
    for network in NETWORKS:
        for precision in PRECISIONS:
            found = [
                measure(network, precision, seed, arguments.out) for seed in range(arguments.seeds)
            ]
            each = ", ".join(f"{100 * accuracy:.2f}" for accuracy, _ in found)
            mean = statistics.mean(accuracy for accuracy, _ in found)
            time = duration(statistics.median(seconds for _, seconds in found))
            print(
                f"| `{network}` | {precision} | {100 * mean:.2f} % | {each} | {time} |", flush=True
            )


if __name__ == "__main__":
    main()
