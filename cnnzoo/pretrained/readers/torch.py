"""torch state dicts. The only pickle that is ever opened, and only with ``weights_only=True``."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, BinaryIO

from numpy.typing import NDArray

from cnnzoo.errors import MissingExtraError, WeightsError
from cnnzoo.pretrained.readers.tensor import Tensor, Tensors

_WRAPPERS = ("state_dict", "model", "model_state_dict")
_PARALLEL = "module."  # what torch.nn.DataParallel puts before every name


@contextlib.contextmanager
def tensors(file: BinaryIO, name: str) -> Iterator[Tensors]:
    """Name -> tensor, in the order of the state dict.

    Raises:
        MissingExtraError: torch is not installed.
        WeightsError: The file is damaged, or holds anything but a state dict.
    """
    try:
        import torch
    except ImportError as error:
        raise MissingExtraError(
            f"{name} is a torch file, which takes a package that is not installed. "
            "Type: pip install 'cnnzoo[torch]'   or take weights in safetensors or HDF5."
        ) from error
    file.seek(0)
    try:
        state = torch.load(file, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, OSError, RuntimeError, ValueError, EOFError, KeyError) as error:
        # What torch says would invite to switch the protection off.
        raise WeightsError(
            f"{name} is no state dict of torch, or a damaged one ({type(error).__name__}). "
            "Code is never run."
        ) from error
    yield {key: _tensor(value) for key, value in _state(state, torch.Tensor, name).items()}


def _state(state: object, tensor: type, name: str) -> dict[str, Any]:
    """Unwrap what training scripts save around the state dict."""
    for wrapper in _WRAPPERS:
        if isinstance(state, Mapping) and isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    if not isinstance(state, Mapping) or not all(isinstance(v, tensor) for v in state.values()):
        raise WeightsError(
            f"{name} holds no plain state dict. Save one: torch.save(model.state_dict(), ...)."
        )
    names = [str(key) for key in state]
    if names and all(key.startswith(_PARALLEL) for key in names):
        names = [key.removeprefix(_PARALLEL) for key in names]
    return dict(zip(names, state.values(), strict=True))


def _tensor(value: Any) -> Tensor:
    kind = str(value.dtype).removeprefix("torch.")
    return Tensor(tuple(value.shape), kind, partial(_read, value, kind))


def _read(value: Any, kind: str) -> NDArray[Any]:
    values: NDArray[Any] = (value.float() if kind == "bfloat16" else value).detach().numpy()
    return values.copy()  # two names of a state dict may share their numbers
