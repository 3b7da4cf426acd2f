"""Files that are never half written: beside the target, synced, then renamed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from cnnzoo.errors import CnnZooError, StorageError

_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "Free some space"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "Check the permissions"),
}


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside ``target``; when the block ends well, it becomes ``target``.

    A reader sees the old file or the whole new one, whatever happens in between. The temporary
    name ends like ``target``, because many writers choose their format by the suffix.

    Raises:
        StorageError: The folder cannot be written or the disk is full.
    """
    temporary = _beside(target, "part")
    try:
        with storage_errors(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            yield temporary
            sync(temporary)
            temporary.replace(target)
            sync(target.parent)
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder beside ``target``; when the block ends well, it becomes ``target``.

    Whatever fails, ``target`` is then what it was. Only a kill between two renames leaves the old
    folder under another name, which begins with ``.old.``.

    Raises:
        StorageError: It cannot be written or the disk is full.
    """
    part, old = _beside(target, "part"), _beside(target, "old")
    try:
        with storage_errors(target):
            part.mkdir(parents=True)
            yield part
            for path in (part, *part.rglob("*")):
                sync(path)
            with contextlib.suppress(FileNotFoundError):
                target.rename(old)
            try:
                part.rename(target)
            except OSError:
                if old.exists():
                    old.rename(target)
                raise
            sync(target.parent)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _beside(target: Path, kind: str) -> Path:
    return target.with_name(f".{kind}.{os.getpid()}.{secrets.token_hex(4)}.{target.name}")


@contextlib.contextmanager
def storage_errors(path: Path, instead: str = "choose another folder") -> Iterator[None]:
    """Turn what the system refuses into a `StorageError` that says why, and the way out.

    Args:
        instead: What else would work; the error number decides what is said before it.
    """
    try:
        yield
    except OSError as error:
        if isinstance(error, CnnZooError):
            raise
        advice = _ADVICE.get(error.errno or 0, "Check the folder")
        told = StorageError(
            f"{path} cannot be written: {error.strerror or error}. {advice}, or {instead}."
        )
        told.errno = error.errno
        raise told from error


def write_text(target: Path, text: str) -> None:
    """Replace ``target`` by ``text`` in UTF-8."""
    with replacing(target) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(target: Path, value: Any) -> None:
    """Replace ``target`` by ``value`` as indented JSON."""
    write_text(target, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def write_with(target: Path, write: Callable[[str], object]) -> None:
    """Replace ``target`` by what ``write(path)`` writes, for libraries that want a path."""
    with replacing(target) as temporary:
        write(str(temporary))


def sync(path: Path) -> None:
    """Force a file's bytes, or a folder's names, to the disk."""
    if path.is_dir() and os.name == "nt":  # Windows cannot open folders
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
