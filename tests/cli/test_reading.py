"""The verbs that read: what a person and a program get, and how mistakes are met."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

import cnnzoo
from cnnzoo.cli.main import VERBS, main


def _run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_table_prints_a_row_for_every_network(capsys):
    code, out, _ = _run(capsys, "table")
    assert code == 0
    assert [name for name in cnnzoo.list_models() if f"\n{name} " not in out] == []
    assert "138,357,544" in out


@pytest.mark.parametrize(
    ("words", "first"),
    [
        (["table", "--format", "csv", "--columns", "name,macs"], "name,macs"),
        (["table", "--format", "markdown", "--columns", "name"], "| network |"),
        (["table", "--format", "html"], "<table>"),
        (["table", "--format", "latex", "--columns", "name"], r"\begin{tabular}{l}"),
    ],
)
def test_table_formats_begin_as_they_should(capsys, words, first):
    assert _run(capsys, *words)[1].splitlines()[0] == first


@pytest.mark.parametrize(
    "words",
    [
        ["list", "--json"],
        ["info", "vgg16", "--json"],
        ["table", "--json"],
        ["table", "--format", "json"],
        ["summary", "lenet5", "--json"],
        ["summary", "lenet5", "--by", "layer", "--json"],
    ],
    ids=" ".join,
)
def test_json_is_exactly_one_document(capsys, words):
    code, out, err = _run(capsys, *words)
    assert code == 0
    assert json.loads(out)
    assert err == ""


def test_list_filters_and_answers_nothing_with_nothing(capsys):
    assert json.loads(_run(capsys, "list", "vgg*", "--json")[1]) == ["vgg16", "vgg19"]
    assert _run(capsys, "list", "nothing*")[:2] == (0, "")


def test_info_prints_the_card(capsys):
    assert _run(capsys, "info", "resnet-50")[1].startswith("ResNet-50\n─────────\n")


def test_summary_goes_by_stage_and_honours_size_and_options(capsys):
    _, out, _ = _run(capsys, "summary", "resnet50", "--option", "variant=v1.5")
    assert "25,610,152" in out
    _, out, _ = _run(capsys, "summary", "vgg16", "--no-top", "--input-shape", "64x64x3")
    assert "2 x 2 x 512" in out


# fmt: off
MISTAKES = [
    (["tabel"],                                     "Did you mean 'table'"),
    (["info"],                                      "required: name"),
    (["info", "resnex50"],                          "'resnext50' or 'resnet50'"),
    (["info", ""],                                  "No network is named ''"),
    (["table", "--sort", "speed"],                  "No column is named 'speed'"),
    (["table", "--format", "docx"],                 "Known: text, markdown"),
    (["table", "--max-params", "many"],             "--max-params: 'many' is no number"),
    (["table", "--nonsense"],                       "--nonsense"),
    (["summary", "vgg16", "--input-shape", "8,8,3"], "below 32"),
    (["summary", "vgg16", "--input-shape", "big"],  "is not a shape such as 64,64,3"),
    (["summary", "vgg16", "--option", "aux"],       "is not NAME=VALUE"),
    (["summary", "vgg16", "--option", "aux=true"],  "has no option 'aux'"),
]
# fmt: on


@pytest.mark.parametrize(("words", "says"), MISTAKES, ids=[" ".join(w) for w, _ in MISTAKES])
def test_mistake_is_one_line_and_exit_code_2(capsys, words, says):
    code, out, err = _run(capsys, *words)
    assert code == 2
    assert out == ""
    assert len(err.splitlines()) == 1
    assert says in err


def test_mistake_under_json_is_a_json_document_too(capsys):
    code, out, _ = _run(capsys, "info", "nonsense", "--json")
    assert code == 2
    assert json.loads(out)["code"] == 2


def test_debug_shows_the_traceback(capsys):
    from cnnzoo.errors import UnknownNameError

    with pytest.raises(UnknownNameError):
        main(["--debug", "info", "nonsense"])


@pytest.mark.parametrize("verb", [verb.__name__.rpartition(".")[2].strip("_") for verb in VERBS])
def test_help_of_every_verb_teaches_by_example(capsys, verb):
    with pytest.raises(SystemExit) as ended:
        main([verb, "--help"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "examples:" in out
    assert f"  cnnzoo {verb}" in out


def _shell(command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = command.replace("cnnzoo", f"{sys.executable} -m cnnzoo")
    return subprocess.run(
        ["/bin/bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        env=os.environ | environment,
    )


def test_reader_that_stops_early_is_no_error():
    done = _shell("cnnzoo table --format csv | head -n 1")
    assert (done.returncode, done.stderr) == (0, "")


def test_full_disk_is_said_in_one_line():
    done = _shell("cnnzoo table > /dev/full")
    assert done.returncode == 7
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "environment", [{"LC_ALL": "C"}, {"COLUMNS": "1"}, {"TERM": "dumb"}], ids=str
)
def test_odd_terminals_get_their_table(environment):
    done = _shell("cnnzoo list && cnnzoo info lenet5", PYTHONUTF8="0", **environment)
    assert done.returncode == 0, done.stderr
    assert "lenet5" in done.stdout
    assert "?" not in done.stdout


def test_console_of_another_alphabet_gets_its_table():
    done = _shell("cnnzoo table", PYTHONIOENCODING="cp1252")
    assert done.returncode == 0, done.stderr
    assert "vgg16" in done.stdout


def test_framework_is_quiet_on_the_command_line():
    done = _shell("cnnzoo summary lenet5")
    assert (done.returncode, done.stderr) == (0, "")
