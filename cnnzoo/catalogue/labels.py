"""What the outputs of a classifier mean: one file of ``weights/labels/`` per dataset."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from cnnzoo.catalogue.folder import weights_folder
from cnnzoo.lookup import pick

# As the entries of the weights catalogue and the networks name it -> stem of the file.
DATASETS = {
    "ImageNet-1k": "imagenet-1k",
    "CIFAR-10": "cifar-10",
    "MNIST": "mnist",
    "Fashion-MNIST": "fashion-mnist",
}


class Label(NamedTuple):
    """One class: the dataset's own identifier (a WordNet id for ImageNet) and its name."""

    id: str
    name: str


@cache
def labels_of(dataset: str) -> tuple[Label, ...]:
    """The classes of a dataset, in the order of a classifier's outputs.

    Raises:
        UnknownNameError: The classes of no such dataset are known.
    """
    stem = pick(DATASETS, dataset, kind="dataset")
    text = (weights_folder() / "labels" / f"{stem}.tsv").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return tuple(Label(*line.split("\t")) for line in lines)


def forms_of(dataset: str) -> tuple[tuple[str, ...], ...]:
    """What the classes may be called, in the order of a classifier's outputs: names, identifiers.

    Identifiers that only count are none of these: any ten numbers would be CIFAR-10.
    """
    labels = labels_of(dataset)
    names, ids = tuple(label.name for label in labels), tuple(label.id for label in labels)
    return (names,) if all(id.isdigit() for id in ids) else (names, ids)
