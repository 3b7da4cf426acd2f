"""A network by layer and by stage."""

from __future__ import annotations

import json

import keras
import pytest
from keras import layers

import cnnzoo
from cnnzoo.analysis.measure import measure, sketch
from cnnzoo.errors import UsageError


def test_layers_of_vgg16_are_those_of_the_papers_table():
    summary = cnnzoo.summary("vgg16")
    rows = {row.name: row for row in summary.rows}
    assert rows["block1_conv1"].params == 1_792
    assert rows["block3_conv1"].params == 295_168
    assert rows["fc1"].params == 102_764_544
    assert rows["block5_pool"].output_shape == (7, 7, 512)
    assert (summary.params, summary.macs) == (138_357_544, 15_470_264_320)
    assert "138,357,544" in str(summary)


@pytest.mark.parametrize("name", cnnzoo.list_models())
def test_stages_add_up_to_the_network(name):
    summary = cnnzoo.summary(name, by="stage")
    facts = cnnzoo.info(name).facts
    assert (summary.params, summary.macs) == (facts.total_params, facts.macs)
    assert sum(row.layers for row in summary.rows) == facts.layers
    assert summary.not_counted == ()


def test_stages_of_resnet50_are_its_five_image_sizes():
    rows = cnnzoo.summary("resnet50", by="stage").rows
    shapes = [row.output_shape for row in rows]
    assert shapes == [
        (224, 224, 3),
        (112, 112, 64),
        (56, 56, 256),
        (28, 28, 512),
        (14, 14, 1024),
        (7, 7, 2048),
        (1000,),
    ]
    assert rows[3].name == "conv3_block1_1_conv … conv3_block4_out"


def test_another_input_changes_shapes_and_macs_and_not_the_parameters():
    small = cnnzoo.summary("resnet50", input_shape=(64, 64, 3))
    assert small.params == 25_636_712
    assert small.macs < cnnzoo.info("resnet50").facts.macs / 10


def test_options_and_arguments_of_build_are_passed_on():
    assert cnnzoo.summary("resnet50", variant="v1.5").params == 25_610_152
    assert cnnzoo.summary("vgg16", include_top=False).params == 14_714_688
    model = keras.Sequential([keras.Input((8,)), layers.Dense(2)])
    with pytest.raises(UsageError, match="only act when a name is given"):
        cnnzoo.summary(model, include_top=False)
    with pytest.raises(UsageError, match="Did you mean 'layer'"):
        cnnzoo.summary("vgg16", by="layers")


class Mine(layers.Layer):
    def call(self, x):
        return x


def test_layers_nobody_can_count_are_named_and_mark_the_total():
    model = keras.Sequential([keras.Input((8, 3)), layers.LSTM(4), Mine(), Mine(), layers.Dense(2)])
    by_layer = cnnzoo.summary(model)
    assert by_layer.not_counted == ("LSTM", "Mine", "Mine")
    assert [row.macs for row in by_layer.rows] == [0, None, None, None, 8]
    for text in (str(by_layer), by_layer._repr_html_()):
        assert "≥ 8 MACs, not counted: LSTM, Mine ×2" in text
    (stage,) = cnnzoo.summary(model, by="stage").rows
    assert (stage.macs, stage.not_counted) == (8, ("LSTM", "Mine", "Mine"))
    assert measure(model).not_counted == ("LSTM", "Mine", "Mine")


def test_stages_and_layers_agree_on_activations_memory_and_stride():
    facts = cnnzoo.info("resnet18").facts
    for by in ("layer", "stage"):
        summary = cnnzoo.summary("resnet18", by=by)
        assert summary.activations == facts.activation_elements
        assert summary.held == facts.peak_activation_elements
        assert summary.kept == facts.training_activation_elements
    assert [row.stride for row in summary.rows] == [1, 2, 4, 8, 16, 32, None]


def test_open_size_has_shapes_and_no_figures():
    summary = cnnzoo.summary("vgg16", include_top=False, input_shape=(None, None, 3))
    assert (summary.activations, summary.held, summary.kept) == (None, None, None)
    assert "? x ? x 512" in str(summary)
    with pytest.raises(UsageError, match=r"Pass input_shape=\(height, width, channels\)"):
        measure(sketch("vgg16", include_top=False, input_shape=(None, None, 3)))


@pytest.mark.parametrize("by", ["layer", "stage"])
def test_narrow_terminal_keeps_shapes_parameters_and_macs(by):
    summary = cnnzoo.summary("resnet50", by=by)
    text = summary.to_text(80)
    assert max(map(len, text.splitlines())) <= 80
    assert {"output", "params", "MACs"} <= set(text.splitlines()[1].split())
    assert "for a wider terminal: " in text
    assert "held MiB" in summary.to_text(160).splitlines()[1]
    assert "wider terminal" not in summary.to_text(200)


def test_forms_for_programs_hold_the_rows():
    summary = cnnzoo.summary("lenet5")
    record = json.loads(summary.to_json())
    assert record["total"] == {
        "params": 61_706, "macs": 416_520, "not_counted": [],
        "activations": 9_238, "held": 5_880, "kept": 9_118,
    }  # fmt: skip
    assert record["rows"][1]["output_shape"] == [28, 28, 6]
    assert "| c1 | Conv2D | 28 x 28 x 6 | 156 |" in summary.to_markdown()
    assert "<table>" in summary._repr_html_()
