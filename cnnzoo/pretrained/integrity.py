"""Is this the file it should be? The open file that was hashed is the one that is handed on."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import BinaryIO

from cnnzoo.errors import IntegrityError, StorageError
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.units import grouped

_CHUNK_BYTES = 2**20


def open_intact(path: Path, file: RemoteFile) -> BinaryIO | None:
    """Open ``path`` for reading when it holds exactly ``file``; None when nothing is there.

    Size and hash are checked on the open file, which is then rewound: replacing the path
    afterwards cannot change what the caller reads.

    Raises:
        IntegrityError: Something else is there. It is left as it is.
        StorageError: The path is no regular file or cannot be read.
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):  # before open(): a FIFO would block
            raise StorageError(f"{path} is no regular file. Remove it and try again.")
        opened = path.open("rb")
    except FileNotFoundError:
        return None
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror or error}.") from error
    try:
        _check(opened, path, file)
    except BaseException:
        opened.close()
        raise
    return opened


def digest_of(opened: BinaryIO, algorithm: str) -> str:
    """Hash an open file from its beginning and rewind it."""
    # md5 is only ever compared with digests that publishers state; it guards against accidents.
    hasher = hashlib.new(algorithm, usedforsecurity=False)
    opened.seek(0)
    while chunk := opened.read(_CHUNK_BYTES):
        hasher.update(chunk)
    opened.seek(0)
    return hasher.hexdigest()


def _check(opened: BinaryIO, path: Path, file: RemoteFile) -> None:
    size = os.fstat(opened.fileno()).st_size
    if file.size_bytes is not None and size != file.size_bytes:
        raise IntegrityError(
            f"{path} is not {file.name}: it holds {grouped(size)} bytes and must hold "
            f"{grouped(file.size_bytes)}."
        )
    digest = digest_of(opened, file.algorithm)
    if not file.is_hash(digest):
        raise IntegrityError(
            f"{path} is not {file.name}: its {file.algorithm} is {digest} and must {file.wants}."
        )
