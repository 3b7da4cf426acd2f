"""What the outputs of a classifier mean: one file of ``weights/labels/`` per dataset."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from cnnzoo.catalogue.folder import weights_folder
from cnnzoo.errors import DataError
from cnnzoo.lookup import did_you_mean, pick

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


def check_classes(
    title: str,
    known: Sequence[tuple[str, ...]],
    given: Sequence[str],
    *,
    of_digits: bool = False,
) -> tuple[str, ...]:
    """The names of the classes, if labelled images number them as a network does.

    Images whose classes are called 0, 1, 2, … have no names of their own and take the network's,
    unless they are known to be of digits.

    Args:
        title: Of the network, for people.
        known: Its classes in each form they go by; none if nobody knows.

    Raises:
        DataError: Other classes, or another order; every figure would be wrong.
    """
    found = tuple(given)
    if not known:
        return found
    names = known[0]
    if found in known:
        return names
    if not of_digits and len(found) == len(names) and found == tuple(map(str, range(len(found)))):
        return names
    raise DataError(f"{title} and the data do not agree: {_difference(names, found)}")


def _difference(known: tuple[str, ...], given: tuple[str, ...]) -> str:
    if len(known) != len(given):
        return (
            f"it knows {len(known):,} classes ({_few(known)}), "
            f"they have {len(given):,} ({_few(given)})."
        )
    place = next(i for i, pair in enumerate(zip(known, given, strict=True)) if pair[0] != pair[1])
    both = f"class {place} is {known[place]!r} to it and {given[place]!r} to them"
    if sorted(known) == sorted(given):
        return f"the classes are the same in another order; {both}. Renumber the labels."
    return f"{both}.{did_you_mean(given[place], known, 1)} It knows {_few(known)}."


def _few(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
