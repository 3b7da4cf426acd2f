"""A link, an anchor or a picture that is not whole ends the build of the site."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BARE = """\
INHERIT: {root}/mkdocs.yml
docs_dir: docs
plugins: []
hooks: [{root}/docs/_site/described.py]
extra_css: []
extra_javascript: []
nav: [index.md]
"""


def _built(folder: Path, page: str) -> subprocess.CompletedProcess[str]:
    """A site of one page, by the settings of ours."""
    (folder / "docs").mkdir()
    (folder / "docs" / "index.md").write_text(f"# Page\n\n{page}\n", "utf-8")
    settings = BARE.format(root=ROOT)
    (folder / "mkdocs.yml").write_text(settings, "utf-8")
    return subprocess.run(
        [sys.executable, "-m", "mkdocs", "build"],
        cwd=folder, env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_whole_page_is_built(tmp_path):
    done = _built(tmp_path, "[here](#page) and [there](https://keras.io)")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("[broken](nowhere.md)", "nowhere.md"),
        ("[no such heading](#chapter)", "#chapter"),
        ("[from the root](/index.html)", "/index.html"),
        ("[a folder](pictures/)", "pictures/"),
        ("![](https://keras.io/logo.svg)", "logo.svg"),
        ('<img src="https://keras.io/logo.svg">', "logo.svg"),
    ],
)
def test_what_is_not_whole_ends_the_build(page, said, tmp_path):
    done = _built(tmp_path, page)
    assert done.returncode == 1
    assert said in done.stderr
