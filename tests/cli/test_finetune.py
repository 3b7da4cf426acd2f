from __future__ import annotations

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnzoo.cli import finetune
from cnnzoo.errors import UsageError
from cnnzoo.training.finetune import Run
from cnnzoo.training.rate_test import RateTest


def _run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    finetune.add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["finetune", *words])
    code: int = arguments.run(arguments)
    return code


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ``fine_tune`` is called with; it does nothing."""
    found: dict[str, Any] = {}

    def fine_tune(architecture: str, **arguments: Any) -> Run:
        found.update(arguments, architecture=architecture)
        metrics = {
            "test_accuracy": 0.975, "test_images": 40, "misclassified": 1, "seconds": 12.0,
            "best_epoch": 3, "epochs": 4, "class_names": ["a", "café"],
        }  # fmt: skip
        return Run(Path("runs/x"), metrics, None)

    monkeypatch.setattr("cnnzoo.training.finetune.fine_tune", fine_tune)
    return found


def test_every_option_reaches_the_function_under_its_own_name(called: dict[str, Any]) -> None:
    words = shlex.split(
        "lenet5 --data d.npz --bad-data skip --follow-links --out o --overwrite --epochs 3 "
        "--seed 4 --weights w --batch-size 5 "
        "--learning-rate 0.5 --optimizer sgd --augment none --validation-fraction 0.2 "
        "--recipe careful --set patience=4 --set warmup=0.5 --tensorboard --checkpoint-minutes 2 "
        "--input-shape 40x48x1 --option original=true --option padding=same"
    )
    assert _run(*words) == 0
    assert called == {
        "architecture": "lenet5", "data": "d.npz", "out": "o", "overwrite": True, "seed": 4,
        "weights": "w", "input_shape": (40, 48, 1), "original": True, "padding": "same",
        "bad_data": "skip", "follow_links": True, "recipe": "careful", "resume": None,
        "tensorboard": True, "checkpoint_minutes": 2.0,
        "settings": {
            "patience": "4", "warmup": "0.5", "epochs": "3", "batch_size": "5",
            "learning_rate": "0.5", "optimizer": "sgd", "augment": "none",
            "validation_fraction": "0.2",
        },
        "progress": sys.stdout,
    }  # fmt: skip


def test_what_is_not_given_is_left_to_the_function(called: dict[str, Any]) -> None:
    _run("lenet5", "--data", "digits")
    given = {name for name, value in called.items() if value not in (None, False)}
    assert given == {"architecture", "data", "progress"}


def test_a_run_is_taken_up_by_its_folder_alone(called: dict[str, Any]) -> None:
    _run("--resume", "runs/x")
    assert (called["architecture"], called["resume"]) == (None, "runs/x")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "Which network"),
        (["lenet5"], "On which data"),
        (["--resume", "x", "--epochs", "3"], "settings cannot be changed in a run that goes on"),
        (["lenet5", "--data", "d", "--set", "epochs"], "is not NAME=VALUE"),
        (["lenet5", "--data", "d", "--set", "lr=1", "--set", "lr=2"], "each name once"),
        (["lenet5", "--data", "d", "--set", "epochs=1", "--epochs", "2"], "epochs is set twice"),
    ],
)
def test_what_is_missing_or_twice_is_said(words: list[str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _run(*words)


def test_recipes_are_listed_without_a_framework() -> None:
    code = (
        "import sys; from cnnzoo.cli.main import main; main(['finetune', '--list-recipes']);"
        "sys.exit('keras' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0
    names = [line.split()[0] for line in done.stdout.splitlines() if line]
    assert names[:3] == ["bare", "scratch", "transfer"]


def test_recipes_are_listed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert _run("lenet5", "--list-recipes", "--json") == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document) == {"", "lenet5"}
    assert document[""]["transfer"]["head_share"] == 0.2


def test_the_result_names_accuracy_errors_time_and_report(
    called: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    _run("lenet5", "--data", "digits")
    assert capsys.readouterr().out.splitlines() == [
        "97.50 % of 40 test images right, 1 wrong",
        "12.0 s of training, best epoch 3 of 4",
        f"report: {Path('runs/x/report.html')}",
    ]


def test_json_is_one_document_and_progress_goes_elsewhere(
    called: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    _run("lenet5", "--data", "digits", "--json")
    document = json.loads(capsys.readouterr().out)
    assert document["test_accuracy"] == 0.975
    assert document["report"] == str(Path("runs/x/report.html"))
    assert called["progress"] is sys.stderr


@pytest.mark.parametrize(
    "words", [("--epochs", "0"), ("--learning-rate", "nan"), ("--option", "colour=red")]
)
def test_bad_arguments_never_reach_the_function(
    called: dict[str, Any], words: tuple[str, str]
) -> None:
    with pytest.raises(UsageError):
        _run("lenet5", "--data", "digits", *words)
    assert called == {}


def test_a_network_is_really_trained_from_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8), np.uint8)
    labels = np.arange(20) % 2
    data = tmp_path / "noise.npz"
    np.savez(data, x_train=images, y_train=labels, x_test=255 - images, y_test=labels)
    words = f"lenet5 --data {data} --epochs 1 --batch-size 10 --out {tmp_path / 'run'} --json"
    assert _run(*words.split()) == 0
    shown = capsys.readouterr()
    assert json.loads(shown.out)["test_images"] == 20
    assert "epoch 1/1" in shown.err
    assert (tmp_path / "run" / "report.html").exists()


RATES = [1e-3 * 1.2**i for i in range(40)]
FALLING = [2.0] * 10 + [2.0 - 0.08 * i for i in range(20)] + [0.6] * 10


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What ``lr_find`` is called with; it finds a loss that falls."""
    found: dict[str, Any] = {"losses": FALLING}

    def lr_find(network: str, **arguments: Any) -> RateTest:
        found.update(arguments, network=network)
        losses = tuple(found["losses"])
        return RateTest("LeNet", "digits", tuple(RATES), losses, losses, False)

    monkeypatch.setattr("cnnzoo.training.lr_find.lr_find", lr_find)
    return found


