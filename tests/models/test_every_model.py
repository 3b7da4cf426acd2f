"""What every network of the registry must be, whatever its architecture."""

from __future__ import annotations

import re

import keras
import numpy as np
import pytest

import cnnzoo
from cnnzoo.analysis.measure import forms, measure, sketch
from cnnzoo.catalogue.facts import form_key, recorded
from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import UsageError

NAMES = [spec.name for spec in NETWORKS]
FORMS = [(spec.name, options) for spec in NETWORKS for options in ({}, *forms(spec))]
FORM_IDS = [form_key(name, options) for name, options in FORMS]

# Published counts, from the papers and the libraries that publish them; not from our own record.
# fmt: off
#                       total        trainable          MACs   longest path, with params, weighted
PUBLISHED = {
    "lenet5":              (     61_706,      61_706,        416_520,   9,   5,   5),
    "alexnet":             ( 60_965_224,  60_965_224,    724_406_816,  17,   8,   8),
    "vgg16":               (138_357_544, 138_357_544, 15_470_264_320,  23,  16,  16),
    "vgg19":               (143_667_240, 143_667_240, 19_632_062_464,  26,  19,  19),
    "resnet50":            ( 25_636_712,  25_583_592,  3_857_973_248, 169, 107,  50),
    "inception_v1":        (  6_998_552,   6_998_552,  1_582_671_872,  40,  58,  22),
    "inception_v3":        ( 23_851_784,  23_817_352,  5_713_216_096, 159, 189,  48),
    "resnet18":            ( 11_699_112,  11_689_512,  1_814_073_344,  68,  41,  18),
    "resnet34":            ( 21_814_696,  21_797_672,  3_663_761_408, 124,  73,  34),
    "resnet101":           ( 44_707_176,  44_601_832,  7_570_194_432, 339, 209, 101),
    "resnet152":           ( 60_419_944,  60_268_520, 11_282_415_616, 509, 311, 152),
    "resnet20":            (    271_098,     269_722,     40_551_040,  71,  39,  20),
    "resnet32":            (    466_426,     464_154,     68_862_592, 113,  63,  32),
    "resnet44":            (    661_754,     658_586,     97_174_144, 155,  87,  44),
    "resnet56":            (    857_082,     853_018,    125_485_696, 197, 111,  56),
    "resnet110":           (  1_736_058,   1_727_962,    252_887_680, 386, 219, 110),
    "inception_v4":        ( 42_711_400,  42_648_232, 12_253_974_624, 252, 299,  76),
    "inception_resnet_v2": ( 55_873_736,  55_813_192, 13_155_794_016, 572, 449, 176),
    "xception":            ( 22_910_480,  22_855_952,  8_357_403_496, 126,  81,  37),
    "resnext50":           ( 25_097_128,  25_028_904,  4_230_479_872, 185, 107,  50),
    "airbench94":          (  1_973_944,   1_971_640,    118_147_360,  27,  14,   8),
    "agh_mnist":           (  2_782_090,   2_782_090,     20_448_640,  20,   8,   8),
    "agh_cifar10":         (  1_769_674,   1_769_674,    117_784_576,  19,   9,   9),
    "agh_example":         (     93_322,      93_322,      2_794_240,   9,   5,   5),
    "taif_mnist":          (    305_194,     305_194,      5_798_656,  10,   4,   4),
    "taif_cifar10":        (    293_930,     293_034,     29_496_320,  27,  13,   7),
    "jyu_mnist_bn":        (    597_738,     596_330,     10_235_008,  21,  11,   6),
    "jyu_fashion":         (  1_199_882,   1_199_882,     11_992_448,   9,   4,   4),
}
PUBLISHED_FORMS = {  # form -> total, MACs
    "lenet5 original=True":                    (    60_000,       325_680),
    "lenet5 padding=same":                     (    61_706,       416_520),
    "alexnet variant=one-tower":               (62_378_344, 1_135_256_096),
    "alexnet variant=torchvision":             (61_100_840,   714_188_480),
    "alexnet variant=bvlc":                    (60_965_224,   724_406_816),
    "resnet50 variant=v1.5":                   (25_610_152, 4_089_184_256),
    "resnet34 shortcut=zero-padding":          (21_639_080, 3_644_493_824),
    "resnet34 shortcut=none":                  (21_639_080, 3_644_493_824),
    "resnet101 variant=v1.5":                  (44_654_504, 7_801_405_440),
    "resnet152 variant=v1.5":                  (60_344_232, 11_513_626_624),
    "inception_v1 aux=True":                   (13_378_280, 1_591_044_096),
    "inception_v1 variant=torchvision":        ( 6_639_464, 1_498_376_192),
    "inception_v1 aux=True variant=torchvision": (13_019_960, 1_506_748_416),
    "inception_v1 variant=slim":               ( 6_632_184, 1_498_376_192),
    "inception_v3 aux=True":                   (27_179_376, 5_718_899_296),
    "inception_v4 aux=True":                   (46_071_760, 12_260_477_024),
    "inception_resnet_v2 aux=True":            (59_242_288, 13_162_501_216),
}
# fmt: on


def test_cifar_networks_have_the_sizes_of_the_paper():
    """He et al., Table 6, in millions of trained parameters."""
    paper = {20: 0.27, 32: 0.46, 44: 0.66, 56: 0.85, 110: 1.7}
    for depth, millions in paper.items():
        facts = recorded()[f"resnet{depth}"]
        assert facts.depth_weighted == depth
        assert facts.trainable_params / 1e6 == pytest.approx(millions, abs=0.04)


