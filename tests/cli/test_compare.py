"""``cnnzoo compare``: formats, forms, colour, mistakes, runs, and no framework."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from cnnzoo.catalogue.registry import get_spec
from cnnzoo.cli import colour
from cnnzoo.cli.main import main
from cnnzoo.runfiles import KIND


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


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two unfinished runs, a and b, in the folder ``runs`` of the working directory."""
    monkeypatch.chdir(tmp_path)
    for name, rate in (("a", 0.1), ("b", 0.01)):
        config = {
            "kind": KIND, "seed": 0, "network": {"parameters": 5}, "data": {"name": "digits"},
            "arguments": {"network": "lenet5"}, "recipe": {"epochs": 3, "learning_rate": rate},
            "versions": {}, "hardware": {},
        }  # fmt: skip
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text(json.dumps(config))
    return ["runs/a", "runs/b"]


def test_folders_of_runs_are_set_side_by_side(capsys, runs):
    assert main(["compare", *runs]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["A", "a", "B", "b"]
    assert "lr                    0.1  0.01" in lines
    assert list(Path().iterdir()) == [Path("runs")]


def test_runs_as_one_json_document_and_one_page(capsys, runs):
    assert main(["compare", *runs, "--json", "--out", "both.html"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["differences"] == {"lr": {"A": "0.1", "B": "0.01"}}
    assert "2 runs of lenet5 on digits" in Path("both.html").read_text("utf-8")
    assert main(["compare", *runs, "--out", "again.html"]) == 0
    assert capsys.readouterr().out.endswith("page: again.html\n")


# fmt: off
MIXED = [
    (["runs/a", "lenet5"],                         "'lenet5' is no folder of a run"),
    (["runs/a", "runs/c"],                         "'runs/c' is no folder of a run"),
    (["runs/c", "runs/d"],                         "'runs/c' is no folder of a run"),
    (["runs/a"],                                   "1 run given: 2 to 26"),
    (["runs/a", "runs/b", "--columns", "params"],  "--columns is for networks"),
    (["runs/a", "runs/b", "--input-size", "64"],   "--input-size is for networks"),
    (["runs/a", "runs/b", "--format", "markdown"], "--format is for networks"),
    (["runs/a", "runs/b", "--out", "x.pdf"],       "has to end in .html"),
    (["vgg16", "vgg19", "--out", "x.html"],        "--out draws curves of runs"),
]
# fmt: on


@pytest.mark.parametrize(("words", "says"), MIXED, ids=[" ".join(w) for w, _ in MIXED])
def test_what_fits_no_runs_is_refused(capsys, runs, words, says):
    assert main(["compare", *words]) == 2
    assert says in capsys.readouterr().err
    assert list(Path().iterdir()) == [Path("runs")]


def test_a_folder_called_like_a_network_does_not_hide_it(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vgg16").mkdir()
    assert main(["compare", "vgg16", "vgg19"]) == 0
    assert "138" in capsys.readouterr().out


def test_runs_are_compared_without_a_framework(runs):
    script = (
        f"import sys; from cnnzoo.cli.main import main; main(['compare', *{runs!r}, '--out', "
        "'x.html']); print({'keras', 'tensorflow'} & sys.modules.keys())"
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
