"""The forms that a network takes for each runtime: made once, kept in the store."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo import machine
from cnnzoo.errors import MissingExtraError, StorageError
from cnnzoo.runtimes import backends, onnxruntime, openvino, quantise
from cnnzoo.runtimes.backends import Run
from cnnzoo.store import RUNTIMES, key_of

_VERSIONS = {
    "keras": keras.version,
    "openvino": openvino.version,
    "onnxruntime": onnxruntime.version,
}
log = logging.getLogger("cnnzoo")


class Forms:
    """What one network is exported to.

    Args:
        model: With one input and one output; its weights as they are now.
        calibration: Pictures for int8.
        keep: Whether the forms may be kept; not for weights that nobody sees again.
    """

    def __init__(
        self,
        model: keras.Model,
        calibration: NDArray[np.float32] | None = None,
        *,
        keep: bool = True,
    ) -> None:
        self.model = model
        self.calibration = calibration
        self.fingerprint = fingerprint(model) if keep and RUNTIMES.limit_bytes() else ""
        self.keep = bool(self.fingerprint)

    def run(self, runtime: str, precision: str) -> Run:
        """The network, ready.

        Raises:
            MissingExtraError: The runtime is not installed.
            Exception: Each runtime has its own for what it cannot do.
        """
        if runtime == "keras":
            if precision == "bfloat16":
                return backends.compiled(backends.in_bfloat16(self.model))
            return backends.compiled(self.model, self._graph)
        version(runtime)  # one that is missing is told before anything is exported
        if self.keep:
            try:
                return self._load(runtime, precision)
            except StorageError as error:
                log.warning("%s Nothing is kept.", error)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            return self._load(runtime, precision, Path(folder))

    def key(self, *parts: object) -> str:
        """Where something that depends on the network and the parts is kept."""
        return key_of([self.fingerprint, machine.versions(), *parts])

    @cached_property
    def _graph(self) -> Any:
        """Drawn once for Keras itself and for OpenVINO."""
        return backends.graph_of(self.model)

    def _load(self, runtime: str, precision: str, temporary: Path | None = None) -> Run:
        if precision == "int8":
            path = self._quantised(temporary) / onnxruntime.FILE
        elif runtime == "openvino":
            path = self._exported("openvino", temporary) / openvino.FILE
        else:
            path = self._exported("onnxruntime", temporary) / onnxruntime.FILE
        if runtime == "openvino":
            return openvino.load(path, precision)
        return onnxruntime.load(path)

    def _exported(self, runtime: str, temporary: Path | None) -> Path:
        def write(to: Path) -> None:
            if runtime == "openvino":
                openvino.export(self.model, to, self._graph)
            else:
                onnxruntime.export(self.model, to)

        key = self.key(runtime, version(runtime))
        return self._made(key, f"for {runtime}", write, temporary)

    def _quantised(self, temporary: Path | None) -> Path:
        pictures = self.calibration
        assert pictures is not None
        key = self.key("int8", version("onnxruntime"), quantise.fingerprint(pictures))

        def write(to: Path) -> None:
            source = self._exported("onnxruntime", temporary) / onnxruntime.FILE
            quantise.quantise(source, to, pictures)

        return self._made(key, "in int8", write, temporary)

    def _made(
        self, key: str, form: str, write: Callable[[Path], object], temporary: Path | None
    ) -> Path:
        """A folder that ``write`` has filled, now or earlier: a kept one, or a temporary one."""
        if temporary is None:
            return RUNTIMES.get(key) or RUNTIMES.put(key, f"{self.model.name} {form}", write)
        path = temporary / key
        path.mkdir()
        write(path)
        return path


def version(runtime: str) -> str:
    """The one that is installed.

    Raises:
        MissingExtraError: None is.
    """
    return str(_VERSIONS[runtime]())


def installed(runtime: str) -> str:
    """The version, or nothing."""
    try:
        return version(runtime)
    except MissingExtraError:
        return ""


def fingerprint(model: keras.Model) -> str:
    """A hash of structure and weights; nothing for a model that cannot be written down.

    Layers count by their places: Keras numbers those without a name through all models.
    """
    places = {json.dumps(layer.name): f'"{i}"' for i, layer in enumerate(model.layers)}
    try:
        text = re.sub(r'"[^"]*"', lambda name: places.get(name[0], name[0]), model.to_json())
    except (NotImplementedError, TypeError, ValueError):
        return ""
    found = hashlib.sha256(text.encode())
    for weight in model.weights:
        values = np.ascontiguousarray(keras.ops.convert_to_numpy(weight))
        found.update(f"{values.dtype} {values.shape}".encode())
        found.update(values.tobytes())
    return found.hexdigest()
