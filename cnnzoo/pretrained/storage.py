"""What all folders of the cache have in common: a mark that says whose they are, and advice."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from cnnzoo import files
from cnnzoo.pretrained.environment import cache_folder

_SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55\n"  # known to backup programs
_OURS = "# Kept by cnnzoo, checked whenever it is used. What is deleted comes or is made again.\n"


def cache_errors(path: Path) -> AbstractContextManager[None]:
    """`files.storage_errors` for what is in the cache, or where somebody wanted it instead."""
    if path.is_relative_to(cache_folder()):
        return files.storage_errors(path, "choose another cache folder with CNNZOO_CACHE")
    return files.storage_errors(path)


def mark(folder: Path) -> None:
    """Tell backup programs, and us, that what is in the folder can be had again."""
    tag = _tag(folder)
    if not tag.exists():
        files.write_text(tag, _SIGNATURE + _OURS)


def is_marked(folder: Path) -> bool:
    """Whether the mark is ours, in today's words or older ones."""
    tag = _tag(folder)
    if not tag.is_file():
        return False
    text = tag.read_text("utf-8", "replace")
    return text.startswith(_SIGNATURE) and "cnnzoo" in text


def _tag(folder: Path) -> Path:
    return folder / "CACHEDIR.TAG"
