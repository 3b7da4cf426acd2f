"""One HTTP exchange: every address checked, no credentials, failures in plain words."""

from __future__ import annotations

import contextlib
import os
import re
import ssl
from collections.abc import Iterator
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException, responses
from typing import Any, NamedTuple
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

_REDIRECTS = 5
_MIND_CHANGERS = (408, 425, 429, 500, 502, 503, 504)  # asking again can help
_NETWORK_ERRORS = (OSError, ValueError, HTTPException, urllib3.exceptions.HTTPError)
_TIMEOUTS = (TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError)


class Failure(Exception):
    """One attempt that brought no file.

    Attributes:
        retry: Whether asking the same address again can help.
        wait_seconds: How long the server asks to wait.
        wrong_file: Whether the server sent a whole file, and not the one on record.
        bytes_per_second: How fast it was, where that is the reason.
    """

    def __init__(
        self,
        reason: str,
        *,
        retry: bool = False,
        wait_seconds: float | None = None,
        wrong_file: bool = False,
        bytes_per_second: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.retry = retry
        self.wait_seconds = wait_seconds
        self.wrong_file = wrong_file
        self.bytes_per_second = bytes_per_second


class Source(NamedTuple):
    """An address, and whether plain http on 127.0.0.1 is good enough there (a local mirror)."""

    url: str
    loopback: bool = False


def new_session() -> requests.Session:
    """A session that honours proxies and certificate bundles and sends no credentials."""
    session = requests.Session()
    # `get` follows redirects; the library would first read each one's body, however long.
    session.get_redirect_target = _no_target
    session.auth = _no_credentials  # otherwise .netrc is searched
    session.headers = requests.structures.CaseInsensitiveDict(
        {"User-Agent": "cnnzoo", "Accept": "*/*", "Accept-Encoding": "identity"}
    )
    return session


@contextlib.contextmanager
def get(
    session: requests.Session,
    source: Source,
    headers: dict[str, str],
    timeout: tuple[float, float],
) -> Iterator[requests.Response]:
    """Yield the answer to GET, body unread, after at most five checked redirects.

    Args:
        timeout: Seconds to connect, seconds of silence while reading.

    Raises:
        Failure: No answer, a refusal, or a redirect to where no file is fetched from.
    """
    url = source.url
    for _ in range(_REDIRECTS + 1):
        _check_address(url, source)
        try:
            response = session.get(
                url, headers=headers, stream=True, allow_redirects=False, timeout=timeout
            )
        except _NETWORK_ERRORS as error:
            raise _explained(error, url) from error
        with contextlib.closing(response):
            if not response.is_redirect:
                _check_status(response)
                yield response
                return
            url = _joined(url, response.headers["Location"])
    raise Failure(f"it redirects more than {_REDIRECTS} times")


def read(response: requests.Response, at_most_bytes: int) -> bytes:
    """The bytes that have arrived, undecoded; none at the end of the body.

    It does not wait until ``at_most_bytes`` are there: that would hide a trickle.

    Raises:
        Failure: The connection broke or fell silent.
    """
    try:
        chunk: bytes = response.raw.read1(at_most_bytes, decode_content=False)
    except _TIMEOUTS as error:
        raise Failure("the server fell silent", retry=True) from error
    except _NETWORK_ERRORS as error:
        raise Failure("the connection broke", retry=True) from error
    return chunk


def redacted(url: str) -> str:
    """The address without user name, query and fragment: those can hold secrets."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"


def by_way_of(url: str) -> str:
    """`` through the proxy http://host:8080 (HTTPS_PROXY)``, or nothing without a proxy."""
    proxies = requests.utils.get_environ_proxies(url, no_proxy=None)
    proxy = requests.utils.select_proxy(url, proxies)
    if not proxy:
        return ""
    names = (f"{urlsplit(url).scheme}_proxy", "all_proxy")
    set_here = [n for name in names for n in (name, name.upper()) if os.environ.get(n)]
    origin = f" ({set_here[0]})" if set_here else ""
    return f" through the proxy {redacted(proxy)}{origin}"


def announced_bytes(response: requests.Response) -> int | None:
    """The body's length as the server states it; None when it states none that makes sense."""
    stated = response.headers.get("Content-Length", "")
    return int(stated) if re.fullmatch(r"[0-9]{1,15}", stated) else None


def strong_etag(response: requests.Response) -> str:
    """The version of the file in a form that ``If-Range`` accepts, or nothing."""
    etag = str(response.headers.get("ETag", "")).strip()
    return etag if re.fullmatch(r'"[\x21\x23-\x7e]*"', etag) else ""


def continues_at(response: requests.Response) -> int | None:
    """The offset at which a partial answer starts, or None when it does not say."""
    stated = response.headers.get("Content-Range", "")
    found = re.fullmatch(r"bytes ([0-9]{1,15})-[0-9]+/([0-9]+|\*)", stated)
    return int(found[1]) if found else None


def _no_target(response: requests.Response) -> None:
    return None


def _no_credentials(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:  # half an IPv6 address
        raise Failure("it redirects to an address that makes no sense") from error


def _check_address(url: str, source: Source) -> None:
    parts = urlsplit(url)
    if parts.scheme == "https" and parts.hostname:
        return
    if source.loopback and parts.scheme == "http" and parts.hostname == "127.0.0.1":
        return
    raise Failure(f"it leads to {parts.scheme}://{parts.hostname or ''}; only https is followed")


def _check_status(response: requests.Response) -> None:
    status = response.status_code
    if status in (200, 206, 416):
        return
    if status < 300:
        raise Failure(f"the server sent no file (HTTP {status})")
    words = responses.get(status, "")
    raise Failure(
        f"the server answered HTTP {status} {words}".rstrip(),
        retry=status in _MIND_CHANGERS,
        wait_seconds=_retry_after(response),
    )


def _retry_after(response: requests.Response) -> float | None:
    """Seconds the server asks to wait; a date is measured against the server's own clock."""
    stated = response.headers.get("Retry-After", "").strip()
    if re.fullmatch(r"[0-9]{1,9}", stated):
        return float(stated)
    try:
        now = parsedate_to_datetime(response.headers.get("Date", ""))
        wait: timedelta = parsedate_to_datetime(stated) - now
    except (TypeError, ValueError, OverflowError):
        return None
    return max(0.0, wait.total_seconds())


def _explained(error: BaseException, url: str) -> Failure:
    causes = list(_causes(error))
    host = urlsplit(url).netloc.rpartition("@")[2]
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = cause.verify_message
            clock = "; check the system clock" if re.search("expired|not yet", reason) else ""
            return Failure(f"the certificate of {host} is refused: {reason}{clock}")
    words = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), "")
    if not words and any(isinstance(cause, _TIMEOUTS) for cause in causes):
        return Failure(f"{host} does not answer in time", retry=True)
    reason = words or str(causes[-1]) or type(causes[-1]).__name__
    lasting = isinstance(error, ValueError)  # requests' word for an address that cannot work
    return Failure(f"{host} cannot be reached: {reason}", retry=not lasting)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it wraps, outermost first; each library wraps in its own way."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        current = waiting.pop(0)
        if isinstance(current, BaseException) and id(current) not in seen:
            seen.add(id(current))
            yield current
            waiting += [getattr(current, "reason", None), *current.args, current.__cause__]
            waiting.append(current.__context__)
