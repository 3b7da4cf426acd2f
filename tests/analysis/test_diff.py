"""What changed between two networks: pairing, changes, totals, text."""

from __future__ import annotations

import json

import keras
import pytest
from keras import layers

import cnnzoo
from cnnzoo.analysis.align import align
from cnnzoo.errors import UnknownNameError, UnknownOptionError, UsageError


def _cnn(*filters: int, name: str = "own", size: int = 28, **settings) -> keras.Model:
    """A convolution and a pooling for each number of filters, then a classifier."""
    x = image = keras.Input((size, size, 1))
    for number in filters:
        x = layers.Conv2D(
            number, **dict(kernel_size=3, activation="relu", padding="same") | settings
        )(x)
        x = layers.MaxPooling2D()(x)
    return keras.Model(
        image, layers.Dense(10, activation="softmax")(layers.Flatten()(x)), name=name
    )


def _changes(difference, sign=""):
    return [c for stage in difference for c in stage.changes if c.sign.startswith(sign)]


def test_vgg19_has_three_more_convolutions_one_in_each_of_the_last_stages():
    found = cnnzoo.diff("vgg16", "vgg19")
    assert [stage.same for stage in found] == [True, True, False, False, False, True]
    told = [(s.name, c.sign, c.what, c.layers, c.params) for s in found for c in s.changes]
    assert told == [
        ("56 × 56 × 256", "+", "conv 3×3, 256", ("block3_conv4",), 590_080),
        ("28 × 28 × 512", "+", "conv 3×3, 512", ("block4_conv4",), 2_359_808),
        ("14 × 14 × 512", "+", "conv 3×3, 512", ("block5_conv4",), 2_359_808),
    ]
    assert not found.changes
    assert [side.params for side in found.total] == [138_357_544, 143_667_240]
    assert found[2].right.params - found[2].left.params == 590_080


def test_other_direction_removes_them():
    found = cnnzoo.diff("vgg19", "vgg16")
    assert [(c.sign, c.layers) for c in _changes(found)] == [
        ("-", ("block3_conv4",)), ("-", ("block4_conv4",)), ("-", ("block5_conv4",)),
    ]  # fmt: skip


def test_resnet_v15_moves_the_stride_in_the_first_block_of_three_stages():
    found = cnnzoo.diff("resnet50", "resnet50:variant=v1.5")
    told = [(s.name, c.what, c.details, c.blocks) for s in found for c in s.changes]
    assert told == [
        ("28 × 28 × 512", "conv 1×1, 128", ("stride 2 moved to conv 3×3, 128",), (1,)),
        ("14 × 14 × 1024", "conv 1×1, 256", ("stride 2 moved to conv 3×3, 256",), (1,)),
        ("7 × 7 × 2048", "conv 1×1, 512", ("stride 2 moved to conv 3×3, 512",), (1,)),
    ]
    biases = sum(
        layer.filters
        for layer in cnnzoo.build("resnet50").layers
        if isinstance(layer, layers.Conv2D)
    )
    assert found.total[0].params - found.total[1].params == biases  # and nothing else
    (shared,) = found.changes
    assert shared.what == "in each of 53 conv layers"
    assert shared.details == ("bias removed", "batch norm epsilon 1.001e-05 → 1e-05")


def test_resnext_widens_and_groups_every_block():
    found = cnnzoo.diff("resnet50", "resnext50")
    stage = found[3]
    assert (stage.name, stage.left.shape) == ("14 × 14 × 1024", (14, 14, 1024))
    assert [(c.what, c.details) for c in stage.changes if c.every] == [
        ("conv 1×1, 256", ("filters 256 → 512",)),
        ("conv 3×3, 256", ("filters 256 → 512", "groups 1 → 32")),
    ]
    assert "    ~ in each of 6 blocks:\n      ~ conv 1×1, 256: filters" in str(found)


def test_resnet101_is_seventeen_blocks_longer_in_one_stage():
    (added,) = _changes(cnnzoo.diff("resnet50", "resnet101"))
    assert (added.sign, len(added.layers)) == ("+", 17)
    assert added.params == 44_707_176 - 25_636_712
    assert str(added).startswith(
        "+ 17 × [conv 1×1, 256 → conv 3×3, 256 → conv 1×1, 1024 | shortcut] +"
    )


def test_inceptions_are_paired_size_by_size():
    found = cnnzoo.diff("inception_v3", "inception_v4")
    sizes = [(stage.left.shape[0], stage.right.shape[0]) for stage in found[:7]]
    assert sizes == [(n, n) for n in (149, 147, 73, 71, 35, 17, 8)]
    widened = [c for c in found[4].changes if c.every]
    assert ("conv 5×5, 64", ("filters 64 → 96", "kernel 5×5 → 3×3")) in [
        (c.what, c.details) for c in widened
    ]


