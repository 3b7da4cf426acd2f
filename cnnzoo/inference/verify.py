"""Is the network on this machine the one that was published, to the last digits?"""

from __future__ import annotations

import platform
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.builder import build
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.weights import WeightsEntry, all_weights, get_weights, list_weights
from cnnzoo.errors import IntegrityError, UsageError, WeightsError
from cnnzoo.inference import golden
from cnnzoo.inference.golden import Golden
from cnnzoo.inference.pixels import preprocess_input
from cnnzoo.pretrained.cache import blob_path
from cnnzoo.pretrained.fetch import download
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.units import grouped, mebibytes

INPUT_TOLERANCE = 1e-4  # of the preprocessed pixels' mean and deviation, which are about 1


@dataclass(frozen=True, slots=True)
class Line:
    """One step and its verdict: True, False, or None where there is nothing to compare with."""

    step: str
    ok: bool | None
    text: str
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Verification:
    """What was found out about one weight file; prints a line for each step."""

    network: str
    tag: str
    lines: tuple[Line, ...]

    @property
    def ok(self) -> bool:
        """Everything was compared and nothing differs."""
        return all(line.ok for line in self.lines)

    @property
    def verdict(self) -> str:
        if any(line.ok is False for line in self.lines):
            return "NOT what was published"
        return "verified" if self.ok else "not verified: nothing recorded to compare with"

    @property
    def exit_code(self) -> int:
        return next((line.exit_code for line in self.lines if line.ok is False), 0)

    def __str__(self) -> str:
        words = {True: "ok", False: "FAILED", None: "–"}
        lines = [f"  {line.step:13} {words[line.ok]:6}  {line.text}" for line in self.lines]
        return "\n".join([f"{self.network}, weights {self.tag!r}: {self.verdict}", *lines])

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        lines = [{"step": line.step, "ok": line.ok, "text": line.text} for line in self.lines]
        return {
            "network": self.network,
            "weights": self.tag,
            "ok": self.ok,
            "verdict": self.verdict,
            "lines": lines,
        }


def verify(architecture: str, *, weights: str | None = None) -> Verification:
    """Check a weight file, its preprocessing and the network's answers on this backend.

    Four computed pictures go from their pixels through preprocessing and network to logits, which
    are compared with recorded ones. A file that is not here is downloaded.

    Args:
        architecture: A name of ``cnnzoo.list_models()``.
        weights: A tag of ``cnnzoo info NAME``; the first one unless given.

    Raises:
        UnknownNameError: No network, or no weights of it, are called so.
        UsageError: No weights are known for the network.
        CatalogueError: The record of the file is damaged.
        DownloadError, StorageError: The file cannot be had.
    """
    return verify_entry(_entry(architecture, weights))


def verify_entry(entry: WeightsEntry) -> Verification:
    """`verify` for one entry of the catalogue."""
    return Verification(entry.network, entry.tag, tuple(_steps(entry)))


def entries_here() -> list[WeightsEntry]:
    """Every weight file that ships or lies in the cache."""
    every = [entry for entries in all_weights().values() for entry in entries]
    return [
        entry
        for entry in every
        if entry.part == "full" and (entry.shipped_path or blob_path(RemoteFile.of(entry)).exists())
    ]


def record(
    architecture: str,
    *,
    weights: str | None = None,
    to: Path | None = None,
    overwrite: bool = False,
) -> Path:
    """Write down what a weight file answers here, for later comparisons, and return the record.

    Args:
        to: Folder; that of the cache unless given, where `verify` looks.
        overwrite: Replace a record that says something else.

    Raises:
        UsageError: There is a record already that says something else.
    """
    entry = _entry(architecture, weights)
    path = golden.own_path(entry, to)
    inputs, logits = _answers(entry)
    if path.exists() and not overwrite:
        line = _compare(golden.read_record(path, entry), logits)
        if line.ok:
            return path
        raise UsageError(
            f"{path} says something else: {line.text}. Add --overwrite to replace it, if you "
            "know why."
        )
    golden.write_record(path, _made(entry, inputs, logits))
    return path


def backend() -> str:
    """``"Keras 3.15.1 on tensorflow 2.21.0, x86_64"``."""
    name = keras.backend.backend()
    running = getattr(import_module(name), "__version__", "")  # the package may be tensorflow-cpu
    return f"Keras {keras.version()} on {name} {running}, {platform.machine()}"


def _entry(architecture: str, tag: str | None) -> WeightsEntry:
    spec = get_spec(architecture)
    entries = [entry for entry in list_weights(spec.name) if entry.part == "full"]
    if tag is None and not entries:
        raise UsageError(f"{spec.name} has no public weights with a classifier to verify.")
    return get_weights(spec.name, entries[0].tag if tag is None else tag)


