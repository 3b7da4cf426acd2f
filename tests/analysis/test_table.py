"""Tables, listings and cards: filters, orders, formats."""

from __future__ import annotations

import csv
import io
import json
import sys
from dataclasses import replace

import pandas
import pytest

import cnnzoo
from cnnzoo.analysis.columns import COLUMNS, DEFAULT, RESIZED
from cnnzoo.analysis.figures import facts_of
from cnnzoo.analysis.table import FORMATS
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.cli.main import main
from cnnzoo.cli.table import parse_size
from cnnzoo.errors import MissingExtraError, UnknownNameError, UsageError

ELEVEN = [
    "lenet5", "alexnet", "vgg16", "vgg19", "inception_v1", "inception_v3", "resnet50",
    "inception_v4", "inception_resnet_v2", "xception", "resnext50",
]  # fmt: skip


def test_table_has_every_network_oldest_first_with_the_usual_columns():
    table = cnnzoo.table()
    names = [row["name"] for row in table]
    assert [name for name in names if name in ELEVEN] == ELEVEN
    assert names == cnnzoo.list_models()
    assert tuple(table[0]) == DEFAULT


@pytest.mark.parametrize("key", COLUMNS)
def test_every_column_sorts_and_shows(key):
    table = cnnzoo.table(columns=["name", key] if key != "name" else ["name"], sort=key)
    values = [row[key] for row in table if row[key] is not None]
    assert values == sorted(values)
    assert len(table) == len(cnnzoo.list_models())


def test_networks_without_a_value_come_last_in_either_order():
    for reverse in (False, True):
        table = cnnzoo.table(["lenet5", "vgg16", "xception"], sort="top1", reverse=reverse)
        assert table[-1]["name"] == "lenet5"


def test_common_names_of_columns_are_understood():
    table = cnnzoo.table(columns="network, parameters, FLOPs, top-1, size")
    assert list(table[0]) == ["name", "total_params", "macs", "top1", "weight_mib"]


def test_models_keep_the_order_they_are_asked_in():
    table = cnnzoo.table(["ResNet50", "vgg16"], columns="name")
    assert [row["name"] for row in table] == ["resnet50", "vgg16"]


def test_filters_narrow_the_table():
    small = [r["name"] for r in cnnzoo.table(ELEVEN, max_params=7e6)]
    assert small == ["lenet5", "inception_v1"]
    assert {r["name"] for r in cnnzoo.table(min_top1=80)} == {"inception_v4", "inception_resnet_v2"}
    assert [r["name"] for r in cnnzoo.table(family="vgg")] == ["vgg16", "vgg19"]
    assert [r["name"] for r in cnnzoo.table(pattern="*NEXT5*")] == ["resnext50"]


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (dict(columns="parms"), UnknownNameError, "Did you mean"),
        (dict(columns="macs,macs"), UsageError, "twice"),
        (dict(columns=[]), UsageError, "none"),
        (dict(sort="speed"), UnknownNameError, "No column"),
        (dict(models=["vgg16", "VGG-16"]), UsageError, "twice"),
        (dict(models=["vgg17"]), UnknownNameError, "'vgg1"),
        (dict(max_params=1), UsageError, "No network passes"),
        (dict(max_params=-1), UsageError, "not a number of parameters"),
        (dict(family="resent"), UsageError, "Families: "),
        (dict(models=3), UsageError, "no list of names"),
        (dict(input_size=0), UsageError, "no image size"),
        (dict(input_size=32.0), UsageError, "no image size"),
        (dict(input_size=(64, 96, 3)), UsageError, "no image size"),
        (dict(models=["vgg16", "xception"], input_size=31), UsageError, "vgg16 32, xception 71"),
    ],
    ids=str,
)
def test_what_no_table_can_show_is_refused(arguments, error, says):
    with pytest.raises(error, match=says):
        cnnzoo.table(**arguments)


