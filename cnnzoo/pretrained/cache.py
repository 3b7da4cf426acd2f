"""The download cache: files under the names of their hashes, so that none is ever out of date.

```text
<cache>/blobs/CACHEDIR.TAG                      backup programs skip the folder
<cache>/blobs/sha256/66/66c8b43d....h5          a file whose sha256 is 66c8b43d...
<cache>/blobs/sha256/66/.66c8b43d....lock       held while one process downloads it
<cache>/blobs/sha256/66/.cnnzoo.<host>.<pid>.<random>.part
```

Two versions of cnnzoo with different catalogues share it without getting in each other's way.
"""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from cnnzoo.errors import IntegrityError, StorageError
from cnnzoo.pretrained.environment import cache_folder
from cnnzoo.pretrained.integrity import open_intact
from cnnzoo.pretrained.partial import is_abandoned
from cnnzoo.pretrained.remote import HASH, RemoteFile
from cnnzoo.pretrained.storage import cache_errors, is_marked, mark

_SCHEMES = ("sha256", "md5", "sha256-prefix")
_BLOB = re.compile(r"(?P<digest>[0-9a-f]+)(\.[A-Za-z0-9]+)?")
_LOCK = re.compile(r"\.(?P<digest>[0-9a-f]+)\.lock")


@dataclass(frozen=True)
class CachedFile:
    """One file of the cache; ``hash`` is what its name promises."""

    path: Path
    hash: str
    size_bytes: int

    def is_intact(self) -> bool:
        """Whether the bytes on disk are the promised ones; reads the whole file."""
        try:
            opened = open_intact(self.path, RemoteFile(self.path.name, (), self.hash, None))
        except IntegrityError:
            return False
        if opened:
            opened.close()
        return opened is not None


@dataclass(frozen=True)
class Removed:
    """One file that `cache_prune` deleted."""

    path: Path
    size_bytes: int
    reason: str


def blob_path(file: RemoteFile) -> Path:
    """Where the cache keeps ``file``, whether it is there or not."""
    folder = _blobs() / file.scheme / file.digest[:2]
    return folder / f"{file.digest}{file.suffix}"


def lock_path(file: RemoteFile) -> Path:
    return blob_path(file).with_name(f".{file.digest}.lock")


def prepare(file: RemoteFile) -> None:
    """Make the folder that ``file`` goes to, and mark the cache as one.

    Raises:
        StorageError: The cache cannot be written. No other folder is used instead.
    """
    folder = blob_path(file).parent
    with cache_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        mark(_blobs())


def cache_list() -> tuple[CachedFile, ...]:
    """Every file of the cache, in the order of their hashes; nothing is read but names."""
    return tuple(
        CachedFile(path, promised, size)
        for path, size in _ours()
        if (promised := _promised(path, _BLOB))
    )


def cache_prune(keep: Collection[str] = ()) -> tuple[Removed, ...]:
    """Delete what is of no use: damaged files, abandoned downloads, and hashes not in ``keep``.

    Only files that carry a name of ours, inside a folder that we marked, are touched. A process
    that is reading one of them keeps reading it.

    Raises:
        StorageError: The folder is not marked as ours, or a file cannot be deleted.
    """
    removed = []
    for path, size in _ours():
        reason = _reason_to_go(path, keep)
        if reason:
            with cache_errors(path):
                path.unlink(missing_ok=True)
            removed.append(Removed(path, size, reason))
    return tuple(removed)


def _reason_to_go(path: Path, keep: Collection[str]) -> str:
    if is_abandoned(path):
        return "abandoned download"
    locked = _promised(path, _LOCK)
    if locked:
        return "" if locked in keep else "lock of a file that is not kept"
    promised = _promised(path, _BLOB)
    if not promised:
        return ""
    if promised not in keep:
        return "not kept"
    return "" if CachedFile(path, promised, 0).is_intact() else "damaged"


def _ours() -> Iterator[tuple[Path, int]]:
    """Regular files of a cache that carries our mark, with their sizes; no symbolic links."""
    blobs = _blobs()
    if not blobs.is_dir():
        return
    if not is_marked(blobs):
        raise StorageError(
            f"{blobs} is not marked as a cache of cnnzoo, so nothing in it is touched. "
            "Set CNNZOO_CACHE to the folder that is."
        )
    for scheme in _SCHEMES:
        for folder in _folders(blobs / scheme):
            for path in sorted(folder.iterdir()):
                with contextlib.suppress(FileNotFoundError):  # another process pruned it
                    status = path.lstat()
                    if stat.S_ISREG(status.st_mode):
                        yield path, status.st_size


def _folders(parent: Path) -> list[Path]:
    if parent.is_symlink() or not parent.is_dir():
        return []
    return sorted(p for p in parent.iterdir() if p.is_dir() and not p.is_symlink())


def _promised(path: Path, pattern: re.Pattern[str]) -> str:
    """The hash that a name of ours promises, or nothing for other names."""
    found = pattern.fullmatch(path.name)
    if not found or found["digest"][:2] != path.parent.name:
        return ""
    promised = f"{path.parent.parent.name}:{found['digest']}"
    return promised if HASH.fullmatch(promised) else ""


def _blobs() -> Path:
    return cache_folder() / "blobs"
