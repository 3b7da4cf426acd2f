"""Networks against each other: figures, what is best, distances, formats, mistakes."""

from __future__ import annotations

import csv
import io
import json

import keras
import pytest
from keras import layers

import cnnzoo
from cnnzoo.analysis.columns import DEFAULT, RESIZED
from cnnzoo.analysis.compare import LESS, MORE, ratio
from cnnzoo.errors import UnknownNameError, UnknownOptionError, UsageError


def _digits(name: str = "digits", size: int | None = 28) -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((size, size, 1)),
            layers.Conv2D(8, 3, activation="relu"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(10, activation="softmax"),
        ],
        name=name,
    )


def _figure(comparison, key):
    return next(figure for figure in comparison if figure.key == key)


def test_figures_are_those_of_the_table():
    names = ("resnet50", "vgg16", "xception")
    found = cnnzoo.compare(*names)
    table = {row["name"]: row for row in cnnzoo.table(names)}
    assert found.networks == names
    assert [figure.key for figure in found] == [key for key in DEFAULT if key != "name"]
    for figure in found:
        assert found[figure.key] == {name: table[name][figure.key] for name in names}


def test_best_is_the_least_cost_and_the_most_accuracy():
    found = cnnzoo.compare("resnet50", "vgg16", "xception", columns="all")
    best = {figure.key: [found.networks[i] for i in figure.best] for figure in found}
    assert best["total_params"] == best["weight_mib"] == ["xception"]
    assert best["macs"] == ["resnet50"]
    assert best["train_mib"] == ["vgg16"]
    assert best["top1"] == best["top5"] == ["xception"]
    assert {key for key, names in best.items() if names} == LESS | MORE


def test_ties_are_all_best_and_equal_values_none():
    found = cnnzoo.compare("lenet5", "lenet5:padding=same", "vgg16", columns="params,macs")
    assert _figure(found, "macs").best == (0, 1)
    equal = cnnzoo.compare("lenet5", "lenet5:padding=same", columns="params")
    assert _figure(equal, "total_params").best == ()


def test_distances_are_ratios_and_of_accuracies_points():
    found = cnnzoo.compare("resnet50", "vgg16", "lenet5", columns="params,top1,year,depth")
    params, top1 = (_figure(found, key) for key in ("total_params", "top1"))
    assert params.against_first[1] == 138_357_544 / 25_636_712
    assert params.distances() == ["", "×5.40", "×0.0024"]
    assert top1.against_first[1] == pytest.approx(71.268 - 74.928)
    assert top1.distances() == ["", "−3.66", ""]
    for key in ("year", "depth_layers"):
        assert set(_figure(found, key).against_first) == {None}


@pytest.mark.parametrize(
    ("times", "text"),
    [(1.0, "×1.00"), (54.93, "×54.9"), (2242.2, "×2,242"), (0.000446, "×0.00045")],
)
def test_ratio_keeps_two_digits(times, text):
    assert ratio(times) == text


def test_form_has_its_own_figures_and_the_accuracy_of_its_own_weights():
    found = cnnzoo.compare("resnet50", "ResNet-50: variant = v1.5", "resnet50:variant=v1-2017")
    assert found.networks == ("resnet50", "resnet50:variant=v1.5", "resnet50:variant=v1-2017")
    assert list(found["top1"].values()) == [74.928, 76.13, None]
    assert found["total_params"]["resnet50:variant=v1.5"] == 25_610_152
    source = cnnzoo.compare("resnet50", "resnet50:variant=v1.5", columns="source")["source"]
    assert "imagenet-torchvision" in source["resnet50:variant=v1.5"]


def test_own_model_is_measured_by_the_same_rules():
    found = cnnzoo.compare("lenet5", _digits())
    assert found["input"] == {"lenet5": "32x32x1", "digits": "28x28x1"}
    assert found["total_params"]["digits"] == 8 * 10 + 10 * 9
    assert found["macs"]["digits"] == 26 * 26 * 8 * 9 + 80
    assert found["year"]["digits"] is None
    built = cnnzoo.compare(
        "lenet5", cnnzoo.build("lenet5"), columns="params,macs,act_mib,train_mib"
    )
    assert built.networks == ("lenet5", "lenet5 (2)")
    assert all(len(set(figure.values)) == 1 for figure in built)


def test_figures_that_nobody_has_are_left_out_unless_asked_for():
    models = _digits("one"), _digits("two")
    assert not {"year", "top1", "dataset"} & {figure.key for figure in cnnzoo.compare(*models)}
    assert [figure.key for figure in cnnzoo.compare(*models, columns="year")] == ["year"]


def test_another_size_is_counted_for_names_forms_and_models():
    found = cnnzoo.compare("lenet5", "lenet5:padding=same", _digits(), input_size=(40, 44))
    assert tuple(figure.key for figure in found) == tuple(k for k in RESIZED if k != "name")
    assert set(found["input"].values()) == {"40x44x1"}
    assert found["macs"]["digits"] == 38 * 42 * 8 * 9 + 80
    form = cnnzoo.build("lenet5", padding="same", input_shape=(40, 44, 1))
    assert found["total_params"]["lenet5:padding=same"] == form.count_params()


