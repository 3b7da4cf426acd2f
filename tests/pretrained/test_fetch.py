"""The way from a catalogue entry to an open, verified file: cache, mirror, publishers, offline."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import hashlib
import logging
import os
import resource
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from children import child
from fault_server import BODY, HASH, FaultServer

from cnnzoo import errors
from cnnzoo.pretrained import cache, fetch, partial
from cnnzoo.pretrained.fetch import download, open_verified
from cnnzoo.pretrained.integrity import open_intact
from cnnzoo.pretrained.remote import RemoteFile


@pytest.fixture(autouse=True)
def mirror(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNZOO_MIRROR", f"{server.url}/ok")


@pytest.fixture
def blob(file: RemoteFile) -> Path:
    return cache.blob_path(file)


def plant(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def leftovers(folder: Path) -> list[Path]:
    return [p for p in folder.rglob("*") if p.name.endswith(".part")]


def test_a_file_is_fetched_once_and_then_read_from_the_cache(
    server: FaultServer, file: RemoteFile
) -> None:
    for _ in range(2):
        with open_verified(file) as opened:
            assert opened.read() == BODY
    assert len(server.asked) == 1


def test_the_cache_names_a_file_by_its_hash_and_keeps_the_suffix(
    file: RemoteFile, tmp_path: Path
) -> None:
    """C16."""
    digest = file.digest
    assert download(file) == tmp_path / "cache" / "blobs" / "sha256" / digest[:2] / f"{digest}.h5"
    assert (tmp_path / "cache" / "blobs" / "CACHEDIR.TAG").read_text().startswith("Signature: 8a47")


def test_a_file_known_by_md5_is_kept_under_its_md5(server: FaultServer, tmp_path: Path) -> None:
    digest = hashlib.md5(BODY).hexdigest()
    old = RemoteFile("old.h5", (), f"md5:{digest}", len(BODY))
    assert download(old) == tmp_path / "cache" / "blobs" / "md5" / digest[:2] / f"{digest}.h5"


def test_a_file_known_by_the_first_digits_of_its_hash_must_begin_with_them(tmp_path: Path) -> None:
    """As torch's hub names its files."""
    digest = hashlib.sha256(BODY).hexdigest()
    known = RemoteFile("net.pth", (), f"sha256-prefix:{digest[:8]}", len(BODY))
    path = tmp_path / "cache" / "blobs" / "sha256-prefix" / digest[:2] / f"{digest[:8]}.pth"
    assert download(known) == path
    assert [(c.hash, c.is_intact()) for c in cache.cache_list()] == [(known.hash, True)]
    other = RemoteFile("net.pth", (), f"sha256-prefix:{digest[1:9]}", len(BODY))
    with pytest.raises(errors.IntegrityError, match=f"must begin with {digest[1:9]}"):
        download(other)
    assert not cache.blob_path(other).exists()


def test_two_catalogues_share_a_cache(server: FaultServer, file: RemoteFile) -> None:
    """C16: another version calls the same bytes by another name."""
    renamed = dataclasses.replace(file, name="other-name.h5")
    assert download(file) == download(renamed)
    assert len(server.asked) == 1


