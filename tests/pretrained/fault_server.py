"""A server on the loopback interface that breaks in one way per address.

``http://127.0.0.1:PORT/<fault>/<file name>``: the first part of the path chooses the fault, the
rest is ignored. Everything it was asked is recorded. It also plays a proxy that answers itself.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

BODY = b"\x89HDF\r\n\x1a\n" + bytes((7 * i + 3) % 256 for i in range(200_000))
HASH = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
HALF = len(BODY) // 2
PAGE = b"<!DOCTYPE html>\n<html><head><title> Sign\n in </title></head>" + b" " * 5000 + b"</html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 200008\n"
ETAG = '"v1"'
CERTIFICATES = Path(__file__).parent / "certificates"

Fault = Callable[["Exchange"], None]
FAULTS: dict[str, Fault] = {}


@dataclass(frozen=True)
class Asked:
    """One request as the server saw it."""

    fault: str
    headers: dict[str, str]
    through_proxy: bool


class FaultServer(ThreadingHTTPServer):
    """Serves until the ``with`` block ends; then every waiting fault is let go."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, certificate: str | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Exchange)
        self.asked: list[Asked] = []
        self.sent_bytes = 0
        self.retry_after: str | None = None
        self.closing = threading.Event()
        self.scheme = "http"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(CERTIFICATES / f"{certificate}.pem")
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def times(self, fault: str) -> int:
        return sum(asked.fault == fault for asked in self.asked)

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are part of the tests."""

    def __enter__(self) -> FaultServer:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.closing.set()
        self.shutdown()
        self.server_close()


class Exchange(BaseHTTPRequestHandler):
    """One connection; faults speak through `head` and `body`."""

    protocol_version = "HTTP/1.1"
    server: FaultServer

    def do_GET(self) -> None:
        fault = urlsplit(self.path).path.split("/")[1]
        self.server.asked.append(Asked(fault, dict(self.headers), self.path.startswith("http")))
        self.number = self.server.times(fault)  # 1 for the first request of this fault
        status = re.fullmatch(r"status-(\d+)(?:-x(\d+))?", fault)
        if status and self.number <= int(status[2] or 10**6):
            self.refuse(int(status[1]))
        else:
            FAULTS.get(fault, ok)(self)

    def head(self, status: int, length: object = None, **headers: object) -> None:
        self.send_response(status)
        if length is not None:
            self.send_header("Content-Length", str(length))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def body(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()
        self.server.sent_bytes += len(data)

    def refuse(self, status: int) -> None:
        asks = {"Retry_After": self.server.retry_after} if self.server.retry_after else {}
        self.head(status, len(PAGE), Content_Type="text/html", **asks)
        self.body(PAGE)

    def hang_up(self) -> None:
        self.close_connection = True

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.hang_up()

    def rest_from(self) -> int | None:
        """The offset that Range asks for."""
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(found[1]) if found else None

    def first_half(self, **headers: object) -> bool:
        """On the first request send one half and hang up; say whether that was so."""
        if self.number > 1:
            return False
        self.head(200, len(BODY), Connection="close", **headers)
        self.body(BODY[:HALF])
        self.hang_up()
        return True

    def continued(self, start: int, body: bytes = BODY, claims: str | None = None) -> None:
        claims = claims or f"bytes {start}-{len(body) - 1}/{len(body)}"
        self.head(206, len(body) - start, Content_Range=claims, ETag=ETAG)
        self.body(body[start:])

    def log_message(self, *arguments: Any) -> None:
        pass


def fault(function: Fault) -> Fault:
    """Offer ``function`` under its name, ``_`` becoming ``-``."""
    FAULTS[function.__name__.replace("_", "-")] = function
    return function


@fault
def ok(x: Exchange) -> None:
    x.head(200, len(BODY), ETag=ETAG)
    x.body(BODY)


@fault
def slow(x: Exchange) -> None:
    """Whole, but long enough for others to arrive meanwhile."""
    x.head(200, len(BODY), ETag=ETAG)
    for start in range(0, len(BODY), 20_000):
        x.body(BODY[start : start + 20_000])
        x.server.closing.wait(0.05)


@fault
def half_then_wait(x: Exchange) -> None:
    x.head(200, len(BODY))
    x.body(BODY[:HALF])
    x.server.closing.wait()
    x.hang_up()


@fault
def half_then_wait_once(x: Exchange) -> None:
    half_then_wait(x) if x.number == 1 else ok(x)


@fault
def short(x: Exchange) -> None:
    x.head(200, len(BODY), Connection="close")
    x.body(BODY[:HALF])
    x.hang_up()


@fault
def short_without_length(x: Exchange) -> None:
    x.head(200, Connection="close")
    x.body(BODY[:HALF])
    x.hang_up()


@fault
def chunks_cut(x: Exchange) -> None:
    x.head(200, Transfer_Encoding="chunked", Connection="close")
    x.body(b"%x\r\n" % len(BODY) + BODY[:HALF])
    x.hang_up()


@fault
def chunks_ended_early(x: Exchange) -> None:
    x.head(200, Transfer_Encoding="chunked", Connection="close")
    x.body(b"%x\r\n" % HALF + BODY[:HALF] + b"\r\n0\r\n\r\n")
    x.hang_up()


@fault
def empty(x: Exchange) -> None:
    x.head(200, 0)


@fault
def bigger(x: Exchange) -> None:
    x.head(200, len(BODY) + 1000)
    x.body(BODY + b"x" * 1000)


@fault
def endless(x: Exchange) -> None:
    x.head(200, Transfer_Encoding="chunked")
    while not x.server.closing.is_set():
        x.body(b"%x\r\n" % len(BODY) + BODY + b"\r\n")


@fault
def trailing_bytes(x: Exchange) -> None:
    x.head(200, len(BODY), Connection="close")
    x.body(BODY + b"x" * 1000)
    x.hang_up()


@fault
def without_length(x: Exchange) -> None:
    x.head(200, Connection="close")
    x.body(BODY)
    x.hang_up()


@fault
def banana_length(x: Exchange) -> None:
    x.head(200, "banana", Connection="close")
    x.body(BODY)
    x.hang_up()


@fault
def negative_length(x: Exchange) -> None:
    x.head(200, -5, Connection="close")
    x.body(BODY)
    x.hang_up()


@fault
def page(x: Exchange) -> None:
    x.head(200, len(PAGE), Content_Type="text/html")
    x.body(PAGE)


@fault
def page_as_text(x: Exchange) -> None:
    text = b"\n<!doctype html><p>Quota exceeded"
    x.head(200, len(text), Content_Type="text/plain")
    x.body(text)


@fault
def pointer(x: Exchange) -> None:
    x.head(200, len(POINTER))
    x.body(POINTER)


@fault
def packed(x: Exchange) -> None:
    data = gzip.compress(BODY)
    x.head(200, len(data), Content_Encoding="gzip")
    x.body(data)


@fault
def packed_bomb(x: Exchange) -> None:
    data = gzip.compress(b"\0" * 20_000_000)
    x.head(200, len(data), Content_Encoding="gzip")
    x.body(data)


@fault
def reset_once(x: Exchange) -> None:
    start = x.rest_from()
    if start is None:
        x.head(200, len(BODY), ETag=ETAG)
        x.body(BODY[:HALF])
        x.reset()
    else:
        x.continued(start)


@fault
def break_once(x: Exchange) -> None:
    if not x.first_half(ETag=ETAG):
        start = x.rest_from()
        ok(x) if start is None else x.continued(start)


@fault
def break_once_weak(x: Exchange) -> None:
    if not x.first_half(ETag=f"W/{ETAG}"):
        ok(x)


@fault
def ignores_range(x: Exchange) -> None:
    if not x.first_half(ETag=ETAG):
        ok(x)


@fault
def wrong_range(x: Exchange) -> None:
    start = x.rest_from()
    if not x.first_half(ETag=ETAG):
        ok(x) if start is None else x.continued(start - 10)


@fault
def silent_range(x: Exchange) -> None:
    start = x.rest_from()
    if not x.first_half(ETag=ETAG):
        ok(x) if start is None else x.continued(start, claims="bytes")


@fault
def not_satisfiable(x: Exchange) -> None:
    if not x.first_half(ETag=ETAG):
        ok(x) if x.rest_from() is None else x.head(416, 0)


@fault
def changed(x: Exchange) -> None:
    """Half of one file, then another file of the same size."""
    if not x.first_half(ETag=ETAG):
        other = BODY[::-1]
        if x.headers.get("If-Range") == ETAG or x.rest_from() is None:
            x.head(200, len(other), ETag='"v2"')
            x.body(other)
        else:
            x.continued(x.rest_from() or 0, other)


@fault
def flipped(x: Exchange) -> None:
    data = bytearray(BODY)
    data[HALF] ^= 1
    x.head(200, len(data), ETag=ETAG)
    x.body(bytes(data))


@fault
def flipped_once(x: Exchange) -> None:
    flipped(x) if x.number == 1 else ok(x)


@fault
def no_content(x: Exchange) -> None:
    x.head(204)


@fault
def silent(x: Exchange) -> None:
    x.server.closing.wait()
    x.hang_up()


@fault
def drip(x: Exchange) -> None:
    x.head(200, len(BODY))
    for start in range(len(BODY)):
        x.body(BODY[start : start + 1])
        if x.server.closing.wait(0.01):
            break
    x.hang_up()


@fault
def redirect(x: Exchange) -> None:
    """To where a signed address lies, its secret in the query."""
    x.head(302, 0, Location="/ok/file?signature=SECRET")


@fault
def redirect_with_endless_body(x: Exchange) -> None:
    x.head(302, Transfer_Encoding="chunked", Location="/ok/file")
    while not x.server.closing.is_set():
        x.body(b"%x\r\n" % len(BODY) + BODY + b"\r\n")


@fault
def redirect_to_missing(x: Exchange) -> None:
    x.head(302, 0, Location="/status-404/file?signature=SECRET")


@fault
def redirect_loop(x: Exchange) -> None:
    x.head(302, 0, Location="/redirect-loop/file")


@fault
def redirect_to_file(x: Exchange) -> None:
    x.head(302, 0, Location="file:///etc/hostname")


@fault
def redirect_to_ftp(x: Exchange) -> None:
    x.head(302, 0, Location="ftp://127.0.0.1:1/file")


@fault
def redirect_to_data(x: Exchange) -> None:
    x.head(302, 0, Location="data:text/plain,hello")


@fault
def redirect_to_http(x: Exchange) -> None:
    x.head(302, 0, Location="http://127.0.0.1:1/file")


@fault
def redirect_to_nonsense(x: Exchange) -> None:
    x.head(302, 0, Location="https://[half")
