"""Forms of one network with equal counts differ where their publishers do."""

from __future__ import annotations

import keras
import pytest

from cnnzoo.analysis.measure import sketch
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
