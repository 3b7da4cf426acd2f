"""The cache as a user sees it: what is there, is it intact, less of it. Row C17 of the matrix."""

from __future__ import annotations

from pathlib import Path

import pytest
from fault_server import BODY, HASH, FaultServer

from cnnzoo.errors import StorageError
from cnnzoo.pretrained import cache, partial
from cnnzoo.pretrained.cache import cache_list, cache_prune
from cnnzoo.pretrained.fetch import download, open_verified
from cnnzoo.pretrained.remote import RemoteFile

OTHER = "sha256:" + 64 * "a"


@pytest.fixture(autouse=True)
def intact(server: FaultServer, file: RemoteFile, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that holds one file."""
    monkeypatch.setenv("CNNZOO_MIRROR", f"{server.url}/ok")
    return download(file)


@pytest.fixture
def damaged(intact: Path) -> Path:
    """A second file in the cache, which is not what its name says."""
    path = intact.parents[1] / "aa" / f"{64 * 'a'}.h5"
    path.parent.mkdir()
    path.write_bytes(b"damaged")
    return path


def test_an_absent_cache_is_an_empty_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / "nowhere"))
    assert cache_list() == cache_prune() == ()
    assert not (tmp_path / "nowhere").exists()


def test_the_list_gives_hash_size_and_path(intact: Path, damaged: Path) -> None:
    assert [(c.path, c.hash, c.size_bytes) for c in cache_list()] == [
        (intact, HASH, len(BODY)),
        (damaged, OTHER, 7),
    ]


def test_what_is_damaged_is_found_and_not_deleted(intact: Path, damaged: Path) -> None:
    found = [(cached.path, cached.is_intact()) for cached in cache_list()]
    assert found == [(intact, True), (damaged, False)]
    assert damaged.exists()


def test_prune_deletes_the_damaged_and_keeps_the_rest(intact: Path, damaged: Path) -> None:
    removed = cache_prune(keep=[HASH, OTHER])
    assert [(r.path, r.size_bytes, r.reason) for r in removed] == [(damaged, 7, "damaged")]
    assert intact.exists()
    assert cache_prune(keep=[HASH, OTHER]) == ()


def test_prune_deletes_what_nobody_names(intact: Path) -> None:
    reasons = {r.path.suffix: r.reason for r in cache_prune(keep=[OTHER])}
    assert reasons == {".h5": "not kept", ".lock": "lock of a file that is not kept"}
    assert cache_list() == ()


def test_prune_removes_abandoned_downloads_of_this_machine_only(
    intact: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partial, "_host", lambda: "here")
    monkeypatch.setattr(partial, "_runs", lambda pid: pid == 1)
    names = [f".cnnzoo.{of}.00000000.part" for of in ("here.2", "here.1", "there.2")]
    for name in names:
        (intact.parent / name).touch()
    removed = cache_prune(keep=[HASH])
    assert [(r.path.name, r.reason) for r in removed] == [(names[0], "abandoned download")]


def test_prune_touches_no_file_that_is_not_named_as_ours(intact: Path) -> None:
    """C17."""
    blobs = intact.parents[2]
    foreign = [
        blobs / "notes.txt",
        blobs.parent / "thesis.h5",
        intact.parent / "thesis.h5",
        intact.parent / f"{intact.parent.name}{60 * '0'}.h5",  # too short for a sha256
        intact.parent / f"{64 * 'b'}.h5",  # in the folder of another hash
        intact.with_name(f"{intact.name}.bak"),
        blobs / "sha1" / "aa" / f"{40 * 'a'}.h5",
    ]
    for path in foreign:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"mine")
    cache_prune()
    assert all(path.exists() for path in foreign)
    assert not intact.exists()


@pytest.mark.parametrize("tag", [None, "Signature: 8a477f597d28d172789f06886806bc55\n# theirs\n"])
def test_prune_refuses_a_folder_that_is_not_marked_as_ours(
    intact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tag: str | None
) -> None:
    """C17: CNNZOO_CACHE points to somebody's home."""
    home = tmp_path / "home"
    theirs = home / "blobs" / "sha256" / "aa" / f"{64 * 'a'}.h5"
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b"mine")
    if tag:
        (home / "blobs" / "CACHEDIR.TAG").write_text(tag)
    monkeypatch.setenv("CNNZOO_CACHE", str(home))
    with pytest.raises(StorageError, match="not marked as a cache of cnnzoo"):
        cache_prune()
    assert theirs.exists()


@pytest.mark.parametrize("depth", [0, 1])
def test_prune_follows_no_symbolic_link(intact: Path, tmp_path: Path, depth: int) -> None:
    """C17."""
    elsewhere = tmp_path / "elsewhere"
    victim = elsewhere / "bb" / f"{32 * 'b'}.h5" if depth == 0 else elsewhere / f"{64 * 'b'}.h5"
    victim.parent.mkdir(parents=True)
    victim.write_bytes(b"precious")
    link = intact.parents[2] / "md5" if depth == 0 else intact.parents[1] / "bb"
    link.symlink_to(elsewhere)
    itself = intact.parent / f"{intact.parent.name}{62 * '0'}.h5"
    itself.symlink_to(victim)
    cache_prune()
    assert itself.is_symlink()
    assert victim.read_bytes() == b"precious"


def test_who_reads_a_file_keeps_reading_it_while_it_is_pruned(file: RemoteFile) -> None:
    """C17."""
    with open_verified(file) as opened:
        assert cache_prune()
        assert opened.read() == BODY


def test_a_pruned_file_is_fetched_again(server: FaultServer, file: RemoteFile) -> None:
    cache_prune()
    assert download(file).read_bytes() == BODY
    assert len(server.asked) == 2


def test_the_mark_is_renewed_when_it_was_lost(file: RemoteFile, intact: Path) -> None:
    (intact.parents[2] / "CACHEDIR.TAG").unlink()
    cache.prepare(file)
    assert len(cache_list()) == 1
