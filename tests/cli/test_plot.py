"""``cnnzoo plot``: files, names, mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

import cnnzoo
from cnnzoo.cli.main import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["accuracy-vs", "macs"], "accuracy-vs-macs.svg"),
        (["timeline", "--models", "vgg16,xception", "--theme", "dark"], "timeline.svg"),
        (["treemap", "LeNet-5", "--of", "params"], "treemap-lenet5.svg"),
        (["architecture", "lenet5", "--option", "original=true"], "architecture-lenet5.svg"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_picture_is_written_here_and_its_name_printed(
    capsys, tmp_path, monkeypatch, words, name
):  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main(["plot", *words]) == 0
    assert capsys.readouterr().out == f"{name}\n"
    assert (tmp_path / name).read_text("utf-8").startswith("<svg")


def test_out_chooses_file_and_format(capsys, tmp_path):
    target = tmp_path / "new" / "years.png"
    assert main(["plot", "timeline", "--out", str(target)]) == 0
    assert target.read_bytes().startswith(b"\x89PNG")


# fmt: off
MISTAKES = [
    (["plot"],                                          2, "required: PICTURE"),
    (["plot", "timelime"],                              2, "Did you mean 'timeline'"),
    (["plot", "accuracy-vs", "makes"],                  2, "'macs'"),
    (["plot", "accuracy-vs", "latency"],                2, "Type: cnnzoo bench"),
    (["plot", "accuracy-vs", "latency", "--results", "absent.json"], 5, "absent.json cannot be"),
    (["plot", "architecture", "lenet6"],                2, "Did you mean 'lenet5'"),
    (["plot", "timeline", "--theme", "drak"],           2, "Did you mean 'dark'"),
    (["plot", "timeline", "--out", "years.gif"],        2, "Use one of: .svg, .png, .pdf"),
    (["plot", "timeline", "--out", "/dev/null/y.svg"],  7, "cannot be written"),
]
# fmt: on


@pytest.mark.parametrize(
    ("words", "code", "says"), MISTAKES, ids=[" ".join(m[0]) for m in MISTAKES]
)
def test_mistake_is_one_line_and_leaves_nothing(capsys, tmp_path, monkeypatch, words, code, says):
    monkeypatch.chdir(tmp_path)
    assert main(words) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert says in captured.err
    assert list(tmp_path.iterdir()) == []


def test_help_shows_every_picture_with_an_example(capsys):
    with pytest.raises(SystemExit):
        main(["plot", "--help"])
    out = capsys.readouterr().out
    for kind in ("accuracy-vs", "timeline", "treemap", "architecture"):
        assert f"  cnnzoo plot {kind}" in out


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("name", "draw"),
    [
        ("accuracy-vs-macs", lambda theme: cnnzoo.plot.accuracy_vs("macs", theme=theme)),
        ("timeline", lambda theme: cnnzoo.plot.timeline(theme=theme)),
        ("architecture-lenet5", lambda theme: cnnzoo.plot.architecture("lenet5", theme=theme)),
    ],
)
def test_pictures_of_the_site_are_what_their_commands_draw(name, draw, theme):
    kept = (ROOT / "docs" / "images" / f"{name}-{theme}.svg").read_text("utf-8")
    assert kept == draw(theme).to_svg(), "Type the lines of docs/pictures.md again."
