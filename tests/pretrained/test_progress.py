"""Row D29: the progress bar is drawn on a terminal and never breaks a download."""

from __future__ import annotations

import io
import sys

import pytest
from fault_server import BODY, FaultServer

from cnnzoo.pretrained.fetch import download
from cnnzoo.pretrained.remote import RemoteFile


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Broken(Terminal):
    """A terminal that went away."""

    def write(self, text: str) -> int:
        raise OSError(5, "Input/output error")

    def fileno(self) -> int:
        return -1


class Closed(io.StringIO):
    def isatty(self) -> bool:
        raise ValueError("I/O operation on closed file")


@pytest.fixture(autouse=True)
def _mirror(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNZOO_MIRROR", f"{server.url}/ok")


def test_a_terminal_sees_the_name_and_the_size(
    file: RemoteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    download(file)
    assert "tiny.h5" in terminal.getvalue()
    assert "200.0" in terminal.getvalue()


def test_what_is_no_terminal_sees_nothing(
    file: RemoteFile, capsys: pytest.CaptureFixture[str]
) -> None:
    download(file)
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("stream", [None, Broken(), Closed()], ids=["none", "broken", "closed"])
def test_a_broken_stream_breaks_no_download(
    file: RemoteFile, monkeypatch: pytest.MonkeyPatch, stream: object
) -> None:
    monkeypatch.setattr(sys, "stderr", stream)
    assert download(file).read_bytes() == BODY


@pytest.mark.parametrize("columns", ["0", "1", "nonsense"])
def test_a_terminal_without_width_breaks_no_download(
    file: RemoteFile, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", columns)
    assert download(file).read_bytes() == BODY
