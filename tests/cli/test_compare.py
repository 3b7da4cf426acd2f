"""``cnnzoo compare``: formats, forms, colour, mistakes, and no framework."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import pytest

from cnnzoo.catalogue.registry import get_spec
from cnnzoo.cli import colour
from cnnzoo.cli.main import main


def test_columns_are_networks_and_lines_are_figures(capsys):
    assert main(["compare", "resnet50", "resnet50:variant=v1.5", "--columns", "params"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["figure", "resnet50", "resnet50:variant=v1.5"]
    assert lines[2].split() == ["params", "25,636,712", "25,610,152*", "×1.00"]


@pytest.mark.parametrize("words", [["--json"], ["--format", "json"]])
def test_json_is_one_document_with_the_notes(capsys, words):
    assert main(["compare", "alexnet", "vgg16", *words]) == 0
    captured = capsys.readouterr()
    figures = {figure["key"]: figure for figure in json.loads(captured.out)["figures"]}
    assert figures["notes"]["values"]["alexnet"] == " ".join(get_spec("alexnet").notes)
    assert captured.err == ""


@pytest.mark.parametrize(
    ("form", "first"),
    [
        ("markdown", "| figure | vgg16 | vgg19 |"),
        ("html", "<table>"),
        ("latex", r"\begin{tabular}{lrr}"),
    ],
)
def test_formats_begin_as_they_should(capsys, form, first):
    assert main(["compare", "vgg16", "vgg19", "--format", form]) == 0
    assert capsys.readouterr().out.splitlines()[0] == first


def test_size_is_counted_anew(capsys):
    words = ["resnet18", "vgg16", "--input-size", "64x96", "--columns", "input", "--format", "csv"]
    assert main(["compare", *words]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[1] == ["input", "64x96x3", "64x96x3"]


# fmt: off
MISTAKES = [
    (["compare"],                                          "required: NAME"),
    (["compare", "vgg16"],                                 "Name at least two networks"),
    (["compare", "vgg16", "VGG-16"],                       "given twice"),
    (["compare", "vgg16", "resnet50:variant=v2"],          "Did you mean"),
    (["compare", "vgg16", "vgg19", "--input-size", "big"], "not a size such as 64"),
    (["compare", "vgg16", "vgg19", "--input-size", "16"],  "too small. Least sides: vgg16 32"),
    (["compare", "vgg16", "vgg19", "--format", "docx"],    "Known: text, markdown"),
]
# fmt: on


@pytest.mark.parametrize(("words", "says"), MISTAKES, ids=[" ".join(w) for w, _ in MISTAKES])
def test_mistake_is_one_line_and_exit_code_2(capsys, words, says):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert says in captured.err


def test_no_framework_is_imported():
    script = (
        "import sys; from cnnzoo.cli.main import main; "
        "main(['compare', 'resnet50', 'vgg16', 'lenet5:padding=same']); "
        "print({'keras', 'tensorflow', 'numpy', 'rich'} & sys.modules.keys())"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "set()"


def test_terminal_gets_colour_and_the_same_text(capsys, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    colour.show("params  25*  138", {r"\S+\*": "bold green"})
    assert capsys.readouterr().out == "params  \x1b[1;32m25*\x1b[0m  138\n"
