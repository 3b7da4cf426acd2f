"""The formats a network can be exported to; needs no framework."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cnnzoo.errors import UsageError
from cnnzoo.lookup import pick


@dataclass(frozen=True, slots=True)
class Format:
    """One format and the file that its programs open."""

    name: str
    file: str
    help: str


FORMATS = {
    found.name: found
    for found in (
        Format("onnx", "model.onnx", "for ONNX Runtime and most others"),
        Format("openvino", "model.xml", "for OpenVINO, on Intel and ARM processors"),
        Format("litert", "model.tflite", "for phones and small boards, once TensorFlow Lite"),
        Format("saved_model", "saved_model.pb", "for TensorFlow Serving; open the folder"),
    )
}


def pick_format(name: str) -> Format:
    """The format called ``name``.

    Raises:
        UnknownNameError: There is none; the message gives the nearest name.
    """
    see = f"Use one of: {', '.join(FORMATS)}."
    return pick(FORMATS, name, kind="format", aliases={"tflite": "litert"}, see=see)


INT8 = ("onnx", "openvino")  # the formats that 8 bits can be written in
_PRECISIONS = {name: name for name in ("float32", "int8")}


def check_precision(precision: str, format: str, calibrated: bool) -> str:
    """The precision as it is spelled, if the format has it and int8 has pictures to be fitted to.

    Raises:
        UnknownNameError: There is no such precision; the message gives the nearest name.
        UsageError: The three do not go together.
    """
    precision = pick(_PRECISIONS, precision, kind="precision")
    if precision == "float32":
        if calibrated:
            raise UsageError(
                "calibration fits int8 and changes nothing in float32. Add precision='int8', or "
                "leave calibration out."
            )
        return precision
    if format not in INT8:
        raise UsageError(f"{format} cannot be written in int8 here. Use one of: {', '.join(INT8)}.")
    if not calibrated:
        raise UsageError(
            "precision='int8' is fitted to pictures of the kind that the network will see, and "
            "measured on labelled ones: add --calibration DATA, in Python "
            "calibration=cnnzoo.load_data(DATA)."
        )
    return precision


def check_folder(target: Path, mark: str, overwrite: bool) -> None:
    """Refuse a folder that would be lost.

    Raises:
        UsageError: It exists and is not to be replaced, or no export wrote it.
    """
    if not target.exists() and not target.is_symlink():
        return
    if not overwrite:
        raise UsageError(f"{target} exists. Add --overwrite to replace it, or name another --out.")
    if target.is_symlink() or not (target / mark).is_file():
        raise UsageError(f"{target} was not written by cnnzoo export. Name another --out.")
