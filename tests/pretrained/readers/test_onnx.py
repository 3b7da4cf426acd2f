"""ONNX: the constant tensors of a graph, and nothing that lies outside the file."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from weight_files import MAPS

import cnnzoo
from cnnzoo.errors import MissingExtraError, WeightsError
from cnnzoo.pretrained.load import load_weights
from cnnzoo.pretrained.readers import onnx as reader

# conv1 to fc8 of BVLC's AlexNet, as (out, in of one group, height, width).
ALEXNET = {
    "conv1": (96, 3, 11, 11),
    "conv2": (256, 48, 5, 5),
    "conv3": (384, 256, 3, 3),
    "conv4": (384, 192, 3, 3),
    "conv5": (256, 192, 3, 3),
}


def write(path: Path, values: dict[str, np.ndarray]) -> onnx.ModelProto:
    tensors = [onnx.numpy_helper.from_array(value, name) for name, value in values.items()]
    graph = onnx.helper.make_graph([], "g", [], [], initializer=tensors)
    model = onnx.helper.make_model(graph)
    path.write_bytes(model.SerializeToString())
    return model


def read(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file, reader.tensors(file, str(path)) as tensors:
        return {name: tensor.read() for name, tensor in tensors.items()}


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int64"])
def test_initializers_are_read(tmp_path, kind):
    write(tmp_path / "x.onnx", {"w": np.arange(6).reshape(2, 3).astype(kind)})
    found = read(tmp_path / "x.onnx")
    assert found["w"].dtype == kind
    np.testing.assert_array_equal(found["w"], np.arange(6).reshape(2, 3))


def test_convolutions_of_the_model_zoo_fill_alexnet(tmp_path):
    numbers = np.random.default_rng(6)
    values = {"OC2_DUMMY_1": np.array([1, 9216])}
    for name, shape in ALEXNET.items():
        values[f"{name}_w_0"] = numbers.normal(size=shape).astype("float32")
        values[f"{name}_b_0"] = numbers.normal(size=shape[:1]).astype("float32")
    values["fc8_w_0"] = np.ones((1000, 4), "float32")  # what a network without top leaves unread
    path = tmp_path / "bvlcalexnet-12.onnx"
    write(path, values)
    model = cnnzoo.build("alexnet", include_top=False)
    report = load_weights(model, path, name_maps=sorted(MAPS.glob("alexnet-*.tsv")))
    assert report.loaded == report.total == 10
    assert report.unused == ("OC2_DUMMY_1", "fc8_w_0")
    np.testing.assert_array_equal(
        np.array(model.get_layer("conv2").kernel), values["conv2_w_0"].transpose(2, 3, 1, 0)
    )


def test_tensor_in_another_file_is_refused(tmp_path):
    model = write(tmp_path / "x.onnx", {"w": np.ones(3, "float32")})
    stored = model.graph.initializer[0]
    stored.ClearField("raw_data")
    stored.data_location = onnx.TensorProto.EXTERNAL
    stored.external_data.add(key="location", value="/etc/hostname")
    (tmp_path / "x.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match="in another file"):
        read(tmp_path / "x.onnx")


def test_tensor_whose_shape_is_not_its_bytes_is_refused(tmp_path):
    model = write(tmp_path / "x.onnx", {"w": np.ones(3, "float32")})
    model.graph.initializer[0].dims[0] = 2**40
    (tmp_path / "x.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match="w is damaged"):
        read(tmp_path / "x.onnx")


def test_name_that_stands_twice_is_refused(tmp_path):
    model = write(tmp_path / "x.onnx", {"w": np.ones(3, "float32")})
    model.graph.initializer.append(model.graph.initializer[0])
    (tmp_path / "x.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(WeightsError, match="w twice"):
        read(tmp_path / "x.onnx")


@pytest.mark.parametrize("content", [b"\x08\xff\xff", b"\x08", b"\x08\x0a:\x7f"])
def test_damaged_file_is_refused(tmp_path, content):
    (tmp_path / "x.onnx").write_bytes(content)
    with pytest.raises(WeightsError):
        read(tmp_path / "x.onnx")


def test_without_the_package_the_message_says_what_to_type(tmp_path, monkeypatch):
    write(tmp_path / "x.onnx", {"w": np.ones(3, "float32")})
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cnnzoo\[onnx\]'"):
        read(tmp_path / "x.onnx")
