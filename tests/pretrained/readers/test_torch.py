"""torch files. torch is large and not installed for tests: a stand-in says how it was called."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cnnzoo.errors import MissingExtraError, WeightsError
from cnnzoo.pretrained.readers import torch as reader


class FakeTensor:
    """The few methods of ``torch.Tensor`` that the reader calls."""

    def __init__(self, values: Any, dtype: str = "torch.float32") -> None:
        self.values, self.dtype = np.asarray(values, "float32"), dtype
        self.shape = self.values.shape

    def float(self) -> FakeTensor:
        return FakeTensor(self.values)

    def detach(self) -> FakeTensor:
        return self

    def numpy(self) -> np.ndarray:
        if self.dtype == "torch.bfloat16":
            raise TypeError("NumPy has no bfloat16")
        return self.values


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Read what a stand-in for ``torch.load`` returns, or raise what it raises."""

    def read(state: Any) -> dict[str, np.ndarray]:
        def load(file: Any, *, map_location: str, weights_only: bool) -> Any:
            assert weights_only is True
            assert map_location == "cpu"
            assert file.tell() == 0
            if isinstance(state, Exception):
                raise state
            return state

        fake = SimpleNamespace(load=load, Tensor=FakeTensor)
        monkeypatch.setitem(sys.modules, "torch", fake)  # type: ignore[arg-type]
        path = tmp_path / "x.pth"
        path.write_bytes(b"PK\x03\x04")
        with path.open("rb") as file, reader.tensors(file, str(path)) as tensors:
            return {name: tensor.read() for name, tensor in tensors.items()}

    return read


def test_state_dict_is_read(load):
    found = load({"fc.weight": FakeTensor([[1, 2]]), "fc.bias": FakeTensor([3])})
    assert {name: values.tolist() for name, values in found.items()} == {
        "fc.weight": [[1, 2]],
        "fc.bias": [3],
    }


def test_two_names_of_the_same_numbers_get_memory_of_their_own(load):
    tied = FakeTensor([1, 2])
    found = load({"encoder.weight": tied, "decoder.weight": tied})
    found["encoder.weight"][0] = 9
    assert found["decoder.weight"].tolist() == [1, 2]
    assert tied.values.tolist() == [1, 2]


def test_bfloat16_is_read_as_float32(load):
    assert load({"w": FakeTensor([0.5], "torch.bfloat16")})["w"].dtype == np.float32


@pytest.mark.parametrize("wrapper", ["state_dict", "model", "model_state_dict"])
def test_wrapper_of_training_scripts_and_of_parallel_training_is_taken_off(load, wrapper):
    found = load({wrapper: {"module.conv1.weight": FakeTensor([1])}, "best_prec1": 92.6})
    assert list(found) == ["conv1.weight"]


@pytest.mark.parametrize("state", [[1, 2], {"a": 1}, {"state_dict": {"a": "text"}}, None])
def test_anything_but_a_state_dict_is_refused(load, state):
    with pytest.raises(WeightsError, match=r"no plain state dict.*torch\.save"):
        load(state)


@pytest.mark.parametrize("error", [pickle.UnpicklingError("no"), EOFError(), RuntimeError("zip")])
def test_file_that_torch_refuses_is_no_state_dict(load, error):
    with pytest.raises(WeightsError, match="Code is never run"):
        load(error)


def test_without_torch_the_message_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    path = tmp_path / "x.pth"
    path.write_bytes(b"PK\x03\x04")
    with (
        path.open("rb") as file,
        pytest.raises(MissingExtraError, match=r"pip install 'cnnzoo\[torch\]'"),
        reader.tensors(file, str(path)),
    ):
        pass
