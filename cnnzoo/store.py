"""What was computed here and is worth keeping: folders of files, each whole or absent.

```text
<cache>/<name>/CACHEDIR.TAG                          backup programs skip the folder
<cache>/<name>/3f0c.../entry.json                    what it is; the checksum of each file
<cache>/<name>/3f0c.../model.xml, ...                the files
<cache>/<name>/.cnnzoo.<host>.<pid>.<random>.part/   being written, renamed when whole
```

An entry is named by a hash of all it depends on, so that none is ever out of date.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cnnzoo import files
from cnnzoo.errors import StorageError, UsageError
from cnnzoo.pretrained.environment import cache_folder
from cnnzoo.pretrained.partial import is_abandoned, part_name
from cnnzoo.pretrained.storage import cache_errors, is_marked, mark

LIMIT_GIB = 4.0
_MANIFEST = "entry.json"
_KEY = re.compile(r"[0-9a-f]{32}")
_CHUNK_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Entry:
    """One folder of a store.

    Attributes:
        title: What it holds, for people.
        size_bytes: Of all its files.
        used: When it was last put or got, in seconds since 1970.
    """

    path: Path
    title: str
    size_bytes: int
    used: float

    def is_intact(self) -> bool:
        """Whether every file is there with the bytes that were written; reads them all."""
        return _is_intact(self.path)


@dataclass(frozen=True, slots=True)
class Store:
    """The entries of one kind.

    Attributes:
        name: Of their folder in the cache.
    """

    name: str

    @property
    def folder(self) -> Path:
        return cache_folder() / self.name

    @property
    def variable(self) -> str:
        return f"CNNZOO_{self.name.upper()}_GIB"

    def limit_bytes(self) -> int:
        """How much may be kept: the variable, 4 GiB unless set; 0 keeps nothing.

        Raises:
            UsageError: The variable is no number from 0.
        """
        text = os.environ.get(self.variable, "") or str(LIMIT_GIB)
        try:
            size = float(text) * 2**30
            if not 0 <= size < 2**63:
                raise ValueError
        except ValueError:
            raise UsageError(
                f"{self.variable}={text!r} is no size. Set it to a number of GiB, such as 4, or to "
                "0 to keep nothing."
            ) from None
        return int(size)

    def get(self, key: str) -> Path | None:
        """The folder of an intact entry, which counts as used now.

        A damaged one is deleted, so that it is made anew.
        """
        path = self.folder / key
        if not path.is_dir():
            return None
        if not _is_intact(path):
            with contextlib.suppress(StorageError):  # whoever makes it anew says what is wrong
                _delete(path)
            return None
        with contextlib.suppress(OSError):  # a cache that may only be read has no need of it
            os.utime(path)
        return path

    def put(self, key: str, title: str, write: Callable[[Path], object]) -> Path:
        """Let ``write`` fill a folder and keep it; what was used longest ago makes room.

        What is larger than the limit is kept until the next one comes.

        Raises:
            StorageError: The disk is full or the cache cannot be written.
        """
        target, part = self.folder / key, self.folder / part_name()
        try:
            with cache_errors(target):
                part.mkdir(parents=True)
                mark(self.folder)
                for path in filter(is_abandoned, self._folders()):
                    _delete(path)
                write(part)
                _seal(part, title)
                self.make_room(_entry(part).size_bytes)
                try:
                    part.rename(target)
                except OSError:
                    if not target.is_dir():  # else another process was faster, which will do
                        raise
                files.sync(self.folder)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        found = self.get(key)
        if found is None:
            raise StorageError(
                f"{target} is damaged or gone as soon as it was written. If other processes need "
                f"the room, set {self.variable} to more than {self.limit_bytes() / 2**30:g}."
            )
        return found

    def entries(self) -> list[Entry]:
        """What is here, intact or not, what was used longest ago first."""
        found = [_entry(path) for path in self._folders() if _KEY.fullmatch(path.name)]
        return sorted(found, key=lambda entry: entry.used)

    def make_room(self, size_bytes: int) -> list[Entry]:
        """Delete what was used longest ago until so much more may be kept; returns what went."""
        held, gone = self.entries(), []
        excess = sum(entry.size_bytes for entry in held) + size_bytes - self.limit_bytes()
        for entry in held:
            if excess <= 0:
                break
            with contextlib.suppress(StorageError):  # Windows keeps what is being read
                _delete(entry.path)
                excess -= entry.size_bytes
                gone.append(entry)
        return gone

    def prune(self, everything: bool = False) -> list[tuple[Entry, str]]:
        """Delete what is of no use, or all; returns each entry that went, and why.

        Of no use is what is damaged, what a killed process left behind, and what is more than may
        be kept.

        Raises:
            StorageError: Something cannot be deleted.
        """
        gone = [(_entry(path), "abandoned") for path in filter(is_abandoned, self._folders())]
        for entry in self.entries():
            if everything or not entry.is_intact():
                gone.append((entry, "not kept" if everything else "damaged"))
        for entry, _ in gone:
            _delete(entry.path)
        return gone + [(entry, "no room") for entry in self.make_room(0)]

    def _folders(self) -> list[Path]:
        """All of them, if the store is marked as ours; links are not followed."""
        if not is_marked(self.folder):
            return []
        return sorted(p for p in self.folder.iterdir() if p.is_dir() and not p.is_symlink())


FEATURES, RUNTIMES = Store("features"), Store("runtimes")


def key_of(described: object) -> str:
    """The name of what depends on all that is described."""
    text = json.dumps(described, sort_keys=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _seal(part: Path, title: str) -> None:
    """Write down what the files are, and force all to the disk."""
    found = {file.name: _checksum(file) for file in sorted(part.iterdir())}
    text = json.dumps({"title": title, "files": found}, indent=2)
    (part / _MANIFEST).write_text(text + "\n", encoding="utf-8")
    for path in (*part.iterdir(), part):
        files.sync(path)


def _is_intact(path: Path) -> bool:
    try:
        known = json.loads((path / _MANIFEST).read_text("utf-8"))["files"]
        return bool(known) and all(_checksum(path / name) == known[name] for name in known)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _checksum(file: Path) -> int:
    """CRC-32, which finds accidents at the speed of the disk."""
    found = 0
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            found = zlib.crc32(chunk, found)
    return found


def _entry(path: Path) -> Entry:
    """What can be said without reading the files, whatever is wrong with them."""
    size, used, title = 0, 0.0, "unreadable"
    with contextlib.suppress(OSError):
        used = path.stat().st_mtime
        size = sum(file.lstat().st_size for file in path.iterdir())
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        title = str(json.loads((path / _MANIFEST).read_text("utf-8"))["title"])
    return Entry(path, title, size, used)


def _delete(path: Path) -> None:
    """Out of sight at once, then for good; whoever has its files open keeps them."""
    part = path.with_name(part_name())
    with cache_errors(path), contextlib.suppress(FileNotFoundError):  # another process was faster
        path.rename(part)
    shutil.rmtree(part, ignore_errors=True)
