"""A trained network, its preprocessing and its labels, together for other programs."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cnnzoo import files, machine
from cnnzoo.errors import MissingExtraError, UsageError, WeightsError
from cnnzoo.inference import formats, quantised
from cnnzoo.inference.classifier import Classifier, open_classifier
from cnnzoo.inference.quantised import Cost, Labelled, difference
from cnnzoo.runtimes import onnxruntime, openvino, probe
from cnnzoo.runtimes.backends import Run
from cnnzoo.units import mebibytes

ABOUT, LABELS = "cnnzoo.json", "labels.txt"


@dataclass(frozen=True, slots=True)
class Export:
    """What was written.

    Attributes:
        path: The folder.
        file: What the other program opens, in it.
        precision: "float32" or "int8".
        difference: From Keras in float32, relative in the L2 norm: on eight computed pictures, for
            int8 on images it was fitted to.
        cost: Of int8, in accuracy.
        size_bytes: Of everything in the folder.
    """

    network: str
    format: str
    path: Path
    file: Path
    precision: str
    difference: float
    cost: Cost | None
    size_bytes: int

    def __str__(self) -> str:
        found = (
            f"answers as Keras does, {self.difference:.0e} relative "
            f"(allowed: {probe.ALLOWED['float32']:.0e})"
        )
        return (
            f"{self.network} as {self.format} in {self.precision}: {self.file}, "
            f"{mebibytes(self.size_bytes)} in all\n{self.cost or found}\n"
            f"labels: {self.path / LABELS}; what it takes and gives: {self.path / ABOUT}"
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {**asdict(self), "path": str(self.path), "file": str(self.file)}


def export(
    architecture: str | keras.Model,
    *,
    format: str,
    out: str | Path | None = None,
    weights: str | None = None,
    precision: str = "float32",
    calibration: Labelled | None = None,
    overwrite: bool = False,
    **options: Any,
) -> Export:
    """Write a trained network for another program, and check that it answers the same.

    The folder holds the network, which takes pixels 0 to 255 because its preprocessing is inside,
    ``labels.txt`` with one class a line, and ``cnnzoo.json`` with what it takes and gives, how
    pictures are fitted to it, and the hash of every file. It appears whole or not at all.

    Args:
        architecture: As for ``cnnzoo.predict``: a name, the folder of a run, or a Keras model that
            takes pixels.
        format: "onnx", "openvino", "litert" or "saved_model".
        out: The folder, new; ``<network>-<format>`` unless given.
        weights: A tag of ``cnnzoo info NAME``, or a file; the first tag unless given.
        precision: "float32", or for ONNX and OpenVINO "int8": 8-bit weights and activations.
        calibration: For int8, what ``cnnzoo.load_data`` returns. Some hundred training images set
            the ranges of the numbers, test images show what it costs in accuracy.
        overwrite: Replace a folder that an export wrote.
        **options: Of the network.

    Raises:
        UnknownNameError: No network, weights, format or precision is called so.
        UsageError: The folder exists, the format and the precision do not go together, or Keras
            cannot write the format on this backend.
        DataError: The labels of the images are not those of the network.
        MissingExtraError: What writes or checks the format is not installed.
        WeightsError: What was written answers otherwise; nothing is left of it.
        StorageError: The folder cannot be written.
    """
    kind = formats.pick_format(format)
    precision = formats.check_precision(precision, kind.name, calibration is not None)
    name = architecture.name if isinstance(architecture, keras.Model) else Path(architecture).name
    end = kind.name if precision == "float32" else f"{kind.name}-{precision}"
    target = Path(out) if out is not None else Path(f"{name}-{end}")
    formats.check_folder(target, ABOUT, overwrite)
    classifier = open_classifier(architecture, weights, **options)
    if calibration is not None:
        quantised.check(classifier, calibration)
    with files.replacing_folder(target) as folder:
        if calibration is None:
            found, cost = _write_float32(classifier, folder, kind), None
        else:
            found, cost = _write_int8(classifier, calibration, folder, kind)
        _describe(folder, classifier, kind, found, cost)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return Export(
        classifier.title, kind.name, target, target / kind.file, precision, found, cost, size
    )


def _write_float32(classifier: Classifier, folder: Path, kind: formats.Format) -> float:
    """Write the network; how far its answers are from those of Keras."""
    model, writer = classifier.model, _WRITERS[kind.name]
    _write(writer.write, model, folder, kind)
    pixels = probe.pictures(model.inputs[0].shape[1:])
    found = difference(writer.load(folder / kind.file), model, pixels)
    if not found <= probe.ALLOWED["float32"]:
        raise WeightsError(
            f"{classifier.title} as {kind.name} differs from Keras by {found:.1e} relative "
            f"(allowed: {probe.ALLOWED['float32']:.0e}); nothing is left. Try another format."
        )
    return found


def _write_int8(
    classifier: Classifier, data: Labelled, folder: Path, kind: formats.Format
) -> tuple[float, Cost]:
    """The same by way of ONNX in float32, and what it costs in accuracy."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as plain:
        _write(onnxruntime.export, classifier.model, Path(plain), kind)
        source = Path(plain) / onnxruntime.FILE
        return quantised.write(classifier, data, source, folder, kind.name)


