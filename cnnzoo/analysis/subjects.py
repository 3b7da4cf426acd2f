"""What is compared: networks by name, forms of them, models of the user's own.

Imports no framework: only a model or an unrecorded form has to be measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cnnzoo.analysis.columns import Column, Value
from cnnzoo.analysis.figures import facts_at, facts_of
from cnnzoo.catalogue.facts import Facts
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.catalogue.weights import list_weights
from cnnzoo.errors import UsageError
from cnnzoo.lookup import resolve

OF_WEIGHTS = ("top1", "top5", "source")  # what a form does not share with its network


@dataclass(frozen=True, slots=True)
class Subject:
    """One network to look at.

    Attributes:
        label: ``resnet50``, ``resnet50:variant=v1.5``, or the name of the user's model.
        spec: Of a network of the zoo; ``None`` for a model of the user's own.
        options: Those that differ from the network's default.
        model: The user's own; ``None`` for a network of the zoo.
    """

    label: str
    spec: ModelSpec | None = None
    options: Mapping[str, bool | str] = field(default_factory=dict)
    model: Any = None

    def min_size(self) -> int:
        """Smallest height and width in pixels; 1 where only building tells."""
        return self.spec.min_size_for(self.spec.choose(self.options)) if self.spec else 1

    def facts(self, size: tuple[int, int] | None) -> Facts:
        """The counted figures, at the network's own size unless another is given."""
        if self.spec is None:
            return self._own(size)
        if size is None:
            return facts_of(self.spec, dict(self.options))
        if not self.options:
            usual = facts_at(self.spec, size)
            assert usual is not None  # the least size was checked
            return usual
        module = resolve("cnnzoo.analysis.measure")
        shape = _shape(size, self.spec.input_shape[2])
        facts: Facts = module.measure(module.sketch(self.spec, input_shape=shape, **self.options))
        return facts

    def _own(self, size: tuple[int, int] | None) -> Facts:
        from cnnzoo.analysis.graph import steps
        from cnnzoo.analysis.measure import measure
        from cnnzoo.analysis.stages import channels

        image = steps(self.model)[0].outputs[0]
        if size is None and None in image[1:]:
            raise UsageError(
                f"{self.label!r} takes {image[1:]}: an open size cannot be counted. Give one: "
                "input_size=224 in Python, --input-size 224 on the command line."
            )
        return measure(self.model, None if size is None else _shape(size, channels(image)))

    def value(self, column: Column, facts: Facts) -> Value:
        """What a column says of this subject; ``None`` where it says nothing."""
        if column.counted is not None:
            return column.counted(facts)
        if self.spec is None or column.stated is None:
            return None
        if self.options and column.key in OF_WEIGHTS:
            return self._of_weights(column.key)
        return column.stated(self.spec)

    def _of_weights(self, key: str) -> Value:
        """Of the first published file that fits exactly this form."""
        assert self.spec is not None
        form = self.spec.choose(self.options)
        for entry in list_weights(self.spec.name):
            ranked = entry.part == "full" and entry.dataset == "ImageNet-1k"
            if ranked and entry.top1 is not None and self.spec.choose(entry.options) == form:
                source = f"weights {entry.tag!r}, {entry.evidence}"
                return source if key == "source" else getattr(entry, key)
        return None


def get_subjects(networks: Sequence[Any]) -> list[Subject]:
    """Names, forms ``NAME:option=value,option=value`` and Keras models, each once.

    Raises:
        UnknownNameError: No network is called so.
        UnknownOptionError: The network has no such option.
        UsageError: A form cannot be read, or a network is given twice.
    """
    found: list[Subject] = []
    for network in networks:
        subject = get_subject(network)
        if any(subject.label == o.label and subject.model is o.model for o in found):
            raise UsageError(f"{subject.label!r} is given twice. Name each network once.")
        found.append(subject)
    return _with_own_labels(found)


def get_subject(network: Any) -> Subject:
    """One of them."""
    if not isinstance(network, str | ModelSpec):
        return Subject(_name(network), model=network)
    name, colon, rest = network.partition(":") if isinstance(network, str) else (network, "", "")
    spec = get_spec(name)
    chosen = spec.choose(_options(str(network), rest) if colon else {})
    usual = {option.name: option.default for option in spec.options}
    other = {key: choice.value for key, choice in chosen.items() if choice.value != usual[key]}
    pairs = ",".join(f"{key}={_text(value)}" for key, value in sorted(other.items()))
    return Subject(f"{spec.name}:{pairs}" if pairs else spec.name, spec, other)


def _options(network: str, text: str) -> dict[str, bool | str]:
    """``"variant=v1.5,aux=true"`` -> ``{"variant": "v1.5", "aux": True}``."""
    options: dict[str, bool | str] = {}
    for pair in text.split(","):
        name, equals, value = (part.strip() for part in pair.partition("="))
        if not equals or not name or name in options:
            raise UsageError(
                f"{network!r} is no form of a network: {pair!r} is not OPTION=VALUE, each once. "
                "Write it like 'resnet50:variant=v1.5'."
            )
        options[name] = {"true": True, "false": False}.get(value.lower(), value)
    return options


def _text(value: bool | str) -> str:
    return str(value).lower() if isinstance(value, bool) else value


def _name(model: Any) -> str:
    name = getattr(model, "name", None)
    return name if isinstance(name, str) else type(model).__name__


def _with_own_labels(subjects: Sequence[Subject]) -> list[Subject]:
    """Models whose name is taken get a number."""
    found: list[Subject] = []
    for subject in subjects:
        taken, label, number = {other.label for other in found}, subject.label, 2
        while label in taken:
            label = f"{subject.label} ({number})"
            number += 1
        found.append(Subject(label, subject.spec, subject.options, subject.model))
    return found


def _shape(size: tuple[int, int], channels: int | None) -> tuple[int | None, ...]:
    """One image as Keras orders it."""
    import keras

    last = keras.config.image_data_format() == "channels_last"
    return (*size, channels) if last else (channels, *size)
