from __future__ import annotations

import os
import platform
from pathlib import Path

import keras
import pytest

import cnnzoo
from cnnzoo import machine
from cnnzoo.machine import hardware, versions


def test_versions_name_everything_a_result_can_depend_on() -> None:
    found = versions()
    backend = keras.config.backend()
    assert found["backend"] == backend
    assert found[backend][0].isdigit()
    assert found["python"] == platform.python_version()
    assert found["keras"] == keras.version()
    assert found["cnnzoo"] == cnnzoo.__version__
    assert found["numpy"].count(".") >= 1


def test_hardware_names_the_processor_and_its_cores() -> None:
    found = hardware()
    assert found["cpu"]
    assert 1 <= int(found["cores"]) <= (os.cpu_count() or 1)
    assert isinstance(found["accelerators"], list)
    assert found["platform"] == platform.platform()


@pytest.mark.parametrize(
    ("cpu", "backend", "expected"),
    [
        ("flags\t: fpu avx512f avx512_bf16\n", "tensorflow", "mixed_bfloat16"),
        ("flags\t: fpu amx_bf16\n", "torch", "mixed_bfloat16"),
        ("Features\t: asimd bf16\n", "tensorflow", "mixed_bfloat16"),
        ("flags\t: fpu avx2\n", "tensorflow", "float32"),
        ("flags\t: fpu amx_bf16\n", "jax", "float32"),
    ],
)
def test_sixteen_bits_are_chosen_where_the_processor_computes_in_them(
    cpu: str, backend: str, expected: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cpuinfo").write_text(f"model name\t: Some CPU\n{cpu}")
    monkeypatch.setattr(machine, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(keras.backend, "backend", lambda: backend)
    monkeypatch.setattr(machine, "_ACCELERATORS", {})
    assert machine.best_precision() == expected
    assert machine._processor() == "Some CPU"


def test_an_accelerator_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_ACCELERATORS", {keras.backend.backend(): lambda: ["GPU"]})
    for able, expected in ((True, "mixed_bfloat16"), (False, "float32")):
        answers = {keras.backend.backend(): lambda able=able: able}
        monkeypatch.setattr(machine, "_BFLOAT16_ON_ACCELERATORS", answers)
        assert machine.best_precision() == expected