def _write(
    write: Callable[[keras.Model, Path], None],
    model: keras.Model,
    folder: Path,
    kind: formats.Format,
) -> None:
    try:
        write(model, folder)
    except MissingExtraError:
        raise
    except (ImportError, ValueError, NotImplementedError, RuntimeError) as error:
        raise UsageError(
            f"Keras cannot write {model.name} as {kind.name} on {keras.backend.backend()}: "
            f"{' '.join(str(error).split())[:200]}. Use one of: {', '.join(formats.FORMATS)}."
        ) from error


def _describe(
    folder: Path,
    classifier: Classifier,
    kind: formats.Format,
    found: float,
    cost: Cost | None,
) -> None:
    """Labels, and everything that somebody without Keras must know."""
    names = [label.name for label in classifier.labels]
    (folder / LABELS).write_text("\n".join(names) + "\n", encoding="utf-8")
    model, view = classifier.model, classifier.view
    checked = {"allowed": probe.ALLOWED["float32"]} if cost is None else {"cost": asdict(cost)}
    about = {
        "kind": "cnnzoo export",
        "network": classifier.title,
        "format": kind.name,
        "file": kind.file,
        "input": {
            "shape": list(model.inputs[0].shape),
            "dtype": "float32",
            "pixels": "0 to 255, RGB" if view.channels == 3 else "0 to 255, grey",
            "preprocessing": "inside the network",
            "fitting": asdict(view),
        },
        "output": {"shape": list(model.outputs[0].shape), "classes": names},
        "precision": "float32" if cost is None else "int8",
        "check": {"difference": found, **checked},
        "versions": machine.versions(),
        "files": {
            str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        },
    }
    files.write_json(folder / ABOUT, about)


def _write_litert(model: keras.Model, folder: Path) -> None:
    with warnings.catch_warnings():  # the converter warns of what does not touch the answers
        warnings.simplefilter("ignore")
        model.export(str(folder / formats.FORMATS["litert"].file), format="litert", verbose=False)


def _load_litert(path: Path) -> Run:
    try:
        interpreter_of = import_module("ai_edge_litert.interpreter").Interpreter
    except ImportError:
        interpreter_of = import_module("tensorflow").lite.Interpreter
    with warnings.catch_warnings():  # TensorFlow's own announces that it will move
        warnings.simplefilter("ignore")
        interpreter = interpreter_of(str(path))

    def run(pixels: np.ndarray) -> Any:
        index = interpreter.get_input_details()[0]["index"]
        interpreter.resize_tensor_input(index, pixels.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(index, pixels)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def _write_saved_model(model: keras.Model, folder: Path) -> None:
    model.export(str(folder / "saved_model"), format="tf_saved_model", verbose=False)
    for path in (folder / "saved_model").iterdir():  # an empty folder of assets among them
        path.rename(folder / path.name)
    shutil.rmtree(folder / "saved_model")


def _load_saved_model(path: Path) -> Run:
    loaded = import_module("tensorflow").saved_model.load(str(path.parent))
    return lambda pixels: loaded.serve(pixels).numpy()


@dataclass(frozen=True, slots=True)
class _Writer:
    write: Callable[[keras.Model, Path], None]
    load: Callable[[Path], Run]


_WRITERS = {
    "onnx": _Writer(onnxruntime.export, onnxruntime.load),
    "openvino": _Writer(openvino.export, lambda path: openvino.load(path, "float32")),
    "litert": _Writer(_write_litert, _load_litert),
    "saved_model": _Writer(_write_saved_model, _load_saved_model),
}
