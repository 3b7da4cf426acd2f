"""Weights from a file into a network: recognise, match by name, check, assign."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import BinaryIO

import keras

from cnnzoo.errors import WeightsError
from cnnzoo.pretrained import assign, name_map
from cnnzoo.pretrained.assign import Fit, Report
from cnnzoo.pretrained.blank import Initializers
from cnnzoo.pretrained.name_map import NameMap, Plan
from cnnzoo.pretrained.readers import recognise
from cnnzoo.pretrained.readers.tensor import Tensors

__all__ = ["Report", "load_weights", "plan_for"]

_log = logging.getLogger(__name__)


def load_weights(
    model: keras.Model,
    source: str | Path | BinaryIO,
    *,
    format: str = "",
    name_maps: Sequence[Path] = (),
    classifier: Collection[str] = (),
    class_offset: int = 0,
    new_classifier: bool = False,
    pixels: tuple[Sequence[float], Sequence[float]] | None = None,
    pending: Initializers | None = None,
) -> Report:
    """Fill ``model`` from a weight file; every tensor of either side must be accounted for.

    Tensors are matched by name, never by order: by the map that knows most of the file's names,
    or, when none knows half of them, as the network itself calls its variables.

    Args:
        source: A path, or the open file that was just verified. Nothing else is ever opened.
        format: What a verified file is, a key of ``recognise.FORMATS``; empty for a user's own
            file, where name and first bytes decide.
        name_maps: Files of ``weights/name_maps/`` that can apply.
        classifier: Names of the layers that end the network; those without variables do not count.
        class_offset: Leading classes of the file to drop: 1 when class 0 is "background".
        new_classifier: Leave the classifier new when the file's has another width or is missing.
        pixels: Mean and scale per channel of the file's preprocessing, for one-channel networks.
        pending: What `blank_variables` noted while the network was built.

    Raises:
        MissingExtraError: The format takes a package that is not installed.
        WeightsError: The file cannot be read or does not fit; the model is left as it was.
    """
    with contextlib.ExitStack() as stack:
        if isinstance(source, str | Path):
            source = stack.enter_context(recognise.open_weights(Path(source)))
        path = Path(str(source.name))
        known = (
            recognise.by_catalogue(source, str(path), format)
            if format
            else recognise.by_name_and_bytes(source, path)
        )
        tensors = stack.enter_context(known.read(source, str(path)))
        maps = [name_map.read_name_map(path) for path in name_maps]
        plan = plan_for(model, tensors, maps, classifier)
        fit = Fit(str(path), classifier, class_offset, new_classifier, pixels)
        report = assign.assign(model, tensors, plan, fit, pending)
    _log.info("%s", report)
    return report


def plan_for(
    model: keras.Model, tensors: Tensors, maps: Sequence[NameMap], classifier: Collection[str]
) -> Plan:
    """The plan of the map that knows the file, or of plain equality of names where that knows more.

    Publishers keep many of our names for other tensors, so a file of our own looks like theirs.
    """
    if not tensors:
        raise WeightsError("The file holds no tensors.")
    targets = assign.variables(model)
    best = max(maps, key=lambda candidate: candidate.known(tensors), default=None)
    ours = sum(name in targets for name in tensors)
    if best and best.known(tensors) >= max(ours, len(tensors) / 2):
        return best.plan(targets, tensors)
    count: Counter[str] = Counter()
    numbered = {}
    for target in targets:
        layer = target.partition("/")[0]
        numbered[target] = count[layer]
        count[layer] += 1
    has_classifier = bool(set(count) & set(classifier))
    return name_map.plan_by_name(numbered, tensors, has_classifier)
