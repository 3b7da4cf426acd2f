"""Exported networks on the disk, under a hash of all they depend on, so that none is out of date.

```text
<cache>/runtimes/CACHEDIR.TAG                backup programs skip the folder
<cache>/runtimes/3f0c.../entry.json          what it is; size and sha256 of each file
<cache>/runtimes/3f0c.../model.xml, ...      the files
<cache>/runtimes/.part.<pid>.<random>/       being written; renamed when whole
```
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cnnzoo import files
from cnnzoo.errors import StorageError
from cnnzoo.pretrained.environment import cache_folder
from cnnzoo.pretrained.storage import storage_errors

CAP_BYTES = 4 * 2**30  # what was used longest ago goes first
ABANDONED_SECONDS = 24 * 3600.0  # a writer that old was killed
_MANIFEST = "entry.json"
_KEY = re.compile(r"[0-9a-f]{32}")
_PART = re.compile(r"\.part\.\d+\.[0-9a-f]{8}")
_TAG = (
    "Signature: 8a477f597d28d172789f06886806bc55\n"
    "# Networks exported by cnnzoo for fast runtimes. Deleting them costs the time to export.\n"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One exported network; the title says in words which and for what."""

    path: Path
    title: str
    size_bytes: int
    used: float  # seconds since 1970

    def is_intact(self) -> bool:
        """Whether every file is there with the bytes that were written; reads them."""
        return is_intact(self.path)


class Store:
    """The folder of exported networks: ``<cache>/runtimes`` unless given."""

    def __init__(self, folder: Path | None = None, cap_bytes: int = CAP_BYTES) -> None:
        self.folder = cache_folder() / "runtimes" if folder is None else folder
        self.cap_bytes = cap_bytes

    def get(self, key: str) -> Path | None:
        """The folder of an intact entry, which counts as used now; a damaged one is removed."""
        path = self.folder / key
        if not path.is_dir():
            return None
        if not is_intact(path):
            _remove(path)
            return None
        with contextlib.suppress(OSError):  # a folder that can only be read serves as well
            os.utime(path / _MANIFEST)
        return path

    def put(self, key: str, title: str, write: Callable[[Path], object]) -> Path:
        """Let ``write`` fill a folder, and keep it under the key.

        Raises:
            StorageError: The disk is full or the folder cannot be written.
        """
        part = self.folder / f".part.{os.getpid()}.{secrets.token_hex(4)}"
        target = self.folder / key
        try:
            with storage_errors(part):
                part.mkdir(parents=True)
                self._mark()
            write(part)
            with storage_errors(part):
                _seal(part, title)
                with contextlib.suppress(OSError):  # another process was faster: its files do
                    part.rename(target)
                files.sync(self.folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        if not is_intact(target):
            raise StorageError(f"{target} cannot be written. Delete it.")
        self._trim(keep=target)
        return target

    def entries(self) -> list[Entry]:
        """Everything here, whole or not, what was used last first."""
        found = [entry for path in self._folders(_KEY) if (entry := _read(path))]
        return sorted(found, key=lambda entry: entry.used, reverse=True)

    def prune(self, everything: bool = False) -> list[tuple[Entry, str]]:
        """Remove what is of no use; each entry that went and why."""
        gone = [(entry, "abandoned export") for entry in self._abandoned()]
        gone += [
            (entry, "not kept" if everything else "damaged")
            for entry in self.entries()
            if everything or not entry.is_intact()
        ]
        for entry, _ in gone:
            _remove(entry.path)
        return gone

    def _trim(self, keep: Path) -> None:
        """Remove what killed writers left, and of the rest what is above the cap."""
        for entry in self._abandoned():
            _remove(entry.path)
        total = 0
        for entry in self.entries():
            total += entry.size_bytes
            if total > self.cap_bytes and entry.path != keep:
                _remove(entry.path)

    def _abandoned(self) -> list[Entry]:
        found = [entry for path in self._folders(_PART) if (entry := _read(path))]
        return [entry for entry in found if time.time() - entry.used > ABANDONED_SECONDS]

    def _mark(self) -> None:
        tag = self.folder / "CACHEDIR.TAG"
        if not tag.exists():
            files.write_text(tag, _TAG)

    def _folders(self, pattern: re.Pattern[str]) -> Iterator[Path]:
        """Those with a name of ours; nothing else is ever touched."""
        if self.folder.is_dir():
            for path in sorted(self.folder.iterdir()):
                if pattern.fullmatch(path.name) and path.is_dir() and not path.is_symlink():
                    yield path


def key_of(*parts: object) -> str:
    """A name that changes when any part does."""
    return hashlib.sha256(json.dumps([str(part) for part in parts]).encode()).hexdigest()[:32]


def is_intact(path: Path) -> bool:
    """Whether every file of an entry is there with the bytes that were written; reads them."""
    try:
        known = json.loads((path / _MANIFEST).read_text("utf-8"))["files"]
        return bool(known) and all(_print(path / name) == wanted for name, wanted in known.items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False


def _seal(path: Path, title: str) -> None:
    """Write down what the files are, and force all to the disk."""
    found = {file.name: _print(file) for file in sorted(path.iterdir())}
    for name in found:
        files.sync(path / name)
    files.write_json(path / _MANIFEST, {"title": title, "files": found})


def _print(file: Path) -> list[Any]:
    """Size and hash of a file."""
    with file.open("rb") as opened:
        return [file.stat().st_size, hashlib.file_digest(opened, "sha256").hexdigest()]


def _read(path: Path) -> Entry | None:
    """What can be said of an entry without reading its files; nothing when it just went."""
    try:
        used, title = path.stat().st_mtime, "damaged export"
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            title = str(json.loads((path / _MANIFEST).read_text("utf-8"))["title"])
            used = (path / _MANIFEST).stat().st_mtime
        return Entry(path, title, sum(file.stat().st_size for file in path.iterdir()), used)
    except OSError:
        return None


def _remove(path: Path) -> None:
    """Out of sight at once, then deleted; whoever has its files open keeps them."""
    part = path.with_name(f".part.{os.getpid()}.{secrets.token_hex(4)}")
    with contextlib.suppress(OSError):
        path.rename(part)
        shutil.rmtree(part, ignore_errors=True)
