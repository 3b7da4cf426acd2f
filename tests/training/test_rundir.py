from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cnnzoo.errors import CheckpointError, RunLockedError, StorageError, UsageError
from cnnzoo.training.rundir import FILES, RunDirectory, free_path


@pytest.fixture
def old_run(tmp_path: Path) -> Path:
    """A finished run, with the leftover of a killed one."""
    path = tmp_path / "run"
    run = RunDirectory(path)
    run.start({"seed": 1})
    run.write_history([{"epoch": 1, "loss": 0.5}])
    run.write_metrics({"test_accuracy": 1.0})
    run.write_report("<html>")
    run.model.write_text("weights")
    (path / "checkpoints" / "step-00000001").mkdir(parents=True)
    (path / "tensorboard").mkdir()
    (path / ".part.1.abc.model.keras").write_text("half")
    return path


def test_a_run_starts_in_a_new_or_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", tmp_path / "new" / "deep"):
        RunDirectory(path).start({"seed": 3})
        config = json.loads((path / "config.json").read_text())
        assert config == {"kind": "cnnzoo fine-tuning run", "seed": 3}


def test_check_touches_nothing(tmp_path: Path, old_run: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    RunDirectory(tmp_path / "new").check()
    RunDirectory(old_run, overwrite=True).check()
    assert sorted(tmp_path.rglob("*")) == before


def test_an_older_run_is_refused(old_run: Path) -> None:
    with pytest.raises(UsageError, match=r"holds a run already.*overwrite=True \(--overwrite\)"):
        RunDirectory(old_run).check()


def test_overwriting_removes_the_older_run_and_nothing_else(old_run: Path) -> None:
    (old_run / "my notes.txt").write_text("keep")
    RunDirectory(old_run, overwrite=True).start({"seed": 2})
    assert {path.name for path in old_run.iterdir()} == {"config.json", "my notes.txt"}
    assert json.loads((old_run / "config.json").read_text())["seed"] == 2


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize("name", ["thesis.tex", "model.keras", "config.json"])
def test_a_folder_with_foreign_files_is_refused(tmp_path: Path, name: str, overwrite: bool) -> None:
    (tmp_path / name).write_text('{"kind": "mine"}')
    with pytest.raises(UsageError, match=f"no run of cnnzoo, among them '{name}'"):
        RunDirectory(tmp_path, overwrite).check()
    assert (tmp_path / name).exists()


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(UsageError, match=r"is a file\. Give a folder"):
        RunDirectory(tmp_path / "run").check()


def test_a_file_that_cannot_be_removed_is_named(old_run: Path) -> None:
    (old_run / "report.html").unlink()
    (old_run / "report.html").mkdir()
    with pytest.raises(StorageError, match=r"report\.html cannot be removed"):
        RunDirectory(old_run, overwrite=True).start({})


def test_what_says_finished_is_removed_first_and_what_says_mine_last() -> None:
    assert FILES[0] == "metrics.json"
    assert FILES[-1] == "config.json"


def test_history_is_a_table_with_a_header(tmp_path: Path) -> None:
    run = RunDirectory(tmp_path)
    run.write_history([{"epoch": 1, "loss": 0.5}, {"epoch": 2, "loss": 0.25}])
    with (tmp_path / "history.csv").open(newline="") as file:
        assert list(csv.DictReader(file)) == [
            {"epoch": "1", "loss": "0.5"},
            {"epoch": "2", "loss": "0.25"},
        ]


def test_free_path_counts_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert free_path("a") == Path("runs/a")
    Path("runs/a").mkdir(parents=True)
    Path("runs/a-2").touch()
    assert free_path("a") == Path("runs/a-3")


def test_one_process_trains_in_a_folder_at_a_time(tmp_path: Path) -> None:
    """T9."""
    code = (
        "import sys, pathlib; from cnnzoo.training.rundir import RunDirectory\n"
        "with RunDirectory(pathlib.Path(sys.argv[1])).locked():\n"
        "    print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"locked\n"
        with pytest.raises(RunLockedError, match=f"process {other.pid} on "):
            RunDirectory(tmp_path).locked().__enter__()
        other.kill()  # a dead process holds nothing
        other.wait()
    with RunDirectory(tmp_path).locked():
        RunDirectory(tmp_path).check()  # the lock itself is no foreign file


def test_a_folder_without_a_run_cannot_be_taken_up(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no run that could be taken up"):
        RunDirectory(tmp_path).read_config()


def test_metrics_are_there_once_a_run_is_finished(old_run: Path) -> None:
    assert RunDirectory(old_run).read_metrics() == {"test_accuracy": 1.0}
    (old_run / "metrics.json").unlink()
    assert RunDirectory(old_run).read_metrics() is None
