"""A published file: its name, where it is, and what its bytes must be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

from cnnzoo.errors import UsageError

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HASH = re.compile(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}")


@dataclass(frozen=True)
class RemoteFile:
    """What a download needs to know, and all it trusts.

    Attributes:
        name: File name, without a folder; also its name on a mirror.
        urls: https addresses, first choice first.
        hash: ``sha256:`` or ``md5:`` and the digest in lower case.
        size_bytes: Exact size, or None when nobody states it.
    """

    name: str
    urls: tuple[str, ...]
    hash: str
    size_bytes: int | None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise UsageError(f"{self.name!r} is no plain file name.")
        if not _HASH.fullmatch(self.hash):
            raise UsageError(f"{self.hash!r} is no hash of {self.name}; sha256 and md5 are known.")

    @property
    def algorithm(self) -> str:
        return self.hash.partition(":")[0]

    @property
    def digest(self) -> str:
        return self.hash.partition(":")[2]

    @property
    def suffix(self) -> str:
        return PurePath(self.name).suffix
