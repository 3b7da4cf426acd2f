"""int8 by post-training quantisation: the ranges of all activations come from a calibration set."""

from __future__ import annotations

import contextlib
import hashlib
import logging
import warnings
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import UsageError
from cnnzoo.pictures import Images
from cnnzoo.runtimes.onnxruntime import FILE
from cnnzoo.view import View

BATCH = 8
LEAST, USUAL = 16, 256  # fewer pictures say too little about what is to come; more say no more
_KEPT = {"Softmax", "Sigmoid", "Exp", "Pow"}  # eight bits are too few for what these give


def pictures(images: Images, view: View) -> NDArray[np.uint8]:
    """As many of the images as are usual, from all over: class follows class in many folders."""
    count = min(USUAL, len(images))
    return view.rows(images, np.linspace(0, len(images) - 1, count).astype(int))


def check(calibration: Any, shape: tuple[int | None, ...]) -> NDArray[np.float32]:
    """The calibration pictures as float32.

    Raises:
        UsageError: There are none, too few, or of another shape than the network takes.
    """
    if calibration is None:
        raise UsageError(
            "precision='int8' needs some hundred pictures of the kind that the network will see, "
            "as it takes them. Use cnnzoo.inference.compile(model, precision='int8', "
            "calibration=pixels), or cnnzoo.evaluate, which takes training images."
        )
    pixels = np.asarray(calibration)
    if pixels.ndim != len(shape) + 1 or pixels.shape[1:] != shape or len(pixels) < LEAST:
        raise UsageError(
            f"calibration of shape {pixels.shape} cannot be used: the network takes pictures of "
            f"shape {shape}, and at least {LEAST} are needed, better some hundred."
        )
    return pixels.astype("float32")


def fingerprint(calibration: NDArray[np.float32]) -> str:
    return hashlib.sha256(np.ascontiguousarray(calibration).tobytes()).hexdigest()


def quantise(source: Path, folder: Path, calibration: NDArray[np.float32]) -> None:
    """Write the network of an ONNX file with 8-bit weights and activations into a folder.

    Weights have a scale for each channel, activations one for each tensor.
    """
    quantization = import_module("onnxruntime.quantization")
    registry = import_module("onnxruntime.quantization.registry").QDQRegistry
    prepared = folder / "prepared.onnx"
    with warnings.catch_warnings(), _without_advice():
        warnings.simplefilter("ignore")
        shapes = import_module("onnxruntime.quantization.shape_inference")
        shapes.quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
        quantization.quantize_static(
            str(prepared),
            str(folder / FILE),
            _Pictures(source, calibration),
            quant_format=quantization.QuantFormat.QDQ,
            op_types_to_quantize=[kind for kind in registry if kind not in _KEPT],
            per_channel=True,
            activation_type=quantization.QuantType.QUInt8,
            weight_type=quantization.QuantType.QInt8,
        )
    prepared.unlink()


class _Pictures:
    """Batches under the name of the network's input, as the calibration asks for them."""

    def __init__(self, source: Path, calibration: NDArray[np.float32]) -> None:
        graph = import_module("onnx").load(str(source), load_external_data=False).graph
        (image,) = graph.input
        starts = range(0, len(calibration), BATCH)
        self.batches = iter({image.name: calibration[i : i + BATCH]} for i in starts)

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        return next(self.batches, None)


@contextlib.contextmanager
def _without_advice() -> Iterator[None]:
    """Without the lines that the quantiser logs about steps that were taken, or are of no use."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)
