"""Rows D1 to D30 of the fault matrix: what can go wrong between an address and a whole file."""

from __future__ import annotations

import dataclasses
import itertools
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from fault_server import BODY, CERTIFICATES, HALF, FaultServer

from cnnzoo.errors import CnnZooError, DownloadError, IntegrityError
from cnnzoo.pretrained.http import Source
from cnnzoo.pretrained.partial import partial_for
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.pretrained.transfer import Limits, transfer

Receive = Callable[..., bytes]


@pytest.fixture
def receive(tmp_path: Path, file: RemoteFile, limits: Limits) -> Receive:
    """Transfer from addresses, in order, and return the bytes that were accepted."""

    def run(*urls: str, loopback: bool = True, file: RemoteFile = file, **changes: object) -> bytes:
        target = tmp_path / "received"
        sources = [Source(url, loopback) for url in urls]
        changed = dataclasses.replace(limits, **changes)
        try:
            with partial_for(target, file) as partial:
                transfer(file, sources, partial, lambda received: None, changed)
            return target.read_bytes()
        finally:
            assert not list(tmp_path.glob(".cnnzoo*")), "a temporary file is left behind"

    return run


def failed(receive: Receive, *urls: str, **changes: object) -> CnnZooError:
    with pytest.raises((DownloadError, IntegrityError)) as caught:
        receive(*urls, **changes)
    return caught.value


def test_a_whole_file_arrives_with_one_request(receive: Receive, server: FaultServer) -> None:
    assert receive(f"{server.url}/ok/f") == BODY
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("short", id="D1"),
        pytest.param("short-without-length", id="D2"),
        pytest.param("chunks-cut", id="D3-cut"),
        pytest.param("chunks-ended-early", id="D3-ended"),
    ],
)
def test_a_cut_body_is_called_cut_and_not_a_wrong_hash(
    receive: Receive, server: FaultServer, fault: str
) -> None:
    error = failed(receive, f"{server.url}/{fault}/f")
    assert isinstance(error, DownloadError)
    assert "after 100,004 of 200,008 bytes" in str(error)
    assert "sha256" not in str(error)
    assert server.times(fault) == Limits().attempts


def test_an_empty_file_is_another_file(receive: Receive, server: FaultServer) -> None:
    """D4: an honest length that is not the one on record."""
    assert "file has 0 bytes, the file on record" in str(failed(receive, f"{server.url}/empty/f"))


def test_a_longer_file_is_refused_before_it_is_written(
    receive: Receive, server: FaultServer
) -> None:
    """D4: an honest length that is not the one on record."""
    error = failed(receive, f"{server.url}/bigger/f", chunk_bytes=8192)
    assert isinstance(error, IntegrityError)
    assert "201,008 bytes, the file on record 200,008" in str(error)
    assert server.times("bigger") == 1


def test_an_endless_body_is_left_at_the_first_byte_too_many(
    receive: Receive, server: FaultServer, tmp_path: Path, file: RemoteFile, limits: Limits
) -> None:
    """D4."""
    largest = 0

    def note(received: int) -> None:
        nonlocal largest
        largest = max(largest, received)

    sources = [Source(f"{server.url}/endless/f", True)]
    with (
        pytest.raises(IntegrityError, match="more than 200,008 bytes"),
        partial_for(tmp_path / "x", file) as partial,
    ):
        transfer(file, sources, partial, note, limits)
    assert largest <= len(BODY)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param("trailing-bytes", id="D4-honest-length"),
        pytest.param("without-length", id="D5-none"),
        pytest.param("banana-length", id="D5-banana"),
        pytest.param("negative-length", id="D5-negative"),
    ],
)
def test_a_whole_body_is_accepted_whatever_the_header_says(
    receive: Receive, server: FaultServer, fault: str
) -> None:
    assert receive(f"{server.url}/{fault}/f") == BODY


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param("page", "a web page titled 'Sign in'", id="D6-html"),
        pytest.param("page-as-text", "a web page", id="D6-text"),
        pytest.param("pointer", "a git-LFS pointer", id="D7"),
        pytest.param("packed", "packs the file (gzip)", id="D8-gzip"),
        pytest.param("packed-bomb", "packs the file (gzip)", id="D8-bomb"),
        pytest.param("no-content", "no file (HTTP 204)", id="D6-204"),
    ],
)
def test_what_is_no_file_is_named_asked_once_and_the_mirror_is_next(
    receive: Receive, server: FaultServer, fault: str, words: str
) -> None:
    error = failed(receive, f"{server.url}/{fault}/f")
    assert isinstance(error, DownloadError)
    assert words in str(error)
    assert server.times(fault) == 1
    assert receive(f"{server.url}/{fault}/f", f"{server.url}/ok/f") == BODY


