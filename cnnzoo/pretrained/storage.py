"""What to say when the operating system refuses to write."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from pathlib import Path

from cnnzoo.errors import StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_FORBIDDEN = (errno.EACCES, errno.EPERM, errno.EROFS)


@contextlib.contextmanager
def storage_errors(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` about ``path`` into a `StorageError` that names the way out."""
    try:
        yield
    except StorageError:
        raise
    except OSError as error:
        if error.errno in _FULL:
            advice = "Free some space, or choose another cache folder with CNNZOO_CACHE."
        elif error.errno in _FORBIDDEN:
            advice = "Choose a cache folder that you may write with CNNZOO_CACHE."
        else:
            advice = "Check the folder, or choose another cache folder with CNNZOO_CACHE."
        reason = error.strerror or error
        raise refusal(f"{path} cannot be written: {reason}. {advice}", error.errno) from error


def refusal(message: str, number: int | None) -> StorageError:
    """A `StorageError` that keeps the system's error number."""
    error = StorageError(message)
    error.errno = number
    return error
