"""``cnnzoo diff``: text, JSON, colour, mistakes."""

from __future__ import annotations

import json
import re

import pytest
from rich.text import Text

from cnnzoo.cli.diff import STYLES
from cnnzoo.cli.main import main


def test_text_names_what_was_added_and_the_totals(capsys):
    assert main(["diff", "VGG-16", "vgg19"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "vgg16 → vgg19"
    assert [line.strip() for line in lines if line.startswith("    ")] == [
        "+ conv 3×3, 256 (block3_conv4): 590,080 params, 1.85 G MACs",
        "+ conv 3×3, 512 (block4_conv4): 2,359,808 params, 1.85 G MACs",
        "+ conv 3×3, 512 (block5_conv4): 2,359,808 params, 462.42 M MACs",
    ]
    assert "138,357,544 → 143,667,240 params (+5,309,696, ×1.04)" in lines[-1]


def test_json_is_one_document(capsys):
    assert main(["diff", "lenet5", "lenet5:padding=same", "--json"]) == 0
    captured = capsys.readouterr()
    record = json.loads(captured.out)
    assert (record["left"], record["right"]) == ("lenet5", "lenet5:padding=same")
    assert captured.err == ""


def test_lines_have_the_colour_of_their_sign_and_go_on_in_it():
    text = "  head   10 params (-3)\n    + conv 3×3,\n        64\n  ~ dense\n- stage 1"
    shown = {}
    for pattern, style in STYLES.items():
        coloured = Text(text)
        coloured.highlight_regex(pattern, style)
        shown |= {text[span.start : span.end].strip(): style for span in coloured.spans}
    assert {re.sub(r"\s+", " ", part): style for part, style in shown.items()} == {
        "+ conv 3×3, 64": "green",
        "~ dense": "yellow",
        "- stage 1": "red",
    }


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["diff", "vgg16"], "required: B"),
        (["diff", "vgg16", "vgg17"], "Did you mean"),
        (["diff", "vgg16", "resnet50:variant=v2"], "is not a form of resnet50"),
        (["diff", "vgg16", "resnet50:v1.5"], "not OPTION=VALUE"),
    ],
)
def test_mistake_is_one_line_and_exit_code_2(capsys, words, says):
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert says in captured.err