def test_the_mirror_is_asked_for_the_file_name_before_the_publisher(
    server: FaultServer, file: RemoteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CNNZOO_MIRROR", f"{server.url}/status-404/")
    with pytest.raises(errors.DownloadError) as caught:
        download(file)
    message = str(caught.value)
    assert message.index("/status-404/tiny.h5") < message.index("https://127.0.0.1:1/tiny.h5")
    assert str(cache.blob_path(file)) in message


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(BODY[:-1], id="truncated"),
        pytest.param(b"", id="empty"),
        pytest.param(BODY[:-1] + b"x", id="flipped"),
        pytest.param(BODY + b"x", id="longer"),
    ],
)
def test_a_damaged_copy_is_found_at_every_load_and_replaced(
    file: RemoteFile, blob: Path, damage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """C1."""
    plant(blob, damage)
    with caplog.at_level(logging.WARNING), open_verified(file) as opened:
        assert opened.read() == BODY
    assert str(blob) in caplog.text
    assert blob.read_bytes() == BODY


def test_a_damaged_copy_stays_until_its_replacement_is_verified(
    server: FaultServer, file: RemoteFile, blob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C1, C2, R2."""
    monkeypatch.setenv("CNNZOO_MIRROR", f"{server.url}/flipped")
    plant(blob, b"damaged")
    with pytest.raises(errors.IntegrityError, match="could not be replaced") as caught:
        open_verified(file)
    assert str(blob) in str(caught.value)
    assert blob.read_bytes() == b"damaged"


def test_a_damaged_copy_is_never_read_offline(
    server: FaultServer, file: RemoteFile, blob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C2."""
    monkeypatch.setenv("CNNZOO_OFFLINE", "1")
    plant(blob, BODY[:-1] + b"x")
    with pytest.raises(errors.IntegrityError) as caught:
        open_verified(file)
    for words in (str(blob), file.digest, "CNNZOO_OFFLINE", file.urls[0]):
        assert words in str(caught.value)
    assert blob.exists()
    assert not server.asked


def test_a_copy_of_another_size_is_told_by_its_size(file: RemoteFile, blob: Path) -> None:
    """C2: and without hashing it."""
    plant(blob, BODY[:-1])
    with pytest.raises(errors.IntegrityError, match="holds 200,007 bytes and must hold 200,008"):
        open_intact(blob, file)


def test_the_checked_bytes_are_the_ones_handed_on(file: RemoteFile, blob: Path) -> None:
    """The file is swapped between check and use; the open one is not."""
    download(file)
    with open_verified(file) as opened:
        plant(blob.with_name("swap"), b"swapped")
        blob.with_name("swap").replace(blob)
        assert opened.read() == BODY


def test_offline_says_which_file_to_put_where_without_touching_network_or_disk(
    file: RemoteFile, blob: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D28."""

    def forbidden(*arguments: object, **options: object) -> NoReturn:
        raise AssertionError("a socket was made")

    monkeypatch.setattr("socket.socket", forbidden)
    monkeypatch.setattr("socket.getaddrinfo", forbidden)
    monkeypatch.setenv("CNNZOO_OFFLINE", "1")
    with pytest.raises(errors.OfflineError) as caught:
        open_verified(file)
    for words in (file.name, file.urls[0], file.hash, "200,008 bytes", str(blob)):
        assert words in str(caught.value)
    assert caught.value.exit_code == 3
    assert not list(tmp_path.iterdir())


def test_a_file_put_there_by_hand_works_offline(
    file: RemoteFile, blob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D28."""
    monkeypatch.setenv("CNNZOO_OFFLINE", "1")
    plant(blob, BODY)
    with open_verified(file) as opened:
        assert opened.read() == BODY


@pytest.fixture
def read_only_cache(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder that its reader, who is not root, cannot write."""
    folder = Path("/tmp") / f"cnnzoo-read-only-{os.getpid()}"  # reachable for everybody
    folder.mkdir(mode=0o755)
    monkeypatch.setenv("CNNZOO_CACHE", str(folder))
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def as_nobody() -> subprocess.CompletedProcess[str]:
    return subprocess.run(child("nobody"), capture_output=True, text=True, check=False)


def test_a_read_only_cache_works_when_the_file_is_there(
    server: FaultServer, file: RemoteFile, read_only_cache: Path
) -> None:
    """C3."""
    plant(cache.blob_path(file), BODY)
    read_only_cache.chmod(0o555)
    finished = as_nobody()
    assert (finished.returncode, finished.stdout.strip()) == (0, str(len(BODY))), finished.stderr
    assert not server.asked


def test_a_read_only_cache_is_named_when_the_file_is_absent(
    server: FaultServer, file: RemoteFile, read_only_cache: Path
) -> None:
    """C4: no other folder is used instead."""
    read_only_cache.chmod(0o555)
    finished = as_nobody()
    assert finished.returncode == 7, finished.stderr
    assert str(read_only_cache) in finished.stdout
    assert "Permission denied" in finished.stdout
    assert "CNNZOO_CACHE" in finished.stdout
    assert not server.asked


def test_a_full_disk_is_noticed_before_the_first_byte(
    server: FaultServer, file: RemoteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C5."""
    usage = shutil.disk_usage("/")._replace(free=2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: usage)
    with pytest.raises(errors.StorageError, match=r"needs 0\.19 MiB .* 1\.0 MiB free") as caught:
        open_verified(file)
    assert caught.value.errno == errno.ENOSPC
    assert not server.asked


@contextlib.contextmanager
def files_limited_to(size_bytes: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as if the disk were full."""
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


def test_a_full_disk_is_told_with_what_would_help(
    server: FaultServer, file: RemoteFile, tmp_path: Path
) -> None:
    with files_limited_to(50_000):
        with pytest.raises(errors.StorageError, match="choose another cache folder with CNNZOO"):
            download(file)
        with pytest.raises(errors.StorageError, match=r"or choose another folder\.$"):
            download(file, tmp_path / "to")


def test_a_disk_that_fills_up_ends_the_download_without_a_retry(
    server: FaultServer, file: RemoteFile, blob: Path, tmp_path: Path
) -> None:
    """C5."""
    with files_limited_to(50_000), pytest.raises(errors.StorageError) as caught:
        open_verified(file)
    assert caught.value.errno == errno.EFBIG
    assert "Free some space" in str(caught.value)
    assert len(server.asked) == 1
    assert not blob.exists()
    assert not leftovers(tmp_path)


def test_a_quota_is_a_full_disk(
    file: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C5."""

    def exceeded(descriptor: int) -> NoReturn:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    monkeypatch.setattr(os, "fsync", exceeded)
    with pytest.raises(errors.StorageError, match="quota"):
        download(file, tmp_path / "to")
    assert not leftovers(tmp_path)


def test_a_path_that_is_too_long_is_a_storage_error(
    file: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C6."""
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / ("x" * 300)))
    with pytest.raises(errors.StorageError, match="File name too long"):
        open_verified(file)


def test_a_folder_where_the_file_belongs_is_named(file: RemoteFile, blob: Path) -> None:
    """C7."""
    blob.mkdir(parents=True)
    with pytest.raises(errors.StorageError, match="no regular file") as caught:
        open_verified(file)
    assert str(blob) in str(caught.value)


def test_a_pipe_where_the_file_belongs_does_not_block(file: RemoteFile, blob: Path) -> None:
    """C7."""
    blob.parent.mkdir(parents=True)
    os.mkfifo(blob)
    with pytest.raises(errors.StorageError, match="no regular file"):
        open_verified(file)


def test_a_device_where_the_file_belongs_is_refused(file: RemoteFile, blob: Path) -> None:
    """C7."""
    blob.parent.mkdir(parents=True)
    blob.symlink_to("/dev/zero")
    with pytest.raises(errors.StorageError, match="no regular file"):
        open_verified(file)


@pytest.mark.parametrize("dangling", [True, False])
def test_a_symbolic_link_is_replaced_and_never_written_through(
    file: RemoteFile, blob: Path, tmp_path: Path, dangling: bool
) -> None:
    """C7."""
    victim = tmp_path / "victim"
    plant(victim, b"precious")
    blob.parent.mkdir(parents=True)
    blob.symlink_to(tmp_path / "nowhere" if dangling else victim)
    download(file)
    assert not blob.is_symlink()
    assert blob.read_bytes() == BODY
    assert victim.read_bytes() == b"precious"


def test_a_temporary_file_is_never_opened_through_a_link(
    file: RemoteFile, blob: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C7: the temporary name is planted as a link to a victim."""
    monkeypatch.setattr(partial.secrets, "token_hex", lambda size: "0" * 8)
    monkeypatch.setattr(partial, "_host", lambda: "here")
    victim = tmp_path / "victim"
    plant(victim, b"precious")
    blob.parent.mkdir(parents=True)
    (blob.parent / f".cnnzoo.here.{os.getpid()}.00000000.part").symlink_to(victim)
    with pytest.raises(errors.StorageError, match="File exists"):
        open_verified(file)
    assert victim.read_bytes() == b"precious"


def test_the_temporary_file_is_beside_its_target(
    file: RemoteFile, blob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C11: another file system would make the rename a copy."""
    seen: list[tuple[Path, Path]] = []
    replace = partial._replace
    monkeypatch.setattr(
        partial,
        "_replace",
        lambda path, target: (seen.append((path, target)), replace(path, target)),
    )
    download(file)
    assert [(path.parent, target) for path, target in seen] == [(blob.parent, blob)]


class BusyOnWindows(PermissionError):
    winerror = 32


def test_a_busy_target_is_waited_for(
    file: RemoteFile, blob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C12."""
    replace, refusals = Path.replace, iter([True, True, False])

    def busy(path: Path, target: Path) -> Path:
        if target == blob and next(refusals):
            raise BusyOnWindows("in use")
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", busy)
    assert download(file).read_bytes() == BODY


def test_a_target_that_stays_busy_is_good_enough_when_it_is_intact(
    file: RemoteFile, blob: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """C12: another process renamed the same file first and has it open."""

    replace = Path.replace

    def busy(path: Path, target: Path) -> Path:
        if target != blob:
            return replace(path, target)
        plant(blob, BODY)
        raise BusyOnWindows("in use")

    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(partial, "_REPLACE_SECONDS", 0.0)
    with open_verified(file) as opened:
        assert opened.read() == BODY
    assert not leftovers(tmp_path)


def test_a_target_that_may_not_be_replaced_is_a_storage_error(
    file: RemoteFile, blob: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """C12: a refusal that no waiting cures."""

    replace = Path.replace

    def forbidden(path: Path, target: Path) -> Path:
        if target != blob:
            return replace(path, target)
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "replace", forbidden)
    with pytest.raises(errors.StorageError, match="Permission denied"):
        open_verified(file)
    assert not leftovers(tmp_path)


@pytest.mark.parametrize("stamp", [0, 4_300_000_000])
def test_the_time_of_a_file_decides_nothing(
    server: FaultServer, file: RemoteFile, stamp: int
) -> None:
    """C13: a file from 1970, one from 2106."""
    os.utime(download(file), (stamp, stamp))
    with open_verified(file) as opened:
        assert opened.read() == BODY
    assert len(server.asked) == 1


def test_a_clock_that_jumps_back_changes_nothing(
    server: FaultServer, file: RemoteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C13."""
    hours = iter(range(10**6, 0, -1))
    monkeypatch.setattr(time, "time", lambda: 3600.0 * next(hours))
    monkeypatch.setenv("CNNZOO_MIRROR", f"{server.url}/break-once")
    assert download(file).read_bytes() == BODY


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o002, 0o664), (0o022, 0o644)])
def test_the_mode_of_a_file_follows_the_umask(file: RemoteFile, umask: int, mode: int) -> None:
    """C14."""
    before = os.umask(umask)
    try:
        path = download(file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@pytest.mark.parametrize("name", ["with space", "größe-模型", "new\nline", "'quoted'"])
def test_a_cache_folder_may_have_any_name(
    file: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """C15."""
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / name))
    assert download(file).is_relative_to(tmp_path / name)


def test_the_lock_is_not_needed(
    file: RemoteFile, blob: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """C8: a link planted at the lock's path; its victim stays as it was."""
    victim = tmp_path / "victim"
    plant(victim, b"precious")
    blob.parent.mkdir(parents=True)
    cache.lock_path(file).symlink_to(victim)
    with caplog.at_level(logging.INFO):
        assert download(file).read_bytes() == BODY
    assert "Going on without the lock" in caplog.text
    assert victim.read_bytes() == b"precious"


def test_what_killed_downloads_left_behind_is_swept_away(
    file: RemoteFile, blob: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D27: own machine and dead process; all else is left alone."""
    monkeypatch.setattr(partial, "_host", lambda: "here")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    blob.parent.mkdir(parents=True)
    orphan = blob.parent / f".cnnzoo.here.{gone.pid}.00000001.part"
    alive = blob.parent / f".cnnzoo.here.{os.getppid()}.00000002.part"
    elsewhere = blob.parent / f".cnnzoo.there.{gone.pid}.00000003.part"
    foreign = blob.parent / "thesis.part"
    for path in (orphan, alive, elsewhere, foreign):
        path.touch()
    download(file)
    assert [p.exists() for p in (orphan, alive, elsewhere, foreign)] == [False, True, True, True]


def test_a_download_to_a_folder_carries_the_plain_name_and_leaves_the_cache_alone(
    file: RemoteFile, blob: Path, tmp_path: Path
) -> None:
    to = tmp_path / "stick" / "weights"
    assert download(file, to) == to / "tiny.h5"
    assert [p.name for p in to.iterdir()] == ["tiny.h5"]
    assert (to / "tiny.h5").read_bytes() == BODY
    assert not blob.exists()


def test_a_download_to_a_folder_is_copied_from_the_cache_when_it_can_be(
    server: FaultServer, file: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    download(file)
    monkeypatch.setenv("CNNZOO_OFFLINE", "1")
    assert download(file, tmp_path).read_bytes() == BODY
    assert download(file, tmp_path).read_bytes() == BODY
    assert len(server.asked) == 1


def test_a_file_that_ships_is_checked_and_never_fetched(
    server: FaultServer, tmp_path: Path
) -> None:
    plant(tmp_path / "shipped.h5", BODY)
    file = RemoteFile("shipped.h5", (), HASH, len(BODY), tmp_path / "shipped.h5")
    with open_verified(file) as opened:
        assert opened.read() == BODY
    assert download(file) == tmp_path / "shipped.h5"
    assert download(file, tmp_path / "to").read_bytes() == BODY
    plant(tmp_path / "shipped.h5", b"damaged")
    with pytest.raises(errors.IntegrityError, match="Install cnnzoo again"):
        open_verified(file)
    (tmp_path / "shipped.h5").unlink()
    with pytest.raises(errors.IntegrityError, match="is missing"):
        open_verified(file)
    assert not server.asked


def test_catalogue_entries_and_remote_files_agree() -> None:
    class Entry:
        file, urls, hash, size_bytes, shipped_path = "a.h5", ("https://a/a.h5",), HASH, 7, None

    assert RemoteFile.of(Entry()) == RemoteFile("a.h5", ("https://a/a.h5",), HASH, 7)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/b", "", ".hidden", "a\x00b"])
def test_a_name_with_a_folder_in_it_is_refused(name: str) -> None:
    with pytest.raises(errors.UsageError, match="no plain file name"):
        RemoteFile(name, (), HASH, 1)


@pytest.mark.parametrize("hash", ["sha256:abc", "sha1:" + "0" * 40, HASH.upper(), ""])
def test_a_hash_that_proves_nothing_is_refused(hash: str) -> None:
    with pytest.raises(errors.UsageError, match="no hash"):
        RemoteFile("a.h5", (), hash, 1)


def test_the_default_limits_are_the_documented_ones() -> None:
    limits = type(fetch.LIMITS)()
    assert limits.deadline_seconds(1) == 600
    assert limits.deadline_seconds(574_710_816) == pytest.approx(5747.1, abs=0.1)
