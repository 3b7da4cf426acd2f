"""The page of the environment variables knows those of the source, and no others."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_variable_is_told_of_and_no_other():
    sources = "\n".join(path.read_text("utf-8") for path in (ROOT / "cnnzoo").rglob("*.py"))
    page = (ROOT / "docs" / "configuration.md").read_text("utf-8")
    told = re.findall(r"^\| `(CNNZOO_\w+)` \|", page, re.M)
    assert told == sorted(set(re.findall(r"CNNZOO_[A-Z_]*[A-Z]", sources)))
