"""Forms of one network with equal counts differ where their publishers do."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import cnnzoo
from cnnzoo.analysis.measure import measure, sketch
from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.models.layers import EvenConv2D


@pytest.mark.parametrize(
    ("variant", "bias", "alpha"),
    [("two-tower", 2.0, 1e-4), ("one-tower", 2.0, 1e-4), ("bvlc", 1.0, 2e-5)],
)
def test_alexnet_normalises_with_the_constants_of_paper_or_caffe(variant, bias, alpha):
    for name in ("norm1", "norm2"):
        layer = sketch("alexnet", variant=variant).get_layer(name)
        assert (layer.size, layer.bias, layer.beta) == (5, bias, 0.75)
        assert layer.alpha == pytest.approx(alpha)


@pytest.mark.parametrize(
    ("variant", "groups"), [("two-tower", [1, 2, 1, 2, 2]), ("one-tower", [1] * 5)]
)
def test_alexnets_towers_see_each_other_in_conv3_only(variant, groups):
    model = sketch("alexnet", variant=variant)
    assert [model.get_layer(f"conv{i}").groups for i in range(1, 6)] == groups


# fmt: off
RESNETS = [  # variant, strides of the 1x1 and the 3x3, bias, epsilon, side after the first pooling
    ("v1",      2, 1, True,  1.001e-5, 56),
    ("v1.5",    1, 2, False, 1e-5,     56),
    ("v1-2017", 2, 1, True,  1e-3,     55),
]
# fmt: on


@pytest.mark.parametrize(("variant", "first", "second", "bias", "epsilon", "side"), RESNETS)
def test_resnets_differ_in_stride_bias_epsilon_and_pooling(
    variant, first, second, bias, epsilon, side
):
    model = sketch("resnet50", variant=variant)
    for stage in (3, 4, 5):
        assert model.get_layer(f"conv{stage}_block1_1_conv").strides == (first, first)
        assert model.get_layer(f"conv{stage}_block1_2_conv").strides == (second, second)
    convolutions = [x for x in model.layers if isinstance(x, keras.layers.Conv2D)]
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert {layer.use_bias for layer in convolutions} == {bias}
    assert {layer.epsilon for layer in norms} == {epsilon}
    assert model.get_layer("pool1_pool").output.shape == (None, side, side, 64)
    assert model.get_layer("conv5_block3_out").output.shape == (None, 7, 7, 2048)


def test_inception_v3_of_torchvision_counts_the_padding_of_average_pools():
    for variant, padding in (("keras", "same"), ("torchvision", "valid")):
        model = sketch("inception_v3", variant=variant)
        pools = [x for x in model.layers if isinstance(x, keras.layers.AveragePooling2D)]
        assert len(pools) == 9
        assert {pool.padding for pool in pools} == {padding}
        pads = [x for x in model.layers if isinstance(x, keras.layers.ZeroPadding2D)]
        assert len(pads) == (9 if variant == "torchvision" else 0)
        assert model.get_layer("mixed0_pool").output.shape == (None, 35, 35, 192)


@pytest.mark.parametrize(
    ("variant", "kernel", "even", "scale", "pool"),
    [("paper", 5, True, None, 3), ("torchvision", 3, True, True, 2), ("slim", 3, False, False, 2)],
)
def test_inceptions_v1_differ_in_branch_stem_and_normalisation(variant, kernel, even, scale, pool):
    model = sketch("inception_v1", variant=variant)
    suffix = "" if variant == "paper" else "_conv"
    assert model.get_layer(f"inception_3a_5x5{suffix}").kernel_size == (kernel, kernel)
    assert isinstance(model.get_layer(f"conv1{suffix}"), EvenConv2D) is even
    assert model.get_layer("pool4").pool_size == (pool, pool)
    norms = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    assert {layer.scale for layer in norms} == (set() if scale is None else {scale})


SMALL_STEMS = [spec.name for spec in NETWORKS if any(o.name == "stem" for o in spec.options)]
# fmt: off
SHRINKS = {  # pixels of the image from one unit of the last feature map to the next
    "resnet18": (32, 8), "resnext50": (32, 8), "inception_v1": (32, 8), "inception_v3": (32, 8),
    "inception_v4": (32, 8), "inception_resnet_v2": (32, 8), "xception": (32, 16),
}
# fmt: on


@pytest.mark.parametrize("name", SMALL_STEMS)
def test_a_small_stem_has_the_same_weights(name):
    paper, small = sketch(name), sketch(name, stem="small")
    assert small.input.shape == (None, 32, 32, 3)
    assert [(w.path, w.shape) for w in small.weights] == [(w.path, w.shape) for w in paper.weights]


@pytest.mark.parametrize("name", SHRINKS)
def test_a_small_stem_leaves_the_image_larger(name):
    found = [measure(sketch(name, stem=stem)).effective_stride for stem in ("paper", "small")]
    assert tuple(found) == SHRINKS[name]


def test_a_small_stem_of_a_resnet_has_neither_stride_nor_pooling():
    model = sketch("resnet50", stem="small", variant="v1.5")
    assert model.get_layer("conv1_conv").kernel_size == (7, 7)
    assert model.get_layer("conv1_relu").output.shape == (None, 32, 32, 64)
    assert model.get_layer("conv2_block1_1_conv").input is model.get_layer("conv1_relu").output
    assert model.get_layer("conv5_block3_out").output.shape == (None, 4, 4, 2048)


def test_weights_of_the_paper_load_into_a_small_stem(tmp_path):
    paper = cnnzoo.build("resnet18", input_shape=(32, 32, 3), num_classes=2)
    paper.save_weights(tmp_path / "paper.weights.h5")
    small = cnnzoo.build(
        "resnet18", weights=tmp_path / "paper.weights.h5", stem="small", num_classes=2
    )
    for ours, theirs in zip(small.get_weights(), paper.get_weights(), strict=True):
        assert ours.tobytes() == theirs.tobytes()
    images = np.random.default_rng(0).normal(size=(1, 32, 32, 3)).astype("float32")
    assert np.abs(np.asarray(small(images)) - np.asarray(paper(images))).max() > 1e-4


def test_an_image_too_small_for_the_network_is_told_of_the_small_stem():
    with pytest.raises(cnnzoo.UsageError, match="Or pass stem='small' for 8"):
        sketch("resnet50", input_shape=(28, 28, 3))
