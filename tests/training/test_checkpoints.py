from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cnnzoo.errors import CheckpointError, StorageError
from cnnzoo.training import checkpoints as module
from cnnzoo.training.checkpoints import Checkpoints

STATE = {"model 0 kernel": np.arange(6, dtype="float32"), "optimizer 0 iteration": np.array(3)}


def _progress(best: str | None = None) -> dict[str, Any]:
    return {"step": 3, "best_checkpoint": best, "loss": 0.1 + 0.2}


@pytest.fixture
def store(tmp_path: Path) -> Checkpoints:
    return Checkpoints(tmp_path / "checkpoints")


def test_a_checkpoint_comes_back_to_the_last_bit(store: Checkpoints) -> None:
    weights = {"kernel": np.float32([1 / 3])}
    name = store.save(1200, STATE, _progress(), weights)
    found = store.newest()
    assert found is not None
    assert (found.name, found.progress) == (name, _progress()) == ("step-00001200", _progress())
    for key, value in STATE.items():
        assert np.array_equal(found.state[key], value)
        assert found.state[key].dtype == value.dtype
    assert found.weights is not None
    assert found.weights["kernel"] == weights["kernel"]


def test_there_may_be_none(store: Checkpoints) -> None:
    assert store.newest() is None


def test_a_name_is_never_written_twice(store: Checkpoints) -> None:
    names = [store.save(7, STATE, _progress()) for _ in range(3)]
    assert names == store.names() == ["step-00000007", "step-00000007.002", "step-00000007.003"]


def _flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    "break_it",
    [
        lambda f: _flip(f / "state.safetensors"),
        lambda f: (f / "state.safetensors").write_bytes(b""),
        lambda f: (f / "state.safetensors").unlink(),
        lambda f: (f / "progress.json").write_text("{}"),
        lambda f: (f / "manifest.json").write_text(""),
        lambda f: (f / "manifest.json").write_text("{}"),
        lambda f: (f / "manifest.json").unlink(),
        lambda f: shutil.rmtree(f) or f.mkdir(),
    ],
)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    store: Checkpoints, break_it: Callable[[Path], object], caplog: pytest.LogCaptureFixture
) -> None:
    """T3."""
    store.save(1, STATE, _progress())
    store.save(2, STATE, _progress())
    break_it(store.folder / "step-00000002")
    with caplog.at_level(logging.WARNING, "cnnzoo"):
        found = store.newest()
    assert found is not None
    assert found.name == "step-00000001"
    assert "step-00000002 cannot be used" in caplog.text
    break_it(store.folder / "step-00000001")
    with pytest.raises(CheckpointError, match=r"step-00000002 .* step-00000001 .* Nothing was del"):
        store.newest()
    assert store.names() == ["step-00000001", "step-00000002"]


def test_the_last_two_and_what_they_call_best_are_kept(store: Checkpoints) -> None:
    """T11."""
    (store.folder / ".part-12-half").mkdir(parents=True)
    for step in range(1, 7):
        store.save(step, STATE, _progress(best="step-00000002" if step > 1 else None))
        store.prune()
    assert store.names() == ["step-00000002", "step-00000005", "step-00000006"]
    assert not list(store.folder.glob(".part-*"))


def test_the_best_of_the_one_before_is_kept_as_long_as_it_may_be_needed(
    store: Checkpoints,
) -> None:
    store.save(1, STATE, _progress(), {"kernel": np.ones(1)})
    store.save(2, STATE, _progress(best="step-00000001"))
    store.save(3, STATE, _progress(best="step-00000001"))
    store.save(4, STATE, _progress(best="step-00000001"), {"kernel": np.ones(1)})  # better
    store.prune()
    assert "step-00000001" in store.names()  # 4 may turn out damaged, then 3 goes on with 1


class Killed(BaseException):
    """Stands for SIGKILL: nothing but the operating system acts on it."""


EVENTS = ("mkdir", "rename", "replace", "open", "write_text")


def test_a_kill_before_any_file_event_leaves_a_loadable_checkpoint(
    store: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T1, T2: the writer dies before its first, second, third ... call that touches a file."""
    store.save(1, STATE, _progress())
    survived, countdown = False, 0
    while not survived:
        countdown += 1
        with monkeypatch.context() as patch:
            _die(patch, countdown)
            try:
                store.save(2, STATE, _progress(), {"kernel": np.ones(2)})
                store.prune()
                survived = True
            except Killed:
                pass
        found = store.newest()
        assert found is not None
        assert np.array_equal(found.state["model 0 kernel"], STATE["model 0 kernel"])
        assert len(store.names()) <= 3 + countdown
    assert countdown > 8  # there was something to be killed before
    store.prune()
    assert not list(store.folder.glob(".part-*"))


def _die(patch: pytest.MonkeyPatch, countdown: int) -> None:
    """Let the ``countdown``-th call that touches a file raise `Killed`, and all later ones too."""
    left = [countdown]

    def dying(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] <= 0:
                raise Killed
            return real(*arguments, **options)

        return call

    for name in EVENTS:
        patch.setattr(Path, name, dying(getattr(Path, name)))
    patch.setattr(module, "save_file", dying(module.save_file))
    patch.setattr(module, "sync", dying(module.sync))
    patch.setattr(module.shutil, "rmtree", dying(shutil.rmtree))


def test_a_full_disk_leaves_the_older_checkpoint(
    store: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T4."""
    store.save(1, STATE, _progress())

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "save_file", full)
    with pytest.raises(StorageError, match="No space left"):
        store.save(2, STATE, _progress())
    assert store.names() == ["step-00000001"]
    assert store.newest() is not None
    assert not list(store.folder.glob(".part-*"))


def test_a_run_does_not_start_where_its_checkpoints_would_not_fit(
    store: Checkpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T4."""
    usage = shutil.disk_usage("/")._replace(free=5 * 2**20)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    store.check_room([np.zeros(1000, "float32")])
    with pytest.raises(StorageError, match=r"has room for 5 MiB; .* need 21 MiB"):
        store.check_room([np.zeros(2**20, "float32")])


def test_progress_is_plain_json(store: Checkpoints) -> None:
    name = store.save(1, STATE, _progress())
    text = (store.folder / name / "progress.json").read_text()
    assert json.loads(text)["loss"] == 0.1 + 0.2  # every digit
