"""Datasets in arrays: checked, and brought to (N, H, W, 1 | 3) uint8 with labels 0, 1, 2, …"""

from __future__ import annotations

import os
import zipfile
import zlib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cnnzoo.errors import DataError
from cnnzoo.lookup import did_you_mean
from cnnzoo.training.data.dataset import Part
from cnnzoo.training.data.problems import Problem
from cnnzoo.training.data.survey import TOGETHER, Survey, compare, digest
from cnnzoo.units import mebibytes

KEYS = ("x_train", "y_train", "x_test", "y_test")
_ENDINGS = {"train": "_train", "validation": "_val", "test": "_test", TOGETHER: ""}
_NPY = b"\x93NUMPY"  # how a single array begins
# Everything that reading a damaged archive has been seen to raise; a password is a RuntimeError.
_DAMAGE = (
    OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError,
    RuntimeError, MemoryError, OverflowError,
)  # fmt: skip
_NAMED = 5  # missing classes
_DARK = 128  # an image set whose brightest pixel is below was probably not scaled to 255


def survey_npz(
    path: Path, name: str | None = None, class_names: tuple[str, ...] | None = None
) -> Survey:
    """Read x_train, y_train, x_test, y_test and perhaps class_names from a NumPy archive.

    Raises:
        DataError: Not such an archive, larger than the memory, or images or labels that cannot
            be used.
    """
    try:
        with path.open("rb") as file:
            _check_form(path, file.read(len(_NPY)))
            _check_size(path)
            file.seek(0)
            arrays = _read(np.load(file, allow_pickle=False), path)
    except DataError:
        raise
    except _DAMAGE as error:
        raise DataError(f"{path} cannot be read as an .npz file: {error}.") from error
    return survey_arrays(arrays, name or path.stem, str(path), class_names)


def survey_arrays(
    arrays: Mapping[str, np.ndarray],
    name: str,
    source: str,
    class_names: tuple[str, ...] | None = None,
) -> Survey:
    """Check the arrays of `KEYS`, or just x and y, and look at every image.

    Images may be (N, H, W) or (N, H, W, 1 | 3), uint8 or float from 0 to 1; labels (N,) or (N, 1).
    """
    notes: list[str] = []
    parts = {}
    for part, ending in _ENDINGS.items():
        if f"x{ending}" in arrays:
            images = _pixels(arrays[f"x{ending}"], f"x{ending} of {source}", notes)
            labels = _labels(arrays[f"y{ending}"], f"y{ending} of {source}")
            if len(images) != len(labels):
                raise DataError(
                    f"{source}: x{ending} holds {len(images):,} images but y{ending} "
                    f"{len(labels):,} labels."
                )
            parts[part] = Part(images, labels)
    channels = {part.images.shape[-1] for part in parts.values()}  # type: ignore[union-attr]
    if len(channels) > 1:
        raise DataError(f"{source}: x_train and x_test do not have the same number of channels.")
    given = arrays.get("class_names")
    names = _class_names(given, source) if given is not None else class_names
    names = _classes(parts.get("train") or parts[TOGETHER], names, source)
    numbers, problems = _usable(parts, len(names))
    survey = Survey(
        name,
        source,
        names,
        parts,
        {part: [digest(image) for image in found.images] for part, found in parts.items()},
        lambda part, row: f"image {numbers[part][row]} of x{_ENDINGS[part]}",
        channels.pop(),
        problems=problems,
        sizes=Counter(),
        notes=notes,
    )
    for found in parts.values():
        height, width, depth = found.images.shape[1:]  # type: ignore[union-attr]
        survey.sizes[width, height] += len(found)
        survey.modes["array L" if depth == 1 else "array RGB"] += len(found)
    compare(survey)
    return survey


def _check_form(path: Path, beginning: bytes) -> None:
    """Refuse what begins like neither an archive nor an array, if it begins at all."""
    if beginning and not beginning.startswith((b"PK", _NPY)):
        raise DataError(
            f"{path} is no .npz file. Data are an .npz file, a CSV list that ends in .csv, a "
            "folder with one folder per class, or a name such as digits."
        )


