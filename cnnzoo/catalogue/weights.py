"""Which public weight files exist: facts about files, read from ``weights/catalogue/*.toml``.

One file per network, one ``[[weights]]`` table per weight file. What the fields mean is said at
`WeightsEntry`; what they must look like is checked in `cnnzoo.catalogue.weights_schema`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cnnzoo.catalogue.folder import weights_folder
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.weights_schema import NOT_STATED, check_entry
from cnnzoo.errors import CatalogueError, UnknownNameError, UsageError
from cnnzoo.lookup import pick

_LARGEST_CATALOGUE_BYTES = 2**20


@dataclass(frozen=True, kw_only=True)
class WeightsEntry:
    """One weight file of one network.

    Attributes:
        network: Registry name; the stem of the catalogue file.
        tag: What ``weights=`` calls it; ``imagenet`` is the best default of a network.
        part: ``full`` or ``notop`` (the file ends before the classifier).
        file: Name on disk and on a mirror; unique in the whole catalogue.
        urls: Where it is published, first choice first. Empty: it ships in ``weights/files/``.
        size_bytes: Exact; None where no source states it, then the hash alone decides.
        hash: ``sha256:`` or ``md5:`` and the digest; ``sha256-prefix:`` and its first hex digits
            where the publisher states no more.
        hash_stated_by: Who published the digest.
        format: How the file is encoded: ``keras-h5``, ``keras3-h5``, ``safetensors``, ``onnx``,
            ``torch``.
        layout: Generation of names and shapes inside the file.
        name_map: Stem of the file in ``weights/name_maps/`` that translates its names; empty where
            one of the network's maps is found by the names themselves, or none is needed.
        preprocessing: Name of the arithmetic that turns RGB pixels 0-255 into input.
        input_size: Height and width the accuracy was measured at.
        resize: Shorter side, in pixels, before the middle is cut out at ``input_size``; None when
            the whole picture is taken.
        interpolation: Of that resizing: ``bilinear`` or ``bicubic``.
        classes: Width of the classifier in the file; None for ``notop``.
        class_offset: Leading classes to drop (1 when class 0 is "background").
        options: Build options that the file decides. An option not named here is free.
        dataset: What the network was trained and measured on, a key of ``labels.DATASETS``.
        licence: Licence of the weights, and who says so where that is not plain.
        origin: Who trained or converted them.
        top1: Per cent on the dataset's validation or test part, as ``evidence`` says.
        top5: As ``top1``.
        evaluation: Resize and crop behind ``top1`` and ``top5``.
        evidence: Who published or measured the accuracy.
    """

    network: str
    tag: str
    part: str
    file: str
    urls: tuple[str, ...]
    size_bytes: int | None
    hash: str
    hash_stated_by: str
    format: str
    layout: str
    name_map: str
    preprocessing: str
    input_size: tuple[int, int]
    resize: int | None = None
    interpolation: str = "bilinear"
    classes: int | None = None
    class_offset: int = 0
    options: Mapping[str, bool | int | float | str]
    dataset: str
    licence: str
    origin: str
    top1: float | None = None
    top5: float | None = None
    evaluation: str = ""
    evidence: str

    @property
    def shipped_path(self) -> Path | None:
        """Where the package itself brings the file; None when it has to be downloaded."""
        return None if self.urls else weights_folder() / "files" / self.file

    @property
    def golden_path(self) -> Path:
        """Where the package keeps the golden logits of the file, once they are recorded."""
        return weights_folder() / "golden" / f"{self.file}.json"


def list_weights(network: str) -> tuple[WeightsEntry, ...]:
    """Return the weight files of ``network`` in catalogue order; none when nothing is published.

    Raises:
        UnknownNameError: No network is called so.
        CatalogueError: A catalogue file breaks the schema.
    """
    return all_weights().get(get_spec(network).name, ())


def get_weights(network: str, tag: str, include_top: bool = True) -> WeightsEntry:
    """Return the file that ``weights=tag`` means.

    Without the classifier the ``notop`` file is taken where there is one: it is smaller.

    Raises:
        UnknownNameError: There is no such network, or it has no such tag.
        UsageError: The classifier is wanted and only a file without it is published.
    """
    entries = list_weights(network)
    if not entries:
        raise UnknownNameError(
            f"{tag!r} names no weights: none are known for {network}. "
            "Use weights=None, or the path of a file."
        )
    parts: dict[str, dict[str, WeightsEntry]] = {}
    for entry in entries:
        parts.setdefault(entry.tag, {})[entry.part] = entry
    found = pick(parts, tag, kind=f"weights tag of {network}")
    if not include_top:
        return found.get("notop") or found["full"]
    if "full" not in found:
        raise UsageError(
            f"The weights {tag!r} of {network} hold no classifier. Use include_top=False."
        )
    return found["full"]


@cache
def all_weights() -> dict[str, tuple[WeightsEntry, ...]]:
    """Return every entry that ships, by network.

    Raises:
        CatalogueError: A file breaks the schema, or two entries claim one file name or one hash.
    """
    paths = sorted((weights_folder() / "catalogue").glob("*.toml"))
    found = {path.stem: read_weights(path) for path in paths}
    owners: dict[str, WeightsEntry] = {}
    for entry in (entry for entries in found.values() for entry in entries):
        for claim in (entry.file, entry.hash):
            other = owners.setdefault(claim, entry)
            if other is not entry:
                raise CatalogueError(
                    f"{claim} stands twice in the catalogue. Each file is listed once: "
                    f"{other.network} {other.tag!r} and {entry.network} {entry.tag!r}."
                )
    return found


def read_weights(path: Path) -> tuple[WeightsEntry, ...]:
    """Read and check one catalogue file; its stem is the network.

    Raises:
        CatalogueError: The file is no TOML or breaks the schema; names file, entry and field.
    """
    table = _read_toml(path)
    if set(table) != {"weights"} or not isinstance(table["weights"], list):
        raise CatalogueError(
            f"{path.name} holds {sorted(table)}. It must hold [[weights]] tables only. ({path})"
        )
    entries: dict[tuple[str, str], WeightsEntry] = {}
    for number, fields in enumerate(table["weights"], start=1):
        where = f"{path}, entry {number}"
        check_entry(fields, where)
        entry = WeightsEntry(network=path.stem, **_converted(fields))
        if (entry.tag, entry.part) in entries:
            raise CatalogueError(
                f"tag = {entry.tag!r}, part = {entry.part!r} stands twice. ({where})"
            )
        entries[entry.tag, entry.part] = entry
    return tuple(entries.values())


def _read_toml(path: Path) -> dict[str, Any]:
    """Parse within bounds: whatever the bytes are, the answer is a table or a CatalogueError."""
    try:
        with path.open("rb") as file:
            raw = file.read(_LARGEST_CATALOGUE_BYTES + 1)
        if len(raw) > _LARGEST_CATALOGUE_BYTES:
            raise CatalogueError(f"{path.name} is larger than 1 MiB. ({path})")
        return tomllib.loads(raw.decode("utf-8"))
    except RecursionError as error:
        raise CatalogueError(f"{path.name} nests too deeply. ({path})") from error
    except CatalogueError:
        raise
    except (OSError, ValueError) as error:  # not UTF-8, not TOML, a number out of range
        raise CatalogueError(f"{path.name} cannot be read as TOML: {error}. ({path})") from error


def _converted(fields: Mapping[str, Any]) -> dict[str, Any]:
    """From TOML's types to the entry's: lists become tuples, "not stated" becomes None."""
    size = fields["size_bytes"]
    return {
        **fields,
        "urls": tuple(fields["urls"]),
        "input_size": tuple(fields["input_size"]),
        "size_bytes": None if size == NOT_STATED else size,
    }
