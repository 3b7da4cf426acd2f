"""What ``docs/comparing.md`` prints is what its lines print."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

from cnnzoo.cli.main import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "comparing.md"
BLOCK = re.compile(r"```(python|sh)\n(.*?)```(?:\n\n```text\n(.*?)```)?", re.DOTALL)


def blocks() -> list[tuple[str, str, str]]:
    """Language, code, and what it prints."""
    return [match.groups("") for match in BLOCK.finditer(PAGE.read_text("utf-8"))]


def printed(kind: str, code: str, names: dict[str, object]) -> str:
    """What a block prints; ``names`` are those that the blocks before have left."""
    with contextlib.redirect_stdout(io.StringIO()) as out:
        if kind == "python":
            exec(code, names)
        else:
            assert main(code.split()[1:]) == 0
    return out.getvalue()


@pytest.mark.parametrize("kind", ["python", "sh"])
def test_page_shows_what_its_lines_print(kind):
    names: dict[str, object] = {}
    found = [(code, text) for language, code, text in blocks() if language == kind]
    assert sum(1 for _, text in found if text) >= 3
    for code, text in found:
        assert printed(kind, code, names) == text
