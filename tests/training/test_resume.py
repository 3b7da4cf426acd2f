"""Rows T of the fault matrix: what stops a run, and what it is like to go on."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file

from cnnzoo.errors import (
    CheckpointError,
    InterruptedRun,
    RunLockedError,
    StorageError,
    TrainingError,
    UsageError,
)
from cnnzoo.training import checkpoints, finetune, loop
from cnnzoo.training.data.dataset import Dataset
from cnnzoo.training.finetune import Run, fine_tune
from cnnzoo.training.rundir import RunDirectory

# Everything that has a state: momentum, averages, a plateau, dropped and mixed images, two sums.
RICH: dict[str, Any] = {
    "epochs": 4, "batch_size": 16, "optimizer": "sgd", "learning_rate": 0.05, "ema": 0.9,
    "label_smoothing": 0.1, "weight_decay": 1e-3, "clip_norm": 1.0, "schedule": "plateau",
    "plateau_patience": 1, "augment": "strokes, mixup, erase 0.5", "progress": False, "seed": 3,
}  # fmt: skip
STEPS = 16  # 54 images in batches of 16, four times


def _state(path: Path) -> dict[str, np.ndarray]:
    """The variables after the last step."""
    last = sorted((path / "checkpoints").glob("step-*"))[-1]
    return load_file(last / "state.safetensors")


def _history(path: Path) -> list[dict[str, str]]:
    with (path / "history.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [{k: v for k, v in row.items() if k not in ("seconds", "images_per_second", "waiting")}
            for row in rows]  # fmt: skip


def _assert_same(one: Path, other: Path) -> None:
    first, second = _state(one), _state(other)
    assert first.keys() == second.keys()
    for key, value in first.items():
        assert np.array_equal(value, second[key]), key
    assert _history(one) == _history(other)
    metrics = [json.loads((path / "metrics.json").read_text()) for path in (one, other)]
    assert metrics[0] | {"seconds": 0} == metrics[1] | {"seconds": 0}


class Stops:
    """A watcher that acts after a given step, counted through all epochs."""

    def __init__(self, after: int, act: Callable[[], object]) -> None:
        self.left, self.act = after, act

    def step(self, epoch: int, batch: int, logs: Mapping[str, float]) -> None:
        self.left -= 1
        if self.left == 0:
            self.act()

    def epoch(self, row: Mapping[str, Any]) -> None: ...
    def close(self) -> None: ...


@pytest.fixture
def after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[], object]], None]:
    """Do something after a step of the next run."""

    def arrange(step: int, act: Callable[[], object]) -> None:
        monkeypatch.setattr(finetune, "_watchers", lambda *_: [Stops(step, act)])

    return arrange


@pytest.fixture(scope="module")
def whole(tiny: str, bars: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run that was never stopped."""
    return fine_tune(tiny, data=bars, out=tmp_path_factory.mktemp("runs") / "whole", **RICH)


def _interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def _crash() -> None:
    raise RuntimeError("power cut")


@pytest.mark.parametrize("step", [1, 3, 4, 5, 11, STEPS])
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    tiny: str, bars: Dataset, tmp_path: Path, whole: Run, after: Any, step: int
) -> None:
    """T5, T6: in the middle and at the borders of epochs."""
    after(step, _interrupt)
    with pytest.raises(InterruptedRun, match=r"Stopped by SIGINT .* --resume") as caught:
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    assert caught.value.exit_code == 130
    after(0, _crash)
    fine_tune(resume=tmp_path, data=bars, progress=False)
    _assert_same(tmp_path, whole.path)


@pytest.mark.parametrize("step", [2, 6, 15])
def test_a_crash_loses_no_more_than_the_steps_since_the_last_checkpoint(
    tiny: str, bars: Dataset, tmp_path: Path, whole: Run, after: Any, step: int
) -> None:
    after(step, _crash)
    with pytest.raises(RuntimeError):
        fine_tune(tiny, data=bars, out=tmp_path, checkpoint_minutes=1e-9, **RICH)
    names = RunDirectory(tmp_path).checkpoints.names()
    assert names == [] or names[-1] >= f"step-{step - 1:08d}"
    after(0, _crash)
    fine_tune(resume=tmp_path, data=bars, progress=False)
    _assert_same(tmp_path, whole.path)


