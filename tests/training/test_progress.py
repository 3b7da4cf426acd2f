from __future__ import annotations

import io
from pathlib import Path

import pytest
import tensorflow as tf

from cnnzoo.training.progress import ShowProgress, TensorBoard

LOGS = {"loss": 0.25, "accuracy": 0.9, "val_loss": 0.5, "val_accuracy": 0.8}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def _train(shown: ShowProgress, epochs: int = 2, batches: int = 3) -> None:
    for epoch in range(epochs):
        for batch in range(batches):
            shown.step(epoch, batch + 1, LOGS)
        shown.epoch({**LOGS, "epoch": epoch + 1, "seconds": 0.5})
    shown.close()


def test_a_file_gets_one_plain_line_per_epoch() -> None:
    stream = io.StringIO()
    _train(ShowProgress(stream, epochs=12, batches=3), epochs=2)
    first, second = stream.getvalue().splitlines()
    assert first.startswith(
        " epoch  1/12"[1:] + "  loss 0.2500  accuracy 90.00 %  validation 80.00 %"
    )
    assert second.startswith("epoch  2/12")
    assert "\x1b" not in stream.getvalue()


def test_colours_asked_for_by_force_make_no_terminal_of_a_file(monkeypatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # as in the notebooks of Jupyter and in some CI
    stream = io.StringIO()
    _train(ShowProgress(stream, epochs=2, batches=3))
    assert len(stream.getvalue().splitlines()) == 2
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
    shown.close()
    assert stream.getvalue().rstrip().endswith("\x1b[?25h")


def test_a_bar_begins_where_an_earlier_part_of_the_run_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    shown = ShowProgress(Terminal(), epochs=2, batches=3, done=4)
    assert shown.bar.tasks[0].completed == 4
    shown.close()


def test_tensorboard_gets_every_figure_of_every_epoch(tmp_path: Path) -> None:
    board = TensorBoard(tmp_path)
    board.step(0, 1, LOGS)
    board.epoch({**LOGS, "epoch": 1, "phase": "all"})
    board.epoch({**LOGS, "epoch": 2, "phase": "all", "loss": 0.125})
    board.close()
    (file,) = tmp_path.iterdir()
    found = [
        (event.step, value.tag, float(tf.make_ndarray(value.tensor)))
        for record in tf.data.TFRecordDataset(str(file))
        for event in [tf.compat.v1.Event.FromString(record.numpy())]
        for value in event.summary.value
    ]
    assert {tag for _, tag, _ in found} == set(LOGS)
    assert [(step, value) for step, tag, value in found if tag == "loss"] == [(1, 0.25), (2, 0.125)]
