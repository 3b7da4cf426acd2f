"""What a file brings is not drawn, what it does not bring is; nothing is left without numbers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from typing import Any

import keras
import numpy as np
import pytest

import cnnzoo
from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.blank import blank_variables, draw, hand_over
from cnnzoo.pretrained.readers.tensor import aligned, is_aligned

DRAWING = ("VarianceScaling", "RandomNormal", "RandomUniform", "TruncatedNormal")


@pytest.fixture
def drawn(monkeypatch):
    """Shapes for which random numbers were drawn."""
    shapes: list[tuple[int, ...]] = []
    for name in DRAWING:
        kind = getattr(keras.initializers, name)

        def call(self: Any, shape: Any, dtype: Any = None, real: Any = kind.__call__) -> Any:
            shapes.append(tuple(shape))
            return real(self, shape, dtype=dtype)

        monkeypatch.setattr(kind, "__call__", call)
    return shapes


@pytest.fixture
def saved(tmp_path):
    """LeNet-5 and the file of its weights."""
    model = cnnzoo.build("lenet5")
    path = tmp_path / "lenet5.weights.h5"
    model.save_weights(path)
    return model, path


def test_weights_that_a_file_brings_are_not_drawn(saved, drawn):
    model, path = saved
    drawn.clear()
    loaded = cnnzoo.build("lenet5", weights=path)
    assert drawn == []
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_are_drawn_when_there_is_no_file(drawn):
    model = cnnzoo.build("lenet5")
    assert drawn == [tuple(weight.shape) for weight in model.weights if len(weight.shape) > 1]


def test_new_classifier_is_drawn_as_it_is_without_a_file(saved, drawn):
    model, path = saved
    keras.utils.set_random_seed(4)
    expected = cnnzoo.build("lenet5", num_classes=3)
    drawn.clear()
    keras.utils.set_random_seed(4)
    loaded = cnnzoo.build("lenet5", num_classes=3, weights=path)
    assert drawn == [(84, 3)]
    for ours, theirs in zip(loaded.get_weights()[-2:], expected.get_weights()[-2:], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for ours, theirs in zip(loaded.get_weights()[:-2], model.get_weights()[:-2], strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_layers_keep_the_configuration_they_were_made_with(saved):
    model, path = saved
    loaded = cnnzoo.build("lenet5", weights=path)
    assert json.dumps(loaded.get_config()) == json.dumps(model.get_config())


def test_next_network_is_drawn_after_weights_that_do_not_fit(saved, drawn):
    _, path = saved
    before = keras.layers.Layer.add_weight
    with pytest.raises(WeightsError):
        cnnzoo.build("alexnet", weights=path)
    assert keras.layers.Layer.add_weight is before
    drawn.clear()
    assert all(np.any(weight) for weight in cnnzoo.build("lenet5").get_weights()[::2])
    assert drawn


def test_layers_of_another_thread_are_drawn(drawn):
    layer = keras.layers.Dense(4)
    with blank_variables() as pending:
        other = threading.Thread(target=layer.build, args=((None, 3),))
        other.start()
        other.join()
    assert drawn == [(3, 4)]
    assert not pending


def test_blank_variable_is_drawn_by_the_initialiser_of_its_layer():
    layer = keras.layers.Dense(4, kernel_initializer=keras.initializers.RandomUniform(2, 3, seed=1))
    with blank_variables() as pending:
        layer.build((None, 3))
    assert len(pending) == 2
    for variable in layer.weights:
        draw(variable, pending)
    assert not pending
    kernel, bias = layer.get_weights()
    np.testing.assert_array_equal(kernel, keras.initializers.RandomUniform(2, 3, seed=1)((3, 4)))
    np.testing.assert_array_equal(bias, np.zeros(4))


def _unaligned(values: np.ndarray) -> np.ndarray:
    room = aligned((values.size + 1,), "float32")
    room[1:] = values.ravel()
    return room[1:].reshape(values.shape)


def _read_only(values: np.ndarray) -> np.ndarray:
    values.flags.writeable = False
    return values


@pytest.mark.parametrize(
    "form",
    [lambda values: values, _unaligned, _read_only, lambda values: values[..., ::-1],
     np.asfortranarray],
    ids=["plain", "unaligned", "read-only", "reversed", "column by column"],
)  # fmt: skip
def test_layer_computes_and_learns_with_numbers_that_were_handed_over(form):
    values = form(np.random.default_rng(1).random((3, 3, 3, 8), dtype="float32"))
    expected = np.array(values)
    layer = keras.layers.Conv2D(8, 3)
    layer.build((None, 8, 8, 3))
    hand_over(layer.kernel, values)
    np.testing.assert_array_equal(layer.get_weights()[0], expected)
    assert np.isfinite(keras.ops.convert_to_numpy(layer(np.ones((2, 8, 8, 3))))).all()
    layer.kernel.assign_add(keras.ops.ones((3, 3, 3, 8)))
    np.testing.assert_array_equal(layer.get_weights()[0], expected + 1)


def test_array_begins_where_a_tensor_may_begin():
    for shape in ((), (3, 5), (1000,)):
        values = aligned(shape, "float16")
        assert values.shape == shape
        assert values.dtype == "float16"
        assert is_aligned(values)
    assert not is_aligned(_unaligned(np.ones(4, "float32")))


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_load_the_same_bits(saved, backend, tmp_path):
    model, path = saved
    code = (
        "import sys, cnnzoo, numpy as np\n"
        "same = cnnzoo.build('lenet5', weights=sys.argv[1]).get_weights()\n"
        "head = cnnzoo.build('lenet5', weights=sys.argv[1], num_classes=3).get_weights()[-2]\n"
        "np.savez(sys.argv[2], *same, head=head)"
    )
    found = tmp_path / "found.npz"
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), str(found)],
        env=os.environ | {"KERAS_BACKEND": backend}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(found) as arrays:
        for number, values in enumerate(model.get_weights()):
            np.testing.assert_array_equal(arrays[f"arr_{number}"], values)
        assert len(np.unique(arrays["head"])) > 200