def test_a_run_is_taken_up_after_every_second_step(
    tiny: str, bars: Dataset, tmp_path: Path, whole: Run, after: Any
) -> None:
    after(2, _interrupt)
    with pytest.raises(InterruptedRun):
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    stops = 1
    while not (tmp_path / "metrics.json").exists():
        try:
            fine_tune(resume=tmp_path, data=bars, progress=False)
        except InterruptedRun:
            stops += 1
    assert stops >= STEPS // 2 - 1
    _assert_same(tmp_path, whole.path)


def test_a_run_with_two_phases_is_taken_up_in_either(
    bars: Dataset, tmp_path: Path, after: Any
) -> None:
    small = Dataset("small", "", bars.train.rows(np.arange(24)), bars.test, bars.class_names, 1)
    given: dict[str, Any] = {
        "data": small, "weights": "mnist", "recipe": "transfer", "epochs": 4, "batch_size": 8,
        "head_share": 0.5, "augment": "none", "progress": False,
    }  # fmt: skip
    whole = fine_tune("lenet5", out=tmp_path / "whole", **given)
    assert [row["phase"] for row in _history(whole.path)] == ["head", "head", "all", "all"]
    for step in (2, 6, 8):
        after(step, _interrupt)
        path = tmp_path / f"stopped-{step}"
        with pytest.raises(InterruptedRun):
            fine_tune("lenet5", out=path, **given)
        after(0, _crash)
        fine_tune(resume=path, data=small, progress=False)
        _assert_same(path, whole.path)


@pytest.mark.parametrize("step", [3, 5, 10])
def test_a_run_whose_images_grow_is_taken_up_in_any_size(
    tiny: str, bars: Dataset, tmp_path: Path, after: Any, step: int
) -> None:
    given = {**RICH, "first_size": 0.6, "data": bars}
    whole = fine_tune(tiny, out=tmp_path / "whole", **given)
    after(step, _interrupt)
    path = tmp_path / "stopped"
    with pytest.raises(InterruptedRun):
        fine_tune(tiny, out=path, **given)
    after(0, _crash)
    fine_tune(resume=path, data=bars, progress=False)
    _assert_same(path, whole.path)


@pytest.mark.parametrize("damaged", [1, 2])
def test_damaged_checkpoints_cost_steps_but_not_the_run(
    tiny: str, bars: Dataset, tmp_path: Path, whole: Run, after: Any, damaged: int
) -> None:
    """T3: with all of them damaged the run is refused, and nothing is deleted."""
    after(11, _interrupt)
    with pytest.raises(InterruptedRun):
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    store = RunDirectory(tmp_path).checkpoints
    names = store.names()
    for name in names[-damaged:] if damaged == 1 else names:
        (store.folder / name / "manifest.json").write_text("{}")
    after(0, _crash)
    if damaged == 1:
        fine_tune(resume=tmp_path, data=bars, progress=False)
        _assert_same(tmp_path, whole.path)
    else:
        with pytest.raises(CheckpointError, match=r"No checkpoint .* is intact") as caught:
            fine_tune(resume=tmp_path, data=bars, progress=False)
        assert caught.value.exit_code == 8
        assert store.names() == names


def test_the_same_arguments_are_taken_and_others_are_refused(
    tiny: str, bars: Dataset, tmp_path: Path, after: Any
) -> None:
    """T7."""
    after(5, _interrupt)
    with pytest.raises(InterruptedRun):
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    changed = RICH | {"learning_rate": 0.1, "batch_size": 8}
    with pytest.raises(CheckpointError) as caught:
        fine_tune(tiny, data=bars, resume=tmp_path, **changed)
    assert (
        "something else: plan.recipe.batch_size: 16, now 8; "
        "plan.recipe.learning_rate: 0.05, now 0.1. Give what"
    ) in str(caught.value)
    other = replace(bars, train=bars.train.rows(np.arange(60)[::-1]))
    with pytest.raises(CheckpointError, match=r"data\.fingerprint: "):
        fine_tune(resume=tmp_path, data=other, progress=False)
    config = json.loads((tmp_path / "config.json").read_text())
    config["versions"]["backend"] = "theano"
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"versions\.backend: 'theano', now 'tensorflow'"):
        fine_tune(resume=tmp_path, data=bars, progress=False)
    config["versions"]["backend"] = "tensorflow"
    (tmp_path / "config.json").write_text(json.dumps(config))
    after(0, _crash)
    fine_tune(tiny, data=bars, resume=tmp_path, **RICH)