def test_packing_is_never_asked_for(receive: Receive, server: FaultServer) -> None:
    """D8."""
    receive(f"{server.url}/ok/f")
    assert server.asked[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize(
    "fault", [pytest.param("reset-once", id="D9-rst"), pytest.param("break-once", id="D9-fin")]
)
def test_a_broken_connection_is_resumed(receive: Receive, server: FaultServer, fault: str) -> None:
    assert receive(f"{server.url}/{fault}/f") == BODY
    assert len(server.asked) == 2
    second = server.asked[1].headers
    assert 0 < int(second["Range"].removeprefix("bytes=").removesuffix("-")) <= HALF
    assert second["If-Range"] == '"v1"'
    assert server.sent_bytes < 1.6 * len(BODY)


@pytest.mark.parametrize(
    ("fault", "requests"),
    [
        pytest.param("ignores-range", 2, id="D10"),
        pytest.param("wrong-range", 3, id="D11-wrong"),
        pytest.param("silent-range", 3, id="D11-absent"),
        pytest.param("break-once-weak", 2, id="D13"),
        pytest.param("not-satisfiable", 3, id="D14"),
    ],
)
def test_a_server_that_cannot_continue_is_asked_from_the_start(
    receive: Receive, server: FaultServer, fault: str, requests: int
) -> None:
    assert receive(f"{server.url}/{fault}/f") == BODY
    assert len(server.asked) == requests
    assert "Range" not in server.asked[-1].headers or fault == "ignores-range"


def test_a_weak_etag_is_never_sent_back(receive: Receive, server: FaultServer) -> None:
    """D13."""
    receive(f"{server.url}/break-once-weak/f")
    assert "If-Range" not in server.asked[1].headers


def test_a_file_that_changes_on_the_way_is_judged_by_its_hash(
    receive: Receive, server: FaultServer
) -> None:
    """D12."""
    error = failed(receive, f"{server.url}/changed/f")
    assert isinstance(error, IntegrityError)
    assert server.asked[1].headers["If-Range"] == '"v1"'
    assert server.asked[2].headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_busy_server_is_asked_again(
    receive: Receive, server: FaultServer, waits: list[float], status: int
) -> None:
    """D15."""
    assert receive(f"{server.url}/status-{status}-x2/f") == BODY
    assert waits == [1.0, 2.0]


def test_waiting_doubles_up_to_a_limit_and_is_drawn_at_random(
    receive: Receive, server: FaultServer, waits: list[float]
) -> None:
    """D15, R5."""
    draws = itertools.cycle([0.5, 1.0])
    failed(receive, f"{server.url}/status-503/f", attempts=9, fraction=lambda: next(draws))
    assert waits == [0.5, 2.0, 2.0, 8.0, 8.0, 30.0, 15.0, 30.0]
    assert server.times("status-503") == 9


@pytest.mark.parametrize(
    ("stated", "wait"),
    [
        pytest.param("7", 7.0, id="seconds"),
        pytest.param("0", 0.0, id="zero"),
        pytest.param("999999", 120.0, id="huge"),
        pytest.param("Wed, 21 Oct 2015 07:28:00 GMT", 0.0, id="past"),
        pytest.param("Fri, 31 Dec 9999 23:59:59 GMT", 120.0, id="future"),
        pytest.param("soon", 1.0, id="garbage"),
        pytest.param("-3", 1.0, id="negative"),
        pytest.param("Wed, 99 Oct 2015 99:99:99", 1.0, id="no-date"),
    ],
)
def test_retry_after_is_honoured_within_reason(
    receive: Receive, server: FaultServer, waits: list[float], stated: str, wait: float
) -> None:
    """D15."""
    server.retry_after = stated
    assert receive(f"{server.url}/status-503-x1/f") == BODY
    assert waits == [wait]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
def test_a_refusal_is_final_at_one_address_and_the_mirror_is_next(
    receive: Receive, server: FaultServer, waits: list[float], status: int
) -> None:
    """D16."""
    error = failed(receive, f"{server.url}/status-{status}/f?key=SECRET")
    assert isinstance(error, DownloadError)
    assert f"HTTP {status}" in str(error)
    assert f"{server.url}/status-{status}/f" in str(error)
    assert "SECRET" not in str(error)
    assert server.times(f"status-{status}") == 1
    assert not waits
    assert receive(f"{server.url}/status-{status}/f", f"{server.url}/ok/f") == BODY


def test_a_closed_port_is_named_and_given_up(receive: Receive, waits: list[float]) -> None:
    """D17."""
    error = failed(receive, "http://127.0.0.1:1/f")
    assert "127.0.0.1:1 cannot be reached: Connection refused" in str(error)
    assert len(waits) == 4


def test_a_name_that_does_not_resolve_is_named(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D17."""

    def unknown(*arguments: object, **options: object) -> list[object]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = failed(receive, "https://weights.invalid/f", loopback=False)
    assert "weights.invalid cannot be reached: Name or service not known" in str(error)


def test_a_server_that_never_answers_is_given_up(receive: Receive, server: FaultServer) -> None:
    """D17."""
    error = failed(receive, f"{server.url}/silent/f", attempts=2, silence_seconds=0.3)
    assert "does not answer in time" in str(error)
    assert server.times("silent") == 2


def test_a_server_that_falls_silent_is_given_up(receive: Receive, server: FaultServer) -> None:
    """D17."""
    error = failed(receive, f"{server.url}/half-then-wait/f", attempts=1, silence_seconds=0.3)
    assert "the server fell silent after 100,004 of 200,008 bytes" in str(error)


def test_a_trickle_is_called_a_stall(receive: Receive, server: FaultServer) -> None:
    """D18: one byte per 10 ms, never silent long enough for a read timeout."""
    error = failed(receive, f"{server.url}/drip/f", attempts=1, stall_seconds=0.2)
    assert "it stalls" in str(error)


def test_a_slow_address_is_left_for_the_next(receive: Receive, server: FaultServer) -> None:
    """D18: a throttled server never stalls; somebody else has the file."""
    limits = {"hurry_seconds": 0.1, "least_deadline_seconds": 10}
    assert receive(f"{server.url}/drip/f", f"{server.url}/ok/f", **limits) == BODY
    assert [asked.fault for asked in server.asked] == ["drip", "ok"]
    assert server.sent_bytes < len(BODY) + 500  # long before the deadline


def test_the_fastest_of_slow_addresses_gets_its_time(receive: Receive, server: FaultServer) -> None:
    """D18: when every address is slow, it is the line that is slow."""
    urls = [f"{server.url}/{fault}/f" for fault in ("drip", "slow", "status-404")]
    limits = {"hurry_seconds": 0.1, "least_deadline_seconds": 10, "expected_bytes_per_second": 1e12}
    assert receive(*urls, **limits) == BODY
    assert [asked.fault for asked in server.asked] == ["drip", "slow", "status-404", "slow"]


def test_a_slow_transfer_ends_at_the_deadline(receive: Receive, server: FaultServer) -> None:
    """D18."""
    error = failed(
        receive,
        f"{server.url}/drip/f",
        least_deadline_seconds=0.2,
        expected_bytes_per_second=1e9,
    )
    assert "too slow" in str(error)
    assert server.times("drip") == 1


def test_nobody_waits_past_the_deadline(
    receive: Receive, server: FaultServer, waits: list[float]
) -> None:
    """D18."""
    server.retry_after = "100"
    failed(receive, f"{server.url}/status-503/f", least_deadline_seconds=60.0)
    assert not waits


@pytest.mark.parametrize("fault", ["redirect", "redirect-with-endless-body"])
def test_a_redirect_is_followed_without_reading_its_body(
    receive: Receive, server: FaultServer, fault: str
) -> None:
    """D19."""
    assert receive(f"{server.url}/{fault}/f") == BODY


def test_a_redirect_loop_ends_after_six_requests(receive: Receive, server: FaultServer) -> None:
    """D19."""
    error = failed(receive, f"{server.url}/redirect-loop/f")
    assert "more than 5 times" in str(error)
    assert len(server.asked) == 6


@pytest.mark.parametrize("scheme", ["file", "ftp", "data"])
def test_only_https_is_followed(receive: Receive, server: FaultServer, scheme: str) -> None:
    """D20."""
    error = failed(receive, f"{server.url}/redirect-to-{scheme}/f")
    assert f"it leads to {scheme}://" in str(error)


def test_plain_http_is_refused_even_on_the_loopback_when_nobody_allowed_it(
    receive: Receive, server: FaultServer
) -> None:
    """D20."""
    error = failed(receive, f"{server.url}/ok/f", loopback=False)
    assert "only https is followed" in str(error)
    assert not server.asked


def test_a_local_mirror_may_not_be_a_remote_host_over_plain_http(receive: Receive) -> None:
    """D20."""
    assert "only https is followed" in str(failed(receive, "http://127.0.0.1.example.org/f"))


def test_a_redirect_to_an_address_that_makes_no_sense_is_a_failure(
    receive: Receive, server: FaultServer
) -> None:
    """D20."""
    assert "no sense" in str(failed(receive, f"{server.url}/redirect-to-nonsense/f"))


def test_no_credentials_are_sent(
    receive: Receive, server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D21."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password SECRET\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    receive(f"{server.url}/redirect/f")
    assert [a.headers.get("Authorization") for a in server.asked] == [None, None]


def test_a_proxy_of_the_environment_is_used(
    receive: Receive, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D22."""
    monkeypatch.setenv("HTTP_PROXY", server.url)
    assert receive("http://127.0.0.1:1/ok/f") == BODY
    assert server.asked[0].through_proxy


def test_no_proxy_is_obeyed(
    receive: Receive, server: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D22."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    assert receive(f"{server.url}/ok/f") == BODY
    assert not server.asked[0].through_proxy


@pytest.mark.parametrize(
    ("fault", "words"), [("status-407", "HTTP 407"), ("page", "a web page titled 'Sign in'")]
)
def test_what_a_proxy_says_instead_names_the_proxy(
    receive: Receive,
    server: FaultServer,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
    words: str,
) -> None:
    """D22."""
    monkeypatch.setenv("HTTP_PROXY", server.url.replace("//", "//me:SECRET@"))
    error = failed(receive, f"http://127.0.0.1:1/{fault}/f")
    assert words in str(error)
    assert f"through the proxy {server.url} (HTTP_PROXY)" in str(error)
    assert "SECRET" not in str(error)


def test_a_dead_proxy_is_named(receive: Receive, monkeypatch: pytest.MonkeyPatch) -> None:
    """D22."""
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    error = failed(receive, "https://weights.invalid/f", loopback=False)
    assert "through the proxy http://127.0.0.1:1 (https_proxy)" in str(error)
    assert "Connection refused" in str(error)


def test_a_certificate_bundle_of_the_environment_is_trusted(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D23."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATES / "authority.pem"))
    with FaultServer("good") as server:
        assert receive(f"{server.url}/ok/f", loopback=False) == BODY


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ("expired", "expired; check the system clock"),
        ("future", "not yet valid; check the system clock"),
        ("elsewhere", "IP address mismatch"),
    ],
)
def test_a_bad_certificate_is_refused_with_its_reason(
    receive: Receive, monkeypatch: pytest.MonkeyPatch, certificate: str, words: str
) -> None:
    """D23."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATES / "authority.pem"))
    with FaultServer(certificate) as server:
        error = failed(receive, f"{server.url}/ok/f", loopback=False)
        assert "the certificate of 127.0.0.1" in str(error)
        assert words in str(error)
        assert not server.asked


def test_an_unknown_authority_is_refused(receive: Receive, waits: list[float]) -> None:
    """D23."""
    with FaultServer("good") as server:
        error = failed(receive, f"{server.url}/ok/f", loopback=False)
    assert "unable to get local issuer certificate" in str(error)
    assert not waits


def test_a_redirect_from_https_to_http_is_refused(
    receive: Receive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D20."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(CERTIFICATES / "authority.pem"))
    with FaultServer("good") as server:
        error = failed(receive, f"{server.url}/redirect-to-http/f", loopback=False)
    assert "it leads to http://127.0.0.1; only https is followed" in str(error)


def test_wrong_bytes_are_asked_for_once_more_past_caches_then_refused(
    receive: Receive, server: FaultServer, file: RemoteFile
) -> None:
    """D24."""
    error = failed(receive, f"{server.url}/flipped/f")
    assert isinstance(error, IntegrityError)
    assert file.digest in str(error)
    assert server.url in str(error)
    assert [a.headers.get("Cache-Control") for a in server.asked] == [None, "no-cache"]


def test_wrong_bytes_from_a_stale_cache_are_forgiven(receive: Receive, server: FaultServer) -> None:
    """D24."""
    assert receive(f"{server.url}/flipped-once/f") == BODY


def test_when_every_address_fails_each_is_listed_with_its_reason(
    receive: Receive, server: FaultServer
) -> None:
    """D25."""
    error = failed(
        receive, f"{server.url}/status-404/f", f"{server.url}/flipped/f", f"{server.url}/page/f"
    )
    assert isinstance(error, DownloadError)
    for words in (
        "/status-404/f (the server answered HTTP 404",
        "/flipped/f (the sha256",
        "/page/",
    ):
        assert words in str(error)
    assert "\n" not in str(error)


def test_bytes_of_a_failed_address_do_not_reach_the_next(
    receive: Receive, server: FaultServer
) -> None:
    """D25."""
    assert receive(f"{server.url}/short/f", f"{server.url}/ok/f", attempts=1) == BODY
    assert "Range" not in server.asked[-1].headers


def test_secrets_of_a_signed_address_are_not_repeated(
    receive: Receive, server: FaultServer
) -> None:
    """D30."""
    error = failed(receive, f"{server.url}/redirect-to-missing/f?token=SECRET")
    assert "HTTP 404" in str(error)
    assert "SECRET" not in str(error)


def test_without_a_size_on_record_the_stated_length_finds_a_cut(
    receive: Receive, server: FaultServer, file: RemoteFile
) -> None:
    """D1 for a file whose publisher states no size."""
    unsized = dataclasses.replace(file, size_bytes=None)
    assert receive(f"{server.url}/ok/f", file=unsized) == BODY
    error = failed(receive, f"{server.url}/short/f", file=unsized)
    assert "after 100,004 bytes" in str(error)


def test_without_a_size_on_record_the_hash_decides(
    receive: Receive, server: FaultServer, file: RemoteFile
) -> None:
    """D2 for a file whose publisher states no size."""
    unsized = dataclasses.replace(file, size_bytes=None)
    error = failed(receive, f"{server.url}/short-without-length/f", file=unsized)
    assert isinstance(error, IntegrityError)
