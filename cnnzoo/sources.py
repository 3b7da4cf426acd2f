"""What ``weights=`` means: nothing, an entry of the catalogue, or a file of the user's own."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from cnnzoo.catalogue.folder import weights_folder
from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.catalogue.weights import WeightsEntry, get_weights
from cnnzoo.errors import UsageError
from cnnzoo.pretrained import fetch
from cnnzoo.pretrained.assign import Report
from cnnzoo.pretrained.blank import Initializers
from cnnzoo.pretrained.load import load_weights
from cnnzoo.pretrained.remote import RemoteFile


@dataclass(frozen=True, slots=True)
class Source:
    """Where the weights of a network come from; exactly one of the two is set.

    Attributes:
        entry: A published file, by its tag.
        path: A file on this disk, by its path.
    """

    entry: WeightsEntry | None = None
    path: Path | None = None

    @property
    def classes(self) -> int | None:
        """Width of the published classifier, without leading background classes."""
        if self.entry is None or self.entry.classes is None:
            return None
        return self.entry.classes - self.entry.class_offset

    def preprocessing(self, spec: ModelSpec) -> str:
        """The rule for pixels that the weights were trained with."""
        return spec.preprocessing if self.entry is None else self.entry.preprocessing


def find_source(weights: Any, spec: ModelSpec, include_top: bool) -> Source:
    """The source that ``weights`` names; a path has a suffix or a separator, a tag has neither.

    Raises:
        UnknownNameError: The network has no such tag.
        UsageError: It is neither text nor a path, or the weights hold no classifier.
    """
    if isinstance(weights, os.PathLike):
        return Source(path=Path(weights))
    if not isinstance(weights, str) or not weights:
        raise UsageError(
            f"weights={weights!r} is neither None, a tag such as 'imagenet', nor a path. "
            f"Type: cnnzoo info {spec.name}"
        )
    if Path(weights).suffix or "/" in weights or os.sep in weights:
        return Source(path=Path(weights))
    return Source(entry=get_weights(spec.name, weights, include_top))


def options_for(source: Source, spec: ModelSpec, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options asked for and those the weights fit; the two must not contradict each other."""
    decided = {} if source.entry is None else dict(source.entry.options)
    for name, value in decided.items():
        if name in options and options[name] != value:
            raise UsageError(
                f"{name}={options[name]!r} contradicts weights={source.entry.tag!r}, which fit "  # type: ignore[union-attr]
                f"{spec.name} with {name}={value!r}. Leave {name} out, or choose other weights: "
                f"cnnzoo info {spec.name}"
            )
    return decided | dict(options)


def check_fit(source: Source, spec: ModelSpec, image: Any, include_top: bool) -> None:
    """Refuse, before anything is downloaded, an input that published weights cannot fit."""
    if source.entry is None:
        return
    last = keras.config.image_data_format() == "channels_last"
    height, width, channels = image.shape[1:] if last else (*image.shape[2:], image.shape[1])
    if channels not in (1, 3):
        raise UsageError(
            f"weights={source.entry.tag!r} of {spec.name} see 3 channels (or 1: their stem is "
            f"summed for grey images), not {channels}. Use weights=None."
        )
    size = source.entry.input_size
    if include_top and spec.flat_top and (height, width) != size:
        raise UsageError(
            f"The classifier of {spec.name} flattens, so its weights {source.entry.tag!r} fit "
            f"images of {size[0]}x{size[1]} pixels only, not {height}x{width}. "
            "Use that size, or include_top=False."
        )


def fill(
    model: keras.Model,
    source: Source,
    spec: ModelSpec,
    classifier: Collection[str],
    new_classifier: bool,
    pending: Initializers | None = None,
) -> Report:
    """Load the weights into ``model``, all of them or none; a new classifier stays new.

    Args:
        classifier: Names of the layers that classify; none of a network without top, whose last
            layer may have weights as well.
        pending: What `blank_variables` noted while the network was built.

    Raises:
        DownloadError, IntegrityError, StorageError: The file cannot be had.
        WeightsError: The file does not fit; the model is left as it was.
    """
    rule = PREPROCESSING[source.preprocessing(spec)]
    arguments: dict[str, Any] = dict(
        name_maps=_name_maps(source, spec),
        classifier=classifier,
        new_classifier=new_classifier,
        pixels=(rule.mean, rule.scale),
        pending=pending,
    )
    if source.path is not None:
        return load_weights(model, source.path, **arguments)
    entry = source.entry
    assert entry is not None
    with fetch.open_verified(RemoteFile.of(entry)) as file:
        return load_weights(
            model, file, format=entry.format, class_offset=entry.class_offset, **arguments
        )


def _name_maps(source: Source, spec: ModelSpec) -> list[Path]:
    """The map made for a published file; for any other file all maps of the network."""
    stem = source.entry.name_map if source.entry is not None else ""
    return sorted((weights_folder() / "name_maps").glob(f"{stem or f'{spec.name}-*'}.tsv"))