def test_a_finished_run_is_left_as_it_is(
    whole: Run, bars: Dataset, caplog: pytest.LogCaptureFixture
) -> None:
    """T8."""
    before = {path: path.stat().st_mtime_ns for path in whole.path.rglob("*")}
    again = fine_tune(resume=whole.path, data=bars)
    assert again.metrics == whole.metrics
    assert "is finished; nothing is left to do" in caplog.text
    assert {path: path.stat().st_mtime_ns for path in whole.path.rglob("*")} == before


def test_a_run_that_fell_back_keeps_what_it_writes_from_then_on(
    tiny: str, bars: Dataset, tmp_path: Path, whole: Run, after: Any
) -> None:
    """T3: damaged checkpoints sort after those that the fallen-back run makes."""
    after(11, _interrupt)
    with pytest.raises(InterruptedRun):
        fine_tune(tiny, data=bars, out=tmp_path, checkpoint_minutes=1e-9, **RICH)
    store = RunDirectory(tmp_path).checkpoints
    assert store.names()[-2:] == ["step-00000010", "step-00000011"]
    for name in store.names()[-2:]:
        (store.folder / name / "state.safetensors").write_bytes(b"")
        (store.folder / name / "progress.json").write_bytes(b"")
    for step in (1, 0):
        after(step, _interrupt)
        with pytest.raises(InterruptedRun) if step else contextlib.nullcontext():
            fine_tune(resume=tmp_path, data=bars, progress=False)
    _assert_same(tmp_path, whole.path)


