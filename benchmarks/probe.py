"""A linear head on ResNet-20's features: by `probe`, and by ten epochs of `fit`.

    python benchmarks/probe.py [--data digits] [--images 10000] [--rounds 3]

`fit` is what is usually done: the frozen network and a new dense layer as one Keras model, trained
on images that have the network's size already. `probe` comes first with an empty cache, then with
the network in the cache and no features, then with the features. Each round does all four in turn,
and each clock starts before the network is built. Where others use the machine, the seconds of the
processor tell more than those of the clock.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers

import cnnzoo
from cnnzoo.training.batches import Batches
from cnnzoo.training.datasets import Dataset, Part
from cnnzoo.training.probe import store

NETWORK, WEIGHTS, EPOCHS, BATCH = "resnet20", "cifar10", 10, 32
STEPS = ("fit", "probe", "probe, network kept", "probe, features kept")


def fit(images: np.ndarray, labels: np.ndarray) -> keras.Model:
    """The frozen network with a dense layer, after ten epochs of Adam."""
    network = cnnzoo.build(
        NETWORK, weights=WEIGHTS, include_top=False, pooling="avg", include_preprocessing=True
    )
    network.trainable = False
    classes = int(labels.max()) + 1
    output = layers.Dense(classes, activation="softmax")(network.output)
    model = keras.Model(network.inputs, output)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    return model


def pixels(part: Part) -> np.ndarray:
    """(N, 32, 32, 3), as `probe` shows them to the network."""
    return Batches(part, (32, 32, 3), len(part), int(part.labels.max()) + 1)[0][0]


def few(data: Dataset, count: int) -> Dataset:
    """So many of the training images, and a fifth as many to test."""
    rng = np.random.default_rng(0)

    def some(part: Part, number: int) -> Part:
        return part.rows(np.sort(rng.permutation(len(part))[:number]))

    return replace(data, train=some(data.train, count), test=some(data.test, count // 5))


def timed(work: Callable[[], Any]) -> tuple[Any, tuple[float, float]]:
    """What comes out, and the seconds by the clock and of the processor."""
    clock, processor = time.perf_counter(), time.process_time()
    return work(), (time.perf_counter() - clock, time.process_time() - processor)


def measure(rounds: int = 1, data: Dataset | None = None) -> dict[str, Any]:
    """Medians of the seconds, and the test accuracies, by what was done."""
    dataset = cnnzoo.load_data("digits") if data is None else data
    images, test = pixels(dataset.train), pixels(dataset.test)
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in STEPS}
    accuracy: dict[str, float] = {}

    def probe() -> Any:
        return cnnzoo.probe(NETWORK, dataset, weights=WEIGHTS, progress=False)

    for _ in range(rounds):
        with empty_cache():
            for step in STEPS[1:]:
                if step == "probe, network kept":
                    store.prune(everything=True)
                found, spent = timed(probe)
                seconds[step].append(spent)
                accuracy[step] = found[0].accuracy
        model, spent = timed(lambda: fit(images, dataset.train.labels))
        seconds["fit"].append(spent)
        right = model.predict(test, verbose=0).argmax(axis=1) == dataset.test.labels
        accuracy["fit"] = float(right.mean())
    rows = {
        step: {
            "seconds": statistics.median(clock for clock, _ in seconds[step]),
            "cpu_seconds": statistics.median(processor for _, processor in seconds[step]),
            "accuracy": accuracy[step],
        }
        for step in STEPS
    }
    return {
        "network": NETWORK,
        "data": dataset.name,
        "training_images": len(dataset.train),
        "epochs": EPOCHS,
        "rounds": rounds,
        "runtime": found[0].runtime,
        "rows": rows,
    }


@contextlib.contextmanager
def empty_cache() -> Iterator[None]:
    before = os.environ.get("CNNZOO_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["CNNZOO_CACHE"] = folder
        try:
            yield
        finally:
            os.environ.pop("CNNZOO_CACHE")
            if before is not None:
                os.environ["CNNZOO_CACHE"] = before


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", default="digits", help="what load_data takes (digits)")
    parser.add_argument("--images", type=int, help="so many training images only")
    parser.add_argument("--rounds", type=int, default=3, help="of all four (3)")
    arguments = parser.parse_args()
    data = cnnzoo.load_data(arguments.data)
    found = measure(arguments.rounds, few(data, arguments.images) if arguments.images else data)
    print(
        f"{found['network']} on {found['training_images']:,} images of {found['data']}, features "
        f"by {found['runtime']}, medians of {found['rounds']}"
    )
    usual = found["rows"]["fit"]
    for name, row in found["rows"].items():
        clock, processor = row["seconds"], row["cpu_seconds"]
        print(
            f"{name:21}{clock:8.2f} s {usual['seconds'] / clock:6.1f} x   processor "
            f"{processor:8.2f} s {usual['cpu_seconds'] / processor:6.1f} x   "
            f"{100 * row['accuracy']:.2f} %"
        )


if __name__ == "__main__":
    main()
