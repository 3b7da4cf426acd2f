from __future__ import annotations

import json
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import cnnzoo
from cnnzoo.errors import MissingExtraError, UnknownNameError, UsageError, WeightsError
from cnnzoo.inference import export as export_module
from cnnzoo.inference.export import export
from cnnzoo.runtimes import backends, onnxruntime, openvino, probe

PIXELS = probe.pictures((32, 32, 1))


@pytest.fixture(scope="module")
def known() -> np.ndarray:
    """What Keras answers."""
    model = cnnzoo.build("lenet5", weights="mnist", include_preprocessing=True)
    return np.asarray(backends.called(model)(PIXELS))


@pytest.mark.parametrize("format", ["onnx", "openvino", "litert", "saved_model"])
def test_the_file_answers_as_keras_does_and_lies_beside_its_labels(
    format: str, tmp_path: Path, known: np.ndarray
) -> None:
    found = export("lenet5", format=format, weights="mnist", out=tmp_path / "out")
    answers = np.asarray(export_module._WRITERS[format].load(found.file)(PIXELS))
    assert np.allclose(answers, known, atol=1e-5)
    assert found.difference < 1e-4
    assert (found.path / "labels.txt").read_text().split() == [str(i) for i in range(10)]
    about = json.loads((found.path / "cnnzoo.json").read_text())
    assert about["output"]["classes"] == [str(i) for i in range(10)]
    assert about["input"]["shape"] == [None, 32, 32, 1]
    assert about["input"]["pixels"] == "0 to 255, grey"
    assert {"labels.txt", found.file.name} <= about["files"].keys()
    assert found.size_bytes >= found.file.stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_export_that_answers_otherwise_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = export_module._Writer(
        onnxruntime.export, lambda path: lambda pixels: pixels[:, 0, :10, 0]
    )
    monkeypatch.setitem(export_module._WRITERS, "onnx", wrong)
    with pytest.raises(WeightsError, match=r"differs from Keras by .* nothing is left"):
        export("lenet5", format="onnx", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_only_an_export_is_replaced_and_only_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "out"
    export("lenet5", format="openvino", out=target)
    with pytest.raises(UsageError, match=r"exists\. Add --overwrite"):
        export("lenet5", format="onnx", out=target)
    export("lenet5", format="onnx", out=target, overwrite=True)
    assert (target / "model.onnx").is_file()
    assert not (target / "model.xml").exists()
    (tmp_path / "mine").mkdir()
    with pytest.raises(UsageError, match="was not written by cnnzoo export"):
        export("lenet5", format="onnx", out=tmp_path / "mine", overwrite=True)


def test_what_cannot_be_is_told_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnknownNameError, match="onnx"):
        export("lenet5", format="onxx", out=tmp_path / "out")
    with pytest.raises(UsageError, match="no public weights"):
        export("agh_mnist", format="onnx", out=tmp_path / "out")
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cnnzoo\[fast\]'"):
        export("lenet5", format="openvino", out=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_what_keras_cannot_write_is_told_with_what_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(model: keras.Model, folder: Path) -> None:
        raise ValueError("only on another backend")

    writer = export_module._Writer(refuse, openvino.load)
    monkeypatch.setitem(export_module._WRITERS, "litert", writer)
    with pytest.raises(UsageError, match=r"cannot write lenet5 as litert.*only on another backend"):
        export("lenet5", format="litert", out=tmp_path / "out")


def test_a_model_of_ones_own_is_exported_under_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    image = keras.Input((8, 8, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    mine = keras.Model(image, keras.layers.Dense(2, "softmax")(pooled), name="mine")
    found = export(mine, format="openvino")
    assert found.path == Path("mine-openvino")
    assert "class 1" in (found.path / "labels.txt").read_text()
