from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnzoo.cli import evaluate
from cnnzoo.errors import UnknownNameError
from cnnzoo.training.evaluate import Evaluation


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    evaluate.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["evaluate", *words])
    code: int = arguments.run(arguments)
    return code


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ``evaluate`` is called with; it does nothing."""
    found: dict[str, Any] = {}

    def measure(model: str, **arguments: Any) -> Evaluation:
        found.update(arguments, model=model)
        metrics = {
            "test_accuracy": 0.975, "test_accuracy_interval": [0.8712, 0.9956], "part": "test",
            "test_images": 40, "misclassified": 1,
        }  # fmt: skip
        return Evaluation(Path("runs/x"), metrics, np.zeros((0, 2)))

    monkeypatch.setattr("cnnzoo.training.evaluate.evaluate", measure)
    return found


def test_every_option_reaches_the_function_under_its_own_name(called: dict[str, Any]) -> None:
    words = (
        "resnet20 --data d.npz --weights cifar10 --part all --out o --overwrite --batch-size 5 "
        "--bad-data keep --follow-links "
        "--runtime keras --precision bfloat16 --option shortcut=none"
    )
    assert _run(*words.split()) == 0
    assert called == {
        "model": "resnet20", "data": "d.npz", "weights": "cifar10", "part": "all", "out": "o",
        "bad_data": "keep", "follow_links": True,
        "overwrite": True, "batch_size": 5, "shortcut": "none", "progress": sys.stderr,
        "runtime": "keras", "precision": "bfloat16",
    }  # fmt: skip


def test_what_is_not_given_is_left_to_the_function(called: dict[str, Any]) -> None:
    _run("lenet5", "--data", "digits")
    assert set(called) == {"model", "data", "overwrite", "progress"}


def test_the_result_names_accuracy_interval_and_report(
    called: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    _run("lenet5", "--data", "digits")
    assert capsys.readouterr().out.splitlines() == [
        "97.50 % of 40 test images right (95 % interval 87.12 % to 99.56 %), 1 wrong",
        f"report: {Path('runs/x/report.html')}",
    ]


def test_json_is_one_document(called: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    _run("lenet5", "--data", "digits", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["test_accuracy"] == 0.975
    assert document["report"] == str(Path("runs/x/report.html"))


def test_a_wrong_name_never_reaches_the_function(called: dict[str, Any]) -> None:
    with pytest.raises(UnknownNameError, match="lenet5"):
        _run("lenet6", "--data", "digits")
    assert called == {}
