"""Which networks are probed, and what their vectors depend on; checked before Keras is loaded."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import Choice, ModelSpec
from cnnzoo.catalogue.weights import WeightsEntry, get_weights, list_weights
from cnnzoo.errors import UsageError, WeightsError
from cnnzoo.training.subject import Subject, find_subject, means_path

if TYPE_CHECKING:  # a wrong name is answered before Keras is imported
    import keras

RANDOM = "random"  # weights that nobody trained, asked for by name


class Backbone(Protocol):
    """A network whose vectors are wanted.

    Attributes:
        name: Short, for tables.
        weights: A tag, a path, "random" or "own", for tables.
    """

    @property
    def name(self) -> str: ...

    @property
    def weights(self) -> str: ...

    def network(self) -> keras.Model:
        """The network; it takes pixels 0 to 255."""

    def identity(self) -> dict[str, Any]:
        """All that its vectors depend on, as plain values."""


@dataclass(frozen=True, slots=True)
class OfZoo:
    """A network of the registry, known without being built."""

    spec: ModelSpec
    weights: str
    options: Mapping[str, Any]
    seed: int
    entry: WeightsEntry | None = None

    @property
    def name(self) -> str:
        return self.spec.name

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of its input, as ``fine_tune`` builds it."""
        return self.spec.shape_for(self._choices())

    def _choices(self) -> dict[str, Choice]:
        decided = {} if self.entry is None else self.entry.options
        return self.spec.choose({**decided, **self.options})

    def network(self) -> keras.Model:
        """With the classifier only where the file of the weights has one."""
        if self.weights == RANDOM:
            import keras

            keras.utils.set_random_seed(self.seed)
            return self._built(None, include_top=False)
        if self.entry is not None:
            return self._built(self.weights, include_top=self.entry.part == "full")
        try:
            return self._built(self.weights, include_top=True)
        except WeightsError as misfit:
            try:
                return self._built(self.weights, include_top=False)
            except WeightsError:
                raise misfit from None

    def _built(self, weights: str | None, include_top: bool) -> keras.Model:
        from cnnzoo.builder import build

        return build(
            self.spec,
            weights=weights,
            include_top=include_top,
            input_shape=self.shape,
            include_preprocessing=True,
            **self.options,
        )

    def identity(self) -> dict[str, Any]:
        if self.spec.origin != "cnnzoo":  # its code may change from one call to the next
            return {"model": digest_of(self.network())}
        rule = self.spec.preprocessing if self.entry is None else self.entry.preprocessing
        return {
            "network": self.name,
            "trunk": str(self.spec.trunk),
            "options": {name: choice.value for name, choice in self._choices().items()},
            "shape": self.shape,
            "weights": self._values(),
            "preprocessing": repr(PREPROCESSING[rule]),
            "code": _code(),
        }

    def _values(self) -> str:
        if self.weights == RANDOM:
            return f"random {self.seed}"
        if self.entry is not None:
            return self.entry.hash
        try:
            with Path(self.weights).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise UsageError(
                f"weights={self.weights!r} cannot be read: {error.strerror}. Give a file, or a "
                f"tag: cnnzoo info {self.name}"
            ) from error


@dataclass(frozen=True, slots=True)
class OfModel:
    """A model of the user's own: from a file, a run of ``cnnzoo finetune``, or from memory."""

    name: str
    source: Subject | keras.Model
    weights: str = "own"

    def network(self) -> keras.Model:
        return self.source.load() if isinstance(self.source, Subject) else self.source

    def identity(self) -> dict[str, Any]:
        return {"model": digest_of(self.network())}


def find_backbone(
    what: Any, weights: Any = None, options: Mapping[str, Any] | None = None, seed: int = 0
) -> Backbone:
    """What a name, a path or a model means; nothing is built.

    Raises:
        UnknownNameError: No network, or no weights of it, are called so.
        UsageError: There is nothing at the path, no weights are public, or a model that has its
            own is given others.
        DataError: The folder is no run of ``cnnzoo finetune``.
    """
    options = dict(options or {})
    if not isinstance(what, str | os.PathLike):
        return _of_memory(what, weights, options)
    if means_path(what):
        subject = find_subject(what, weights, options)
        return OfModel(subject.name, subject)
    spec = get_spec(os.fspath(what))
    spec.choose(options)
    if weights is None:
        weights = _first(spec)
    elif isinstance(weights, os.PathLike):
        weights = os.fspath(weights)
    if not isinstance(weights, str) or not weights:
        raise UsageError(f"weights={weights!r} is neither a tag, a path, nor {RANDOM!r}.")
    if weights == RANDOM or Path(weights).suffix or os.sep in weights:
        return OfZoo(spec, weights, options, seed)
    entry = get_weights(spec.name, weights, include_top=False)
    return OfZoo(spec, entry.tag, options, seed, entry)


def digest_of(network: keras.Model) -> str:
    """Of the layers, their settings and the values of their weights."""
    digest = hashlib.blake2b(network.to_json().encode(), digest_size=16)
    for values in network.get_weights():
        digest.update(f"{values.dtype} {values.shape}".encode())
        digest.update(values.tobytes())
    return digest.hexdigest()


def _of_memory(what: Any, weights: Any, options: Mapping[str, Any]) -> OfModel:
    from cnnzoo.training.trunk import check_model

    check_model(what)
    if weights is not None or options:
        raise UsageError(
            f"The model {what.name!r} has its own weights and options. Leave weights and options "
            "out."
        )
    return OfModel(what.name, what)


def _first(spec: ModelSpec) -> str:
    published = list_weights(spec.name)
    if published:
        return published[0].tag
    raise UsageError(
        f"{spec.name} has no public weights. Give weights=PATH (--weights PATH), or "
        f"weights={RANDOM!r} to see what an untrained network is worth."
    )


@cache
def _code() -> str:
    """Of what makes a network out of its name: our code and the version of Keras."""
    package = Path(__file__).resolve().parents[2]
    digest = hashlib.blake2b(version("keras").encode(), digest_size=16)
    for path in [*sorted((package / "models").glob("*.py")), package / "builder.py"]:
        digest.update(path.read_bytes())
    return digest.hexdigest()
