"""The half of a download: a temporary file beside its target, renamed when it is whole.

`cnnzoo.files.replacing` writes a file in one go; a download comes in pieces, over several
attempts, and must tell a full disk from a broken connection. So it has its own temporary file.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from cnnzoo.files import sync
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.pretrained.storage import cache_errors
from cnnzoo.units import mebibytes

_SPARE_BYTES = 2**24  # left free on the disk beside the file itself
_REPLACE_SECONDS = 2.0  # how long Windows may keep a file busy
_BUSY_ON_WINDOWS = (5, 32)  # access denied, sharing violation: a scanner or reader has it open
_NAME = re.compile(r"\.cnnzoo\.(?P<host>[\w-]+)\.(?P<pid>\d+)\.[0-9a-f]{8}\.part")


class Partial:
    """Bytes received so far, on disk and in the hash."""

    def __init__(self, path: Path, opened: FileIO, algorithm: str) -> None:
        self.path = path
        self._opened = opened
        self._algorithm = algorithm
        self.restart()

    def restart(self) -> None:
        """Forget everything received."""
        with cache_errors(self.path):
            self._opened.seek(0)
            self._opened.truncate()
        self._hasher = hashlib.new(self._algorithm, usedforsecurity=False)
        self.size_bytes = 0

    def write(self, chunk: bytes) -> None:
        """Append ``chunk``.

        Raises:
            StorageError: The disk is full or refuses.
        """
        with cache_errors(self.path):
            rest = memoryview(chunk)
            while rest:
                rest = rest[self._opened.write(rest) :]
        self._hasher.update(chunk)
        self.size_bytes += len(chunk)

    @property
    def digest(self) -> str:
        return self._hasher.hexdigest()

    def sync(self) -> None:
        """Force the bytes to the disk and close."""
        with cache_errors(self.path):
            os.fsync(self._opened.fileno())
            self._opened.close()


@contextlib.contextmanager
def partial_for(target: Path, file: RemoteFile) -> Iterator[Partial]:
    """Yield a `Partial` beside ``target``; when the block ends well, it becomes ``target``.

    Raises:
        StorageError: The folder cannot be written, or the disk has no room for the file.
    """
    _check_room(target, file)
    _sweep(target.parent)
    path = target.with_name(part_name())
    with cache_errors(path):
        opened = path.open("xb", buffering=0)
    try:
        with opened:
            partial = Partial(path, opened, file.algorithm)
            yield partial
            partial.sync()
        with cache_errors(target):
            _replace(path, target)
            sync(target.parent)
    finally:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def part_name() -> str:
    """A name for what is being written, which says by whom."""
    return f".cnnzoo.{_host()}.{os.getpid()}.{secrets.token_hex(4)}.part"


def is_abandoned(path: Path) -> bool:
    """Whether ``path`` has such a name, and the process, on this machine, no longer runs."""
    parts = _NAME.fullmatch(path.name)
    return parts is not None and parts["host"] == _host() and not _runs(int(parts["pid"]))


def _check_room(target: Path, file: RemoteFile) -> None:
    """Say that the disk is full before the first byte rather than after the last."""
    if file.size_bytes is None:
        return
    with cache_errors(target):
        free = shutil.disk_usage(target.parent).free
        if free < file.size_bytes + _SPARE_BYTES:
            raise OSError(
                errno.ENOSPC,
                f"{file.name} needs {mebibytes(file.size_bytes)} and the disk has "
                f"{mebibytes(free)} free",
            )


def _sweep(folder: Path) -> None:
    """Remove what killed downloads of this machine left behind."""
    for path in folder.glob(".cnnzoo.*.part"):
        if is_abandoned(path):
            with contextlib.suppress(OSError):
                path.unlink()


def _replace(path: Path, target: Path) -> None:
    """Rename over ``target``, patiently where a reader can keep a file busy."""
    give_up = time.monotonic() + _REPLACE_SECONDS
    while True:
        try:
            path.replace(target)
            return
        except PermissionError as error:
            busy = getattr(error, "winerror", None) in _BUSY_ON_WINDOWS
            if not busy or time.monotonic() > give_up:
                raise
            time.sleep(0.05)


def _host() -> str:
    return re.sub(r"[^\w-]", "-", socket.gethostname()) or "unknown"


def _runs(pid: int) -> bool:
    if os.name == "nt":  # signal 0 means Ctrl-C there
        return True
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
