"""OpenVINO: Keras exports the network, OpenVINO compiles it for the processor."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import MissingExtraError
from cnnzoo.machine import has_native_bfloat16
from cnnzoo.runtimes.backends import Run, graph_of

FILE = "model.xml"  # its weights lie beside it in model.bin


def package() -> ModuleType:
    """OpenVINO, which must not tell anybody that it is used.

    With ``openvino_telemetry`` beside it, importing it sends figures about its use and may ask on
    the terminal. It works without that package, so it finds none here.

    Raises:
        MissingExtraError: It is not installed.
    """
    modules: dict[str, Any] = sys.modules
    modules.setdefault("openvino_telemetry", None)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return import_module("openvino")
    except ImportError as error:
        raise MissingExtraError(
            f"OpenVINO cannot be had here ({error}). Type: pip install 'cnnzoo[fast]'"
        ) from error


def version() -> str:
    return str(package().__version__)


def export(model: keras.Model, folder: Path, graph: Any = None) -> None:
    """Write the network for images in any number into a folder.

    Args:
        graph: What `backends.graph_of` drew, if it did.
    """
    found = package()
    with warnings.catch_warnings():  # tracing warns of what does not touch the answers
        warnings.simplefilter("ignore")
        graph = graph_of(model) if graph is None else graph
        if graph is None:
            model.export(str(folder / FILE), format="openvino", verbose=False)
            return
        # The same without Keras' search for what only a SavedModel holds: half the time.
        network = found.convert_model(graph)
    name = model.inputs[0].name
    network.inputs[0].get_node().set_friendly_name(name)
    network.inputs[0].tensor.set_names({name})
    found.save_model(network, folder / FILE, compress_to_fp16=False)


def convert(source: Path, folder: Path) -> None:
    """Write the network of an ONNX file, in the precision that it has, into a folder."""
    found = package()
    found.save_model(found.Core().read_model(source), folder / FILE, compress_to_fp16=False)


def load(path: Path, precision: str) -> Run:
    """The network in that file, OpenVINO's or ONNX's, compiled for each number of images met.

    What comes out is not kept on the disk: compiling takes less time than reading it back.
    """
    core = package().Core()
    model = core.read_model(path)
    in_bfloat16 = precision == "bfloat16" or (precision == "int8" and has_native_bfloat16())
    settings = {"INFERENCE_PRECISION_HINT": "bf16" if in_bfloat16 else "f32"}
    compiled: dict[int, Any] = {}

    def run(pixels: NDArray[np.float32]) -> Any:
        if len(pixels) not in compiled:
            fixed = model.clone()
            fixed.reshape({0: list(pixels.shape)})
            compiled[len(pixels)] = core.compile_model(fixed, "CPU", settings)
        return compiled[len(pixels)](pixels, share_inputs=True)[0]

    return run
