"""A progress bar on a terminal, nothing elsewhere, and never a reason to fail."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator

_DRAWING_SECONDS = 0.1


@contextlib.contextmanager
def progress_bar(name: str, size_bytes: int | None) -> Iterator[Callable[[int], None]]:
    """Yield ``report(bytes_so_far)``.

    A broken terminal loses the bar, not the download: whatever drawing raises is dropped.
    """
    with contextlib.ExitStack() as stack:
        report: Callable[[int], None] | None = None
        if _is_terminal():
            with contextlib.suppress(Exception):
                report = _drawn(stack, name, size_bytes)

        def quietly(received: int) -> None:
            if report is not None:
                with contextlib.suppress(Exception):
                    report(received)

        yield quietly


def _drawn(stack: contextlib.ExitStack, name: str, size_bytes: int | None) -> Callable[[int], None]:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn

    columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    # Drawn by us, not by a thread of its own: what a thread raises nobody can catch.
    bar = Progress(
        *columns,
        console=Console(stderr=True, force_jupyter=False),
        transient=True,
        auto_refresh=False,
    )
    task = bar.add_task(name, total=size_bytes)
    bar.start()
    stack.callback(_stop_quietly, bar.stop)
    next_drawing = 0.0

    def report(received: int) -> None:
        nonlocal next_drawing
        bar.update(task, completed=received)
        if time.monotonic() >= next_drawing:
            bar.refresh()
            next_drawing = time.monotonic() + _DRAWING_SECONDS

    return report


def _stop_quietly(stop: Callable[[], None]) -> None:
    with contextlib.suppress(Exception):
        stop()


def _is_terminal() -> bool:
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except (ValueError, OSError):  # closed, or no file at all
        return False