def test_no_network_is_unpinned():
    assert sorted(PUBLISHED) == sorted(NAMES)
    assert sorted(recorded()) == sorted(FORM_IDS)


@pytest.mark.parametrize("name", NAMES)
def test_figures_are_the_published_ones(name):
    facts = recorded()[name]
    figures = (facts.total_params, facts.trainable_params, facts.macs, facts.depth_layers)
    assert (*figures, facts.depth_parametric, facts.depth_weighted) == PUBLISHED[name]


@pytest.mark.parametrize("form", PUBLISHED_FORMS)
def test_figures_of_forms_are_the_published_ones(form):
    assert (recorded()[form].total_params, recorded()[form].macs) == PUBLISHED_FORMS[form]


@pytest.mark.parametrize(("name", "options"), FORMS, ids=FORM_IDS)
def test_built_network_has_the_recorded_figures(name, options):
    assert measure(sketch(name, **options)) == recorded()[form_key(name, options)]


@pytest.mark.parametrize(("name", "options"), FORMS, ids=FORM_IDS)
def test_every_layer_is_named_by_us(name, options):
    for _ in range(2):  # a second build would number what has no name
        model = sketch(name, **options)
    numbered = re.compile("input_layer|conv2d|batch_norm|activation|add|concat|dense|.*_pooling2d")
    assert [layer.name for layer in model.layers if numbered.match(layer.name)] == []


@pytest.mark.parametrize("name", NAMES)
def test_smallest_image_gives_finite_features_and_one_pixel_less_is_refused(name):
    spec = get_spec(name)
    size, channels = spec.min_size, spec.input_shape[2]
    model = cnnzoo.build(name, include_top=False, input_shape=(size, size, channels))
    images = np.random.default_rng(0).uniform(-1, 1, (2, size, size, channels))
    features = keras.ops.convert_to_numpy(model(images.astype("float32"), training=False))
    assert features.shape == (2, *model.output.shape[1:])
    assert min(features.shape) >= 1
    assert np.isfinite(features).all()
    with pytest.raises(UsageError, match=f"below {size}, the least that {name} can take"):
        cnnzoo.build(name, include_top=False, input_shape=(size, size - 1, channels))


@pytest.mark.parametrize(("name", "options"), FORMS, ids=FORM_IDS)
def test_smallest_image_of_every_form_builds_with_its_classifier(name, options):
    spec = get_spec(name)
    size = spec.min_size_for(spec.choose(options))
    model = sketch(name, input_shape=(size, size, 3), num_classes=4, **options)
    outputs = model.outputs
    assert {tuple(output.shape) for output in outputs} == {(None, 4)}


@pytest.mark.parametrize("name", NAMES)
def test_trunk_takes_unknown_sizes_and_any_number_of_channels(name):
    model = sketch(name, include_top=False, input_shape=(None, None, 5))
    assert model.input.shape == (None, None, None, 5)
    assert model.output.shape[:3] == (None, None, None)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("pooling", ["avg", "max"])
def test_pooling_makes_one_vector_per_image(name, pooling):
    plain = sketch(name, include_top=False)
    pooled = sketch(name, include_top=False, pooling=pooling)
    assert pooled.output.shape == (None, plain.output.shape[-1])


@pytest.mark.parametrize("name", NAMES)
def test_default_output_is_a_distribution_over_the_papers_classes(name):
    model = sketch(name)
    assert model.output.shape == (None, get_spec(name).num_classes)
    assert model.layers[-1].activation is keras.activations.softmax
    assert model.name == name


@pytest.mark.parametrize(
    ("name", "options"),
    [(name, {}) for name in NAMES]
    + [("lenet5", {"original": True}), ("inception_v3", {"aux": True})],
)
def test_channels_first_builds_the_same_network(name, options):
    expected = sketch(name, **options)
    keras.config.set_image_data_format("channels_first")
    try:
        turned = sketch(name, **options)
        assert turned.input.shape[1:] == (expected.input.shape[3], *expected.input.shape[1:3])
        assert [w.shape for w in turned.weights] == [w.shape for w in expected.weights]
        assert turned.output_shape == expected.output_shape
        assert measure(turned).macs == measure(expected).macs
        assert measure(turned).receptive_field == measure(expected).receptive_field
    finally:
        keras.config.set_image_data_format("channels_last")


@pytest.mark.parametrize("name", NAMES)
def test_mixed_precision_computes_in_half_and_answers_in_float32(name):
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = sketch(name)
        inner = [layer for layer in model.layers[1:-1] if not layer.name.endswith("_gelu")]
        assert {layer.compute_dtype for layer in inner} == {"bfloat16"}
        assert model.layers[-1].compute_dtype == "float32"
        assert {str(weight.dtype) for weight in model.weights} == {"float32"}
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize(
    ("name", "options"),
    [("lenet5", {}), ("lenet5", {"original": True}), ("inception_v1", {}), ("xception", {})],
)
def test_mixed_precision_gives_probabilities(name, options, policy):
    keras.config.set_dtype_policy(policy)
    try:
        shape = (71, 71, 3) if name == "xception" else (32, 32, 1)
        model = cnnzoo.build(name, input_shape=shape, num_classes=5, **options)
        images = np.random.default_rng(0).uniform(0, 1, (2, *shape)).astype("float32")
        answer = keras.ops.convert_to_numpy(model(images))
        assert np.allclose(answer.sum(axis=1), 1, atol=1e-3)
    finally:
        keras.config.set_dtype_policy("float32")
