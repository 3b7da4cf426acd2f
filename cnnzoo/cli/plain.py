"""Output on consoles whose alphabet has no rules, dashes or quotation marks."""

from __future__ import annotations

import codecs
import io
import sys

_PLAIN = {
    "─": "-",
    "–": "-",
    "…": "...",
    "“": '"',
    "”": '"',
    "’": "'",
    "×": "x",
    "→": "->",
    "−": "-",
}


def allow_any_alphabet() -> None:
    """Let stdout and stderr write the nearest plain character instead of failing."""
    codecs.register_error("cnnzoo-plain", _plain)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="cnnzoo-plain")


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in lost), error.end
