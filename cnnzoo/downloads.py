"""Weights fetched ahead of time."""

from __future__ import annotations

import os
from pathlib import Path

from cnnzoo.catalogue.weights import get_weights, list_weights
from cnnzoo.pretrained import fetch
from cnnzoo.pretrained.remote import RemoteFile


def download(
    architecture: str,
    *,
    weights: str | None = None,
    include_top: bool = True,
    to: str | os.PathLike[str] | None = None,
) -> Path:
    """Make sure that published weights are on this disk and intact, and return where.

    What is there already and intact is not fetched again.

    Args:
        architecture: A name of ``cnnzoo.list_models()``.
        weights: A tag of ``cnnzoo info NAME``; the first one unless given.
        include_top: With False, the smaller file without classifier where there is one.
        to: A folder that gets the file under its own name, for another machine or a mirror; the
            cache, where ``build(weights=…)`` finds it, unless given.

    Raises:
        UnknownNameError: No network, or no weights of it, are called so.
        OfflineError: The file is absent and ``CNNZOO_OFFLINE`` forbids the network.
        DownloadError: Nothing usable came over the network.
        IntegrityError: What came is not what was published.
        StorageError: The disk is full or cannot be written.
    """
    entries = list_weights(architecture)
    tag = weights or (entries[0].tag if entries else "imagenet")
    entry = get_weights(architecture, tag, include_top=include_top)
    return fetch.download(RemoteFile.of(entry), None if to is None else Path(to))
