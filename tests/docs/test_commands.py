"""What the README and the pages show is run: ``sh`` and ``python`` blocks, page by page.

A block under ``<!-- not run: REASON -->`` is not run, but its commands are parsed; one under
``<!-- slow -->`` waits for the slow tests.
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
    r"(?:<!-- (?P<mark>[^>]*?) -->\n)?```(?P<kind>sh|python)\n(?P<code>.*?)```", re.DOTALL
)


def _blocks(page: Path, slow: bool) -> dict[str, list[str]]:
    """Kind -> the code of the blocks to run."""
    found: dict[str, list[str]] = {"sh": [], "python": []}
    for block in BLOCK.finditer(page.read_text("utf-8")):
        mark = block["mark"] or ""
        if not mark.startswith("not run:") and (mark == "slow") is slow:
            found[block["kind"]].append(block["code"])
    return found


def _run(page: Path, folder: Path, slow: bool) -> None:
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    blocks = _blocks(page, slow)
    commands = [["bash", "-euo", "pipefail", "-c", code] for code in blocks["sh"]]
    if blocks["python"]:
        script = "\n".join(blocks["python"])
        commands.append([sys.executable, "-W", "error::UserWarning", "-c", script])
    for command in commands:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{command[-1]}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"


def _pages(slow: bool) -> list[Path]:
    return [page for page in PAGES if any(_blocks(page, slow).values())]


def _name(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", _pages(slow=False), ids=_name)
def test_page_shows_what_works(page, tmp_path):
    _run(page, tmp_path, slow=False)


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
    blocks = [block for block in BLOCK.finditer(text) if block["mark"] and block["kind"] == "sh"]
    code = "\n".join(block["code"] for block in blocks if block["mark"].startswith("not run:"))
    return [line for line in code.replace("\\\n", " ").splitlines() if line.startswith("cnnzoo ")]


@pytest.mark.parametrize("path", [path for path in [*PAGES, *GUIDES] if _not_run(path)], ids=_name)
def test_command_that_is_not_run_is_one_that_there_is(path):
    for line in _not_run(path):
        parser().parse_args(shlex.split(line, comments=True)[1:])
