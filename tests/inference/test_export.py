from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import cnnzoo
from cnnzoo.errors import (
    DataError,
    MissingExtraError,
    UnknownNameError,
    UsageError,
    WeightsError,
)
from cnnzoo.inference import export as export_module
from cnnzoo.inference.export import export
from cnnzoo.runtimes import backends, onnxruntime, openvino, probe
from cnnzoo.training.batches import Batches

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


@pytest.mark.parametrize("format", ["onnx", "openvino"])
def test_int8_is_smaller_and_says_what_it_costs(format: str, tmp_path: Path) -> None:
    digits = cnnzoo.load_data("digits")
    plain = export("lenet5", format=format, out=tmp_path / "plain")
    found = export(
        "lenet5", format=format, precision="int8", calibration=digits, out=tmp_path / "small"
    )
    weights = {"onnx": "model.onnx", "openvino": "model.bin"}[format]
    assert (found.path / weights).stat().st_size < (plain.path / weights).stat().st_size / 2
    model = cnnzoo.build("lenet5", weights="mnist", include_preprocessing=True)
    pixels = Batches(digits.test, (32, 32, 1), len(digits.test), 10)[0][0].astype("float32")
    right = {
        "float32": np.asarray(backends.called(model)(pixels)).argmax(1) == digits.test.labels,
        "int8": np.asarray(export_module._WRITERS[format].load(found.file)(pixels)).argmax(1)
        == digits.test.labels,
    }
    assert found.cost is not None
    assert (found.cost.data, found.cost.images) == ("digits", len(digits.test))
    assert found.cost.float32 == pytest.approx(right["float32"].mean(), abs=0.003)
    assert found.cost.int8 == pytest.approx(right["int8"].mean(), abs=0.003)
    assert found.cost.int8 > 0.7
    assert 1e-4 < found.difference < 0.2
    about = json.loads((found.path / "cnnzoo.json").read_text())
    assert about["precision"] == "int8"
    assert about["check"]["cost"]["fitted"] == 256
    assert "359 test images of digits right in int8" in str(found)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain", "small"]


def test_int8_needs_a_format_and_labelled_images_and_float32_none(tmp_path: Path) -> None:
    digits, out = cnnzoo.load_data("digits"), tmp_path / "out"
    with pytest.raises(UsageError, match="Use one of: onnx, openvino"):
        export("lenet5", format="litert", precision="int8", calibration=digits, out=out)
    with pytest.raises(UsageError, match="--calibration DATA"):
        export("lenet5", format="onnx", precision="int8", out=out)
    with pytest.raises(UsageError, match="changes nothing in float32"):
        export("lenet5", format="onnx", calibration=digits, out=out)
    with pytest.raises(UnknownNameError, match="int8"):
        export("lenet5", format="onnx", precision="int4", calibration=digits, out=out)
    with pytest.raises(UsageError, match=r"cnnzoo\.load_data\('digits'\)"):
        export("lenet5", format="onnx", precision="int8", calibration="digits", out=out)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_labels_that_mean_something_else_are_refused(tmp_path: Path) -> None:
    digits, out = cnnzoo.load_data("digits"), tmp_path / "out"
    other = replace(digits, name="mine", class_names=tuple("abcdefghij"))
    with pytest.raises(DataError, match="class 0 is '0' to it and 'a' to them"):
        export("lenet5", format="onnx", precision="int8", calibration=other, out=out)
    image = keras.Input((8, 8, 1))
    two = keras.Model(image, keras.layers.Dense(2)(keras.layers.Flatten()(image)), name="two")
    with pytest.raises(DataError, match="two answers 2 classes, digits has 10"):
        export(two, format="onnx", precision="int8", calibration=digits, out=out)
    assert list(tmp_path.iterdir()) == []
