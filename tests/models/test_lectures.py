"""The networks of the lectures, layer by layer as their code and printed summaries have them."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import cnnzoo
from cnnzoo.analysis.measure import sketch
from cnnzoo.catalogue.lectures import LECTURES
from cnnzoo.catalogue.registry import get_spec

NAMES = [spec.name for spec in LECTURES]

# What the code of a lecture says, one layer a word: kind, width or rate, "s" for padding "same".
# fmt: off
CODE = {
    "agh_mnist": """
        conv32-relu pool2 drop0.2 conv64s-relu pool2 drop0.25 conv128s-relu pool2 drop0.3
        conv256s-relu drop0.4 conv512s-relu drop0.5
        flatten dense256-relu drop0.35 dense128-relu drop0.25 dense10-softmax""",
    "agh_cifar10": """
        conv64-relu conv64-relu pool2 drop0.25 conv128s-relu conv128s-relu pool2 drop0.25
        conv256s-relu conv256s-relu pool2 drop0.35
        flatten dense256-relu drop0.35 dense128-relu drop0.25 dense10-softmax""",
    "agh_example": """
        conv32-relu pool2 conv64-relu pool2 conv64-relu flatten dense64-relu dense10-softmax""",
    "taif_mnist": """
        conv32 relu conv32 relu pool2 flatten dense64 relu dense10-softmax""",
    "taif_cifar10": """
        conv32s norm elu conv32s norm elu pool2 drop0.2
        conv64s norm elu conv64s norm elu pool2 drop0.2
        conv128 norm elu conv128 norm elu pool2 drop0.5 flatten dense10-softmax""",
    "jyu_mnist_bn": """
        conv32 norm relu conv32 norm relu pool2 conv64 norm relu conv64 norm relu pool2
        flatten dense512 norm relu drop0.2 dense10-softmax""",
    "jyu_fashion": """
        conv32-relu conv64-relu pool2 drop0.25 flatten dense128-relu drop0.5 dense10-softmax""",
}
# Height, channels and parameters of the layers that have any; the first two are what the lectures
# print, the others follow from their code.
SHAPES = {
    "taif_mnist":   [(26, 32, 320), (24, 32, 9_248), (64, 294_976), (10, 650)],
    "agh_example":  [(26, 32, 320), (11, 64, 18_496), (3, 64, 36_928), (64, 36_928), (10, 650)],
    "agh_mnist":    [(26, 32, 320), (13, 64, 18_496), (6, 128, 73_856), (3, 256, 295_168),
                     (3, 512, 1_180_160), (256, 1_179_904), (128, 32_896), (10, 1_290)],
    "agh_cifar10":  [(30, 64, 1_792), (28, 64, 36_928), (14, 128, 73_856), (14, 128, 147_584),
                     (7, 256, 295_168), (7, 256, 590_080), (256, 590_080), (128, 32_896),
                     (10, 1_290)],
    "taif_cifar10": [(32, 32, 896), (32, 32, 9_248), (16, 64, 18_496), (16, 64, 36_928),
                     (6, 128, 73_856), (4, 128, 147_584), (10, 5_130)],
    "jyu_mnist_bn": [(26, 32, 320), (24, 32, 9_248), (10, 64, 18_496), (8, 64, 36_928),
                     (512, 524_800), (10, 5_130)],
    "jyu_fashion":  [(26, 32, 320), (24, 64, 18_496), (128, 1_179_776), (10, 1_290)],
}
#                   total, moving statistics, shape of the features
COUNTS = {
    "agh_mnist":    (2_782_090,     0, (3, 3, 512)),
    "agh_cifar10":  (1_769_674,     0, (3, 3, 256)),
    "agh_example":  (   93_322,     0, (3, 3, 64)),
    "taif_mnist":   (  305_194,     0, (12, 12, 32)),
    "taif_cifar10": (  293_930,   896, (2, 2, 128)),
    "jyu_mnist_bn": (  597_738, 1_408, (4, 4, 64)),
    "jyu_fashion":  (1_199_882,     0, (12, 12, 64)),
}
# fmt: on


def _word(layer: keras.layers.Layer) -> str:
    """A built layer in the words of ``CODE``; what is not a 3x3 of stride 1 is none of them."""
    activation = getattr(layer, "activation", keras.activations.linear).__name__
    after = "" if activation == "linear" else f"-{activation}"
    match layer:
        case keras.layers.Conv2D(kernel_size=(3, 3), strides=(1, 1), use_bias=True):
            same = "s" if layer.padding == "same" else ""
            return f"conv{layer.filters}{same}{after}"
        case keras.layers.Dense(use_bias=True):
            return f"dense{layer.units}{after}"
        case keras.layers.MaxPooling2D(pool_size=(2, 2), strides=(2, 2), padding="valid"):
            return "pool2"
        case keras.layers.BatchNormalization(epsilon=1e-3, momentum=0.99, scale=True, center=True):
            return "norm"
        case keras.layers.Activation():
            return activation
        case keras.layers.Dropout():
            return f"drop{layer.rate:g}"
    return type(layer).__name__.lower()


def test_every_lecture_network_is_pinned_here():
    assert sorted(CODE) == sorted(SHAPES) == sorted(COUNTS) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_layers_are_those_of_the_lecture_in_its_order(name):
    assert [_word(layer) for layer in sketch(name).layers[1:]] == CODE[name].split()


@pytest.mark.parametrize("name", NAMES)
def test_shapes_and_parameters_are_those_of_the_lecture(name):
    kinds = (keras.layers.Conv2D, keras.layers.Dense)
    layers = [layer for layer in sketch(name).layers if isinstance(layer, kinds)]
    assert [(*layer.output.shape[2:], layer.count_params()) for layer in layers] == [
        row if len(row) == 3 else row[1:] for row in SHAPES[name]
    ]
    assert [layer.output.shape[1] for layer in layers] == [row[0] for row in SHAPES[name]]


@pytest.mark.parametrize("name", NAMES)
def test_counts_are_those_of_the_lecture(name):
    total, statistics, features = COUNTS[name]
    model = sketch(name)
    assert model.count_params() == total
    assert sum(int(np.prod(w.shape)) for w in model.trainable_weights) == total - statistics
    assert model.output.shape == (None, 10)
    assert sketch(name, include_top=False).output.shape == (None, *features)


@pytest.mark.parametrize("name", NAMES)
def test_one_step_of_training_moves_every_weight(name):
    keras.utils.set_random_seed(0)
    spec = get_spec(name)
    images = np.random.default_rng(0).integers(0, 256, (8, *spec.input_shape), "uint8")
    pixels, labels = cnnzoo.preprocess_input(images, name), np.arange(8)
    model = cnnzoo.build(name)
    before = _numbers(model)
    model.compile("adam", "sparse_categorical_crossentropy")
    assert np.isfinite(model.train_on_batch(pixels, labels))
    changed = {path: (new != before[path]).any() for path, new in _numbers(model).items()}
    assert [path for path, moved in changed.items() if not moved] == []


def _numbers(model: keras.Model) -> dict[str, np.ndarray]:
    return {w.path: np.array(keras.ops.convert_to_numpy(w)) for w in model.trainable_weights}


def test_taif_feeds_raw_digits_and_standardised_photographs():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 28, 28, 1), "uint8")
    assert np.array_equal(cnnzoo.preprocess_input(pixels, "taif_mnist"), pixels)
    grey = cnnzoo.preprocess_input(np.full((1, 1, 3), 255, "uint8"), "taif_cifar10")
    assert grey.ravel() == pytest.approx([2.0591, 2.1265, 2.1158], abs=1e-3)


def test_lecture_networks_come_last_without_a_year_and_are_a_family():
    assert cnnzoo.list_models()[-len(NAMES) :] == NAMES
    assert cnnzoo.list_models(family="lecture") == NAMES
    assert {row["year"] for row in cnnzoo.table(family="lecture", columns="name,year")} == {None}
    assert "(0)" not in str(cnnzoo.info("taif_mnist"))


def test_only_the_flattened_classifier_depends_on_the_size_of_the_image():
    wide = sketch("jyu_fashion", input_shape=(36, 36, 1))
    assert wide.get_layer("fc1").count_params() == 16 * 16 * 64 * 128 + 128
    assert wide.count_params() - wide.get_layer("fc1").count_params() == 1_199_882 - 1_179_776
