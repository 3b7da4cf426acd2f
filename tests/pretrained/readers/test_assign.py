"""All or nothing: whatever is wrong with a file, the network is left byte for byte as it was."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from weight_files import bytes_of, randomise

from cnnzoo.errors import WeightsError
from cnnzoo.pretrained import assign, conversions
from cnnzoo.pretrained.assign import Fit
from cnnzoo.pretrained.load import load_weights
from cnnzoo.pretrained.name_map import Feed, Plan
from cnnzoo.pretrained.readers.tensor import Tensor

FIT = Fit("a file", ("predictions",))


def tensor(values: Any) -> Tensor:
    values = np.asarray(values)
    return Tensor(values.shape, values.dtype.name, lambda: values)


def tensors_of(model: keras.Model) -> dict[str, Tensor]:
    """What a file would hold that differs from the model everywhere."""
    return {
        name: tensor(np.array(variable) * 2 + 1)
        for name, variable in assign.variables(model).items()
    }


def plan_of(model: keras.Model) -> Plan:
    return Plan({name: Feed(name, conversions.COPY) for name in assign.variables(model)})


def broken(values: Any, kind: str = "float32") -> Tensor:
    array = np.array(values, kind)
    return Tensor(array.shape, kind, lambda: array)


def _unreadable() -> np.ndarray:
    raise WeightsError("the disk is gone")


BN = "stem_bn/moving_mean"
FAILURES: dict[str, tuple[Callable[[dict[str, Tensor]], Any], str]] = {
    "missing": (lambda t: t.pop(BN), "1 missing: stem_bn/moving_mean"),
    "unexpected": (lambda t: t.update(more=t[BN]), "1 unexpected: more"),
    "renamed": (lambda t: t.update(other=t.pop(BN)), "1 missing.*1 unexpected"),
    "shape": (lambda t: t.update({BN: broken([1, 2])}), r"stem_bn/moving_mean \(4,\) from"),
    "transposed": (
        lambda t: t.update({"stem_conv/kernel": broken(np.ones((4, 3, 3, 3)))}),
        r"stem_conv/kernel \(3, 3, 3, 4\) from stem_conv/kernel \(4, 3, 3, 3\)",
    ),
    "classes": (
        lambda t: t.update({"predictions/bias": broken(np.ones(6))}),
        "Only the classifier differs.*include_top=False.*num_classes=",
    ),
    "int8": (lambda t: t.update({BN: broken([1, 1, 1, 1], "int8")}), "int8"),
    "bool": (lambda t: t.update({BN: broken([1, 1, 1, 1], "bool")}), "bool"),
    "complex": (lambda t: t.update({BN: broken([1, 1, 1, 1], "complex64")}), "complex64"),
    "NaN": (lambda t: t.update({BN: broken([1, np.nan, 1, 1])}), "1 numbers that are NaN"),
    "zeros": (
        lambda t: t.update({"stem_conv/kernel": broken(np.zeros((3, 3, 3, 4)))}),
        "stem_conv/kernel of a file is all zeros",
    ),
    "infinite": (lambda t: t.update({BN: broken([1, 1, 1, -np.inf])}), "NaN or infinite"),
    "float64": (lambda t: t.update({BN: broken([0.1, 1, 1, 1], "float64")}), "float64"),
    "overflow": (lambda t: t.update({BN: broken([1e300, 1, 1, 1], "float64")}), "float64"),
    "unreadable": (lambda t: t.update({BN: replace(t[BN], read=_unreadable)}), "disk is gone"),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_failure_leaves_the_network_as_it_was(small, failure):
    change, words = FAILURES[failure]
    before, tensors = bytes_of(small), tensors_of(small)
    change(tensors)
    with pytest.raises(WeightsError, match=words):
        assign.assign(small, tensors, plan_of(small), FIT)
    assert bytes_of(small) == before


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt])
def test_failure_half_way_through_assigning_restores_what_was_assigned(small, error, monkeypatch):
    before = bytes_of(small)
    last = small.weights[-1]
    real = type(last).assign

    def failing(self: Any, value: Any) -> Any:
        done = real(self, value)
        if self is last and not failed:
            failed.append(True)
            raise error
        return done

    failed: list[bool] = []
    monkeypatch.setattr(type(last), "assign", failing)
    with pytest.raises(error):
        assign.assign(small, tensors_of(small), plan_of(small), FIT)
    assert failed
    assert bytes_of(small) == before


def test_nothing_is_read_before_all_shapes_were_compared(small):
    reads: list[str] = []

    def watched(name: str, original: Tensor) -> Tensor:
        return replace(original, read=lambda: reads.append(name) or original.read())

    tensors = {name: watched(name, t) for name, t in tensors_of(small).items()}
    tensors["predictions/bias"] = broken(np.ones(2**4))
    with pytest.raises(WeightsError):
        assign.assign(small, tensors, plan_of(small), FIT)
    assert not reads


def test_every_variable_gets_the_numbers_of_its_source(small):
    tensors = tensors_of(small)
    expected = [tensors[name].read() for name in assign.variables(small)]
    report = assign.assign(small, tensors, plan_of(small), FIT)
    for variable, values in zip(assign.variables(small).values(), expected, strict=True):
        np.testing.assert_array_equal(np.array(variable), values)
    assert str(report) == "a file: 9/9 tensors"


def test_float64_and_float16_that_lose_nothing_are_taken(small):
    tensors = tensors_of(small)
    tensors[BN] = broken([0.5, 1, 2, 4], "float64")
    tensors["stem_bn/beta"] = broken([0.5, 1, 2, 4], "float16")
    assign.assign(small, tensors, plan_of(small), FIT)
    layer = small.get_layer("stem_bn")
    np.testing.assert_array_equal(np.array(layer.moving_mean), [0.5, 1, 2, 4])
    np.testing.assert_array_equal(np.array(layer.beta), [0.5, 1, 2, 4])


def test_message_names_ten_of_each_kind_and_counts_the_rest(small):
    tensors = tensors_of(small) | {f"more{i:02}": broken([1.0]) for i in range(25)}
    with pytest.raises(WeightsError, match=r"25 unexpected: more00; .*more09; \.\.\.") as caught:
        assign.assign(small, tensors, plan_of(small), FIT)
    assert "more10" not in str(caught.value)


def test_classifier_of_another_width_stays_new_and_the_report_says_so(small):
    tensors = tensors_of(small)
    tensors["predictions/kernel"] = broken(np.ones((6, 1000)))
    tensors["predictions/bias"] = broken(np.ones(1000))
    head = [weight.tobytes() for weight in small.get_layer("predictions").get_weights()]
    fit = replace(FIT, new_classifier=True)
    report = assign.assign(small, tensors, plan_of(small), fit)
    assert str(report) == "a file: backbone 7/7 tensors, head new"
    assert report.new == ("predictions/kernel", "predictions/bias")
    assert [w.tobytes() for w in small.get_layer("predictions").get_weights()] == head
    kernel = tensors["stem_conv/kernel"].read()
    np.testing.assert_array_equal(np.array(small.get_layer("stem_conv").kernel), kernel)


def test_classifier_that_a_file_lacks_stays_new_when_it_may(small):
    tensors = tensors_of(small)
    del tensors["predictions/kernel"], tensors["predictions/bias"]
    report = assign.assign(small, tensors, plan_of(small), replace(FIT, new_classifier=True))
    assert report.loaded == 7
    with pytest.raises(WeightsError, match="Only the classifier differs"):
        assign.assign(small, tensors, plan_of(small), FIT)


def test_classifier_that_fits_is_loaded_even_if_it_may_be_new(small):
    fit = replace(FIT, new_classifier=True)
    report = assign.assign(small, tensors_of(small), plan_of(small), fit)
    assert report.loaded == report.total
    assert not report.new


def test_new_classifier_does_not_excuse_a_backbone_that_lacks_a_tensor(small):
    before, tensors = bytes_of(small), tensors_of(small)
    del tensors[BN], tensors["predictions/bias"]
    with pytest.raises(WeightsError, match="1 missing: stem_bn/moving_mean"):
        assign.assign(small, tensors, plan_of(small), replace(FIT, new_classifier=True))
    assert bytes_of(small) == before


def test_background_class_is_dropped(small):
    tensors = tensors_of(small)
    tensors["predictions/kernel"] = broken(np.arange(36).reshape(6, 6))
    tensors["predictions/bias"] = broken(np.arange(6))
    assign.assign(small, tensors, plan_of(small), replace(FIT, class_offset=1))
    kernel, bias = small.get_layer("predictions").get_weights()
    np.testing.assert_array_equal(kernel, np.arange(36).reshape(6, 6)[:, 1:])
    np.testing.assert_array_equal(bias, np.arange(1, 6))


@pytest.mark.parametrize(
    ("gamma", "words"),
    [
        (np.full(4, 1.5), "not all ones"),
        (np.ones((2, 2)), "no scale"),
        (np.ones(70_000), "no scale"),
    ],
)
def test_scale_that_the_network_has_no_place_for_must_be_one(small, gamma, words):
    before = bytes_of(small)
    tensors = tensors_of(small) | {"their.gamma": broken(np.ones(4))}
    plan = replace(plan_of(small), ones=frozenset({"their.gamma"}))
    tensors["their.gamma"] = broken(gamma)
    with pytest.raises(WeightsError, match=words):
        assign.assign(small, tensors, plan, FIT)
    assert bytes_of(small) == before
    tensors["their.gamma"] = broken(np.ones(4))
    assert assign.assign(small, tensors, plan, FIT).loaded == 9


def _stem(channels: int, bias: bool) -> keras.Model:
    image = keras.Input((8, 8, channels), name="image")
    x = keras.layers.Conv2D(4, 3, name="stem_conv", use_bias=bias)(image)
    x = x if bias else keras.layers.BatchNormalization(name="stem_bn")(x)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(x), name="net")


@pytest.mark.parametrize("bias", [True, False])
def test_network_for_grey_images_answers_as_the_coloured_one(bias):
    mean, scale = (103.9, 116.8, 123.7), (58.0, 57.0, 59.0)
    coloured, grey = _stem(3, bias), _stem(1, bias)
    randomise(coloured)
    tensors = {name: tensor(np.array(v)) for name, v in assign.variables(coloured).items()}
    report = assign.assign(grey, tensors, plan_of(grey), Fit("a file", pixels=(mean, scale)))
    assert "stem summed for one channel" in str(report)
    pixels = np.random.default_rng(2).uniform(0, 255, (2, 8, 8, 1))
    rgb = ((np.repeat(pixels, 3, axis=3) - mean) / scale).astype("float32")
    one = ((pixels - np.mean(mean)) / np.mean(scale)).astype("float32")
    expected = np.array(coloured(rgb))
    np.testing.assert_allclose(np.array(grey(one)), expected, rtol=1e-3, atol=1e-3)


def test_grey_stem_is_a_plain_sum_when_all_channels_are_treated_alike():
    coloured, grey = _stem(3, False), _stem(1, False)
    tensors = {name: tensor(np.array(v)) for name, v in assign.variables(coloured).items()}
    assign.assign(grey, tensors, plan_of(grey), Fit("a file", pixels=((127.5,), (127.5,))))
    kernel = tensors["stem_conv/kernel"].read().sum(axis=2, keepdims=True)
    np.testing.assert_allclose(np.array(grey.get_layer("stem_conv").kernel), kernel, atol=1e-6)
    statistics = np.array(grey.get_layer("stem_bn").moving_mean)
    np.testing.assert_array_equal(statistics, np.zeros(4))


def test_other_numbers_of_channels_are_refused():
    model = _stem(4, False)
    before = bytes_of(model)
    coloured = _stem(3, False)
    tensors = {name: tensor(np.array(v)) for name, v in assign.variables(coloured).items()}
    with pytest.raises(WeightsError, match="three channels or of one"):
        assign.assign(model, tensors, plan_of(model), Fit("a file"))
    assert bytes_of(model) == before


def test_weights_too_large_for_a_float16_network_are_refused():
    keras.config.set_dtype_policy("float16")
    try:
        model = _stem(3, True)
    finally:
        keras.config.set_dtype_policy("float32")
    before = bytes_of(model)
    tensors = {
        name: tensor(np.full(v.shape, 7e4, "float32"))
        for name, v in assign.variables(model).items()
    }
    with pytest.raises(WeightsError, match="too large for float16"):
        assign.assign(model, tensors, plan_of(model), Fit("a file"))
    assert bytes_of(model) == before


def test_two_layers_of_one_name_in_a_network_are_refused(small):
    layer = small.get_layer("stem_bn")
    layer.gamma._name = "beta"
    with pytest.raises(WeightsError, match="two variables called stem_bn/beta"):
        assign.variables(small)


def test_log_says_what_was_loaded(small, tmp_path, caplog):
    path = tmp_path / "mine.weights.h5"
    small.save_weights(path)
    with caplog.at_level(logging.INFO, logger="cnnzoo"):
        load_weights(small, path, classifier=("predictions",))
    assert f"{path}: 9/9 tensors" in caplog.text


def test_dense_layers_that_only_the_file_has_are_its_classifier(small, tmp_path):
    path = tmp_path / "mine.weights.h5"
    small.save_weights(path)
    trunk = keras.Model(small.input, small.get_layer("sep").output, name="trunk")
    report = load_weights(trunk, path, classifier=("sep_out",))
    assert str(report) == f"{path}: 7/7 tensors, 2 of the file unused"
