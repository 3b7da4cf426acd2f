"""Row D29: the progress bar is drawn on a terminal and never breaks a download."""

from __future__ import annotations

import io
import sys

import pytest
from fault_server import BODY, FaultServer

from cnnzoo.pretrained import progress
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


class Dying(Terminal):
    """A terminal that goes away while the bar is drawn for the second time."""

    drawings = 0

    def write(self, text: str) -> int:
        self.drawings += "tiny.h5" in text
        if self.drawings > 1:
            raise OSError(5, "Input/output error")
        return super().write(text)


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


@pytest.mark.parametrize(
    "stream",
    [None, Broken(), Dying(), Closed()],
    ids=["none", "broken", "dying", "closed"],
)
def test_a_broken_stream_breaks_no_download(
    file: RemoteFile, monkeypatch: pytest.MonkeyPatch, stream: object
) -> None:
    monkeypatch.setattr(progress, "_DRAWING_SECONDS", 0.0)
    monkeypatch.setattr(sys, "stderr", stream)
    assert download(file).read_bytes() == BODY


@pytest.mark.parametrize("columns", ["0", "1", "nonsense"])
def test_a_terminal_without_width_breaks_no_download(
    file: RemoteFile, monkeypatch: pytest.MonkeyPatch, columns: str
) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("COLUMNS", columns)
    assert download(file).read_bytes() == BODY
