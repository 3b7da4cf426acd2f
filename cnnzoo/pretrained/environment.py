"""The three environment variables of downloads: CNNZOO_CACHE, CNNZOO_MIRROR, CNNZOO_OFFLINE."""

from __future__ import annotations

import os
import re
from pathlib import Path

import platformdirs

from cnnzoo.errors import UsageError

_MIRROR = re.compile(r"(https://[^\s/?#@]+|http://127\.0\.0\.1(:\d+)?)(/[^\s?#@]*)?")
_YES_OR_NO = {"1": True, "true": True, "yes": True, "on": True}
_YES_OR_NO |= {"": False, "0": False, "false": False, "no": False, "off": False}


def cache_folder() -> Path:
    """Where downloaded files are kept: ``CNNZOO_CACHE``, else the user's cache folder.

    Raises:
        UsageError: ``CNNZOO_CACHE`` starts with ``~`` and no home folder is known.
    """
    chosen = os.environ.get("CNNZOO_CACHE", "")
    try:
        return Path(chosen).expanduser().absolute() if chosen else _default_cache()
    except (RuntimeError, OSError) as error:  # no home folder; no working folder
        raise UsageError(
            f"CNNZOO_CACHE={chosen!r} names no folder: {error}. Set it to an absolute path."
        ) from error


def mirror() -> str | None:
    """Address asked before any other, without a trailing slash; None when there is none.

    Raises:
        UsageError: ``CNNZOO_MIRROR`` is not an https address (or http on 127.0.0.1).
    """
    address = os.environ.get("CNNZOO_MIRROR", "")
    if not address:
        return None
    if not _MIRROR.fullmatch(address):
        raise UsageError(
            f"CNNZOO_MIRROR={address!r} is no mirror address. It must start with https:// "
            "and hold no user name, query or space."
        )
    return address.rstrip("/")


def offline() -> bool:
    """Whether ``CNNZOO_OFFLINE`` forbids the network.

    Raises:
        UsageError: The variable is neither a yes nor a no.
    """
    value = os.environ.get("CNNZOO_OFFLINE", "")
    try:
        return _YES_OR_NO[value.strip().lower()]
    except KeyError:
        raise UsageError(f"CNNZOO_OFFLINE={value!r} must be 1 or 0.") from None


def _default_cache() -> Path:
    return platformdirs.user_cache_path("cnnzoo", appauthor=False).absolute()
