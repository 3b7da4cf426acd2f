"""The networks of the lectures: what the lecture reports, its protocol again, and a clean one.

    CNNZOO_DATA=FOLDER python benchmarks/lectures.py --out runs/lectures
    CNNZOO_DATA=FOLDER python benchmarks/lectures.py --out runs/lectures --only taif_mnist --seeds 3

Trains what is missing in the folder, goes on with what was cut off, and prints a table of all runs
that are finished there. ``--table`` only prints; ``--record benchmarks/results/lectures.json``
adds them to the runs of other days that stand in that file, which is what docs/results.md shows.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cnnzoo
from cnnzoo.files import write_json
from cnnzoo.units import duration


@dataclass(frozen=True)
class Row:
    """One network: the lecture's accuracy in per cent, if it prints one, and the recipes to run."""

    network: str
    data: str
    lecture: float | None
    recipes: tuple[str, ...] = ("lecture", "modern")


ROWS = (
    Row("agh_mnist", "mnist", 99.63),
    Row("taif_mnist", "mnist", 67.05),
    Row("jyu_mnist_bn", "mnist", None),
    Row("agh_cifar10", "cifar10", 83.85),
    Row("taif_cifar10", "cifar10", 78.46),
    Row("airbench94", "cifar10", None, ("speedrun", "modern")),
)


def train(row: Row, recipe: str, seed: int, folder: Path, precision: str | None) -> None:
    """One run, unless it is finished."""
    path = folder / f"{row.network}-{recipe}-{seed}"
    if (path / "metrics.json").exists():
        return
    if (path / "config.json").exists():
        cnnzoo.fine_tune(resume=path)
        return
    cnnzoo.fine_tune(
        row.network, data=row.data, recipe=recipe, seed=seed, out=path, precision=precision
    )


def found(row: Row, recipe: str, folder: Path) -> dict[str, Any] | None:
    """What the finished runs of a row came to, by seed; None before there is one."""
    runs = {}
    for path in sorted(folder.glob(f"{row.network}-{recipe}-*")):
        if (path / "metrics.json").exists():
            metrics = json.loads((path / "metrics.json").read_text("utf-8"))
            config = json.loads((path / "config.json").read_text("utf-8"))
            runs[path.name.rsplit("-", 1)[1]] = {
                "accuracy": metrics["test_accuracy"],
                "errors": metrics["misclassified"],
                "seconds": metrics["seconds"],
            }
    if not runs:
        return None
    plan = config["plan"]["recipe"]
    return {
        "network": row.network,
        "data": row.data,
        "lecture": row.lecture,
        "recipe": recipe,
        "epochs": plan["epochs"],
        "precision": plan["precision"],
        "seeds": runs,
    }


def joined(before: list[dict[str, Any]], now: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows in the order of `ROWS`, with the seeds of both where the training was the same."""
    order = [(row.network, recipe) for row in ROWS for recipe in row.recipes]
    rows = {(row["network"], row["recipe"]): row for row in before}
    for row in now:
        key = row["network"], row["recipe"]
        old = rows.get(key, row)
        same = all(old[name] == row[name] for name in row if name != "seeds")
        seeds = old["seeds"] | row["seeds"] if same else row["seeds"]
        rows[key] = row | {"seeds": dict(sorted(seeds.items()))}
    return sorted(rows.values(), key=lambda row: order.index((row["network"], row["recipe"])))


def markdown(rows: list[dict[str, Any]]) -> str:
    """A table of rows as `found` gives them, a line for each seed."""
    lines = [
        "| network | recipe | ours, % | lecture, % | errors | epochs | bits | an epoch | in all |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in rows:
        runs = row["seeds"].values()
        each = "<br>".join(f"{100 * run['accuracy']:.2f}" for run in runs)
        wrong = "<br>".join(f"{run['errors']:,}" for run in runs)
        seconds = min(run["seconds"] for run in runs)  # other work only makes it slower
        lecture = "–" if row["lecture"] is None else f"{row['lecture']:.2f}"
        bits = 32 if row["precision"] == "float32" else 16
        lines.append(
            f"| `{row['network']}` | `{row['recipe']}` | {each} | {lecture} | {wrong} | "
            f"{row['epochs']} | {bits} | {duration(seconds / row['epochs'])} | "
            f"{duration(seconds)} |"
        )
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--only", nargs="*", metavar="NETWORK", help="these networks")
    parser.add_argument("--recipes", nargs="*", metavar="RECIPE", help="these recipes")
    parser.add_argument("--seeds", type=int, default=1, help="how many of each")
    parser.add_argument("--precision", help="other than the recipe's, such as auto")
    parser.add_argument("--table", action="store_true", help="train nothing, print the table")
    parser.add_argument("--record", type=Path, metavar="FILE", help="add to what stands there")
    arguments = parser.parse_args()
    rows = [row for row in ROWS if not arguments.only or row.network in arguments.only]
    work = [
        (row, recipe)
        for row in rows
        for recipe in row.recipes
        if not arguments.recipes or recipe in arguments.recipes
    ]
    for seed in range(0 if arguments.table else arguments.seeds):
        for row, recipe in work:
            train(row, recipe, seed, arguments.out, arguments.precision)
    results = [result for row, recipe in work if (result := found(row, recipe, arguments.out))]
    if arguments.record:
        file = arguments.record
        results = joined(json.loads(file.read_text("utf-8")) if file.exists() else [], results)
        write_json(file, results)
    print(markdown(results))


if __name__ == "__main__":
    main()
