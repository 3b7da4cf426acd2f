"""Datasets in arrays: checked, and brought to (N, H, W, 1 | 3) uint8 with labels 0, 1, 2, …"""

from __future__ import annotations

import os
import zipfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cnnzoo.errors import DataError
from cnnzoo.lookup import did_you_mean
from cnnzoo.training.data.dataset import Part
from cnnzoo.training.data.survey import TOGETHER, Survey, compare, digest
from cnnzoo.units import mebibytes

KEYS = ("x_train", "y_train", "x_test", "y_test")
_ENDINGS = {"train": "_train", "validation": "_val", "test": "_test", TOGETHER: ""}
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
            _check_size(path)
            arrays = _read(np.load(file, allow_pickle=False), path)
    except DataError:
        raise
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
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
    first = parts.get("train") or parts[TOGETHER]
    given = arrays.get("class_names")
    names = _class_names(given, source) if given is not None else class_names
    names = names or tuple(str(label) for label in range(int(first.labels.max()) + 1))
    _check_classes(parts, first, names, source)
    survey = Survey(
        name,
        source,
        names,
        parts,
        {part: [digest(image) for image in found.images] for part, found in parts.items()},
        lambda part, row: f"image {row} of x{_ENDINGS[part]}",
        channels.pop(),
        sizes=Counter(),
        notes=notes,
    )
    for found in parts.values():
        height, width, depth = found.images.shape[1:]  # type: ignore[union-attr]
        survey.sizes[width, height] += len(found)
        survey.modes["array L" if depth == 1 else "array RGB"] += len(found)
    compare(survey)
    return survey


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
    return {key: archive[key] for key in (*wanted, *extra) if key in archive}


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
    if array.dtype == np.uint8:
        brightest = int(array.max())
        if brightest < _DARK:
            notes.append(
                f"The brightest pixel of {where} is {brightest}; pixels are read as 0 to 255."
            )
        return array
    low, high = (array.min(), array.max()) if array.dtype.kind in "fiu" else (np.nan, np.nan)
    if array.dtype.kind == "f" and low >= 0 and high <= 1:
        array = np.rint(array * 255)
    if low >= 0 and high <= 255:
        pixels: np.ndarray = array.astype(np.uint8)
        if np.array_equal(pixels, array):
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


def _check_classes(
    parts: Mapping[str, Part], first: Part, names: tuple[str, ...], source: str
) -> None:
    """Every class has training images, and no label is out of range."""
    for part, found in parts.items():
        for label in (found.labels.min(), found.labels.max()):
            if not 0 <= label < len(names):
                raise DataError(
                    f"y{_ENDINGS[part]} of {source} holds the label {label}; with {len(names)} "
                    f"classes labels go from 0 to {len(names) - 1}."
                )
    if len(names) < 2:
        raise DataError(f"{source} has one single class; a classifier needs at least two.")
    missing = sorted(set(range(len(names))) - set(np.unique(first.labels).tolist()))
    if missing:
        raise DataError(
            f"{source} has no training image of class {', '.join(map(str, missing))}. "
            f"Number the classes from 0 without gaps."
        )


def _memory_bytes() -> int:
    """The memory of this machine; a bound that is never reached where nobody says."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 2**62


MEMORY_BYTES = _memory_bytes()
