"""A trained network, its preprocessing and its labels, together for other programs."""

from __future__ import annotations

import hashlib
import shutil
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
from cnnzoo.inference import formats
from cnnzoo.inference.classifier import Classifier, open_classifier
from cnnzoo.runtimes import backends, onnxruntime, openvino, probe
from cnnzoo.runtimes.backends import Run
from cnnzoo.units import mebibytes

ABOUT, LABELS = "cnnzoo.json", "labels.txt"


@dataclass(frozen=True, slots=True)
class Export:
    """What was written.

    Attributes:
        path: The folder.
        file: What the other program opens, in it.
        difference: From Keras, relative in the L2 norm, on eight computed pictures.
        size_bytes: Of everything in the folder.
    """

    network: str
    format: str
    path: Path
    file: Path
    difference: float
    size_bytes: int

    def __str__(self) -> str:
        return (
            f"{self.network} as {self.format}: {self.file}, {mebibytes(self.size_bytes)} in all\n"
            f"answers as Keras does, {self.difference:.0e} relative "
            f"(allowed: {probe.ALLOWED['float32']:.0e})\n"
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
        overwrite: Replace a folder that an export wrote.
        **options: Of the network.

    Raises:
        UnknownNameError: No network, weights or format is called so.
        UsageError: The folder exists, or Keras cannot write the format on this backend.
        MissingExtraError: What writes or checks the format is not installed.
        WeightsError: What was written answers otherwise; nothing is left of it.
        StorageError: The folder cannot be written.
    """
    kind = formats.pick_format(format)
    name = architecture.name if isinstance(architecture, keras.Model) else Path(architecture).name
    target = Path(out) if out is not None else Path(f"{name}-{kind.name}")
    formats.check_folder(target, ABOUT, overwrite)
    classifier = open_classifier(architecture, weights, **options)
    writer = _WRITERS[kind.name]
    with files.replacing_folder(target) as folder:
        _write(writer.write, classifier.model, folder, kind)
        found = _difference(classifier.model, writer.load(folder / kind.file))
        if not found <= probe.ALLOWED["float32"]:
            raise WeightsError(
                f"{classifier.title} as {kind.name} differs from Keras by {found:.1e} relative "
                f"(allowed: {probe.ALLOWED['float32']:.0e}); nothing is left. Try another format."
            )
        _describe(folder, classifier, kind, found)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file())
    return Export(classifier.title, kind.name, target, target / kind.file, found, size)


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


def _difference(model: keras.Model, run: Run) -> float:
    pixels = probe.pictures(model.inputs[0].shape[1:])
    known = np.asarray(backends.called(model)(pixels), "float32")
    return probe.difference(np.asarray(run(pixels), "float32"), known)


def _describe(
    folder: Path, classifier: Classifier, kind: formats.Format, difference: float
) -> None:
    """Labels, and everything that somebody without Keras must know."""
    names = [label.name for label in classifier.labels]
    (folder / LABELS).write_text("\n".join(names) + "\n", encoding="utf-8")
    model, view = classifier.model, classifier.view
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
        "check": {"difference": difference, "allowed": probe.ALLOWED["float32"]},
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
