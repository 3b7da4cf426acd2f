"""Images to answers, NumPy to NumPy, with the same random weights on both sides."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.core import Aim, Case, Prepared, close

BATCH = 16
AUTO, FLOAT32 = "cnnzoo", "cnnzoo, float32"
TOLERANCES = {AUTO: 0.02, FLOAT32: 1e-3}  # bfloat16 has two to three digits
NEVER_SLOWER = 1 / 1.1


class Network(NamedTuple):
    """``theirs``: its function in keras.applications; ``auto``, ``float32``: aims, times as fast.

    ``auto`` is an aim for processors that multiply bfloat16.
    """

    theirs: str = ""
    auto: float = NEVER_SLOWER
    float32: float = NEVER_SLOWER


NETWORKS = {
    "lenet5": Network(),
    "alexnet": Network(),
    "vgg16": Network("VGG16", auto=5),
    "vgg19": Network("VGG19"),
    "resnet50": Network("ResNet50", auto=8, float32=1.7),
    "inception_v1": Network(),
    "inception_v3": Network("InceptionV3", auto=5),
    "inception_v4": Network(),
    "inception_resnet_v2": Network("InceptionResNetV2", auto=5),
    "xception": Network("Xception", auto=5),
    "resnext50": Network(),
}


def _prepare(name: str, network: Network, opponent: str) -> Prepared:
    """Their network, random, and ours with its weights; what compares them are logits."""
    import keras

    import cnnzoo

    theirs = (
        getattr(keras.applications, network.theirs)(weights=None, classifier_activation=None)
        if network.theirs
        else cnnzoo.build(name, classifier_activation=None)
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "their.weights.h5"
        theirs.save_weights(path)
        ours = cnnzoo.build(name, weights=path, classifier_activation=None)
    return against(opponent, theirs, ours)


def pixels(model: Any) -> Any:
    """One batch of noise, the same every time."""
    import numpy as np

    shape = (BATCH, *model.inputs[0].shape[1:])
    return np.random.default_rng(0).standard_normal(shape, dtype="float32")


def against(opponent: str, theirs: Any, ours: Any) -> Prepared:
    """``theirs.predict`` beside our two runners."""
    from cnnzoo.runtimes.choose import compile

    images = pixels(ours)
    auto = compile(ours, precision="auto", batch_size=BATCH)
    float32 = compile(ours, precision="float32", batch_size=BATCH)
    runners = {AUTO: auto, FLOAT32: float32}
    return Prepared(
        {
            opponent: lambda: theirs.predict(images, batch_size=BATCH, verbose=0),
            AUTO: lambda: auto(images),
            FLOAT32: lambda: float32(images),
        },
        close(TOLERANCES),
        images=BATCH,
        notes=tuple(
            f"{side}: {r.runtime} in {r.precision}{f' ({r.note})' if r.note else ''}"
            for side, r in runners.items()
        ),
    )


def _case(name: str, network: Network) -> Case:
    opponent = "keras.applications" if network.theirs else "model.predict"
    return Case(
        f"inference.{name}",
        f"How many images does {name} answer in a second?",
        {
            opponent: f"model.predict, batch {BATCH}, TensorFlow with oneDNN, which is faster on a "
            "CPU than with XLA",
            AUTO: f'inference.compile(model, precision="auto", batch_size={BATCH})',
            FLOAT32: f'inference.compile(model, precision="float32", batch_size={BATCH})',
        },
        lambda: _prepare(name, network, opponent),
        aims=(
            Aim(AUTO, opponent, times=network.auto, native_bfloat16=True),
            Aim(FLOAT32, opponent, times=network.float32),
        ),
    )


TIMM = "timm"


def _timm() -> Any:
    """The package, beside a torchvision that was built for another torch as well."""
    import torch

    try:
        import timm
    except RuntimeError:  # torchvision misses two operators of its own, which nothing here calls
        arguments = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
        for name in ("nms", "qnms"):
            torch.library.define(f"torchvision::{name}", arguments)
        import timm
    return timm


def _prepare_timm() -> Prepared:
    """timm's network, random, and ours of the same variant with its state dict."""
    import torch

    import cnnzoo
    from cnnzoo.runtimes.choose import compile

    torch.manual_seed(3)
    theirs = _timm().create_model("resnet50", pretrained=False).eval()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "their.pth"
        torch.save(theirs.state_dict(), path)
        ours = cnnzoo.build("resnet50", variant="v1.5", weights=path, classifier_activation=None)
    theirs = theirs.to(memory_format=torch.channels_last)
    images = pixels(ours)
    tensor = torch.from_numpy(images).permute(0, 3, 1, 2)  # channels last in memory
    runner = compile(ours, precision="auto", batch_size=BATCH)

    def predict() -> Any:
        with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
            return theirs(tensor).float().numpy()

    return Prepared(
        {TIMM: predict, AUTO: lambda: runner(images)},
        close({AUTO: 0.04}),  # both are bfloat16
        images=BATCH,
        notes=(f"{AUTO}: {runner.runtime} in {runner.precision}",),
    )


CASES = [
    *(_case(name, network) for name, network in NETWORKS.items()),
    Case(
        "inference.resnet50-timm",
        "And beside PyTorch at its best?",
        {
            TIMM: f"eager, bfloat16 by autocast, channels last, inference mode, batch {BATCH}",
            AUTO: f'inference.compile(model, precision="auto", batch_size={BATCH})',
        },
        _prepare_timm,
        aims=(Aim(AUTO, TIMM, times=2.5, native_bfloat16=True),),
        needs=("torch", "timm"),
    ),
]
