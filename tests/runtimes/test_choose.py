"""Who answers, whether the answers are Keras', and what is said when somebody else cannot."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
from keras import layers

import cnnzoo.inference
from cnnzoo.errors import MissingExtraError, UnknownNameError, UsageError
from cnnzoo.runtimes import backends, forms, names, openvino, trial
from cnnzoo.runtimes.choose import FEW, compile, fresh


def _expected(model, pixels):
    return np.asarray(model(pixels.astype("float32"), training=False))


@pytest.fixture
def fake(monkeypatch):
    """Replaces what OpenVINO would do; returns the calls for loading."""
    calls = []

    def install(run=None, exception=None, export=None):
        def load(path, precision):
            calls.append(precision)
            if exception is not None:
                raise exception
            return run

        monkeypatch.setattr(openvino, "version", lambda: "1")
        monkeypatch.setitem(forms._VERSIONS, "openvino", lambda: "1")
        monkeypatch.setattr(
            openvino, "export", lambda model, to, graph: (to / openvino.FILE).touch()
        )
        monkeypatch.setattr(openvino, "load", load)
        return calls

    return install


def _only_fast(monkeypatch, runtime):
    """Whatever the clock says, the runtime is the fastest."""
    monkeypatch.setattr(
        trial, "fastest", lambda runs, pixels: max(runs, key=lambda one: one.runtime == runtime)
    )


# --- the numbers are Keras' --------------------------------------------------------------------


@pytest.mark.parametrize("runtime", names.PRECISIONS)
def test_every_runtime_answers_what_keras_answers(network, pixels, runtime):
    model = network()
    runner = compile(model, runtime, "float32", batch_size=4)
    assert (runner.runtime, runner.precision, runner.note) == (runtime, "float32", "")
    answers = runner(pixels)
    assert answers.dtype == np.float32
    np.testing.assert_allclose(answers, _expected(model, pixels), rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("runtime", ["keras", "openvino"])
def test_bfloat16_is_near_but_not_the_same(network, pixels, runtime):
    model = network()
    runner = compile(model, runtime, "bfloat16", batch_size=16)
    assert (runner.runtime, runner.precision) == (runtime, "bfloat16")
    assert runner.note.startswith(f"{runtime} in bfloat16 differs from Keras")
    answers, known = runner(pixels), _expected(model, pixels)
    np.testing.assert_allclose(answers, known, rtol=0.05)
    assert np.abs(answers - known).max() > 1e-5
    assert model.layers[2].compute_dtype == "float32"


def test_keras_in_bfloat16_has_a_last_layer_in_float32(network):
    model = network()
    lowered = backends.in_bfloat16(model)
    assert lowered.layers[2].compute_dtype == "bfloat16"
    assert lowered.layers[-1].compute_dtype == "float32"
    for ours, theirs in zip(lowered.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_public_door_is_the_same_function_and_opens_lazily():
    assert cnnzoo.inference.compile is compile
    script = "import cnnzoo.inference, sys; print('keras' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "False"
    with pytest.raises(AttributeError, match="compyle"):
        _ = cnnzoo.inference.compyle


# --- auto --------------------------------------------------------------------------------------


def test_auto_takes_another_runtime_that_is_faster_and_says_the_same(monkeypatch, network, pixels):
    _only_fast(monkeypatch, "openvino")
    model = network()
    runner = compile(model)
    assert (runner.runtime, runner.precision, runner.note) == ("openvino", "float32", "")
    np.testing.assert_allclose(runner(pixels), _expected(model, pixels), rtol=1e-4, atol=1e-7)


def test_auto_measures_once_and_remembers(monkeypatch, network):
    _only_fast(monkeypatch, "openvino")
    first = compile(network())
    monkeypatch.setattr(trial, "fastest", None)  # would be called to measure
    monkeypatch.setattr(openvino, "export", None)  # would be called to export
    second = compile(network())
    assert (second.runtime, second.precision) == (first.runtime, first.precision)


def test_other_weights_are_another_network(monkeypatch, network, pixels):
    _only_fast(monkeypatch, "openvino")
    for seed in (0, 1):
        model = network(seed)
        np.testing.assert_allclose(compile(model)(pixels), _expected(model, pixels), rtol=1e-4)
    changed = network()
    changed.layers[-1].bias.assign([1.0, 0.0, 0.0, 0.0])
    np.testing.assert_allclose(compile(changed)(pixels), _expected(changed, pixels), rtol=1e-4)


def test_a_limit_of_nothing_keeps_nothing(monkeypatch, network, pixels, cache, caplog):
    monkeypatch.setenv("CNNZOO_RUNTIMES_GIB", "0")
    model = network()
    answers = compile(model, "openvino", "float32")(pixels)
    np.testing.assert_allclose(answers, _expected(model, pixels), rtol=1e-4, atol=1e-7)
    assert not cache.exists()
    assert not caplog.text


def test_few_images_are_left_to_keras_and_nothing_is_exported(network, cache):
    runner = compile(network(), images=FEW - 1)
    assert (runner.runtime, runner.precision, runner.note) == ("keras", "float32", "")
    assert not cache.exists()


def test_the_faster_one_wins(monkeypatch, network, fake):
    clock = iter(range(1000))
    monkeypatch.setattr(trial.time, "perf_counter", lambda: next(clock))
    slow = trial.Candidate("openvino", "float32")
    runs = {trial.KERAS: lambda pixels: None, slow: lambda pixels: [next(clock) for _ in range(9)]}
    assert trial.fastest(runs, np.zeros(1)) == trial.KERAS


# --- falling back ------------------------------------------------------------------------------


def test_a_runtime_that_answers_otherwise_is_not_taken_and_it_is_said(network, pixels, fake):
    model = network()
    fake(lambda images: np.full((len(images), 4), 0.25, "float32"))
    runner = compile(model, precision="float32")
    assert runner.runtime != "openvino"
    assert runner.note.startswith("openvino in float32 differs from Keras by ")
    assert runner.note.endswith(f"(allowed: 1e-04); {runner.runtime} in float32 answers")
    np.testing.assert_allclose(runner(pixels), _expected(model, pixels), rtol=1e-4)


def test_bfloat16_that_is_too_rough_gives_way_to_float32(monkeypatch, network, fake):
    monkeypatch.setattr("cnnzoo.machine.has_native_bfloat16", lambda: True)
    _only_fast(monkeypatch, "openvino")
    model = network()
    error = {"float32": 1.0, "bfloat16": 1.02}

    def load(path, precision):
        return lambda images: error[precision] * _expected(model, images)

    fake()
    monkeypatch.setattr(openvino, "load", load)
    runner = compile(model)
    assert (runner.runtime, runner.precision) == ("openvino", "float32")
    assert "openvino in bfloat16 differs from Keras by 2.0e-02 (allowed: 1e-02)" in runner.note
    error["bfloat16"] = 1.005
    monkeypatch.setattr(trial, "fastest", lambda runs, pixels: list(runs)[-1])
    assert compile(network(1), batch_size=8).precision != "bfloat16"  # other weights: other answers
    model.layers[-1].bias.assign([0.1, 0.0, 0.0, 0.0])  # another network, so it is measured anew
    assert compile(model).precision == "bfloat16"


def test_a_runtime_that_breaks_is_not_taken_and_it_is_said_in_one_line(network, fake):
    fake(exception=RuntimeError("no such\n  operation"))
    runner = compile(network())
    assert runner.runtime != "openvino"
    assert "openvino in float32 cannot run it: no such operation" in runner.note
    assert "\n" not in runner.note


def test_without_the_extra_keras_answers_and_one_line_says_what_would_be_faster(
    monkeypatch, network, cache
):
    def missing():
        raise MissingExtraError("It is not here. Type: pip install 'cnnzoo[fast]'")

    monkeypatch.setitem(forms._VERSIONS, "openvino", missing)
    monkeypatch.setitem(forms._VERSIONS, "onnxruntime", missing)
    runner = compile(network())
    assert (runner.runtime, runner.precision) == ("keras", "float32")
    assert runner.note == (
        "It is not here. Type: pip install 'cnnzoo[fast]'; keras in float32 answers"
    )
    with pytest.raises(MissingExtraError, match=r"pip install 'cnnzoo\[fast\]'"):
        compile(network(), "openvino")


@pytest.mark.parametrize("package", ["openvino", "onnxruntime"])
def test_a_missing_package_is_named_with_the_extra(monkeypatch, network, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"{package} halted.*pip install 'cnnzoo\[fast\]'"):
        compile(network(), package, "float32")


def test_a_named_runtime_answers_though_it_differs_and_says_by_how_much(network, pixels, fake):
    fake(lambda images: np.full((len(images), 4), 0.25, "float32"))
    runner = compile(network(), "openvino", "float32")
    assert runner.runtime == "openvino"
    assert "differs from Keras" in runner.note
    assert (runner(pixels) == 0.25).all()


def test_a_named_runtime_that_breaks_is_an_error(network, fake):
    fake(exception=RuntimeError("no such operation"))
    with pytest.raises(UsageError, match=r"no such operation – use runtime='keras'"):
        compile(network(), "openvino", "float32")


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(network, pixels, cache, caplog):
    cache.parent.mkdir(parents=True)
    cache.write_text("in the way")
    model = network()
    runner = compile(model, "openvino", "float32")
    np.testing.assert_allclose(runner(pixels), _expected(model, pixels), rtol=1e-4, atol=1e-7)
    assert "Nothing is kept" in caplog.text


# --- what cannot be ----------------------------------------------------------------------------


def test_networks_that_are_no_classifiers_of_pictures_are_run_by_keras():
    image = keras.Input((8, 8, 3))
    x = layers.Conv2D(2, 3)(image)
    two = keras.Model(image, [x, layers.Flatten()(x)], name="two")
    runner = compile(two, batch_size=2)
    assert runner.runtime == "keras"
    assert runner.note == "two has 2 outputs, so Keras runs it"
    assert [answer.shape for answer in runner(np.zeros((3, 8, 8, 3)))] == [(3, 6, 6, 2), (3, 72)]
    with pytest.raises(UsageError, match="two has 2 outputs"):
        compile(two, "openvino")
    vector = keras.Sequential([keras.Input((5,)), layers.Dense(2)])
    assert compile(vector)(np.ones((3, 5))).shape == (3, 2)
    assert compile(vector).runtime == "keras"


REFUSED = [
    ({"runtime": "openvno"}, UnknownNameError, "Did you mean 'openvino'"),
    ({"precision": "bloat16"}, UnknownNameError, "Did you mean 'bfloat16'"),
    ({"runtime": "onnxruntime", "precision": "bfloat16"}, UsageError, "use the runtime keras or"),
    ({"runtime": "keras", "precision": "int8"}, UsageError, "openvino or onnxruntime"),
    ({"batch_size": 0}, UsageError, "batch_size=0"),
    ({"images": -1}, UsageError, "images=-1"),
    ({"precision": "int8"}, UsageError, "some hundred pictures"),
    ({"precision": "int8", "calibration": np.zeros((32, 9, 9, 3))}, UsageError, "takes pictures"),
    ({"precision": "int8", "calibration": np.zeros((3, 8, 8, 3))}, UsageError, "at least 16"),
]


@pytest.mark.parametrize(("arguments", "error", "says"), REFUSED)
def test_what_cannot_be_is_refused_and_something_else_named(network, arguments, error, says):
    with pytest.raises(error, match=says):
        compile(network(), **arguments)


def test_models_that_do_not_say_what_they_take_are_refused():
    with pytest.raises(UsageError, match="no functional or sequential model"):
        compile(keras.Sequential([layers.Dense(2)]))
    a, b = keras.Input((2,)), keras.Input((2,))
    with pytest.raises(UsageError, match="takes 2 arrays"):
        compile(keras.Model([a, b], layers.Add()([a, b])))
    with pytest.raises(UsageError, match="exactly 3 images at a time"):
        compile(keras.Sequential([keras.Input(batch_shape=(3, 8, 8, 3)), layers.Flatten()]))


# --- nothing is told to anybody ----------------------------------------------------------------


def test_openvino_finds_no_telemetry():
    script = """
import sys, json, keras
from cnnzoo.runtimes.choose import fresh
model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
fresh(model, "openvino", "float32")
asked = [name for name in sys.modules if name.startswith("openvino_telemetry.")]
print(json.dumps([asked, sys.modules["openvino_telemetry"] is None, "openvino" in sys.modules]))
"""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout.splitlines()[-1]) == [[], True, True]


def test_what_is_only_measured_is_not_kept(network, pixels, cache):
    model = network()
    run = fresh(model, "openvino", "float32")
    np.testing.assert_allclose(run(pixels.astype("float32")), _expected(model, pixels), rtol=1e-4)
    assert not cache.exists()
