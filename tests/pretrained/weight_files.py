"""Listings of published files, random networks, and files in the layouts of their time."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

LISTINGS = Path(__file__).parent / "readers" / "listings"
MAPS = Path(__file__).parents[2] / "weights" / "name_maps"


def listing(name: str) -> dict[str, tuple[int, ...]]:
    """Names and shapes of a published file, in its order."""
    lines = (LISTINGS / f"{name}.tsv").read_text().splitlines()
    rows = [line.split("\t") for line in lines]
    return {row[0]: ast.literal_eval(row[1]) for row in rows}


def randomise(model: keras.Model, seed: int = 7) -> None:
    """Kernels of any size, statistics that are neither 0 nor 1: nothing can hide."""
    numbers = np.random.default_rng(seed)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            values = [numbers.uniform(0.5, 1.5, weight.shape) for weight in layer.weights]
        else:
            values = [np.array(weight) for weight in layer.get_weights()]
            values = [v + numbers.normal(0, 0.01, v.shape) for v in values]
        layer.set_weights([value.astype("float32") for value in values])


def write_legacy(path: Path, names: list[str], values: list[Any], root: str = "") -> None:
    """A file of Keras 1 or 2: ``/layer/...`` datasets and the attributes that list them."""
    weights: dict[str, list[str]] = {}
    with h5py.File(path, "w") as file:
        group = file.create_group(root) if root else file
        for name, value in zip(names, values, strict=True):
            layer, _, weight = name.strip("/").partition("/")
            group.create_dataset(f"{layer}/{weight}", data=value)
            weights.setdefault(layer, []).append(weight)
        # Layers without weights are listed too.
        group.attrs["layer_names"] = [b"input_1", *[layer.encode() for layer in weights]]
        group.create_group("input_1").attrs["weight_names"] = np.array([])
        for layer, leaves in weights.items():
            group[layer].attrs["weight_names"] = [leaf.encode() for leaf in leaves]


def bytes_of(model: keras.Model) -> list[bytes]:
    return [weight.tobytes() for weight in model.get_weights()]
