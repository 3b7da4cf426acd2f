"""ONNX: only the initializers, the constant tensors of the graph. The graph itself is not run."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from functools import partial
from typing import Any, BinaryIO

from numpy.typing import NDArray

from cnnzoo.errors import MissingExtraError, WeightsError
from cnnzoo.pretrained.readers.tensor import Tensor, Tensors


@contextlib.contextmanager
def tensors(file: BinaryIO, name: str) -> Iterator[Tensors]:
    """Name -> tensor, in the order of the graph.

    Raises:
        MissingExtraError: The package onnx is not installed.
        WeightsError: The file is damaged, or keeps its numbers in other files.
    """
    try:
        import onnx
        from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
    except ImportError as error:
        raise MissingExtraError(
            f"{name} is an ONNX file, which takes a package that is not installed. "
            "Type: pip install 'cnnzoo[onnx]'"
        ) from error
    file.seek(0)
    try:
        model = onnx.ModelProto.FromString(file.read())
    except (DecodeError, ValueError, TypeError, RuntimeError) as error:
        raise WeightsError(f"{name} is no intact ONNX file ({error}). Fetch it again.") from error
    found: dict[str, Tensor] = {}
    for stored in model.graph.initializer:
        if stored.data_location == onnx.TensorProto.EXTERNAL:
            raise WeightsError(f"{name} keeps {stored.name} in another file. It is not read.")
        if stored.name in found:
            raise WeightsError(f"{name} holds {stored.name} twice.")
        known = stored.data_type in onnx.helper.get_all_tensor_dtypes()
        kind = onnx.helper.tensor_dtype_to_np_dtype(stored.data_type) if known else "unknown"
        found[stored.name] = Tensor(tuple(stored.dims), str(kind), partial(_read, stored, name))
    if not found:
        raise WeightsError(f"{name} holds no initializers.")
    yield found


def _read(stored: Any, name: str) -> NDArray[Any]:
    from onnx import numpy_helper

    try:
        values: NDArray[Any] = numpy_helper.to_array(stored)
    except (ValueError, TypeError, KeyError) as error:
        raise WeightsError(f"{name}: {stored.name} is damaged ({error}).") from error
    return values.astype("float32") if str(values.dtype) == "bfloat16" else values
