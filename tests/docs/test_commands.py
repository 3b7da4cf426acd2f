"""What the README and the pages show is run, block by block, and prints what they say it prints.

A block under ``<!-- not run: REASON -->`` is not run, but its commands are parsed; one under
``<!-- slow -->`` waits for the slow tests. A ``text`` block behind it, perhaps after one paragraph,
is what it prints; under ``<!-- varies -->`` numbers and bars may be others; a last line ``…``
stands for the rest.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from cnnzoo.cli.main import parser

ROOT = Path(__file__).resolve().parents[2]
# Ideas, networks and guides have tests of their own.
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "docs/networks/index.md"]
GUIDES = sorted((ROOT / "docs" / "guides").glob("*.ipynb"))
BLOCK = re.compile(
    r"(?:<!-- (?P<mark>[^>]*?) -->\n)?```(?P<kind>sh|python)\n(?P<code>.*?)```"
    r"(?:\n\n(?:[^`<\n][^\n]*\n)*\n?(?:<!-- (?P<varies>varies) -->\n)?```text\n(?P<text>.*?)```)?",
    re.DOTALL,
)
NEXT = "\0 next block\n"  # what a script prints between two blocks
NUMBER = re.compile(r"(?:[-+]?\d[\d.,]*(?:e[-+]\d+)?|[─█▏▎▍▌▋▊▉]+| +)+")


def _blocks(page: Path, slow: bool) -> list[re.Match[str]]:
    """Those to run."""
    found = BLOCK.finditer(page.read_text("utf-8"))
    return [b for b in found if _runs(b) and (b["mark"] == "slow") is slow]


def _runs(block: re.Match[str]) -> bool:
    return not (block["mark"] or "").startswith("not run:")


def _run(page: Path, folder: Path, slow: bool) -> None:
    blocks = _blocks(page, slow)
    for block in blocks:
        if block["kind"] == "sh":
            _compare(block, _printed(["bash", "-euo", "pipefail", "-c", block["code"]], folder))
    python = [block for block in blocks if block["kind"] == "python"]
    if python:
        script = f"print({NEXT[:-1]!r})\n".join(block["code"] for block in python)
        printed = _printed([sys.executable, "-W", "error::UserWarning", "-c", script], folder)
        for block, text in zip(python, printed.split(NEXT), strict=True):
            _compare(block, text)


def _printed(command: list[str], folder: Path) -> str:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def _compare(block: re.Match[str], printed: str) -> None:
    """Line by line, so that what differs is seen."""
    if block["text"] is None:
        return
    shown, found = block["text"].rstrip().splitlines(), printed.rstrip().splitlines()
    if block["varies"]:
        shown, found = ([NUMBER.sub("#", line) for line in lines] for lines in (shown, found))
    if shown[-1] == "…":  # more follows
        shown, found = shown[:-1], found[: len(shown) - 1]
    assert found == shown, block["code"]


def _pages(slow: bool) -> list[Path]:
    return [page for page in PAGES if _blocks(page, slow)]


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", _pages(slow=False), ids=_name)
def test_page_shows_what_works(page, tmp_path):
    _run(page, tmp_path, slow=False)


def test_what_may_vary_are_numbers_and_bars_not_words():
    (block,) = BLOCK.finditer("```sh\nls\n```\n\n<!-- varies -->\n```text\na  1.5 s ██\n```\n")
    _compare(block, "a 20,000 s █▌\n")
    for printed in ("b  1.5 s ██\n", "a  1.5 s ██\nmore\n"):
        with pytest.raises(AssertionError):
            _compare(block, printed)
    (exact,) = BLOCK.finditer("```sh\nls\n```\n\nprints:\n\n```text\na  1.5 s\n```\n")
    with pytest.raises(AssertionError):
        _compare(exact, "a  1.6 s\n")


@pytest.mark.slow
@pytest.mark.parametrize("page", _pages(slow=True), ids=_name)
def test_page_shows_what_works_in_minutes(page, tmp_path):
    _run(page, tmp_path, slow=True)
    for picture in (tmp_path / "images").glob("*"):
        stored = ROOT / "docs" / "images" / picture.name
        assert picture.read_bytes() == stored.read_bytes(), f"make {picture.name} anew"


def _not_run(path: Path) -> list[str]:
    """Commands of the blocks that are left out, of a page or of the words of a guide."""
    text = path.read_text("utf-8")
    if path.suffix == ".ipynb":
        cells = json.loads(text)["cells"]
        text = "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")
    left_out = [b for b in BLOCK.finditer(text) if b["kind"] == "sh" and not _runs(b)]
    code = "\n".join(block["code"] for block in left_out)
    return [line for line in code.replace("\\\n", " ").splitlines() if line.startswith("cnnzoo ")]


@pytest.mark.parametrize("path", [path for path in [*PAGES, *GUIDES] if _not_run(path)], ids=_name)
def test_command_that_is_not_run_is_one_that_there_is(path):
    for line in _not_run(path):
        parser().parse_args(shlex.split(line, comments=True)[1:])
