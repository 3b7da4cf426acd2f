"""The temporary file of a download: every byte, on the disk, before the name."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

import pytest
from fault_server import BODY

from cnnzoo.pretrained.partial import Partial, partial_for
from cnnzoo.pretrained.remote import RemoteFile


class ShortWrites(FileIO):
    """Takes at most ten bytes at a time, as a nearly full disk may."""

    def write(self, data: memoryview) -> int:  # type: ignore[override]
        return super().write(data[:10])


def test_a_short_write_is_continued(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with ShortWrites(path, "x") as opened:
        Partial(path, opened, "sha256").write(BODY[:995])
    assert path.read_bytes() == BODY[:995]


def test_the_bytes_reach_the_disk_before_the_name_and_the_name_too(
    file: RemoteFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target, events = tmp_path / "target", []
    fsync, replace = os.fsync, Path.replace

    def noted_fsync(descriptor: int) -> None:
        inode = os.fstat(descriptor).st_ino
        events.append("folder" if inode == tmp_path.stat().st_ino else "file")
        fsync(descriptor)

    def noted_replace(path: Path, to: Path) -> Path:
        events.append("rename")
        return replace(path, to)

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    with partial_for(target, file) as partial:
        partial.write(BODY)
    assert events == ["file", "rename", "folder"]
