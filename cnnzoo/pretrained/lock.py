"""A lock that saves transfers and nothing else.

Some file systems grant a lock to everybody, some to nobody. Files stay whole without it, because
each process writes its own temporary file and renames it; so whatever goes wrong here is logged
and passed over, and a holder that hangs is waited for only so long.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

_log = logging.getLogger(__name__)
_REMIND_SECONDS = 10.0


@contextlib.contextmanager
def one_at_a_time(path: Path, patience_seconds: float) -> Iterator[None]:
    """Hold the lock file ``path``, where the file system can, while the block runs."""
    lock = FileLock(path, mode=0o664)
    try:
        _acquire(lock, path, patience_seconds)
    except (OSError, NotImplementedError) as error:
        _log.info("Going on without the lock %s: %s.", path, error)
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            lock.release(force=True)


def _acquire(lock: FileLock, path: Path, patience_seconds: float) -> None:
    give_up = time.monotonic() + patience_seconds
    while True:
        left = give_up - time.monotonic()
        try:
            lock.acquire(timeout=max(0.0, min(_REMIND_SECONDS, left)))
            return
        except Timeout:
            if time.monotonic() >= give_up:
                _log.warning("Another process still holds %s; going on without it.", path)
                return
            _log.warning("Waiting for another process, which holds %s.", path)