def test_footnotes_are_the_tables_and_name_what_cannot_be_counted():
    image = keras.Input((8, 8, 1))
    x = layers.Lambda(lambda x: x, output_shape=(8, 8, 1))(image)
    model = keras.Model(image, layers.Conv2D(2, 3)(x), name="odd")
    notes = cnnzoo.compare("resnet50", "lenet5", model).footnotes
    assert "MACs of odd are at least so many; not counted: Lambda" in notes
    assert set(cnnzoo.table(["resnet50", "lenet5"]).footnotes) <= set(notes)


# fmt: off
MISTAKES = [
    (["resnet50"], {},                                   UsageError, "'resnet50' alone"),
    ([], {},                                             UsageError, "No network is nothing"),
    (["resnet50", "ResNet-50"], {},                      UsageError, "'resnet50' is given twice"),
    (["resnet50", "resnet50:variant=v1"], {},            UsageError, "'resnet50' is given twice"),
    (["resnet50", "vgg17"], {},                          UnknownNameError, "'vgg19' or 'vgg16'"),
    (["vgg16", "resnet50:varint=v1.5"], {},              UnknownOptionError, "'variant'"),
    (["vgg16", "resnet50:variant=v3"], {},               UsageError, "Use one of: 'v1'"),
    (["vgg16", "resnet50:variant"], {},                  UsageError, "not OPTION=VALUE"),
    (["vgg16", "lenet5:padding=same,padding=valid"], {}, UsageError, "each once"),
    (["vgg16", "resnet50:"], {},                         UsageError, "not OPTION=VALUE"),
    (["vgg16", 3], {},                                   UsageError, "not a Keras model"),
    (["vgg16", keras.Sequential([layers.Dense(1)])], {}, UsageError, "never built"),
    (["vgg16", _digits("open", None)], {},               UsageError, "input_size=224"),
    (["vgg16", "xception"], dict(input_size=50),         UsageError, "too small.*xception 71"),
    (["vgg16", "xception"], dict(input_size="50"),       UsageError, "no image size"),
    (["vgg16", "xception"], dict(columns="makes"),       UnknownNameError, "'macs'"),
    (["vgg16", "xception"], dict(columns="name"),        UsageError, "no figure to compare"),
    (["vgg16", "xception"], dict(columns="macs,flops"),  UsageError, "twice"),
]
# fmt: on


@pytest.mark.parametrize(("networks", "arguments", "error", "says"), MISTAKES)
def test_what_cannot_be_compared_is_refused(networks, arguments, error, says):
    with pytest.raises(error, match=says):
        cnnzoo.compare(*networks, **arguments)


def test_same_model_twice_is_refused_and_a_figure_not_compared_named():
    model = _digits()
    with pytest.raises(UsageError, match="'digits' is given twice"):
        cnnzoo.compare(model, model)
    with pytest.raises(UsageError, match="not among the figures compared"):
        _ = cnnzoo.compare("lenet5", model, columns="macs")["params"]


def test_text_marks_the_best_and_sets_ratios_beside_the_values():
    lines = str(cnnzoo.compare("resnet50", "vgg16", columns="params,macs,top1,year")).splitlines()
    assert lines[2].split() == ["params", "25,636,712*", "138,357,544", "×5.40"]
    assert lines[3].split() == ["MACs", "3.86", "G*", "15.47", "G", "×4.01"]
    assert lines[4].split() == ["top-1", "%", "74.93*", "71.27", "−3.66"]
    assert lines[5].split() == ["year", "2015", "2014"]
    assert lines[6] == "* best of its line; × and ± against resnet50"


def test_narrow_text_sets_the_rest_below_beside_the_first_again():
    found = cnnzoo.compare("resnet50", "vgg16", "vgg19", "xception", columns="params,top1")
    text = found.to_text(60)
    assert max(map(len, text.splitlines())) <= 60
    heads = [line.split()[1:] for line in text.splitlines() if line.startswith("figure")]
    assert heads == [["resnet50", "vgg16"], ["resnet50", "vgg19", "xception"]]


def test_formats_hold_the_same_figures():
    found = cnnzoo.compare("resnet50", "vgg16", columns="params,top1")
    record = json.loads(found.to_json())
    assert record["networks"] == ["resnet50", "vgg16"]
    params = record["figures"][0]
    assert params["values"] == {"resnet50": 25_636_712, "vgg16": 138_357_544}
    assert params["best"] == ["resnet50"]
    assert params["against_first"]["vgg16"] == pytest.approx(5.3968, abs=1e-4)
    assert list(csv.reader(io.StringIO(found.to_csv()))) == [
        ["figure", "resnet50", "vgg16"],
        ["total_params", "25636712", "138357544"],
        ["top1", "74.928", "71.268"],
    ]
    assert "| params | **25,636,712** | 138,357,544 (×5.40) |" in found.to_markdown()
    assert "params & 25,636,712* & 138,357,544 (×5.40)" in found.to("latex")
    assert "138,357,544 (×5.40)</td>" in found._repr_html_()
