"""From addresses to bytes: attempts, resuming, waiting, and knowing when to stop."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import requests

from cnnzoo.errors import CnnZooError, DownloadError, IntegrityError
from cnnzoo.pretrained import http
from cnnzoo.pretrained.content import HEAD_BYTES, impostor
from cnnzoo.pretrained.http import Failure, Source
from cnnzoo.pretrained.partial import Partial
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.units import grouped

_LARGEST_UNSTATED_BYTES = 2**30


@dataclass(frozen=True)
class Limits:
    """How patient a download is, and whose clock it watches."""

    connect_seconds: float = 10.0
    silence_seconds: float = 30.0
    attempts: int = 5  # per address
    first_wait_seconds: float = 1.0  # doubled each time, then drawn between 0 and that
    longest_wait_seconds: float = 30.0
    longest_requested_wait_seconds: float = 120.0
    slowest_bytes_per_second: float = 1024.0
    stall_seconds: float = 60.0
    least_deadline_seconds: float = 600.0
    expected_bytes_per_second: float = 100_000.0
    hurry_seconds: float = 20.0  # of less than expected, and another address is asked
    chunk_bytes: int = 2**20
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    fraction: Callable[[], float] = random.random

    def deadline_seconds(self, size_bytes: int | None) -> float:
        """How long one address may take for the whole file."""
        size = _LARGEST_UNSTATED_BYTES if size_bytes is None else size_bytes
        return max(self.least_deadline_seconds, size / self.expected_bytes_per_second)


def transfer(
    file: RemoteFile,
    sources: Sequence[Source],
    partial: Partial,
    report: Callable[[int], None],
    limits: Limits,
) -> None:
    """Fill ``partial`` with exactly ``file``, asking one address after the other.

    Where there are several, a slow one is left for the next. When none was fast, the slow ones
    are asked again, the fastest first, and given their time.

    Args:
        report: Called with the number of bytes received so far.

    Raises:
        DownloadError: No address sent a file; the message lists each with its reason.
        IntegrityError: Every address sent a whole file, and not this one.
        StorageError: The disk refuses.
    """
    failures: dict[Source, Failure] = {}
    waiting, hurried = list(sources), len(sources) > 1
    while waiting:
        for source in waiting:
            try:
                _Transfer(file, source, partial, report, limits, hurried).run()
            except Failure as failure:
                failures[source] = failure
            else:
                return
        pace = {source: failures[source].bytes_per_second or 0.0 for source in waiting}
        waiting = sorted(filter(pace.get, waiting), key=pace.__getitem__, reverse=True)
        hurried = False
    reasons = "; ".join(
        f"{http.redacted(source.url)}{http.by_way_of(source.url)} ({failure})"
        for source, failure in failures.items()
    )
    wrong_everywhere = all(failure.wrong_file for failure in failures.values())
    kind: type[CnnZooError] = IntegrityError if wrong_everywhere else DownloadError
    raise kind(f"{file.name} could not be downloaded: {reasons}.")


@dataclass
class _Transfer:
    """The attempts at one address."""

    file: RemoteFile
    source: Source
    partial: Partial
    report: Callable[[int], None]
    limits: Limits
    hurried: bool  # there are other addresses to ask, so a slow one is not worth the wait
    etag: str = ""  # of the bytes in `partial`; without it they are of no use to a next attempt
    had_wrong_bytes: bool = False
    give_up: float = field(init=False)

    def run(self) -> None:
        """Try until the file is there, or raise the last `Failure`."""
        allowed = self.limits.deadline_seconds(self.file.size_bytes)
        self.give_up = self.limits.now() + allowed
        with http.new_session() as session:
            for attempt in range(1, self.limits.attempts + 1):
                try:
                    self._attempt(session)
                except Failure as failure:
                    if not failure.retry or attempt == self.limits.attempts:
                        raise
                    self._wait(attempt, failure)
                else:
                    return

    def _attempt(self, session: requests.Session) -> None:
        timeout = (self.limits.connect_seconds, self.limits.silence_seconds)
        with http.get(session, self.source, self._headers(), timeout) as response:
            self._place(response)
            self._receive(response)
        self._check_hash()

    def _headers(self) -> dict[str, str]:
        """Ask for the rest where the server can promise that it is the rest of the same file."""
        headers = {"Cache-Control": "no-cache"} if self.had_wrong_bytes else {}
        if self.partial.size_bytes and self.etag:
            headers |= {"Range": f"bytes={self.partial.size_bytes}-", "If-Range": self.etag}
        return headers

    def _place(self, response: requests.Response) -> None:
        """Decide whether the body continues what is there or starts anew."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in ("", "identity"):
            raise Failure(f"the server packs the file ({encoding[:20]}) though asked not to")
        if response.status_code == 200:
            self._restart()
            self.etag = http.strong_etag(response)
        elif http.continues_at(response) != self.partial.size_bytes:
            self._restart()
            raise Failure("the server cannot continue the download where it broke", retry=True)

    def _restart(self) -> None:
        self.partial.restart()
        self.etag = ""

    def _receive(self, response: requests.Response) -> None:
        """Append the body to `partial`; stop at the first byte too many."""
        announced = http.announced_bytes(response)
        whole = None if announced is None else self.partial.size_bytes + announced
        head = b"" if self.partial.size_bytes == 0 else None  # None: looked at already
        pace = _Pace(self.limits, self.give_up, self.partial.size_bytes, self.hurried)
        while chunk := self._read(response):
            if head is not None:
                head += chunk[:HEAD_BYTES]
                if len(head) >= HEAD_BYTES:
                    self._check_content(head, whole)
                    head = None
            self._check_room_for(chunk)
            self.partial.write(chunk)
            self.report(self.partial.size_bytes)
            pace.check(self.partial.size_bytes)
        if head is not None:
            self._check_content(head, whole)
        if self.partial.size_bytes < (self.file.size_bytes or 0):
            raise Failure(f"the connection closed after {self._progress()}", retry=True)

    def _read(self, response: requests.Response) -> bytes:
        try:
            return http.read(response, self.limits.chunk_bytes)
        except Failure as failure:
            raise Failure(f"{failure} after {self._progress()}", retry=True) from failure

    def _check_room_for(self, chunk: bytes) -> None:
        limit = self.file.size_bytes or _LARGEST_UNSTATED_BYTES
        if self.partial.size_bytes + len(chunk) > limit:
            raise Failure(f"the server sends more than {grouped(limit)} bytes", wrong_file=True)

    def _check_content(self, head: bytes, whole: int | None) -> None:
        found = impostor(head)
        if found:
            raise Failure(f"the server sent {found}")
        if self.file.size_bytes and whole is not None and whole != self.file.size_bytes:
            raise Failure(
                f"the server's file has {grouped(whole)} bytes, the file on record "
                f"{grouped(self.file.size_bytes)}",
                wrong_file=True,
            )

    def _check_hash(self) -> None:
        """One more clean attempt when the bytes are wrong: a cache on the way may be to blame."""
        if self.file.is_hash(self.partial.digest):
            return
        failure = Failure(
            f"the {self.file.algorithm} of what it sends is {self.partial.digest} and must "
            f"{self.file.wants}",
            retry=not self.had_wrong_bytes,
            wrong_file=True,
        )
        self.had_wrong_bytes = True
        self._restart()
        raise failure

    def _wait(self, attempt: int, failure: Failure) -> None:
        """Sleep with full jitter, or as long as the server asks, within reason."""
        limits = self.limits
        longest = min(limits.longest_wait_seconds, limits.first_wait_seconds * 2 ** (attempt - 1))
        seconds = limits.fraction() * longest
        if failure.wait_seconds is not None:
            seconds = min(failure.wait_seconds, limits.longest_requested_wait_seconds)
        if limits.now() + seconds > self.give_up:
            raise failure
        limits.sleep(seconds)

    def _progress(self) -> str:
        of = f" of {grouped(self.file.size_bytes)}" if self.file.size_bytes else ""
        return f"{grouped(self.partial.size_bytes)}{of} bytes"


class _Pace:
    """Notices a transfer that trickles, or that outlives its deadline."""

    def __init__(self, limits: Limits, give_up: float, received: int, hurried: bool) -> None:
        self._limits = limits
        self._hurried = hurried
        self._window = limits.hurry_seconds if hurried else limits.stall_seconds
        self._give_up = give_up
        self._since = limits.now()
        self._received = received

    def check(self, received: int) -> None:
        """Raise when too little arrived for too long, measured in windows of seconds."""
        limits, now = self._limits, self._limits.now()
        if now > self._give_up:
            raise Failure(f"it is too slow: {grouped(received)} bytes at the deadline")
        if now - self._since < self._window:
            return
        rate = (received - self._received) / (now - self._since)
        if self._hurried and rate < limits.expected_bytes_per_second:
            raise Failure(f"it is slow: {rate:,.0f} bytes per second", bytes_per_second=rate)
        if rate < limits.slowest_bytes_per_second:
            raise Failure(f"it stalls: {rate:,.0f} bytes per second", retry=True)
        self._since, self._received = now, received