def test_find_lr_says_what_to_type_next(
    tried: dict[str, Any], called: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(
        "lenet5 --data digits --find-lr --recipe modern --set lr=3 --set 'augment=shift 0.1, flip' "
        "--batch-size 64 --bad-data skip --follow-links"
    )
    assert _run(*words, "--option", "padding=same", "--seed", "4") == 0
    last = capsys.readouterr().out.splitlines()[-1]
    again = shlex.split(last.removeprefix("to train with it, type: "))
    rate = again.pop(again.index("augment=shift 0.1, flip") + 2)
    assert again == shlex.split(
        "cnnzoo finetune lenet5 --data digits --follow-links --bad-data skip --recipe modern "
        "--seed 4 --batch-size 64 "
        "--set 'augment=shift 0.1, flip' --set --option padding=same"
    )
    assert re.fullmatch(r"lr=0\.\d+", rate)
    assert called == {}  # nothing was trained
    assert (tried["network"], tried["data"], tried["padding"]) == ("lenet5", "digits", "same")
    assert (tried["bad_data"], tried["follow_links"]) == ("skip", True)
    assert tried["settings"]["lr"] == "3"


def test_find_lr_prints_json_and_writes_a_picture(
    tried: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "rates.svg"
    words = ["--find-lr", "--json", "--out", str(picture), "--learning-rate", "3"]
    assert _run("lenet5", "--data", "d", *words) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["picture"] == str(picture)
    rate = f"{document['suggestion']:g}"
    assert document["command"] == f"cnnzoo finetune lenet5 --data d --set lr={rate}"
    assert picture.read_text("utf-8").startswith("<svg")


def test_find_lr_that_finds_nothing_names_no_command(
    tried: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    tried["losses"] = [2.0] * 40
    assert _run("lenet5", "--data", "d", "--find-lr") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("The loss hardly fell")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--overwrite"], "--overwrite is for training"),
        (["--tensorboard"], "--tensorboard is for training"),
        (["--checkpoint-minutes", "2"], "--checkpoint-minutes is for training"),
        (["--resume", "runs/x"], "--resume is for training"),
        (["--out", "folder"], r"has to end in \.svg"),
    ],
)
def test_find_lr_refuses_what_belongs_to_training(
    tried: dict[str, Any], words: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        _run("lenet5", "--data", "d", "--find-lr", *words)
    assert "network" not in tried
