"""A fault server, an empty cache, and no waiting."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_server import BODY, HASH, FaultServer

from cnnzoo.pretrained import fetch
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.pretrained.transfer import Limits

VARIABLES = ("CNNZOO_OFFLINE", "CNNZOO_MIRROR", "NO_PROXY", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
ENTRY = f"""
[[weights]]
tag = "imagenet"
part = "full"
file = "tiny.h5"
urls = ["https://127.0.0.1/tiny.h5"]
size_bytes = {len(BODY)}
hash = "{HASH}"
hash_stated_by = "this test"
format = "keras-h5"
layout = "keras2-nested"
name_map = ""
preprocessing = "bgr-centred"
input_size = [224, 224]
classes = 1000
options = {{}}
dataset = "ImageNet-1k"
licence = "none"
origin = "this test"
evidence = "none"
"""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in (*VARIABLES, *PROXIES):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def file() -> RemoteFile:
    """The file that the server has, published where nobody listens."""
    return RemoteFile("tiny.h5", ("https://127.0.0.1:1/tiny.h5",), HASH, len(BODY))


@pytest.fixture
def waits() -> list[float]:
    """Seconds that downloads would have slept."""
    return []


@pytest.fixture
def limits(waits: list[float]) -> Limits:
    """The real limits, except that nobody sleeps."""
    return Limits(sleep=waits.append, fraction=lambda: 1.0)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, limits: Limits) -> None:
    monkeypatch.setattr(fetch, "LIMITS", limits)


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A weights folder whose ResNet-50 is the file that the server has."""
    folder = tmp_path / "weights"
    (folder / "catalogue").mkdir(parents=True)
    (folder / "catalogue" / "resnet50.toml").write_text(ENTRY)
    return folder
