"""A published file: its name, where it is, and what its bytes must be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cnnzoo.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
HASH = re.compile(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}|sha256-prefix:[0-9a-f]{8,63}")


class Entry(Protocol):
    """The part of a catalogue entry that a download needs; this floor cannot import the whole."""

    @property
    def file(self) -> str: ...
    @property
    def urls(self) -> tuple[str, ...]: ...
    @property
    def hash(self) -> str: ...
    @property
    def size_bytes(self) -> int | None: ...
    @property
    def shipped_path(self) -> Path | None: ...


@dataclass(frozen=True)
class RemoteFile:
    """What a download needs to know, and all it trusts.

    Attributes:
        name: File name, without a folder; also its name on a mirror.
        urls: https addresses, first choice first.
        hash: ``sha256:`` or ``md5:`` and the digest in lower case, or ``sha256-prefix:`` and the
            first digits, where the publisher states no more (torch's hub: eight in the name).
        size_bytes: Exact size, or None when nobody states it.
        shipped_path: Where the package itself brings the file; then nothing is downloaded.
        folder: Of a mirror, where the file lies; for names that are not unique.
    """

    name: str
    urls: tuple[str, ...]
    hash: str
    size_bytes: int | None
    shipped_path: Path | None = None
    folder: str = ""

    @classmethod
    def of(cls, entry: Entry, folder: str = "") -> RemoteFile:
        """The file that a catalogue entry describes."""
        return cls(entry.file, entry.urls, entry.hash, entry.size_bytes, entry.shipped_path, folder)

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(f"{self.name!r} is no plain file name.")
        if not HASH.fullmatch(self.hash):
            raise UsageError(f"{self.hash!r} is no hash of {self.name}; sha256 and md5 are known.")

    @property
    def scheme(self) -> str:
        """What stands before the digits."""
        return self.hash.partition(":")[0]

    @property
    def algorithm(self) -> str:
        return self.scheme.removesuffix("-prefix")

    @property
    def digest(self) -> str:
        """What the hash of the file must be, or begin with."""
        return self.hash.partition(":")[2]

    def is_hash(self, digest: str) -> bool:
        """Whether a file with this digest is the published one."""
        return digest.startswith(self.digest)  # equal, unless only a prefix is known

    @property
    def wants(self) -> str:
        """What its digest must be, after the word "must"."""
        return f"{'begin with' if self.scheme != self.algorithm else 'be'} {self.digest}"

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix
