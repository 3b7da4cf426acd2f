from __future__ import annotations

import io

import pytest

from cnnzoo.training.progress import ShowProgress

LOGS = {"loss": 0.25, "accuracy": 0.9, "val_loss": 0.5, "val_accuracy": 0.8}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _train(shown: ShowProgress, epochs: int = 2, batches: int = 3) -> None:
    shown.on_train_begin()
    for epoch in range(epochs):
        shown.on_epoch_begin(epoch)
        for batch in range(batches):
            shown.on_train_batch_end(batch, LOGS)
        shown.on_epoch_end(epoch, LOGS)
    shown.on_train_end()


def test_a_file_gets_one_plain_line_per_epoch() -> None:
    stream = io.StringIO()
    _train(ShowProgress(stream, epochs=12, batches=3), epochs=2)
    first, second = stream.getvalue().splitlines()
    assert first.startswith(
        " epoch  1/12"[1:] + "  loss 0.2500  accuracy 90.00 %  validation 80.00 %"
    )
    assert second.startswith("epoch  2/12")
    assert "\x1b" not in stream.getvalue()


def test_a_narrow_file_does_not_break_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    stream = io.StringIO()
    _train(ShowProgress(stream, epochs=1, batches=1), epochs=1)
    assert len(stream.getvalue().splitlines()) == 1


def test_a_terminal_gets_a_bar_that_ends_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    stream = Terminal()
    shown = ShowProgress(stream, epochs=2, batches=3)
    _train(shown)
    assert "epoch 2/2  batch 3/3" in stream.getvalue()
    assert "loss 0.2500  accuracy 90.00 %  validation 80.00 %" in stream.getvalue()
    assert shown.bar.finished


def test_a_dumb_terminal_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    stream = Terminal()
    _train(ShowProgress(stream, epochs=2, batches=3))
    first, second = stream.getvalue().splitlines()
    assert first.startswith("epoch 1/2  loss")
    assert second.startswith("epoch 2/2  loss")


def test_close_gives_the_cursor_back_after_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream = Terminal()
    shown = ShowProgress(stream, epochs=2, batches=3)
    shown.on_train_begin()
    shown.close()
    assert stream.getvalue().rstrip().endswith("\x1b[?25h")