def _check_size(path: Path) -> None:
    """An archive says how large its arrays are; refuse what the memory cannot hold."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())
    if size > MEMORY_BYTES:
        raise DataError(
            f"{path} unpacks to {mebibytes(size)}, and this machine has "
            f"{mebibytes(MEMORY_BYTES)} of memory. Image files, in class folders or listed in a "
            "CSV file, are read batch by batch."
        )


def _read(archive: Any, path: Path) -> dict[str, np.ndarray]:
    """The arrays we know of an opened archive."""
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise DataError(f"{path} is a single array, not an .npz with {', '.join(KEYS)}.")
    wanted = ("x", "y") if {"x", "y"} <= set(archive) else KEYS
    for key in wanted:
        if key not in archive:
            raise DataError(
                f"{path} has no array {key!r}.{did_you_mean(key, archive)} "
                f"It holds: {', '.join(archive) or 'nothing'}; needed: {', '.join(KEYS)}, "
                "or x and y."
            )
    extra = (
        "class_names",
        *(key for key in ("x_val", "y_val") if {"x_val", "y_val"} <= set(archive)),
    )
    arrays = {key: archive[key] for key in (*wanted, *extra) if key in archive}
    if none := [key for key, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise DataError(f"{path}: {', '.join(none)} is no array.")
    return arrays


def _pixels(array: np.ndarray, where: str, notes: list[str]) -> np.ndarray:
    """(N, H, W) or (N, H, W, 1 | 3), uint8 or float 0 to 1 -> (N, H, W, 1 | 3) uint8."""
    if array.ndim == 3:
        array = array[..., None]
    if array.ndim != 4 or array.shape[-1] not in (1, 3) or 0 in array.shape:
        hint = ""
        if array.ndim == 4 and array.shape[1] in (1, 3):
            hint = " Channels come last: try .transpose(0, 2, 3, 1)."
        raise DataError(
            f"{where} has the shape {array.shape}; wanted is (images, height, width) or "
            f"(images, height, width, 1 or 3), none of them 0.{hint}"
        )
    low, high = (array.min(), array.max()) if array.dtype.kind in "fiu" else (np.nan, np.nan)
    shares = array.dtype.kind == "f" and low >= 0 and high <= 1
    if shares:
        array = np.rint(array * 255)
    if low >= 0 and high <= 255:
        pixels: np.ndarray = array.astype(np.uint8, copy=False)
        if array.dtype == np.uint8 or np.array_equal(pixels, array):
            if high < _DARK and not shares:
                notes.append(
                    f"The brightest pixel of {where} is {high:g}; pixels are read as 0 to 255."
                )
            return pixels
    raise DataError(
        f"{where} is {array.dtype} from {low} to {high}; wanted is uint8 from 0 to 255, "
        "or float from 0 to 1 without NaN."
    )


def _labels(array: np.ndarray, where: str) -> np.ndarray:
    """(N,) or (N, 1) whole numbers -> (N,) int64."""
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        hint = " One-hot labels: try .argmax(axis=1)." if array.ndim == 2 else ""
        raise DataError(f"{where} has the shape {array.shape}; wanted is (images,).{hint}")
    if array.dtype.kind not in "iu":
        raise DataError(f"{where} is {array.dtype}; wanted are whole numbers from 0, as integers.")
    return array.astype(np.int64)


def _class_names(array: np.ndarray, source: str) -> tuple[str, ...]:
    names = tuple(str(name) for name in array.ravel())
    if array.dtype.kind != "U" or len(set(names)) != len(names):
        raise DataError(f"class_names of {source} must be text, each name once; it is {array!r}.")
    return names


def _classes(first: Part, names: tuple[str, ...] | None, source: str) -> tuple[str, ...]:
    """The names of the classes, each of which has training images; of numbers without a gap.

    Args:
        first: The training part.
        names: If they are known.
    """
    found = np.unique(first.labels)
    found = found[found >= 0]
    count = len(names) if names is not None else int(found.max(initial=0)) + 1
    if count < 2:
        raise DataError(f"{source} has one single class; a classifier needs at least two.")
    some = np.arange(min(count, len(found) + _NAMED + 1))  # one label may be any number
    missing = np.setdiff1d(some, found)
    if len(missing):
        listed = ", ".join(map(str, missing[:_NAMED])) + (", …" if len(missing) > _NAMED else "")
        raise DataError(
            f"{source} has no training image of class {listed}. Number the classes from 0 without "
            "gaps."
        )
    return names or tuple(map(str, found))


def _usable(
    parts: dict[str, Part], classes: int
) -> tuple[dict[str, np.ndarray], list[Problem]]:  # fmt: skip
    """The numbers of the images whose labels are classes, and what is wrong with the others.

    Those are taken out of ``parts``.
    """
    numbers, problems = {}, []
    for part, found in parts.items():
        usable = (found.labels >= 0) & (found.labels < classes)
        numbers[part] = np.flatnonzero(usable)
        for row in np.flatnonzero(~usable):
            reason = (
                f"its label is {found.labels[row]}; of {classes} classes labels go from 0 to "
                f"{classes - 1}"
            )
            problems.append(Problem("label", f"image {row} of x{_ENDINGS[part]}", reason))
        if len(numbers[part]) < len(found):
            parts[part] = found.rows(numbers[part])
    return numbers, problems


def _memory_bytes() -> int:
    """The memory of this machine; a bound that is never reached where nobody says."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2**62


MEMORY_BYTES = _memory_bytes()
