"""The same pipelines on the other backends, in processes of their own."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

pytestmark = pytest.mark.slow
QUICK = ["--data", "digits", "--epochs", "3", "--seed", "1"]


def _cnnzoo(backend: str, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cnnzoo", *words],
        env=os.environ | {"KERAS_BACKEND": backend, "CNNZOO_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=check,
    )


def _state(run: Path) -> dict[str, np.ndarray]:
    return load_file(sorted((run / "checkpoints").glob("step-*"))[-1] / "state.safetensors")


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_a_network_is_trained_stopped_and_taken_up(backend: str, tmp_path: Path) -> None:
    words = ["lenet5", *QUICK, "--set", "ema=0.9", "--augment", "strokes, mixup, erase"]
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    document = json.loads(
        _cnnzoo(backend, "finetune", *words, "--out", str(whole), "--json").stdout
    )
    assert document["test_accuracy"] > 0.8
    assert json.loads((whole / "config.json").read_text())["versions"]["backend"] == backend
    with subprocess.Popen(
        [sys.executable, "-m", "cnnzoo", "finetune", *words, "--out", str(stopped)],
        env=os.environ | {"KERAS_BACKEND": backend},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while not (stopped / "history.csv").exists() and process.poll() is None:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert process.wait() in (0, 130)
    _cnnzoo(backend, "finetune", "--resume", str(stopped))
    first, second = _state(whole), _state(stopped)
    for name, value in first.items():
        assert np.allclose(value, second[name], rtol=1e-4, atol=1e-5), name


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_images_grow(backend: str, tmp_path: Path) -> None:
    words = ["resnet20", "--data", "digits", "--epochs", "2", "--set", "first_size=0.5"]
    _cnnzoo(backend, "finetune", *words, "--out", str(tmp_path / "run"))
    rows = list(csv.DictReader((tmp_path / "run" / "history.csv").read_text().splitlines()))
    assert float(rows[-1]["accuracy"]) > 0.8  # batch norm's averages take longer than two epochs


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_trained_weights_are_carried_over(backend: str, tmp_path: Path) -> None:
    words = ["resnet20", "--weights", "cifar10", *QUICK, "--freeze", "stage2"]
    document = json.loads(
        _cnnzoo(backend, "finetune", *words, "--out", str(tmp_path / "run"), "--json").stdout
    )
    assert document["test_accuracy"] > 0.5
    done = _cnnzoo(
        backend, "evaluate", str(tmp_path / "run"), "--data", "digits", "--json",
        "--out", str(tmp_path / "evaluated"),
    )  # fmt: skip
    assert json.loads(done.stdout)["misclassified"] == document["misclassified"]


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_optimizers_do_what_recipes_say(backend: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-W", "ignore::UserWarning",
         str(Path(__file__).with_name("test_optimizers.py"))],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:]
