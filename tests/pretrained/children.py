"""What tests run in processes of their own: ``python children.py ACTION ...``.

Each action imports once and forks, because an import costs more than a download of 200 kB.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn

from fault_server import BODY, HASH

from cnnzoo import errors
from cnnzoo.pretrained import cache, fetch
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.store import FEATURES

FILE = RemoteFile("tiny.h5", ("https://127.0.0.1:1/tiny.h5",), HASH, len(BODY))
KEY = 32 * "a"
KILLED = 9
EVENTS = ("open", "os.mkdir", "os.rename", "os.remove", "os.truncate", "os.link", "os.chmod")


def child(*arguments: object) -> list[str]:
    """The command that runs an action."""
    return [sys.executable, __file__, *map(str, arguments)]


def in_fork(work: Callable[[], object]) -> int:
    """Run ``work`` in a forked process; return its process id."""
    process = os.fork()
    if process == 0:
        try:
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return process


def exit_code(process: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def read() -> None:
    with fetch.open_verified(FILE) as opened:
        assert opened.read() == BODY


def nobody() -> None:
    """Read the file as a user who owns nothing."""
    import encodings.idna  # noqa: F401  imported while it still can be

    if os.geteuid() == 0:
        os.setgroups([])
        os.setuid(65534)
    try:
        with fetch.open_verified(FILE) as opened:
            print(len(opened.read()))
    except errors.StorageError as error:
        print(error)
        sys.exit(error.exit_code)


def crowd(count: str, locks: str) -> None:
    """So many processes want the file at once; print their exit codes."""
    if locks == "no-op":
        fcntl.flock = lambda descriptor, operation: None
    elif locks == "unsupported":
        fcntl.flock = _no_flock
    start, go = os.pipe()

    def work() -> None:
        os.close(go)
        os.read(start, 1)  # returns for all when the parent closes its end
        read()

    processes = [in_fork(work) for _ in range(int(count))]
    os.close(go)
    print(json.dumps([exit_code(process) for process in processes]))


def kills(writer: str, before: str) -> None:
    """Kill ``writer`` before each of its file-system events; print how many there were."""
    folder = Path(os.environ["CNNZOO_CACHE"])
    work, prepare, check = _SCENARIOS[writer]
    number = 0
    while True:
        number += 1
        _empty(folder)
        prepare(folder, before)
        code = exit_code(in_fork(partial(_dying_at, number, folder, work)))
        check(folder, before)
        assert exit_code(in_fork(work)) == 0, "a second run fails"
        assert not list(folder.rglob("*.part")), "a temporary file is left for ever"
        if code != KILLED:
            assert code == 0
            break
    print(number - 1)


def _dying_at(number: int, folder: Path, work: Callable[[], object]) -> None:
    """Run ``work``, but end the process before file-system event ``number``, as kill -9 would."""
    seen = 0

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        if event not in EVENTS:
            return
        touched = str(arguments[0])
        writes = event != "open" or bool(int(arguments[2]) & (os.O_WRONLY | os.O_RDWR))  # type: ignore[call-overload]
        if writes and (event == "os.truncate" or touched.startswith(str(folder))):
            seen += 1
            if seen == number:
                os._exit(KILLED)

    sys.addaudithook(hook)
    work()


def _plant(folder: Path, before: str) -> None:
    blob = cache.blob_path(FILE)
    if before == "damaged":
        blob.parent.mkdir(parents=True)
        blob.write_bytes(b"damaged")


def _never_half(folder: Path, before: str) -> None:
    blob = cache.blob_path(FILE)
    allowed = [BODY, b"damaged"] if before == "damaged" else [BODY]
    assert not blob.exists() or blob.read_bytes() in allowed


def _plant_many(folder: Path, before: str) -> None:
    read()
    for letter in "abc":
        path = folder / "blobs" / "sha256" / (2 * letter) / f"{64 * letter}.h5"
        path.parent.mkdir(parents=True)
        path.write_bytes(b"to be pruned")


def _kept(folder: Path, before: str) -> None:
    assert cache.blob_path(FILE).read_bytes() == BODY


def _to_folder() -> None:
    fetch.download(FILE, Path(os.environ["CNNZOO_CACHE"]) / "to")


def _whole_copy(folder: Path, before: str) -> None:
    copy = folder / "to" / FILE.name
    assert not copy.exists() or copy.read_bytes() == BODY


def _put() -> None:
    def write(folder: Path) -> None:
        (folder / "one").write_bytes(BODY)
        (folder / "two").write_bytes(BODY)

    path = FEATURES.get(KEY) or FEATURES.put(KEY, "title", write)
    assert (path / "two").read_bytes() == BODY


def _plant_entry(folder: Path, before: str) -> None:
    if before == "damaged":
        _put()
        (FEATURES.folder / KEY / "two").write_bytes(b"damaged")


def _whole_entry(folder: Path, before: str) -> None:
    for entry in FEATURES.entries():
        assert entry.is_intact() or (entry.path / "two").read_bytes() == b"damaged"


_SCENARIOS = {
    "put": (_put, _plant_entry, _whole_entry),
    "download": (read, _plant, _never_half),
    "to": (_to_folder, _plant, _whole_copy),
    "prune": (lambda: cache.cache_prune(keep=[HASH]), _plant_many, _kept),
}


def _empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()


def _no_flock(descriptor: int, operation: int) -> NoReturn:
    raise OSError(errno.ENOSYS, "Function not implemented")


if __name__ == "__main__":
    action = {"nobody": nobody, "crowd": crowd, "kills": kills, "read": read}[sys.argv[1]]
    action(*sys.argv[2:])
