"""The site, built once, and a browser to look at it with."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DESKTOP = {"width": 1400, "height": 1000}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium of the machine; CNNZOO_REQUIRE_BROWSER=1 forbids to go without."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        message = "no Chromium (apt-get install chromium) or no playwright (extra 'browser')"
        if os.environ.get("CNNZOO_REQUIRE_BROWSER") == "1":
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as play:
        started = play.chromium.launch(executable_path=path)
        yield started
        started.close()


@pytest.fixture(scope="session")
def site(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built site; not built where nothing can look at it."""
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    subprocess.run([*command, "--site-dir", folder], cwd=ROOT, env=environment, check=True)
    return folder


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="session")
def served(site: Path) -> Iterator[str]:
    """Address of the site behind a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=site)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """``open_page(base, path, **settings)`` -> an open page; whatever it complains of fails."""
    complaints: list[str] = []
    contexts = []

    def opened(base: str, path: str, **settings: Any) -> Any:
        context = browser.new_context(**{"viewport": DESKTOP, **settings})
        context.set_default_timeout(120_000)  # milliseconds; machines may be busy
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{path}: {error}"))
        page.on("console", lambda said: _note(said, path, complaints))
        page.on("requestfailed", lambda request: complaints.append(f"{path}: no {request.url}"))
        page.on("request", lambda request: _outside(request.url, base, path, complaints))
        page.goto(f"{base}/{path}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def visit(open_page: Any, served: str, site: Path) -> Callable[..., Any]:
    """``visit(path, files=False, **settings)`` -> an open page of the site.

    ``files`` opens the folder itself, without a server.
    """

    def visited(path: str, *, files: bool = False, **settings: Any) -> Any:
        return open_page(site.as_uri() if files else served, path, **settings)

    return visited


def _note(said: Any, path: str, complaints: list[str]) -> None:
    if said.type in ("error", "warning"):
        complaints.append(f"{path}: {said.text}")


def _outside(url: str, base: str, path: str, complaints: list[str]) -> None:
    if not url.startswith((base, "data:", "blob:", "about:")):
        complaints.append(f"{path} asks for {url}")


# ---- what pages are asked ------------------------------------------------------------------------


def too_wide(page: Any) -> int:
    """Pixels that the page is wider than its window."""
    found: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return found


def blank(page: Any) -> list[str]:
    """Pictures that show nothing."""
    found: list[str] = page.evaluate(
        """() => [...document.images]
            .filter(image => image.complete && !image.naturalWidth)
            .map(image => image.src.slice(0, 200))"""
    )
    return found


def harm(page: Any) -> list[str]:
    """What axe calls serious or worse."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [
        f"{fault['id']}: {node['html'][:150]}"
        for fault in found
        if fault["impact"] in ("serious", "critical")
        for node in fault["nodes"]
    ]
