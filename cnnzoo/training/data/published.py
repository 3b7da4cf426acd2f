"""Named datasets: in the folder ``CNNZOO_DATA``, in any form they are published in, or fetched."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from cnnzoo.catalogue.datasets import DatasetEntry, DatasetForm, all_datasets
from cnnzoo.errors import CnnZooError, DownloadError, IntegrityError, OfflineError, UsageError
from cnnzoo.lookup import fold
from cnnzoo.pretrained.fetch import download
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.training.data.arrays import survey_arrays, survey_npz
from cnnzoo.training.data.cifar import ARCHIVES, FOLDERS, is_cifar_folder, read_cifar
from cnnzoo.training.data.folders import survey_folder
from cnnzoo.training.data.idx import STEMS, idx_files, read_idx
from cnnzoo.training.data.survey import Survey

DATA_FOLDER = "CNNZOO_DATA"  # environment variable
DIGITS = "digits"


def names() -> tuple[str, ...]:
    """What ``load_data`` knows by name."""
    return (DIGITS, *all_datasets())


def survey_named(name: str) -> Survey:
    """Look at a dataset of `names`; its flaws are on record, and nobody's fault here.

    Raises:
        UsageError: ``CNNZOO_DATA`` names no folder.
        DownloadError: It is not there and cannot be fetched, in no form and from no address.
        IntegrityError: Every address sends another file.
        DataError: What is in ``CNNZOO_DATA`` cannot be used.
    """
    survey = _digits() if name == DIGITS else _published(all_datasets()[name])
    survey.given = True
    return survey


def data_folder() -> Path | None:
    """The folder that ``CNNZOO_DATA`` names, or None when it is not set."""
    chosen = os.environ.get(DATA_FOLDER, "")
    if not chosen:
        return None
    folder = Path(chosen).expanduser()
    if not folder.is_dir():
        raise UsageError(f"{DATA_FOLDER}={chosen!r} is no folder. Unset it, or name one.")
    return folder


def find_local(entry: DatasetEntry, folder: Path) -> Path | None:
    """Where a dataset is in a folder: a file, or the folder of its files; None if nowhere."""
    return next(_candidates(entry, folder), None)


def _published(entry: DatasetEntry) -> Survey:
    folder = data_folder()
    found = find_local(entry, folder) if folder else None
    return _fetched(entry) if found is None else _local(entry, found)


def _candidates(entry: DatasetEntry, folder: Path) -> Iterator[Path]:
    """The forms that a folder, or one inside it with the dataset's name, holds."""
    called = {fold(entry.name), fold(entry.title)}
    own = [path for path in sorted(folder.iterdir()) if fold(path.name) in called and path.is_dir()]
    own += [path / "raw" for path in own if (path / "raw").is_dir()]
    for home in (folder, *own):
        if (home / f"{entry.name}.npz").is_file():
            yield home / f"{entry.name}.npz"
    if _has(entry, "idx"):
        yield from (home for home in own if idx_files(home))
        if _is_published(entry, idx_files(folder)):
            yield folder
    if _has(entry, "cifar-python"):
        for home in (folder, *own):
            yield from (home / name for name in FOLDERS if is_cifar_folder(home / name))
            yield from (home / name for name in ARCHIVES if (home / name).is_file())
        yield from (home for home in own if is_cifar_folder(home))
    yield from (home for home in own if (home / "train").is_dir() and (home / "test").is_dir())


def _has(entry: DatasetEntry, form: str) -> bool:
    return any(published.form == form for published in entry.forms)


def _is_published(entry: DatasetEntry, files: Mapping[str, Path]) -> bool:
    """Whether idx files, whose names several datasets share, are those of this one."""
    if not files:
        return False
    labels = files["y_train"]
    wanted = {file.hash for form in entry.forms for file in form.files if file.file == labels.name}
    return f"sha256:{hashlib.sha256(labels.read_bytes()).hexdigest()}" in wanted


def _local(entry: DatasetEntry, path: Path) -> Survey:
    if path.suffix == ".npz":
        return survey_npz(path, entry.name, entry.class_names)
    if path.is_dir() and (files := idx_files(path)):
        return _named(entry, {key: read_idx(file) for key, file in files.items()}, str(path))
    if path.is_dir() and not is_cifar_folder(path):
        survey = survey_folder(path)
        survey.name = entry.name
        return survey
    return _named(entry, read_cifar(path), str(path))


def _named(entry: DatasetEntry, arrays: Mapping[str, np.ndarray], source: str) -> Survey:
    return survey_arrays(arrays, entry.name, source, entry.class_names)


def _fetched(entry: DatasetEntry) -> Survey:
    """From the cache or the network, the first form that can be had."""
    failures: list[CnnZooError] = []
    for form in entry.forms:
        try:
            paths = {
                file.file: download(RemoteFile.of(file, folder=entry.name)) for file in form.files
            }
        except (DownloadError, IntegrityError) as error:
            failures.append(error)
        else:
            return _of_form(entry, form, paths)
    offline = all(isinstance(failure, OfflineError) for failure in failures)
    kind = OfflineError if offline else type(failures[0])
    reasons = " ".join(str(failure) for failure in failures)
    files = " or ".join(", ".join(file.file for file in form.files) for form in entry.forms)
    raise kind(
        f"{entry.name!r} cannot be had. {reasons} Or put {files} into a folder and set "
        f"{DATA_FOLDER} to it; 'digits' needs no network."
    ) from failures[0]


def _of_form(entry: DatasetEntry, form: DatasetForm, paths: Mapping[str, Path]) -> Survey:
    source = f"{entry.title}: {entry.origin}"
    if form.form == "npz":
        (path,) = paths.values()
        survey = survey_npz(path, entry.name, entry.class_names)
        survey.source = source
        return survey
    if form.form == "idx":
        arrays = {key: read_idx(paths[f"{stem}.gz"]) for key, stem in STEMS.items()}
    else:
        (path,) = paths.values()
        arrays = read_cifar(path)
    return _named(entry, arrays, source)


def _digits() -> Survey:
    from sklearn.datasets import load_digits

    found = load_digits()
    images = np.rint(found.images * (255 / 16)).astype(np.uint8)  # they count to 16
    source = "1,797 handwritten digits of 8x8 pixels that come with scikit-learn"
    return survey_arrays({"x": images, "y": found.target}, DIGITS, source)
