"""The guides are stored as they ran, and run as they are stored."""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path

import nbformat
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "guides"
PATHS = sorted(FOLDER.glob("*.ipynb"))
MACHINE = re.compile(r"/tmp/|/root/|/work|site-packages|/home/(?!you/)|\x1b|0x[0-9a-f]{8}")
sys.path.insert(0, str(ROOT / "docs"))

from _site import guides, notebooks  # noqa: E402

every_guide = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


def _code(path: Path) -> list[nbformat.NotebookNode]:
    return [cell for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]


def _kinds(notebook: nbformat.NotebookNode) -> list[set[str]]:
    """Of the outputs of each cell: of those that vary too."""
    return [{output.output_type for output in cell.get("outputs", [])} for cell in notebook.cells]


@every_guide
def test_what_is_stored_was_printed_by_the_code_that_is_stored(path):
    notebook = nbformat.read(path, 4)
    nbformat.validate(notebook)
    ran = notebook.metadata["cnnzoo"]["ran"]
    assert ran == notebooks.code_hash(notebook), f"run: make notebooks GUIDES={path.stem}"


def test_hash_follows_code_and_nothing_else():
    cells = [nbformat.v4.new_code_cell("a = 1"), nbformat.v4.new_markdown_cell("words")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    before = notebooks.code_hash(notebook)
    cells[1].source = "other words"
    assert notebooks.code_hash(notebook) == before
    cells[0].source = "a = 2"
    assert notebooks.code_hash(notebook) != before


@every_guide
def test_guide_is_short_ran_from_the_top_and_nothing_complained(path):
    cells = _code(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert len(cells) <= 10
    outputs = [output for cell in cells for output in cell.outputs]
    assert {output.output_type for output in outputs} <= {
        *("stream", "display_data", "execute_result"),
    }
    said = [output.text for output in outputs if output.get("name") == "stderr"]
    assert not re.search("warning|error", " ".join(said), re.IGNORECASE)


@every_guide
def test_guide_says_nothing_of_the_machine_it_ran_on(path):
    for cell in _code(path):
        assert [text for text in notebooks.texts_of(cell) if MACHINE.search(text)] == []


@every_guide
def test_every_picture_of_a_guide_is_described_and_small(path):
    pictures = 0
    for cell in _code(path):
        drawn = [o for o in cell.outputs if set(o.get("data", {})) & set(guides.PICTURES)]
        assert len(drawn) == (1 if "alt" in cell.metadata else 0), cell.source
        assert len(cell.metadata.get("alt", "long enough to tell")) > 15
        sizes = [len(base64.b64decode(o.data.get("image/png", ""))) for o in drawn]
        assert max(sizes, default=0) < 60_000
        pictures += len(drawn)
    made = guides.page(path)
    assert made[f"guides/{path.stem}.md"].count("![") == pictures == len(made) - 1


@every_guide
def test_page_shows_every_line_and_everything_printed(path):
    page = guides.page(path)[f"guides/{path.stem}.md"]
    assert f"]({path.name}){{ download }}" in page
    for cell in _code(path):
        assert all(line.removeprefix("!") in page for line in cell.source.splitlines())
        for output in cell.outputs:
            assert output.get("text", "").rstrip() in page


@every_guide
def test_block_in_the_words_of_a_guide_says_why_it_is_not_run(path):
    words = "\n\n".join(c.source for c in nbformat.read(path, 4).cells if c.cell_type == "markdown")
    fences = re.findall(r"(.*)\n```(\w+)\n", words)
    assert all(before.startswith("<!-- not run: ") for before, kind in fences if kind != "text")


def test_guides_are_in_the_navigation_and_in_the_list_in_one_order():
    navigation = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"]
    entries = next(section["Guides"] for section in navigation if "Guides" in section)
    listed = [path for entry in entries for path in entry.values()]
    index = (FOLDER / "index.md").read_text("utf-8")
    rows = re.findall(r"^\| \[.*?\]\((\w[^)]+)\)", index, re.M)
    assert ["guides/index.md", *(f"guides/{row}" for row in rows)] == listed
    assert sorted(rows) == [f"{path.stem}.md" for path in PATHS]


@pytest.mark.slow
@pytest.mark.filterwarnings("default")  # those of Jupyter's machinery are not ours
@every_guide
def test_guide_runs_and_prints_what_is_stored(path):
    stored, now = nbformat.read(path, 4), notebooks.run(path)
    assert notebooks.texts(now) == notebooks.texts(stored)
    assert _kinds(now) == _kinds(stored)