def test_outputs_that_were_added_are_a_stage_of_their_own():
    found = cnnzoo.diff("inception_v1", "inception_v1:aux=true")
    assert [stage.same for stage in found] == [True] * 6 + [False]
    assert (found[-1].name, found[-1].left) == ("other outputs", None)
    assert found[-1].right.params == 13_378_280 - 6_998_552


def test_own_model_is_paired_with_lenet_by_order():
    found = cnnzoo.diff("lenet5", _cnn(16, 32))
    assert [(s.name, s.left is None, s.right is None) for s in found] == [
        ("28 × 28 × 6 → 28 × 28 × 16", False, False),
        ("10 × 10 × 16 → 14 × 14 × 32", False, False),
        ("1 × 1 × 120", False, True),
        ("head", False, False),
    ]
    assert found.changes[0].details == ("32 × 32 × 1 → 28 × 28 × 1",)
    conv, pool = found[0].changes
    assert conv.details == (
        "filters 6 → 16", "kernel 5×5 → 3×3", "padding 0 → 1", "activation tanh → relu",
    )  # fmt: skip
    assert pool.details == ("becomes pool 2×2 max /2",)
    assert [c.layers for c in found[2].changes] == [("c5",)]


@pytest.mark.parametrize("name", ["lenet5", "resnet50", "inception_v4", "xception", "resnet20"])
def test_network_is_the_same_as_itself(name):
    found = cnnzoo.diff(name, cnnzoo.build(name, name="mine"))
    assert found.same
    assert str(found).endswith("no difference")
    assert (found.left, found.right) == (name, "mine")


def test_network_of_keras_is_the_same_as_ours_whatever_way_an_axis_is_counted():
    assert cnnzoo.diff("resnet50", keras.applications.ResNet50(weights=None)).same


def test_own_model_is_the_same_as_itself_and_as_its_copy_with_other_weights():
    model = _cnn(8, 16)
    assert cnnzoo.diff(model, model).same
    assert cnnzoo.diff(model, _cnn(8, 16, name="other")).same


# fmt: off
ALTERED = [
    (dict(strides=2),          "stride 1 → 2"),
    (dict(kernel_size=5),      "kernel 3×3 → 5×5"),
    (dict(kernel_size=(1, 3)), "kernel 3×3 → 1×3"),
    (dict(use_bias=False),     "bias removed"),
    (dict(activation="tanh"),  "activation relu → tanh"),
    (dict(activation=None),    "relu removed"),
    (dict(dilation_rate=2),    "dilation 1 → 2"),
    (dict(padding="valid"),    "padding 1 → 0"),
    (dict(groups=2),           "groups 1 → 2"),
]
# fmt: on


@pytest.mark.parametrize(("settings", "says"), ALTERED, ids=[says for _, says in ALTERED])
def test_every_setting_of_a_layer_is_told(settings, says):
    image = keras.Input((16, 16, 4))
    usual = dict(filters=8, kernel_size=3, padding="same", activation="relu")
    one, other = (
        keras.Model(image, layers.Conv2D(**usual | more, name="conv")(image))
        for more in ({}, settings)
    )
    found = cnnzoo.diff(one, other)
    assert not found.same
    assert says in [detail for change in _changes(found) for detail in change.details]


@pytest.mark.parametrize(
    ("extra", "says"),
    [
        (layers.BatchNormalization, "batch norm added"),
        (lambda: layers.Dropout(0.3), "dropout 0.3 added"),
        (lambda: layers.LeakyReLU(negative_slope=0.2), "LeakyReLU added"),
    ],
)
def test_layers_that_go_with_another_are_told_with_it(extra, says):
    image = keras.Input((16, 16, 3))
    conv = layers.Conv2D(4, 3, name="conv")
    found = cnnzoo.diff(keras.Model(image, conv(image)), keras.Model(image, extra()(conv(image))))
    (change,) = _changes(found)
    assert (change.layers, change.details) == (("conv",), (says,))


def test_activation_inside_a_layer_is_the_same_as_after_it():
    image = keras.Input((16, 16, 3))
    inside = keras.Model(image, layers.Conv2D(4, 3, activation="relu")(image))
    after = keras.Model(image, layers.ReLU()(layers.Conv2D(4, 3)(image)))
    assert cnnzoo.diff(inside, after).same


def test_explicit_zeros_are_the_same_as_padding_of_the_layer():
    image = keras.Input((16, 16, 3))
    explicit = layers.Conv2D(4, 3)(layers.ZeroPadding2D(1)(image))
    same = layers.Conv2D(4, 3, padding="same")(image)
    assert cnnzoo.diff(keras.Model(image, explicit), keras.Model(image, same)).same


