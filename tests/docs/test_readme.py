"""The README and the site say what is so."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

import cnnzoo

ROOT = Path(__file__).resolve().parents[2]


def test_every_built_in_network_has_its_page_in_the_navigation():
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    navigation = yaml.safe_load(text)["nav"]
    networks = next(section["The zoo"] for section in navigation if "The zoo" in section)
    pages = [page for entry in networks for page in entry.values()]
    assert pages == ["networks/index.md", *(f"networks/{n}.md" for n in cnnzoo.list_models())]


def test_every_link_of_the_readme_leads_somewhere():
    readme = (ROOT / "README.md").read_text("utf-8")
    targets = re.findall(r"\]\(([^)#]+)\)", readme)
    assert targets
    assert [t for t in targets if "://" not in t and not (ROOT / t).exists()] == []
