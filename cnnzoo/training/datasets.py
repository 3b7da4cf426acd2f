"""Labelled images from wherever they are: built-in names, .npz files, folders of classes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cnnzoo.errors import DataError, DownloadError, UsageError
from cnnzoo.lookup import fold, pick
from cnnzoo.pictures import Images
from cnnzoo.training.splits import emptied, stratified

TEST_FRACTION = 0.2  # of data that come without a test part
DATA_FOLDER = "CNNZOO_DATA"  # environment variable


@dataclass(frozen=True, slots=True)
class Part:
    """Images, (N, H, W, 1 | 3) uint8 or files, and their class numbers, (N,) int64."""

    images: Images
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, numbers: np.ndarray) -> Part:
        return Part(self.images[numbers], self.labels[numbers])


@dataclass(frozen=True, slots=True)
class Dataset:
    """A training part, a test part, and what is known about them.

    Attributes:
        name: Short, for titles and folder names.
        source: What ``load_data`` was given, or a sentence; says where the images came from.
        channels: 1 if every image is grey, else 3.
        notes: What a reader of the results should know, such as images in both parts.
    """

    name: str
    source: str
    train: Part
    test: Part
    class_names: tuple[str, ...]
    channels: int
    notes: tuple[str, ...] = ()

    def __str__(self) -> str:
        return (
            f"{self.name}: {len(self.train):,} training and {len(self.test):,} test images "
            f"of {len(self.class_names)} classes"
        )


def load_data(source: str | os.PathLike[str], *, seed: int = 0) -> Dataset:
    """Load labelled images.

    Args:
        source: ``"digits"`` (scikit-learn's 1,797 handwritten digits, no network needed);
            ``"mnist"``, ``"fashion_mnist"`` or ``"cifar10"`` (``<name>.npz`` in the folder that
            the environment variable ``CNNZOO_DATA`` names, else a download); the path of an .npz
            with x_train, y_train, x_test, y_test and perhaps class_names; or a folder that holds
            ``train/<class>/`` and ``test/<class>/``, or just ``<class>/``. A folder that is called
            like a known name is given as ``./digits``.
        seed: Chooses the stratified fifth that becomes the test part where there is none.

    Raises:
        UnknownNameError: Neither a known name nor a path that exists.
        UsageError: Neither text nor a path.
        DataError: Images or labels that cannot be used; every bad file is named.
        DownloadError: A named dataset is neither in ``CNNZOO_DATA`` nor can it be downloaded.
    """
    from cnnzoo.training.arrays import load_npz
    from cnnzoo.training.folders import load_folder

    if not isinstance(source, (str, os.PathLike)) or not os.fspath(source):
        raise UsageError(f"data={source!r} is neither the name of a dataset nor a path.")
    bare = isinstance(source, str) and re.fullmatch(r"[\w -]+", source) is not None
    if bare and fold(str(source)) in map(fold, NAMED):
        return pick(NAMED, source, kind="dataset")(seed)
    path = Path(source)
    if path.is_dir():
        return load_folder(path, seed)
    if path.is_file():
        return load_npz(path)
    if bare:
        pick(NAMED, source, kind="dataset", see=f"Known: {', '.join(NAMED)}; or give a path.")
    raise DataError(
        f"{os.fspath(source)!r} does not exist. Give an .npz file, a folder with one folder "
        f"per class, or one of: {', '.join(NAMED)}."
    )


def split_off_test(
    images: Images, labels: np.ndarray, class_names: tuple[str, ...], where: str, seed: int
) -> tuple[Part, Part]:
    """A training and a test part where the data have none of their own."""
    if few := emptied(labels, TEST_FRACTION):
        raise DataError(
            f"{where}: {_listed(class_names[label] for label in few)} has only one image, so no "
            "test image can be set aside. Add images, or give train/ and test/ folders."
        )
    kept, taken = stratified(labels, TEST_FRACTION, seed)
    return Part(images[kept], labels[kept]), Part(images[taken], labels[taken])


def repeated_note(train: Iterable[bytes], test: Iterable[bytes]) -> tuple[str, ...]:
    """A note if images of the test part, given by digests, are also in the training part."""
    seen = set(train)
    if count := sum(digest in seen for digest in test):
        images = "1 test image is" if count == 1 else f"{count:,} test images are"
        return (f"{images} also in the training part, so the test result flatters.",)
    return ()


def digest(data: bytes) -> bytes:
    return hashlib.blake2b(data, digest_size=16).digest()


def _digits(seed: int) -> Dataset:
    from sklearn.datasets import load_digits

    found = load_digits()
    images = np.rint(found.images * (255 / 16)).astype(np.uint8)[..., None]  # they count to 16
    labels = found.target.astype(np.int64)
    names = tuple("0123456789")
    train, test = split_off_test(images, labels, names, "digits", seed)
    source = "1,797 handwritten digits of 8x8 pixels that come with scikit-learn"
    return Dataset("digits", source, train, test, names, channels=1)


# fmt: off
_CIFAR10 = (
    "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
)
_FASHION = (
    "T-shirt/top", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "ankle boot",
)
# fmt: on


def _published(name: str, class_names: tuple[str, ...]) -> Callable[[int], Dataset]:
    """A loader for a dataset with an official test part, from `DATA_FOLDER` or the network."""

    def load(seed: int) -> Dataset:
        from cnnzoo.training.arrays import from_arrays, load_npz

        folder = os.environ.get(DATA_FOLDER)
        if folder and (path := Path(folder, f"{name}.npz")).is_file():
            return load_npz(path, name=name, class_names=class_names)
        (x_train, y_train), (x_test, y_test) = _download(name, folder)
        arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
        return from_arrays(
            arrays, name=name, source=f"{name}, as downloaded by Keras", class_names=class_names
        )

    return load


def _download(name: str, folder: str | None) -> tuple[tuple[np.ndarray, ...], ...]:
    import keras

    try:
        with contextlib.redirect_stdout(sys.stderr):  # where Keras draws its progress bar
            parts: tuple[tuple[np.ndarray, ...], ...] = getattr(keras.datasets, name).load_data()
            return parts
    except Exception as error:  # Keras raises plain Exception when a download fails
        looked = f"not in {DATA_FOLDER}={folder}" if folder else f"{DATA_FOLDER} is not set"
        raise DownloadError(
            f"{name!r} cannot be had: there is no file {name}.npz ({looked}), and the download "
            f"failed: {error}. Put {name}.npz with x_train, y_train, x_test, y_test into a folder "
            f"and set {DATA_FOLDER} to it, or pass the path of the file; 'digits' needs no network."
        ) from error


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


NAMED: dict[str, Callable[[int], Dataset]] = {
    "digits": _digits,
    "mnist": _published("mnist", tuple("0123456789")),
    "fashion_mnist": _published("fashion_mnist", _FASHION),
    "cifar10": _published("cifar10", _CIFAR10),
}