def test_formats_hold_the_same_figures():
    table = cnnzoo.table(["vgg16", "lenet5"], columns="name,total_params,top1")
    assert json.loads(table.to_json()) == table.to_dicts()
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert rows[0] == {"name": "vgg16", "total_params": "138357544", "top1": "71.268"}
    assert rows[1]["top1"] == ""
    assert "| vgg16 | 138,357,544 | 71.27 |" in table.to_markdown()
    assert '<td style="text-align:right">138,357,544</td>' in table._repr_html_()
    assert r"vgg16 & 138,357,544 & 71.27 \\" in table.to_latex()
    assert "vgg16    138,357,544    71.27" in str(table)
    for form in FORMATS:
        assert "vgg16" in table.to(form)


def test_latex_escapes_what_latex_reads():
    latex = cnnzoo.table(["inception_v3"], columns="name,top1").to_latex()
    assert r"inception\_v3" in latex
    assert r"top-1 \%" in latex


def test_narrow_terminal_leaves_out_the_last_columns_and_says_so():
    text = cnnzoo.table().to_text(width=80)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert "… for a wider terminal, or --columns: weight_mib" in text
    assert "depth_parametric" in text


def test_pandas_frame_is_indexed_by_name():
    frame = cnnzoo.table(columns="name,macs").to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.loc["vgg16", "macs"] == 15_470_264_320


def test_missing_pandas_is_met_with_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cnnzoo\[pandas\]'"):
        cnnzoo.table().to_pandas()


def test_list_models_filters_by_pattern_exclusion_family_and_size():
    assert set(ELEVEN) <= set(cnnzoo.list_models())
    assert cnnzoo.list_models("Inception*", exclude=["*v4", "*resnet*"]) == [
        "inception_v1",
        "inception_v3",
    ]
    deep = cnnzoo.list_models("resne?t50*", family="resnet", sort="total_params")
    assert deep == ["resnext50"]
    assert cnnzoo.list_models("nothing*") == []
    with pytest.raises(UsageError, match="not a pattern"):
        cnnzoo.list_models(3)


def test_card_says_what_is_known():
    card = str(cnnzoo.info("GoogLeNet"))
    for words in (
        "Inception v1 (GoogLeNet)",
        "Going Deeper with Convolutions",
        "https://arxiv.org/abs/1409.4842",
        "6,998,552 in all",
        "1,582,671,872 for one image (3.17 GFLOP)",
        "variant=torchvision",
        "13,378,280 with both",
    ):
        assert words in card
    assert max(map(len, card.splitlines())) <= 100
    record = json.loads(json.dumps(cnnzoo.info("vgg16").to_dict()))
    assert record["facts"]["macs"] == 15_470_264_320
    assert record["paper"]["year"] == 2014


def test_accuracies_on_other_datasets_are_not_set_beside_those_of_imagenet():
    table = cnnzoo.table(["lenet5", "resnet20", "vgg16"], columns="name,top1,source,dataset")
    assert [row["top1"] is None for row in table] == [True, True, False]
    assert [row["source"] is None for row in table] == [True, True, False]
    assert [row["dataset"] for row in table] == ["MNIST", "CIFAR-10", "ImageNet-1k"]
    assert "those of ImageNet-1k" in str(table)
    assert "those of ImageNet-1k" not in str(cnnzoo.table(["vgg16"]))


def test_memory_columns_are_of_float32_in_mebibytes():
    row = cnnzoo.table(["vgg16"], columns="weight_mib,weight_mib_fp16,weight_mib_int8,act_mib")[0]
    mebibytes = 138_357_544 / 2**20
    expected = [round(n * mebibytes, 4) for n in (4, 2, 1)]
    assert [row["weight_mib"], row["weight_mib_fp16"], row["weight_mib_int8"]] == expected
    assert row["act_mib"] == 24.5  # two maps of 224 x 224 x 64


