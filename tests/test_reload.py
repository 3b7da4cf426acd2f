"""A saved model reloads where only `keras` and `cnnzoo` were imported, in either order."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

import cnnzoo

SAVED = {  # every layer of ours is in one of them
    "lenet5": dict(original=True),
    "alexnet": dict(include_top=False, input_shape=(67, 67, 3), include_preprocessing=True),
    "inception_v1": dict(include_top=False, input_shape=(32, 32, 3)),
    "inception_resnet_v2": dict(include_top=False, input_shape=(75, 75, 3)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    for name, arguments in SAVED.items():
        model = cnnzoo.build(name, **arguments)
        images = np.random.default_rng(1).uniform(0, 1, (2, *model.input.shape[1:]))
        model.save(folder / f"{name}.keras")
        answers = keras.ops.convert_to_numpy(model(images.astype("float32"), training=False))
        np.savez(folder / f"{name}.npz", images=images.astype("float32"), answers=answers)
    return folder


@pytest.mark.parametrize("imports", ["import keras, cnnzoo", "import cnnzoo, keras"])
def test_saved_model_reloads_in_a_fresh_process(folder, imports):
    script = f"""
{imports}
import sys, numpy as np
for name in {list(SAVED)}:
    model = keras.saving.load_model(f"{{sys.argv[1]}}/{{name}}.keras")
    data = np.load(f"{{sys.argv[1]}}/{{name}}.npz")
    answers = keras.ops.convert_to_numpy(model(data["images"], training=False))
    assert np.allclose(answers, data["answers"], rtol=1e-4, atol=1e-5), name
    print(name)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == list(SAVED), done.stderr[-2000:]


def test_saved_model_remembers_its_data_format(folder):
    keras.config.set_image_data_format("channels_first")
    try:
        model = keras.saving.load_model(folder / "alexnet.keras")
    finally:
        keras.config.set_image_data_format("channels_last")
    data = np.load(folder / "alexnet.npz")
    answers = keras.ops.convert_to_numpy(model(data["images"], training=False))
    assert np.allclose(answers, data["answers"], rtol=1e-4, atol=1e-5)
