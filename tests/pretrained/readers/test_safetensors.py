"""What the package writes is read; a header that does not describe the bytes is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file
from weight_files import MAPS, bytes_of, listing

import cnnzoo
from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.load import load_weights
from cnnzoo.pretrained.readers import safetensors


def read(path: Path) -> dict[str, tuple[str, np.ndarray]]:
    with path.open("rb") as file, safetensors.tensors(file, str(path)) as tensors:
        return {name: (tensor.dtype, tensor.read()) for name, tensor in tensors.items()}


def write(path: Path, header: Any, data: bytes, length: int | None = None) -> Path:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes((len(raw) if length is None else length).to_bytes(8, "little") + raw + data)
    return path


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int64", "bfloat16"])
def test_what_the_package_writes_is_read(tmp_path, kind):
    dtype = ml_dtypes.bfloat16 if kind == "bfloat16" else kind
    values = {"b": np.arange(6).reshape(2, 3).astype(dtype), "a": np.ones((), dtype)}
    save_file(values, tmp_path / "x.safetensors", metadata={"format": "pt"})
    found = read(tmp_path / "x.safetensors")
    assert set(found) == {"a", "b"}
    assert found["b"][0] == kind
    np.testing.assert_array_equal(found["b"][1], np.arange(6).reshape(2, 3))


def row(begin: int, end: int, shape: tuple[int, ...] = (2,), dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


HEADERS = {
    "no JSON": (b"{nonsense", bytes(8)),
    "no text": (b"\xff\xfe{}", bytes(8)),
    "no table": ([1, 2], bytes(8)),
    "no row": ({"a": 3}, bytes(8)),
    "gap": ({"a": row(0, 8), "b": row(12, 20)}, bytes(20)),
    "overlap": ({"a": row(0, 8), "b": row(4, 12)}, bytes(12)),
    "hole at the beginning": ({"a": row(4, 12)}, bytes(12)),
    "bytes that nothing describes": ({"a": row(0, 8)}, bytes(12)),
    "fewer bytes than described": ({"a": row(0, 8)}, bytes(4)),
    "size that is not the shape's": ({"a": row(0, 8, (3,))}, bytes(8)),
    "end before the beginning": ({"a": row(8, 0)}, bytes(8)),
    "negative side": ({"a": row(0, 8, (-1, -2))}, bytes(8)),
    "side that is a fraction": ({"a": row(0, 8, (2.0,))}, bytes(8)),
    "side that is true": ({"a": row(0, 4, (True,))}, bytes(4)),
    "three offsets": ({"a": row(0, 8) | {"data_offsets": [0, 4, 8]}}, bytes(8)),
    "unknown dtype": ({"a": row(0, 8, dtype="Q8")}, bytes(8)),
    "a name twice": (
        b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},'
        b'"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
        bytes(8),
    ),
    "shape bomb": ({"a": row(0, 8, (2**40, 2**40))}, bytes(8)),
    "deep nesting": (b'{"a":' * 5000 + b"1" + b"}" * 5000, bytes(8)),
}


@pytest.mark.parametrize("what", HEADERS)
def test_header_that_does_not_describe_the_bytes_is_refused(what, tmp_path):
    path = write(tmp_path / "x.safetensors", *HEADERS[what])
    with pytest.raises(WeightsError) as caught:
        read(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("length", [0, 1, 10**6, 2**40, 2**63])
def test_length_of_the_header_that_cannot_be_is_refused(length, tmp_path):
    path = write(tmp_path / "x.safetensors", {"a": row(0, 8)}, bytes(8), length)
    with pytest.raises(WeightsError, match="its header would have"):
        read(path)


def test_file_that_becomes_shorter_while_it_is_read_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"a": np.ones(100_000, "float32")}, path)
    with path.open("rb") as file, safetensors.tensors(file, str(path)) as tensors:
        with path.open("r+b") as other:
            other.truncate(1000)
        with pytest.raises(WeightsError, match="became shorter"):
            tensors["a"].read()


def test_truncation_anywhere_is_refused(tmp_path):
    path = tmp_path / "x.safetensors"
    save_file({"a": np.ones(10, "float32"), "b": np.ones(3, "float16")}, path)
    whole = path.read_bytes()
    for length in range(1, len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(WeightsError):
            read(path)


def test_state_dict_of_torchvision_fills_resnet_50(tmp_path):
    numbers = np.random.default_rng(8)
    state = {
        name: np.array(1) if shape == () else numbers.uniform(0.5, 1.5, shape).astype("float32")
        for name, shape in listing("tv_resnet50").items()
    }
    path = tmp_path / "model.safetensors"
    save_file(state, path)
    model = cnnzoo.build("resnet50", variant="v1.5", num_classes=10)
    report = load_weights(
        model,
        path,
        name_maps=sorted(MAPS.glob("resnet50-*.tsv")),
        classifier=("predictions",),
        new_classifier=True,
    )
    assert str(report).endswith("backbone 265/265 tensors, head new, 53 of the file unused")
    kernel = state["layer3.2.conv2.weight"]
    ours = np.array(model.get_layer("conv4_block3_2_conv").kernel)
    np.testing.assert_array_equal(ours, kernel.transpose(2, 3, 1, 0))
    variance = np.array(model.get_layer("conv5_block1_0_bn").moving_variance)
    np.testing.assert_array_equal(variance, state["layer4.0.downsample.1.running_var"])


def test_file_swapped_after_it_was_opened_changes_nothing(small, tmp_path):
    path = tmp_path / "mine.safetensors"
    names = [f"{x.name}/{w.name}" for x in small.layers for w in x.weights]
    values = [weight for x in small.layers for weight in x.get_weights()]
    save_file(dict(zip(names, values, strict=True)), path)
    before = bytes_of(small)
    with path.open("rb") as file:
        path.unlink()
        path.write_bytes(b"something else")
        small.set_weights([weight * 0 for weight in small.get_weights()])
        load_weights(small, file, format="safetensors", classifier=("predictions",))
    assert bytes_of(small) == before