def test_networks_with_notes_are_named_below_and_their_notes_are_a_column():
    table = cnnzoo.table(["alexnet", "vgg16"])
    assert "cnnzoo info NAME says why other figures are in use: alexnet" in str(table)
    assert "says why" not in table.to_csv() + table.to_markdown()
    noted = cnnzoo.table(["alexnet"], columns="name,notes")
    assert noted[0]["notes"] == " ".join(get_spec("alexnet").notes)
    assert "says why" not in str(cnnzoo.table(["alexnet"], columns="name,macs,notes"))


def test_another_size_recounts_what_depends_on_it():
    table = cnnzoo.table(["resnet18", "vgg16"], input_size=64)
    paper = cnnzoo.table(["resnet18", "vgg16"])
    assert tuple(table[0]) == RESIZED
    assert [row["input"] for row in table] == ["64x64x3"] * 2
    assert table[0]["total_params"] == paper[0]["total_params"]
    assert table[0]["macs"] < paper[0]["macs"] / 10
    assert table[1]["train_mib"] < paper[1]["train_mib"] / 10
    assert table[1]["total_params"] == 138_357_544 - (49 - 4) * 512 * 4096
    assert table.footnotes[0].endswith("because the classifier flattens: vgg16")


def test_height_and_width_may_differ():
    row = cnnzoo.table(["resnet18"], columns="input,macs", input_size=(64, 96))[0]
    square = cnnzoo.table(["resnet18"], columns="macs", input_size=64)[0]
    assert row["input"] == "64x96x3"
    head = 512 * 1000
    assert (row["macs"] - head) * 2 == (square["macs"] - head) * 3


def test_published_accuracies_beside_another_size_are_marked_as_such():
    asked = dict(columns="name,top1")
    assert "not of this size" in str(cnnzoo.table(["lenet5"], input_size=40, **asked))
    assert "not of this size" not in str(cnnzoo.table(["lenet5"], **asked))


def test_network_that_needs_larger_images_has_dashes_and_is_named_below():
    table = cnnzoo.table(["xception", "lenet5"], input_size=32, sort="macs")
    assert [row["name"] for row in table] == ["lenet5", "xception"]
    assert table[1]["macs"] is None
    assert "need larger images (least side in pixels): xception (71)" in table.footnotes


def test_long_count_says_so_on_standard_error(capsys, monkeypatch):
    class Impatient:
        def __init__(self, seconds, say):
            self.start, self.cancel = say, lambda: None

    monkeypatch.setattr("cnnzoo.analysis.table.Timer", Impatient)
    cnnzoo.table(["lenet5"], input_size=36)
    assert capsys.readouterr().err == "counting networks at 36 x 36 pixels …\n"


def test_each_size_is_measured_once(monkeypatch):
    first = cnnzoo.table(["lenet5"], input_size=40).to_dicts()
    monkeypatch.setattr("cnnzoo.analysis.measure.measure_at", None)
    assert cnnzoo.table(["lenet5"], input_size=40).to_dicts() == first


@pytest.mark.parametrize(
    ("text", "size"), [(None, None), ("64", (64, 64)), ("64x96", (64, 96)), ("64X96", (64, 96))]
)
def test_size_on_the_command_line_is_a_side_or_height_x_width(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["64x", "a", "1x2x3", ""])
def test_other_words_on_the_command_line_are_no_size(text):
    with pytest.raises(UsageError, match="such as 64 or 64x96"):
        parse_size(text)


def test_machine_formats_of_the_command_line_hold_the_notes(capsys):
    assert main(["table", "alexnet", "--format", "csv"]) == 0
    (row,) = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert row["notes"] == " ".join(get_spec("alexnet").notes)


def test_network_of_a_users_own_with_an_unknown_layer_is_marked(monkeypatch):
    facts = replace(facts_of(get_spec("lenet5")), not_counted=("Mine", "Mine", "LSTM"))
    monkeypatch.setattr("cnnzoo.analysis.footnotes.facts_of", lambda spec: facts)
    text = str(cnnzoo.table(["lenet5"]))
    assert "MACs of lenet5 are at least so many; not counted: Mine ×2, LSTM" in text
