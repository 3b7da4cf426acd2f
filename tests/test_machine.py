from __future__ import annotations

import os
import platform

import keras

import cnnzoo
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
