"""The pages of the ideas show what their lines print, and the pictures there are."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest
import yaml
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "ideas"
PAGES = sorted(FOLDER.glob("*.md"))
RUN = [page for page in PAGES if "```python" in page.read_text("utf-8")]
BLOCK = re.compile(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)
PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)#]+)")


@pytest.fixture
def pictures(monkeypatch):
    """Path within the site -> what the scripts of the site draw."""
    monkeypatch.syspath_prepend(ROOT / "docs")
    from _site.ideas_photos import photos
    from _site.ideas_pictures import drawings

    return drawings() | photos()


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_page_shows_what_its_lines_print(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for code, text in BLOCK.findall(page.read_text("utf-8")):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(code, names)
        assert out.getvalue() == text


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.stem)
def test_nothing_is_shown_as_printed_that_no_line_prints(page):
    text = page.read_text("utf-8")
    shown = [printed for _, printed in BLOCK.findall(text) if printed]
    assert text.count("```text\n") == len(shown) > 0
    assert text.count("```") == 2 * (len(BLOCK.findall(text)) + len(shown))


def test_every_page_is_in_the_navigation_and_in_the_list():
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    entries = next(section["Ideas"] for section in navigation if "Ideas" in section)
    listed = [path for entry in entries for path in entry.values()]
    assert sorted(listed) == [f"ideas/{page.name}" for page in PAGES]
    index = (FOLDER / "index.md").read_text("utf-8")
    rows = re.findall(r"^\| \[.*?\]\(([^)]+)\)", index, re.M)
    assert ["ideas/index.md", *(f"ideas/{row}" for row in rows)] == listed


def test_every_slip_in_the_list_leads_to_a_page_that_tells_of_it():
    index = (FOLDER / "index.md").read_text("utf-8")
    slips = index.split("## Where the slides are wrong")[1]
    told = set(re.findall(r"\]\(([^)/]+\.md)\)", slips))
    telling = {page.name for page in RUN if "!!! failure" in page.read_text("utf-8")}
    assert told == telling


def test_every_picture_is_drawn_shown_and_described(pictures):
    shown = [pair for page in PAGES for pair in PICTURE.findall(page.read_text("utf-8"))]
    assert sorted(f"ideas/{path}" for _, path in shown) == sorted(pictures)
    assert all(len(words) > 15 for words, _ in shown)


def test_photos_are_small_enough_for_a_page(pictures):
    photos = {path: data for path, data in pictures.items() if path.endswith(".jpg")}
    assert {Image.open(io.BytesIO(data)).size for data in photos.values()} == {(240, 160)}
    assert max(map(len, photos.values())) < 30_000


def test_drawings_are_the_same_each_time_and_differ_by_scheme(pictures):
    from _site.ideas_pictures import drawings

    again = drawings()
    assert again == {path: pictures[path] for path in again}
    light = [path for path in again if path.endswith("-light.svg")]
    assert light
    assert all(again[path] != again[path.replace("-light", "-dark")] for path in light)