def _steps(entry: WeightsEntry) -> Iterator[Line]:
    """The lines one after the other; a step that fails beyond repair is the last."""
    try:
        path = download(RemoteFile.of(entry))
    except IntegrityError as error:
        yield Line("file", False, str(error), IntegrityError.exit_code)
        return
    size = path.stat().st_size
    yield Line("file", True, f"{mebibytes(size)}, {entry.hash[:26]}…")
    try:
        inputs, logits = _answers(entry)
    except WeightsError as error:
        yield Line("loading", False, str(error), error.exit_code)
        return
    yield Line("loading", True, f"every tensor matched; {grouped(logits.shape[1])} classes")
    found = golden.find_record(entry)
    if found is None:
        command = f"cnnzoo verify {entry.network} --weights {entry.tag} --record"
        yield Line("logits", None, f"no golden logits are recorded yet. Type: {command}")
        return
    yield _compare_inputs(found[0], entry, inputs)
    yield _compare(found[0], logits)
    yield _compare_classes(found[0], logits)


def _answers(entry: WeightsEntry) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Preprocessed pictures and logits; by the function and inside the graph they must agree."""
    spec = get_spec(entry.network)
    shape = (*entry.input_size, spec.input_shape[2])
    pixels = golden.pictures(shape)
    if keras.config.image_data_format() == "channels_first":
        raise UsageError("verify needs keras.config.set_image_data_format('channels_last').")
    model = build(
        spec,
        weights=entry.tag,
        input_shape=shape,
        include_preprocessing=True,
        classifier_activation=None,
    )
    logits = keras.ops.convert_to_numpy(model(pixels.astype("float32"), training=False))
    return preprocess_input(pixels, spec.name, weights=entry.tag), np.asarray(logits, "float32")


def _compare_inputs(known: Golden, entry: WeightsEntry, inputs: NDArray[np.float32]) -> Line:
    fault = WeightsError.exit_code
    if golden.fingerprint(golden.pictures(known.shape)) != known.pictures:
        return Line("preprocessing", False, "the pictures are not those of the record", fault)
    if tuple(inputs.shape[1:]) != known.shape:
        text = f"the network takes {inputs.shape[1:]}, the record {known.shape}"
        return Line("preprocessing", False, text, fault)
    ours, theirs = np.array(golden.statistics(inputs)), np.array(known.inputs)
    difference = np.abs(ours - theirs).max() / np.abs(theirs).max()
    if difference <= INPUT_TOLERANCE:
        return Line("preprocessing", True, f"{entry.preprocessing}; means and deviations agree")
    where = np.unravel_index(np.abs(ours - theirs).argmax(), ours.shape)
    kind = "mean" if where[1] < ours.shape[1] // 2 else "deviation"
    why = f"a channel has {kind} {ours[where]:.4g} and must have {theirs[where]:.4g}"
    return Line("preprocessing", False, f"{entry.preprocessing}: {why}", fault)


def _compare(known: Golden, logits: NDArray[np.float32]) -> Line:
    theirs = np.array(known.logits)
    if logits.shape != theirs.shape:
        text = f"{logits.shape[1]} classes, the record has {theirs.shape[1]}"
        return Line("logits", False, text, WeightsError.exit_code)
    difference, largest = np.abs(logits - theirs).max(), np.abs(theirs).max()
    text = (
        f"largest difference {difference:.1e} of {largest:.1f}, "
        f"{difference / largest:.0e} relative (allowed: {known.tolerance:.0e})"
    )
    good = bool(difference <= known.tolerance * largest)
    if not good and np.allclose(np.sort(logits), np.sort(theirs), atol=known.tolerance * largest):
        text += "; the numbers are right, but the classes stand in another order"
    return Line("logits", good, text, WeightsError.exit_code)


def _compare_classes(known: Golden, logits: NDArray[np.float32]) -> Line:
    same = int((logits.argmax(1) == np.argmax(known.logits, 1)).sum()) if len(logits) else 0
    text = f"{same} of {len(logits)} pictures: {backend()} against {known.made_by}"
    return Line("classes", same == len(logits), text, WeightsError.exit_code)


def _made(entry: WeightsEntry, inputs: NDArray[np.float32], logits: NDArray[np.float32]) -> Golden:
    shape = (int(inputs.shape[1]), int(inputs.shape[2]), int(inputs.shape[3]))
    return Golden(
        network=entry.network,
        tag=entry.tag,
        weights=entry.hash,
        options=dict(entry.options),
        shape=shape,
        pictures=golden.fingerprint(golden.pictures(shape)),
        inputs=golden.statistics(inputs),
        logits=[[float(f"{n:.7g}") for n in row] for row in logits],
        tolerance=golden.TOLERANCE,
        made_by=backend(),
        date=datetime.now(UTC).date().isoformat(),
    )