def test_activation_before_a_layer_is_told_with_it():
    def model(first):
        x = image = keras.Input((8, 8, 4))
        x = layers.Conv2D(4, 1)(x)
        y = layers.ReLU()(x) if first else x
        y = layers.Conv2D(4, 3, padding="same")(y)
        return keras.Model(image, layers.Add()([x, y]))

    (change,) = _changes(cnnzoo.diff(model(False), model(True)))
    assert change.details == ("activation before relu added",)


def test_shortcut_and_way_of_joining_are_told():
    def model(join, project):
        image = keras.Input((8, 8, 4))
        y = layers.Conv2D(4, 3, padding="same", name="main")(image)
        y = layers.Conv2D(4, 3, padding="same")(y)
        x = layers.Conv2D(4, 1, name="project")(image) if project else image
        return keras.Model(image, join()([y, x]))

    (added,) = _changes(cnnzoo.diff(model(layers.Add, False), model(layers.Add, True)))
    assert (added.sign, added.what) == ("+", "conv 1×1, 4 (shortcut)")
    joined = cnnzoo.diff(model(layers.Add, True), model(layers.Concatenate, True))
    assert [c.details for c in _changes(joined)] == [("joined by + → concat",)]


def test_normalisation_alone_on_a_shortcut_is_told():
    def model(normalise):
        image = keras.Input((8, 8, 4))
        y = layers.Conv2D(4, 3, padding="same")(image)
        x = layers.BatchNormalization()(image) if normalise else image
        return keras.Model(image, layers.Add()([y, x]))

    found = cnnzoo.diff(model(False), model(True))
    assert not found.same
    assert found.changes[0].what == "alone on a branch"
    assert found.changes[0].details[0].startswith("nothing → batch norm")


def test_pooling_takes_zeros_for_values_and_leaves_out_its_own_padding():
    image = keras.Input((8, 8, 4))
    own = layers.AveragePooling2D(3, 1, padding="same")(image)
    zeros = layers.AveragePooling2D(3, 1)(layers.ZeroPadding2D(1)(image))
    (change,) = _changes(cnnzoo.diff(keras.Model(image, own), keras.Model(image, zeros)))
    assert change.details == ("padding 1 → 1 of zeros",)


def test_same_layers_on_other_input_are_not_the_same():
    found = cnnzoo.diff(_cnn(4, 8), _cnn(4, 8, size=32))
    assert not found.same
    (dense,) = _changes(found)
    assert (dense.what, dense.details) == ("dense 10", ("3,930 → 5,130 params, by what comes in",))
    assert "the same layers on other input" in str(found)


def test_layer_whose_work_cannot_be_counted_is_named():
    image = keras.Input((8, 8, 4))
    odd = layers.Lambda(lambda x: x, output_shape=(8, 8, 4), name="odd")
    model = keras.Model(image, layers.Conv2D(2, 3)(odd(image)), name="strange")
    found = cnnzoo.diff(model, _cnn(2, size=8))
    assert found.remarks == ("strange: MACs not counted: odd.",)


def test_alignment_pairs_the_first_where_several_are_as_good():
    pairs = align("aab", "aaaab", lambda a, b: float(a != b))
    assert pairs == [("a", "a"), ("a", "a"), (None, "a"), (None, "a"), ("b", "b")]


def test_narrow_text_fits_and_says_the_same():
    found = cnnzoo.diff("vgg16", "vgg19")
    narrow = found.to_text(80)
    assert max(map(len, narrow.splitlines())) <= 80
    assert narrow.split("total")[1].split() == (
        str(found).split("total")[1].replace(") ", "), ").split()
    )


def test_json_and_notebooks_hold_the_changes():
    found = cnnzoo.diff("vgg16", "vgg19")
    record = json.loads(found.to_json())
    assert record["stages"][2]["changes"][0]["params"] == 590_080
    assert (record["stages"][0]["same"], record["same"]) == (True, False)
    page = found._repr_html_()
    assert page.startswith("<pre>")
    assert "+ conv 3×3, 256 (block3_conv4): 590,080 params, 1.85 G MACs</span>" in page


@pytest.mark.parametrize(
    ("networks", "error", "says"),
    [
        (("vgg16", "vgg17"), UnknownNameError, "'vgg19' or 'vgg16'"),
        (("vgg16", "resnet50:varint=v1.5"), UnknownOptionError, "'variant'"),
        ((3, "vgg16"), UsageError, "not a Keras model"),
        ((keras.Sequential([layers.Dense(1)]), "vgg16"), UsageError, "never built"),
    ],
)
def test_what_has_no_stages_is_refused(networks, error, says):
    with pytest.raises(error, match=says):
        cnnzoo.diff(*networks)
