from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnzoo.cli.main import main


def test_export_prints_where_and_how_close(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", "lenet5", "--format", "openvino", "--out", str(tmp_path / "out")]
    assert main(arguments) == 0
    printed = capsys.readouterr().out
    assert f"{tmp_path}/out/model.xml" in printed
    assert "answers as Keras does" in printed
    assert main([*arguments, "--overwrite", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["format"] == "openvino"
    assert document["difference"] < 1e-4


def test_a_wrong_word_is_answered_before_anything_is_built(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", "lenet5", "--format", "onix", "--out", str(tmp_path / "out")]) == 2
    assert "'onnx'" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_export_in_int8_prints_what_it_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["export", "lenet5", "--format", "onnx", "--out", str(tmp_path / "out")]
    assert main([*arguments, "--precision", "int8", "--calibration", "digits"]) == 0
    assert "test images of digits right in int8" in capsys.readouterr().out
    assert main([*arguments, "--precision", "int8", "--overwrite"]) == 2
    assert "--calibration DATA" in capsys.readouterr().err
