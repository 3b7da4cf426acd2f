"""Many processes, dying processes: one transfer, whole files, nothing half done."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from children import child
from fault_server import BODY, FaultServer
from filelock import FileLock

from cnnzoo.pretrained import cache, lock
from cnnzoo.pretrained.fetch import download
from cnnzoo.pretrained.remote import RemoteFile


@pytest.fixture
def mirror(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def choose(fault: str) -> None:
        monkeypatch.setenv("CNNZOO_MIRROR", f"{server.url}/{fault}")

    return choose


def run(*arguments: object) -> str:
    finished = subprocess.run(child(*arguments), capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def parts(folder: Path) -> list[Path]:
    return list(folder.rglob("*.part"))


def wait_until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("it never came to that")


def test_32_processes_that_want_one_file_make_one_transfer(
    server: FaultServer, mirror: Callable[[str], None], file: RemoteFile, tmp_path: Path
) -> None:
    mirror("slow")
    assert json.loads(run("crowd", 32, "honest")) == 32 * [0]
    assert len(server.asked) == 1
    assert cache.blob_path(file).read_bytes() == BODY
    assert not parts(tmp_path)


@pytest.mark.parametrize("locks", ["no-op", "unsupported"])
def test_without_a_working_lock_every_file_is_still_whole(
    server: FaultServer,
    mirror: Callable[[str], None],
    file: RemoteFile,
    tmp_path: Path,
    locks: str,
) -> None:
    """C10."""
    mirror("slow")
    assert json.loads(run("crowd", 8, locks)) == 8 * [0]
    assert 1 <= len(server.asked) <= 8
    assert cache.blob_path(file).read_bytes() == BODY
    assert not parts(tmp_path)


def test_32_processes_read_a_cached_file_without_a_request(
    server: FaultServer, mirror: Callable[[str], None], file: RemoteFile
) -> None:
    mirror("ok")
    download(file)
    assert json.loads(run("crowd", 32, "honest")) == 32 * [0]
    assert len(server.asked) == 1


def test_32_threads_that_want_one_file_make_one_transfer(
    server: FaultServer, mirror: Callable[[str], None], file: RemoteFile
) -> None:
    mirror("slow")
    with ThreadPoolExecutor(32) as pool:
        paths = set(pool.map(lambda _: download(file), range(32)))
    assert paths == {cache.blob_path(file)}
    assert len(server.asked) == 1


def test_when_the_process_that_downloads_is_killed_another_takes_over_at_once(
    server: FaultServer, mirror: Callable[[str], None], file: RemoteFile
) -> None:
    """C9."""
    mirror("half-then-wait-once")
    first = subprocess.Popen(child("read"))
    wait_until(lambda: server.sent_bytes > 0)
    others = [subprocess.Popen(child("read")) for _ in range(3)]
    first.kill()
    first.wait()
    assert [other.wait() for other in others] == [0, 0, 0]
    assert len(server.asked) == 2
    assert cache.blob_path(file).read_bytes() == BODY


def test_a_lock_that_is_never_released_is_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """C9."""
    monkeypatch.setattr(lock, "_REMIND_SECONDS", 0.05)
    path = tmp_path / "held.lock"
    with (
        FileLock(path),
        caplog.at_level(logging.WARNING),
        lock.one_at_a_time(path, patience_seconds=0.2),
    ):
        pass
    assert f"Waiting for another process, which holds {path}" in caplog.text
    assert f"Another process still holds {path}; going on without it" in caplog.text


def test_a_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "a.lock"
    with pytest.raises(ZeroDivisionError), lock.one_at_a_time(path, 1.0):
        raise ZeroDivisionError
    with FileLock(path, timeout=0):
        pass


@pytest.mark.parametrize("before", ["absent", "damaged"])
def test_a_kill_before_any_file_system_event_leaves_no_half_file(
    mirror: Callable[[str], None], before: str
) -> None:
    """D27: absent, as it was, or whole; and the next run succeeds."""
    mirror("ok")
    assert int(run("kills", "download", before)) >= 5


def test_a_kill_while_copying_to_a_folder_leaves_no_half_file(
    mirror: Callable[[str], None],
) -> None:
    """D27."""
    mirror("ok")
    assert int(run("kills", "to", "absent")) >= 4


def test_a_kill_while_pruning_leaves_what_is_kept(mirror: Callable[[str], None]) -> None:
    """C18."""
    mirror("ok")
    assert int(run("kills", "prune", "full")) >= 3


@pytest.mark.parametrize("before", ["absent", "damaged"])
def test_a_kill_while_a_store_is_written_leaves_no_half_entry(before: str) -> None:
    assert int(run("kills", "put", before)) >= 5


COMMAND = """
    import signal
    import sys
    from pathlib import Path
    from cnnzoo.catalogue import weights

    # Whoever runs the tests in the background has told them to ignore it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    from cnnzoo.cli import download, main

    weights.weights_folder = lambda: Path(sys.argv[1])
    main.VERBS = tuple(dict.fromkeys((*main.VERBS, download)))
    raise SystemExit(main.main(["download", "resnet50"]))
"""


@pytest.fixture
def command(
    server: FaultServer,
    mirror: Callable[[str], None],
    catalogue: Path,
    file: RemoteFile,
) -> subprocess.Popen[str]:
    """``cnnzoo download resnet50``, half done, with a damaged file where the whole one belongs."""
    mirror("half-then-wait")
    blob = cache.blob_path(file)
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"damaged")
    words = [sys.executable, "-c", textwrap.dedent(COMMAND), str(catalogue)]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: server.sent_bytes > 0)
    return process


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["SIGINT", "SIGTERM"]
)
def test_an_interrupted_command_cleans_up_and_keeps_what_was_there(
    command: subprocess.Popen[str],
    file: RemoteFile,
    tmp_path: Path,
    number: signal.Signals,
    code: int,
) -> None:
    """D26."""
    assert parts(tmp_path)
    command.send_signal(number)
    _, words = command.communicate()
    assert command.returncode == code, words
    assert "Traceback" not in words
    assert not parts(tmp_path)
    assert cache.blob_path(file).read_bytes() == b"damaged"


def test_a_killed_command_leaves_a_temporary_file_that_the_next_one_sweeps_away(
    command: subprocess.Popen[str],
    mirror: Callable[[str], None],
    file: RemoteFile,
    tmp_path: Path,
) -> None:
    """D27."""
    command.kill()
    command.communicate()
    assert parts(tmp_path)
    assert cache.blob_path(file).read_bytes() == b"damaged"
    mirror("ok")
    assert download(file).read_bytes() == BODY
    assert not parts(tmp_path)
