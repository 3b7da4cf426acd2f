"""What is evaluated: the folder of a run, a file with a model, or a network of the zoo."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cnnzoo.catalogue.labels import forms_of
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.weights import WeightsEntry, get_weights, list_weights
from cnnzoo.errors import DataError, UsageError
from cnnzoo.pictures import printable
from cnnzoo.runfiles import CONFIG, MODEL, no_run, read_config

if TYPE_CHECKING:  # the rest of this file answers a wrong word before Keras is imported
    import keras


@dataclass(frozen=True, slots=True)
class Subject:
    """Something to evaluate, checked but not loaded.

    Attributes:
        title: For people.
        name: For the folder of the results.
        class_names: In the order of the outputs, in each form they go by; none if nobody knows.
        entry: The published weights, if these are what is evaluated.
    """

    title: str
    name: str
    class_names: tuple[tuple[str, ...], ...] = ()
    path: Path | None = None
    entry: WeightsEntry | None = None
    weights: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def load(self) -> keras.Model:
        """The network; it takes pixels 0 to 255.

        Raises:
            DataError: The file holds no model of Keras.
            DownloadError, IntegrityError, StorageError, WeightsError: The weights cannot be had.
        """
        import keras

        from cnnzoo.builder import build

        if self.path is not None:
            try:
                return keras.saving.load_model(self.path, compile=False)
            except (OSError, ValueError, TypeError) as error:
                raise DataError(
                    f"{printable(self.path)} cannot be loaded as a model of Keras: "
                    f"{str(error)[:200]}."
                ) from error
        shape: dict[str, Any] = {}
        if self.entry is not None:
            shape["input_shape"] = (*self.entry.input_size, get_spec(self.name).input_shape[2])
        arguments = {**shape, **self.options}
        return build(self.name, weights=self.weights, include_preprocessing=True, **arguments)


def find_subject(
    what: str | os.PathLike[str],
    weights: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Subject:
    """What a word, folder or file means; nothing is loaded.

    Raises:
        UnknownNameError: No network, or no weights of it, are called so.
        UsageError: There is nothing at the path, or weights are given for what has its own.
        DataError: The folder is no run of ``cnnzoo finetune``.
    """
    if not means_path(what):
        return _of_network(os.fspath(what), weights, dict(options or {}))
    path = Path(what)
    if weights is not None or options:
        raise UsageError(
            f"{printable(path)} has its own weights and options. Leave weights and options out."
        )
    if path.is_dir():
        return _of_run(path)
    if path.name == MODEL and (path.parent / CONFIG).is_file():
        return _of_run(path.parent)
    if not path.is_file():
        raise UsageError(
            f"{printable(path)} does not exist. Give the folder of a run, a .keras file or a "
            "name of 'cnnzoo list'."
        )
    return Subject(path.name, path.stem, path=path)


def means_path(what: str | os.PathLike[str]) -> bool:
    """Whether a word is that of a folder or file rather than the name of a network."""
    path = Path(what)
    return path.suffix == ".keras" or os.sep in os.fspath(what) or (path / CONFIG).is_file()


def _of_run(folder: Path) -> Subject:
    config = read_config(folder)
    try:
        names = tuple(map(str, config["data"]["class_names"]))
    except (KeyError, TypeError) as error:
        raise no_run(folder, error) from error
    if not (folder / MODEL).is_file():
        raise DataError(f"{printable(folder)} holds no {MODEL}: the run ended before it had one.")
    return Subject(printable(folder), folder.resolve().name, (names,), path=folder / MODEL)


def _of_network(name: str, weights: str | None, options: dict[str, Any]) -> Subject:
    spec = get_spec(name)
    spec.choose(options)
    if weights is not None and (Path(weights).suffix or os.sep in weights):
        title = f"{spec.title}, {weights}"
        known = forms_of(spec.dataset) if spec.dataset else ()
        return Subject(title, spec.name, known, weights=weights, options=options)
    if weights is None:
        full = [entry for entry in list_weights(spec.name) if entry.part == "full"]
        if not full:
            raise UsageError(
                f"{spec.name} has no public weights, and an untrained network knows nothing. "
                "Give --weights PATH, or the folder of a run of cnnzoo finetune."
            )
        entry = full[0]
    else:
        entry = get_weights(spec.name, weights)
    title = f"{spec.title}, weights {entry.tag}"
    known = forms_of(entry.dataset)
    return Subject(title, spec.name, known, entry=entry, weights=entry.tag, options=options)
