"""A linear head on ResNet-20's features of the digits: by `probe`, and by ten epochs of `fit`.

    python benchmarks/probe.py [--rounds 3]

`fit` is what is usually done: the frozen network and a new dense layer as one Keras model, trained
on images that have the network's size already. Each round does all three in turn, `probe` first
with an empty cache and then again; each clock starts before the network is built.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

import cnnzoo
from cnnzoo.training.batches import Batches
from cnnzoo.training.datasets import Dataset, Part

NETWORK, WEIGHTS, EPOCHS, BATCH = "resnet20", "cifar10", 10, 32


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


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return work(), time.perf_counter() - began


def measure(rounds: int = 1, data: Dataset | None = None) -> dict[str, Any]:
    """Medians of the seconds, how often `probe` is faster, and the test accuracies."""
    dataset = cnnzoo.load_data("digits") if data is None else data
    images, test = pixels(dataset.train), pixels(dataset.test)
    seconds: dict[str, list[float]] = {"fit": [], "probe": [], "probe_again": []}
    accuracy: dict[str, float] = {}
    before = os.environ.get("CNNZOO_CACHE")

    def probe() -> Any:
        return cnnzoo.probe(NETWORK, dataset, weights=WEIGHTS, progress=False)

    try:
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as folder:
                os.environ["CNNZOO_CACHE"] = folder
                found, first = timed(probe)
                _, again = timed(probe)
            model, usual = timed(lambda: fit(images, dataset.train.labels))
            for name, value in zip(seconds, (usual, first, again), strict=True):
                seconds[name].append(value)
            answers = model.predict(test, verbose=0).argmax(axis=1)
            accuracy["fit"] = float((answers == dataset.test.labels).mean())
            accuracy["probe"] = found[0].accuracy
    finally:
        os.environ.pop("CNNZOO_CACHE", None)
        if before is not None:
            os.environ["CNNZOO_CACHE"] = before
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    return {
        "network": NETWORK,
        "data": dataset.name,
        "epochs": EPOCHS,
        "rounds": rounds,
        "seconds": medians,
        "times_faster": {name: medians["fit"] / medians[name] for name in ("probe", "probe_again")},
        "accuracy": accuracy,
        "runtime": found[0].runtime,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="of all three (3)")
    found = measure(parser.parse_args().rounds)
    print(f"{found['network']} on {found['data']}, features by {found['runtime']}")
    for name, seconds in found["seconds"].items():
        accuracy = found["accuracy"][name.removesuffix("_again")]
        faster = found["seconds"]["fit"] / seconds
        print(f"{name:11}  {seconds:8.2f} s  {100 * accuracy:.2f} %  {faster:.0f} x")


if __name__ == "__main__":
    main()
