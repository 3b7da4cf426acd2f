"""Every network gives the same answer on TensorFlow and on JAX."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from cnnzoo.catalogue.networks import NETWORKS

FORWARD = """
import sys, numpy as np, keras, cnnzoo
from cnnzoo.catalogue.registry import get_spec

name, target, options = sys.argv[1], sys.argv[2], eval(sys.argv[3])
spec = get_spec(name)
size = spec.min_size_for(spec.choose(options))
shape = (size, size, spec.input_shape[2])
model = cnnzoo.build(name, input_shape=shape, num_classes=5, classifier_activation=None, **options)
numbers = np.random.default_rng(3)
for weight in model.weights:
    spread = 1 / np.sqrt(np.prod(weight.shape[:-1])) if len(weight.shape) > 1 else 0.1
    value = spread * numbers.standard_normal(weight.shape, dtype="float32")
    weight.assign(np.abs(value) + 0.5 if "variance" in weight.path else value)
images = numbers.standard_normal((2, *shape), dtype="float32")
np.save(target, keras.ops.convert_to_numpy(model(images, training=False)))
"""


def _answer(backend: str, name: str, options: dict[str, object], target: object) -> np.ndarray:
    done = subprocess.run(
        [sys.executable, "-c", FORWARD, name, str(target), repr(options)],
        env=os.environ | {"KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return np.load(target)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"),
    [*((spec.name, {}) for spec in NETWORKS), ("lenet5", {"original": True})],
    ids=lambda value: str(value),
)
def test_tensorflow_and_jax_agree(name, options, tmp_path):
    ours = _answer("tensorflow", name, options, tmp_path / "tensorflow.npy")
    theirs = _answer("jax", name, options, tmp_path / "jax.npy")
    assert ours.shape == (2, 5)
    assert np.isfinite(ours).all()
    assert np.abs(ours - theirs).max() <= 1e-4 * np.abs(ours).max()