def test_the_best_weights_come_from_the_model_when_their_checkpoint_is_damaged(
    tiny: str, bars: Dataset, tmp_path: Path, whole: Run, after: Any,
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    figures = {1: 0.9, 2: 0.4, 3: 0.3, 4: 0.2}
    real = loop.Trainer._validate

    def validate(self: loop.Trainer) -> dict[str, float]:
        epoch = len(self.progress.history) + 1
        return real(self) | {"val_accuracy": figures.get(epoch, 0.0)}

    monkeypatch.setattr(loop.Trainer, "_validate", validate)
    after(11, _interrupt)
    with pytest.raises(InterruptedRun):
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    store = RunDirectory(tmp_path).checkpoints
    best = store.load("step-00000004").weights
    assert best is not None
    (store.folder / "step-00000004" / "weights.safetensors").write_bytes(b"")
    model = (tmp_path / "model.keras").read_bytes()
    (tmp_path / "model.keras").write_bytes(b"")
    after(0, _crash)
    with pytest.raises(CheckpointError, match=r"step-00000004 .* and .*model\.keras cannot be"):
        fine_tune(resume=tmp_path, data=bars, progress=False)
    (tmp_path / "model.keras").write_bytes(whole.path.joinpath("model.keras").read_bytes())
    with pytest.raises(CheckpointError, match=r"holds others\. Start a new run"):
        fine_tune(resume=tmp_path, data=bars, progress=False)
    (tmp_path / "model.keras").write_bytes(model)
    run = fine_tune(resume=tmp_path, data=bars, progress=False)
    assert "The weights of the best epoch are taken from" in caplog.text
    assert run.metrics["best_epoch"] == 1
    for variable in run.model.weights:
        assert np.array_equal(best[variable.path], variable)
    last, other = _state(tmp_path), _state(whole.path)
    assert all(np.array_equal(last[key], other[key]) for key in other)


def test_a_finished_run_refuses_what_it_was_not_started_with(
    tiny: str, whole: Run, bars: Dataset
) -> None:
    """T8."""
    other = replace(bars, train=bars.train.rows(np.arange(60)[::-1]))
    with pytest.raises(CheckpointError, match=r"data\.fingerprint: "):
        fine_tune(resume=whole.path, data=other)
    with pytest.raises(CheckpointError, match=r"plan\.recipe\.epochs: 4, now 9"):
        fine_tune(tiny, resume=whole.path, data=bars, **RICH | {"epochs": 9})
    with pytest.raises(CheckpointError, match="started with bad_data='refuse', now 'skip'"):
        fine_tune(resume=whole.path, bad_data="skip")
    with pytest.raises(CheckpointError, match="started with follow_links=False, now True"):
        fine_tune(resume=whole.path, follow_links=True)
    with pytest.raises(UsageError, match="recipe, sed, seed cannot be changed in a run that goes"):
        fine_tune(resume=whole.path, data=bars, seed=4, sed=4, recipe="modern")


@pytest.mark.parametrize("lost", ["report.html", "model.keras", "metrics.json"])
def test_a_run_stopped_before_all_its_results_were_written_writes_them(
    tiny: str, bars: Dataset, tmp_path: Path, whole: Run, after: Any, lost: str
) -> None:
    """T8: the metrics say "finished", so they come last."""
    path = shutil.copytree(whole.path, tmp_path / "run")
    (path / lost).unlink()
    after(0, _crash)
    fine_tune(resume=path, data=bars, progress=False)
    assert (path / lost).is_file()
    _assert_same(path, whole.path)


def test_a_finished_run_without_checkpoints_is_never_trained_again(
    bars: Dataset, tmp_path: Path, whole: Run
) -> None:
    path = shutil.copytree(whole.path, tmp_path / "run")
    shutil.rmtree(path / "checkpoints")
    (path / "report.html").unlink()
    assert fine_tune(resume=path, data=bars, progress=False).metrics == whole.metrics
    (path / "model.keras").unlink()
    with pytest.raises(CheckpointError, match=r"model\.keras and checkpoints are gone"):
        fine_tune(resume=path, data=bars, progress=False)


def test_the_metrics_are_written_last(
    tiny: str, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise RuntimeError("power cut")

    monkeypatch.setattr(finetune, "render", fail)
    with pytest.raises(RuntimeError):
        fine_tune(tiny, data=bars, out=tmp_path, **RICH | {"epochs": 1})
    assert not (tmp_path / "metrics.json").exists()


def test_other_pixels_in_files_of_the_same_names_and_sizes_are_other_images(
    tiny: str, tmp_path: Path, after: Any
) -> None:
    """T7."""
    rng = np.random.default_rng(0)

    def draw() -> None:
        for name in "ab":
            (tmp_path / "data" / name).mkdir(parents=True, exist_ok=True)
            for number in range(20):
                pixels = rng.integers(0, 256, (8, 8), np.uint8)
                Image.fromarray(pixels).save(tmp_path / "data" / name / f"{number}.bmp")

    draw()
    after(2, _interrupt)
    with pytest.raises(InterruptedRun):
        fine_tune(tiny, data=tmp_path / "data", out=tmp_path / "run", **RICH)
    draw()
    with pytest.raises(CheckpointError, match=r"data\.fingerprint: "):
        fine_tune(resume=tmp_path / "run", progress=False)


def test_a_run_that_died_before_its_first_checkpoint_begins_anew(
    tiny: str, bars: Dataset, tmp_path: Path, whole: Run, after: Any
) -> None:
    """T8."""
    after(1, _crash)
    with pytest.raises(RuntimeError):
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    (tmp_path / "notes.txt").write_text("mine")
    after(0, _crash)
    fine_tune(resume=tmp_path, data=bars, progress=False)
    _assert_same(tmp_path, whole.path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "Give a network and data, or resume=FOLDER"),
        ({"resume": "nowhere"}, "holds no run that could be taken up"),
        ({"resume": "a", "out": "b"}, "goes on in its own folder"),
        ({"checkpoint_minutes": 0}, "checkpoint_minutes=0 cannot be"),
    ],
)
def test_what_cannot_be_taken_up_says_so(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((UsageError, CheckpointError), match=message):
        fine_tune(**arguments)


def test_data_given_in_python_must_be_given_again(
    tiny: str, bars: Dataset, tmp_path: Path, after: Any
) -> None:
    after(5, _interrupt)
    with pytest.raises(InterruptedRun):
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    with pytest.raises(UsageError, match="Pass the same data again"):
        fine_tune(resume=tmp_path)


def test_two_trainers_in_one_folder_are_one_too_many(
    tiny: str, bars: Dataset, tmp_path: Path, after: Any
) -> None:
    """T9."""
    refused: list[str] = []

    def second() -> None:
        with pytest.raises(RunLockedError) as caught:
            fine_tune(resume=tmp_path, data=bars, progress=False)
        refused.append(str(caught.value))

    after(5, second)
    fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    assert refused
    assert f"process {os.getpid()} on " in refused[0]


def test_a_loss_that_is_no_number_stops_with_the_last_good_state(
    tiny: str, bars: Dataset, tmp_path: Path
) -> None:
    """T10."""
    wild = RICH | {"learning_rate": 1e30, "clip_norm": 0, "optimizer": "sgd", "ema": 0}
    with pytest.raises(TrainingError, match=r"no longer a number in epoch 1.*--set lr=") as caught:
        fine_tune(tiny, data=bars, out=tmp_path, **wild)
    assert caught.value.exit_code == 8
    assert "last good state" not in str(caught.value)  # there is none yet
    assert RunDirectory(tmp_path).checkpoints.names() == []  # no bad state was written
    assert not (tmp_path / "model.keras").exists()


def test_the_best_stays_the_best_after_going_on(
    tiny: str, bars: Dataset, tmp_path: Path, after: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T12: validation of 0.9, then a crash, then 0.4."""
    figures = iter([0.9, 0.4, 0.3, 0.2])
    monkeypatch.setattr(
        loop.Trainer, "_validate", lambda _: {"val_loss": 1.0, "val_accuracy": next(figures)}
    )
    after(6, _interrupt)
    with pytest.raises(InterruptedRun):
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    best = RunDirectory(tmp_path).checkpoints.load("step-00000004").weights
    after(0, _crash)
    run = fine_tune(resume=tmp_path, data=bars, progress=False)
    assert run.metrics["best_epoch"] == 1
    assert best is not None
    for variable in run.model.weights:
        assert np.array_equal(variable.numpy(), best[variable.path])


def test_early_stopping_remembers_how_long_it_waited(
    tiny: str, bars: Dataset, tmp_path: Path, after: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T6."""
    monkeypatch.setattr(loop.Trainer, "_validate", lambda _: {"val_loss": 1.0, "val_accuracy": 0.5})
    given = RICH | {"epochs": 9, "patience": 3}
    after(10, _interrupt)
    with pytest.raises(InterruptedRun):
        fine_tune(tiny, data=bars, out=tmp_path, **given)
    after(0, _crash)
    run = fine_tune(resume=tmp_path, data=bars, progress=False)
    assert (run.metrics["best_epoch"], run.metrics["epochs"]) == (1, 4)


def test_patience_goes_by_the_best_epoch_also_where_the_last_is_tested(
    tiny: str, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop.Trainer, "_validate", lambda _: {"val_loss": 1.0, "val_accuracy": 0.5})
    given = RICH | {"epochs": 9, "patience": 2, "tested": "last"}
    run = fine_tune(tiny, data=bars, out=tmp_path, **given)
    assert (run.metrics["best_epoch"], run.metrics["epochs"]) == (3, 3)


def test_patience_does_not_end_a_run_before_its_last_phase(
    bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = iter([0.5, 0.4, 0.4, 0.3, 0.31, 0.3, 0.3, 0.3])
    monkeypatch.setattr(
        loop.Trainer, "_validate", lambda _: {"val_loss": 1.0, "val_accuracy": next(figures)}
    )
    given: dict[str, Any] = {
        "data": bars, "weights": "mnist", "recipe": "transfer", "epochs": 8, "batch_size": 30,
        "head_share": 0.4, "augment": "none", "progress": False, "patience": 2,
    }  # fmt: skip
    run = fine_tune("lenet5", out=tmp_path, **given)
    phases = [row["phase"] for row in _history(run.path)]
    assert phases == ["head"] * 3 + ["all"] * 4
    assert run.metrics["best_epoch"] == 1


def test_a_validation_that_is_no_number_is_not_written_down(
    tiny: str, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T10."""
    figures = iter([1.0, float("nan")])
    monkeypatch.setattr(
        loop.Trainer, "_validate", lambda _: {"val_loss": next(figures), "val_accuracy": 0.5}
    )
    with pytest.raises(TrainingError, match=r"in epoch 2, step 8\. .* last good state is in"):
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    assert [row["epoch"] for row in _history(tmp_path)] == ["1"]


def test_short_memory_names_the_batch_size(
    tiny: str, bars: Dataset, tmp_path: Path, after: Any
) -> None:
    """T14."""

    def no_memory() -> None:
        raise MemoryError("12 GB")

    after(6, no_memory)
    with pytest.raises(TrainingError, match=r"batches of 16 images: 12 GB. Try a smaller batch_si"):
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    assert RunDirectory(tmp_path).checkpoints.newest() is not None


def test_a_full_disk_keeps_the_checkpoint_before(
    tiny: str, bars: Dataset, tmp_path: Path, whole: Run, after: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """T4."""

    def fill() -> None:
        def full(*_: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(checkpoints, "save_file", full)

    real = checkpoints.save_file
    after(6, fill)
    with pytest.raises(StorageError, match="No space left on device") as caught:
        fine_tune(tiny, data=bars, out=tmp_path, **RICH)
    assert caught.value.exit_code == 7
    assert RunDirectory(tmp_path).checkpoints.names() == ["step-00000004"]
    monkeypatch.setattr(checkpoints, "save_file", real)
    after(0, _crash)
    fine_tune(resume=tmp_path, data=bars, progress=False)
    _assert_same(tmp_path, whole.path)


COMMAND = [
    sys.executable, "-m", "cnnzoo", "finetune", "lenet5", "--data", "digits",
    "--recipe", "modern", "--set", "schedule=cosine", "--augment", "strokes, mixup, erase",
]  # fmt: skip


def _start(words: list[str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.mark.slow
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_save_and_end_with_their_own_codes(
    tmp_path: Path, number: signal.Signals, code: int
) -> None:
    """T5."""
    with _start([*COMMAND, "--epochs", "1000", "--out", str(tmp_path)]) as process:
        while not (tmp_path / "history.csv").exists():
            time.sleep(0.1)
        process.send_signal(number)
        assert process.stderr is not None
        said = process.stderr.read().decode()
        assert process.wait() == code
    assert f"Stopped by {number.name}" in said
    assert "Traceback" not in said
    assert RunDirectory(tmp_path).checkpoints.newest() is not None


@pytest.mark.slow
def test_twenty_kills_at_any_time_change_nothing(tmp_path: Path) -> None:
    """T1, T6: SIGKILL from outside, then on with it, until twenty have died."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    long = [*COMMAND, "--epochs", "40"]
    subprocess.run([*long, "--out", str(whole)], check=True, capture_output=True)
    rng = random.Random(7)
    words = [*long, "--out", str(killed)]
    for _ in range(20):
        with _start([*words, "--checkpoint-minutes", "0.0005"]) as process:
            before = _newest(killed)
            while process.poll() is None and _newest(killed) == before:
                time.sleep(0.01)  # until it has begun to work
            time.sleep(rng.uniform(0, 0.2))
            process.kill()
        assert process.returncode == -signal.SIGKILL  # it had not come to its end
        RunDirectory(killed).checkpoints.newest()  # never all of them broken
        words = [sys.executable, "-m", "cnnzoo", "finetune", "--resume", str(killed)]
    subprocess.run(words, check=True, capture_output=True)
    _assert_same(killed, whole)
    assert not list((killed / "checkpoints").glob(".part-*"))


def _newest(run: Path) -> str:
    names = RunDirectory(run).checkpoints.names()
    return names[-1] if names else ""
