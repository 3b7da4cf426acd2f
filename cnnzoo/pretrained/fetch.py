"""From a catalogue entry to a verified file: the cache first, then a mirror, then the publishers.

Whoever reads weights calls `open_verified`: it returns the open file whose bytes were just
checked. ``CNNZOO_CACHE``, ``CNNZOO_MIRROR`` and ``CNNZOO_OFFLINE`` steer it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import BinaryIO

from cnnzoo.errors import DownloadError, IntegrityError, OfflineError, StorageError
from cnnzoo.files import storage_errors
from cnnzoo.pretrained import cache, environment
from cnnzoo.pretrained.http import Source
from cnnzoo.pretrained.integrity import open_intact
from cnnzoo.pretrained.lock import one_at_a_time
from cnnzoo.pretrained.partial import partial_for
from cnnzoo.pretrained.progress import progress_bar
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.pretrained.transfer import Limits, transfer
from cnnzoo.units import grouped

LIMITS = Limits()
_log = logging.getLogger(__name__)


def open_verified(file: RemoteFile) -> BinaryIO:
    """Return ``file``, open for reading, fetched first when the cache has no intact copy.

    A damaged copy is replaced only once a verified one is there; it is never handed on.

    Raises:
        OfflineError: The file is absent and ``CNNZOO_OFFLINE`` forbids the network.
        DownloadError: Nothing usable came over the network.
        IntegrityError: What came, or what is in the cache and cannot be replaced, is another file.
        StorageError: The cache cannot be written.
    """
    if file.shipped_path:
        return _open_shipped(file.shipped_path, file)
    path = cache.blob_path(file)
    opened, damage = _look(path, file)
    if opened:
        return opened
    _refuse_when_offline(path, file, damage)
    cache.prepare(file)
    with one_at_a_time(cache.lock_path(file), LIMITS.deadline_seconds(file.size_bytes)):
        opened, damage = _look(path, file)  # another process may have brought it meanwhile
        return opened or _fetch(path, file, damage)


def download(file: RemoteFile, to: Path | None = None) -> Path:
    """Make sure that ``file`` is on this disk and intact, and return where.

    Args:
        to: A folder that gets the file under its own name, for another machine or a mirror.
            None keeps it in the cache, where ``weights=`` finds it.

    Raises:
        OfflineError, DownloadError, IntegrityError, StorageError: As `open_verified`.
    """
    if to is None:
        open_verified(file).close()
        return file.shipped_path or cache.blob_path(file)
    path = to / file.name
    opened, damage = _look(path, file)
    if opened is None:
        with storage_errors(to):
            to.mkdir(parents=True, exist_ok=True)
        if not _copied(file.shipped_path or cache.blob_path(file), path, file):
            _refuse_when_offline(path, file, damage)
            opened = _fetch(path, file, damage)
    if opened:
        opened.close()
    return path


def _look(path: Path, file: RemoteFile) -> tuple[BinaryIO | None, IntegrityError | None]:
    """The open file when it is intact, else what is wrong with it; neither when it is absent."""
    try:
        return open_intact(path, file), None
    except IntegrityError as damage:
        return None, damage


def _open_shipped(path: Path, file: RemoteFile) -> BinaryIO:
    opened, damage = _look(path, file)
    if opened is None:
        raise IntegrityError(f"{damage or f'{path} is missing.'} Install cnnzoo again.")
    return opened


def _copied(source: Path, path: Path, file: RemoteFile) -> bool:
    """Whether ``source`` was intact and is now at ``path`` too."""
    original, _ = _look(source, file)
    if original is None:
        return False
    with original, partial_for(path, file) as partial:
        while chunk := original.read(LIMITS.chunk_bytes):
            partial.write(chunk)
    return True


def _fetch(path: Path, file: RemoteFile, damage: IntegrityError | None) -> BinaryIO:
    """Bring ``file`` over the network to ``path`` and open it."""
    if damage:
        _log.warning("%s It is downloaded again.", damage)
    try:
        with (
            partial_for(path, file) as partial,
            progress_bar(file.name, file.size_bytes) as report,
        ):
            transfer(file, _sources(file), partial, report, LIMITS)
    except (DownloadError, IntegrityError) as error:
        if damage:
            raise IntegrityError(f"{damage} It could not be replaced: {error}") from error
        raise type(error)(f"{error} You can also put it at {path} by hand.") from error
    except StorageError:
        opened, _ = _look(path, file)  # on Windows a reader of the same file forbids renaming
        if opened:
            return opened
        raise
    opened, damage = _look(path, file)
    if opened is None:
        raise StorageError(f"{path} was written and is gone. {damage or ''}".rstrip())
    return opened


def _sources(file: RemoteFile) -> list[Source]:
    mirror = environment.mirror()
    path = f"{file.folder}/{file.name}" if file.folder else file.name
    first = [Source(f"{mirror}/{path}", loopback=True)] if mirror else []
    return first + [Source(url) for url in file.urls]


def _refuse_when_offline(path: Path, file: RemoteFile, damage: IntegrityError | None) -> None:
    if not environment.offline():
        return
    size = f"{grouped(file.size_bytes)} bytes, " if file.size_bytes else ""
    remedy = (
        f"Unset CNNZOO_OFFLINE, or fetch {' or '.join(file.urls)} ({size}{file.hash}) elsewhere "
        f"and put it at {path} by hand."
    )
    if damage:
        raise IntegrityError(f"{damage} CNNZOO_OFFLINE forbids replacing it. {remedy}")
    raise OfflineError(f"{file.name} is not here and CNNZOO_OFFLINE forbids the network. {remedy}")
