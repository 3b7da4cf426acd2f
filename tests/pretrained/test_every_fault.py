"""`cnnzoo download resnet50` through a mirror that does everything wrong a mirror can do.

Whatever happens, the cache holds the intact file or nothing, and the command says which.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fault_server import BODY, FAULTS, FaultServer

from cnnzoo.catalogue import weights
from cnnzoo.cli.main import main
from cnnzoo.pretrained import fetch
from cnnzoo.pretrained.cache import blob_path
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.pretrained.transfer import Limits

STATUSES = [f"status-{code}" for code in (400, 401, 403, 404, 410, 416, 429, 500, 502, 503, 504)]


@pytest.fixture(autouse=True)
def _impatient(_quick: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same download, with a clock that runs out in a second."""
    short = Limits(
        connect_seconds=2, silence_seconds=0.3, stall_seconds=0.5, least_deadline_seconds=1.5,
        slowest_bytes_per_second=10**6, attempts=2, sleep=lambda _: None,
    )  # fmt: skip
    monkeypatch.setattr(fetch, "LIMITS", short)


@pytest.fixture(autouse=True)
def _catalogue(catalogue: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(weights, "weights_folder", lambda: catalogue)
    weights.all_weights.cache_clear()
    yield
    weights.all_weights.cache_clear()


@pytest.mark.parametrize("fault", [*FAULTS, *STATUSES, "status-503-x1"])
def test_cache_holds_the_intact_file_or_nothing(
    fault: str,
    server: FaultServer,
    file: RemoteFile,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("CNNZOO_MIRROR", f"{server.url}/{fault}")
    code = main(["download", "resnet50"])
    out, err = capsys.readouterr()
    path = blob_path(file)
    held = [p for p in (tmp_path / "cache").rglob("*") if p.suffix in (".h5", ".part")]
    if code == 0:
        assert (out, held, path.read_bytes()) == (f"{path}\n", [path], BODY)
    else:
        assert (out, held) == ("", [])
        assert code in (3, 4)
        assert err.startswith("cnnzoo: ")
        assert "Traceback" not in err
    monkeypatch.setenv("CNNZOO_MIRROR", f"{server.url}/ok")
    assert main(["download", "resnet50"]) == 0
    assert path.read_bytes() == BODY
