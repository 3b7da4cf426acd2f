"""From what a user calls a dataset to the reader that knows its form."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from cnnzoo.errors import DataError, UsageError
from cnnzoo.lookup import fold, pick
from cnnzoo.pictures import printable
from cnnzoo.training.data import lists
from cnnzoo.training.data.arrays import survey_arrays, survey_npz
from cnnzoo.training.data.cifar import is_cifar_folder, read_cifar
from cnnzoo.training.data.folders import survey_folder
from cnnzoo.training.data.idx import idx_files, read_idx
from cnnzoo.training.data.published import names, survey_named
from cnnzoo.training.data.survey import Survey


def survey(source: str | os.PathLike[str], follow_links: bool = False) -> Survey:
    """Look at every image of a dataset, and change nothing.

    Raises:
        UnknownNameError, UsageError, DataError, DownloadError: As ``load_data``.
    """
    if not isinstance(source, (str, os.PathLike)) or not os.fspath(source):
        raise UsageError(f"data={source!r} is neither the name of a dataset nor a path.")
    known = {name: name for name in names()}
    bare = isinstance(source, str) and re.fullmatch(r"[\w -]+", source) is not None
    if bare and fold(str(source)) in map(fold, known):
        return survey_named(pick(known, source, kind="dataset"))
    path = Path(source)
    mode = _mode(path)
    if stat.S_ISDIR(mode):
        return _folder(path, follow_links)
    if stat.S_ISREG(mode):
        return _file(path, follow_links)
    if mode:
        raise DataError(f"{printable(path)} is neither a file nor a folder.")
    if bare:
        pick(known, source, kind="dataset", see=f"Known: {', '.join(known)}; or give a path.")
    raise DataError(
        f"{os.fspath(source)!r} does not exist. Give an .npz file, a CSV list, a folder with one "
        f"folder per class, or one of: {', '.join(known)}."
    )


def _mode(path: Path) -> int:
    """What kind of file it is; 0 when there is none."""
    try:
        return path.stat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return 0
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{printable(path)} cannot be read: {reason}.") from error


def _folder(path: Path, follow_links: bool) -> Survey:
    if files := idx_files(path):
        arrays = {key: read_idx(file) for key, file in files.items()}
        return survey_arrays(arrays, path.resolve().name, str(path))
    if is_cifar_folder(path):
        return survey_arrays(read_cifar(path), path.resolve().name, str(path))
    return survey_folder(path, follow_links)


def _file(path: Path, follow_links: bool) -> Survey:
    if path.suffix.lower() in lists.SUFFIXES:
        return lists.survey_list(path, follow_links)
    if path.name.endswith((".tar.gz", ".tgz")):
        return survey_arrays(read_cifar(path), path.name.partition(".")[0], str(path))
    return survey_npz(path)
