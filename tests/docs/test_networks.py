"""What the pages of the networks show works: their Python is run, their commands are understood."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import keras
import pytest
from PIL import Image

import cnnzoo
from cnnzoo.cli.main import main
from cnnzoo.errors import DataError, OfflineError

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "docs"))

from _site import network

BLOCK = re.compile(r"```(python|sh)\n(.*?)```", re.DOTALL)
SHIPPED = {"lenet5": "digit.png", "resnet20": "photo.jpg"}


def _blocks(markdown: str, kind: str) -> list[str]:
    return [code for language, code in BLOCK.findall(markdown) if language == kind]


def _check_page(name: str) -> None:
    """Its Python builds what it is about; its commands are those that the test below looks at."""
    card = cnnzoo.info(name)
    page = network.page(card)
    names: dict[str, object] = {}
    for code in _blocks(page, "python"):
        exec(code, names)
    assert names["model"].count_params() == card.facts.total_params
    assert names["ready"].shape == names["pixels"].shape
    assert _blocks(page, "sh") == _blocks(network.use(card), "sh")
    assert page.count("```") == 2 * len(BLOCK.findall(page))
    keras.backend.clear_session()


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder with a picture of each kind, and no network."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CNNZOO_OFFLINE", "1")
    monkeypatch.delenv("CNNZOO_DATA", raising=False)
    Image.new("L", (28, 28)).save("digit.png")
    Image.new("RGB", (40, 30), "teal").save("photo.jpg")


@pytest.mark.parametrize("name", SHIPPED)
def test_python_of_a_page_builds_what_the_page_is_about(name):
    _check_page(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted({*cnnzoo.list_models()} - {*SHIPPED}))
def test_python_of_every_page_builds_what_the_page_is_about(name):
    _check_page(name)


@pytest.mark.parametrize("name", cnnzoo.list_models())
def test_commands_of_a_page_lack_nothing_but_the_network_and_your_photos(name, desk, capsys):
    lines = "".join(_blocks(network.use(cnnzoo.info(name)), "sh")).splitlines()
    assert any(line.startswith(f"cnnzoo finetune {name} ") for line in lines)
    for line in lines:
        code = main(shlex.split(line)[1:])
        said = capsys.readouterr().err
        if line.split()[1] == "predict" and name in SHIPPED:
            assert code == 0
        elif "--data photos/" in line:
            assert code == DataError.exit_code
            assert "photos/" in said
        else:
            assert code == OfflineError.exit_code
            assert "CNNZOO_OFFLINE" in said
