"""Shared by all tests: quiet frameworks, no network, nothing left registered."""

from __future__ import annotations

import gc
import os
import socket
import tempfile
from collections.abc import Iterator

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("MPLBACKEND", "Agg")
_CACHE = tempfile.TemporaryDirectory(prefix="cnnzoo-tests-")  # nothing goes into the user's own
os.environ["CNNZOO_CACHE"] = _CACHE.name
LOOPBACK = ("127.0.0.1", "::1", "localhost")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes name no test: what gzip packs holds the second, and workers must collect alike."""
    return argname if isinstance(val, bytes) else None


@pytest.fixture(autouse=True, scope="module")
def _no_garbage() -> Iterator[None]:
    """Networks hold themselves in cycles; a file of tests does not leave its own to the next."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests are offline: only the loopback interface answers."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> None:
        host = address[0] if isinstance(address, tuple) else None
        if self.family in (socket.AF_INET, socket.AF_INET6) and host not in LOOPBACK:
            raise AssertionError(f"a test reached for the network: {address}")
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
