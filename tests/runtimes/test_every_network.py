"""The main networks of the zoo through both exporters."""

from __future__ import annotations

import numpy as np
import pytest

import cnnzoo
from cnnzoo.runtimes import probe
from cnnzoo.runtimes.choose import fresh

# Those with a flattening top take one size only; the small ones save minutes.
NETWORKS = {
    "lenet5": {}, "alexnet": {}, "vgg16": {"input_shape": (64, 64, 3)},
    "vgg19": {"input_shape": (64, 64, 3)}, "resnet50": {"input_shape": (64, 64, 3)},
    "inception_v1": {}, "inception_v3": {"input_shape": (96, 96, 3)},
    "inception_v4": {"input_shape": (96, 96, 3)},
    "inception_resnet_v2": {"input_shape": (96, 96, 3)}, "xception": {"input_shape": (96, 96, 3)},
    "resnext50": {"input_shape": (64, 64, 3)},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
@pytest.mark.parametrize("name", NETWORKS)
def test_exported_network_answers_what_keras_answers(name, runtime):
    model = cnnzoo.build(name, include_preprocessing=True, **NETWORKS[name])
    pixels = probe.pictures(model.input_shape[1:])
    known = np.asarray(model(pixels, training=False))
    answers = fresh(model, runtime, "float32")(pixels)
    assert probe.disagreement(answers, known, "float32") == ""
