"""The pages that training, measuring and comparing write, in a browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import cnnzoo

from .conftest import DESKTOP, PHONE, blank, harm, too_wide

PAGES = ("run/report.html", "again/report.html", "measured/report.html", "compared.html")


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a report of every kind."""
    folder = tmp_path_factory.mktemp("reports")
    for name, seed in (("run", 0), ("again", 1)):
        cnnzoo.fine_tune(
            "lenet5",
            data="digits",
            settings={"epochs": 2, "augment": ["rotate 10", "shift 0.1"]},
            seed=seed,
            out=folder / name,
            progress=False,
        )
    cnnzoo.evaluate(folder / "run", data="digits", out=folder / "measured", progress=False)
    overlay = cnnzoo.compare_runs(folder / "run", folder / "again")
    overlay.save(folder / "compared.html")
    return folder


def _visit(open_page: Any, pages: Path, path: str, **settings: Any) -> Any:
    return open_page(pages.as_uri(), path, **settings)


@pytest.mark.parametrize("path", PAGES)
def test_page_draws_its_pictures_and_asks_for_nothing(open_page, pages, path):
    page = _visit(open_page, pages, path)
    assert page.locator("h1").count() == 1
    assert blank(page) == []
    assert page.locator("svg, img").count() > 0


@pytest.mark.parametrize("look", [PHONE, DESKTOP], ids=["phone", "desktop"])
@pytest.mark.parametrize("path", PAGES)
def test_page_fits_its_window(open_page, pages, path, look):
    assert too_wide(_visit(open_page, pages, path, viewport=look)) <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_page_has_no_serious_barrier(open_page, pages, path, scheme):
    assert harm(_visit(open_page, pages, path, color_scheme=scheme)) == []


def test_report_is_dark_in_the_dark(open_page, pages):
    grounds = [
        _visit(open_page, pages, PAGES[0], color_scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        for scheme in ("light", "dark")
    ]
    assert grounds[0] != grounds[1]
