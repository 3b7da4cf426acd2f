"""ONNX Runtime: Keras exports the network as ONNX, ONNX Runtime runs it on the processor."""

from __future__ import annotations

import contextlib
import gc
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import MissingExtraError
from cnnzoo.runtimes.backends import Run

FILE = "model.onnx"
_ERRORS = 3  # of its log, nothing below


def package() -> ModuleType:
    """ONNX Runtime, told to keep to itself where its builds report how they are used (Windows).

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        found = import_module("onnxruntime")
    except ImportError as error:
        raise MissingExtraError(
            f"ONNX Runtime cannot be had here ({error}). Type: pip install 'cnnzoo[fast]'"
        ) from error
    found.disable_telemetry_events()
    return found


def version() -> str:
    return str(package().__version__)


def export(model: keras.Model, folder: Path) -> None:
    """Write the network for images in any number into a folder.

    Raises:
        MissingExtraError: What Keras needs for it on this backend is not installed.
    """
    (image,) = model.inputs
    signature = [keras.InputSpec(shape=image.shape, dtype=image.dtype, name="image")]
    try:
        with _tidily(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tf2onnx asks NumPy for names of its first version
            model.export(
                str(folder / FILE), format="onnx", verbose=False, input_signature=signature
            )
    except ImportError as error:
        raise MissingExtraError(
            f"Keras cannot write ONNX on {keras.backend.backend()} ({error}). "
            "Type: pip install 'cnnzoo[fast]'"
        ) from error


@contextlib.contextmanager
def _tidily() -> Iterator[None]:
    """Garbage is looked for all the time, among what is made inside.

    tf2onnx copies the network for each of its passes, with all weights, and the copies hold
    themselves. Python counts them as a few small objects that can wait: writing AlexNet, of
    233 MiB, took 11.6 GiB at its peak, and takes 6.1 so.
    """
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc.freeze()
    gc.collect()  # which notes how few objects there are to look at now
    gc.set_threshold(50, 1, 1)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        if not frozen:
            gc.unfreeze()
        gc.collect()


def load(path: Path) -> Run:
    """The network in that file, in the precision that the file has."""
    runtime = package()
    options = runtime.SessionOptions()
    options.log_severity_level = _ERRORS
    session = runtime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name

    def run(pixels: NDArray[np.float32]) -> Any:
        return session.run(None, {name: pixels})[0]

    return run
