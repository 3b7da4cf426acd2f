"""Tables, listings and cards: filters, orders, formats."""

from __future__ import annotations

import csv
import io
import json
import sys

import pandas
import pytest

import cnnzoo
from cnnzoo.analysis.columns import COLUMNS, DEFAULT
from cnnzoo.analysis.table import FORMATS
from cnnzoo.errors import MissingExtraError, UnknownNameError, UsageError

ELEVEN = [
    "lenet5", "alexnet", "vgg16", "vgg19", "inception_v1", "inception_v3", "resnet50",
    "inception_v4", "inception_resnet_v2", "xception", "resnext50",
]  # fmt: skip


def test_table_has_the_eleven_oldest_first_with_the_usual_columns():
    table = cnnzoo.table()
    assert [row["name"] for row in table] == ELEVEN
    assert tuple(table[0]) == DEFAULT
    assert len(table) == 11


@pytest.mark.parametrize("key", COLUMNS)
def test_every_column_sorts_and_shows(key):
    table = cnnzoo.table(columns=["name", key] if key != "name" else ["name"], sort=key)
    values = [row[key] for row in table if row[key] is not None]
    assert values == sorted(values)
    assert len(table) == 11


def test_networks_without_a_value_come_last_in_either_order():
    for reverse in (False, True):
        assert cnnzoo.table(sort="top1", reverse=reverse)[-1]["name"] == "lenet5"


def test_common_names_of_columns_are_understood():
    table = cnnzoo.table(columns="network, parameters, FLOPs, top-1, size")
    assert list(table[0]) == ["name", "total_params", "macs", "top1", "weight_mib"]


def test_models_keep_the_order_they_are_asked_in():
    table = cnnzoo.table(["ResNet50", "vgg16"], columns="name")
    assert [row["name"] for row in table] == ["resnet50", "vgg16"]


def test_filters_narrow_the_table():
    assert [r["name"] for r in cnnzoo.table(max_params=7e6)] == ["lenet5", "inception_v1"]
    assert {r["name"] for r in cnnzoo.table(min_top1=80)} == {"inception_v4", "inception_resnet_v2"}
    assert [r["name"] for r in cnnzoo.table(family="vgg")] == ["vgg16", "vgg19"]
    assert [r["name"] for r in cnnzoo.table(pattern="*NET5*")] == ["lenet5", "resnet50"]


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
    assert max(map(len, lines[:-1])) <= 80
    assert "depth_parametric" in lines[-1]


def test_pandas_frame_is_indexed_by_name():
    frame = cnnzoo.table(columns="name,macs").to_pandas()
    assert isinstance(frame, pandas.DataFrame)
    assert frame.loc["vgg16", "macs"] == 15_470_264_320


def test_missing_pandas_is_met_with_what_to_type(monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'cnnzoo\[pandas\]'"):
        cnnzoo.table().to_pandas()


def test_list_models_filters_by_pattern_exclusion_family_and_size():
    assert cnnzoo.list_models() == ELEVEN
    assert cnnzoo.list_models("Inception*", exclude=["*v4", "*resnet*"]) == [
        "inception_v1",
        "inception_v3",
    ]
    assert cnnzoo.list_models(family="resnet", sort="total_params") == ["resnext50", "resnet50"]
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
