"""Grouped convolution: Keras' own layer, and ours in its place with the same weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.cases.training import built_for
from benchmarks.core import Aim, Case, Prepared, close

THEIRS, OURS, RESNET = "keras Conv2D(groups=32)", "cnnzoo", "ResNet50"
FLOAT32, REST = "cnnzoo, float32", "without them"
BATCH = 8
_XLA = "keras.layers.Conv2D(groups=32), which Keras runs through XLA on a CPU"


def _pair(activation: str | None) -> tuple[Any, Any]:
    """ResNeXt50 with Keras' layer, and ours; the same random weights."""
    import keras

    import cnnzoo

    def plain(layer: Any) -> Any:
        return keras.layers.Conv2D.from_config(layer.get_config())

    ours = cnnzoo.build("resnext50", classifier_activation=activation)
    theirs = _exchanged(ours, plain)
    theirs.set_weights(ours.get_weights())
    return theirs, ours


def _exchanged(model: Any, make: Callable[[Any], Any]) -> Any:
    """The network with another layer in place of each grouped convolution."""
    import keras

    from cnnzoo.models.grouped import GroupedConv2D

    def clone(layer: Any) -> Any:
        if isinstance(layer, GroupedConv2D):
            return make(layer)
        return type(layer).from_config(layer.get_config())

    return keras.models.clone_model(model, clone_function=clone)


def _nothing(layer: Any) -> Any:
    """(N, h, w, c) -> the shape that the convolution answers, almost without work."""
    from keras import layers

    if layer.strides == (1, 1):
        return layers.Cropping2D(1)
    return layers.AveragePooling2D(layer.kernel_size, layer.strides)


def _images(count: int) -> tuple[Any, Any]:
    import numpy as np

    random = np.random.default_rng(0)
    labels = np.eye(1000, dtype="float32")[random.integers(1000, size=count)]
    return random.standard_normal((count, 224, 224, 3), dtype="float32"), labels


def _prepare_step() -> Prepared:
    from cnnzoo import machine

    theirs, float32 = _pair("softmax")
    precision = machine.best_precision()
    ours = built_for(precision, "resnext50")
    ours.set_weights(float32.get_weights())
    return _steps(
        {THEIRS: theirs, OURS: ours, FLOAT32: float32},
        BATCH,
        close({OURS: 0.02, FLOAT32: 1e-3}),
        f"{OURS} trains in {precision}",
    )


def _prepare_beside() -> Prepared:
    import cnnzoo

    models = {
        name: cnnzoo.build(kind) for name, kind in ((RESNET, "resnet50"), (OURS, "resnext50"))
    }
    return _steps(models, 2 * BATCH, lambda answers: "two networks, one kind of step")


def _steps(models: dict[str, Any], images: int, same: Any, *notes: str) -> Prepared:
    """A training step of each on one batch; what compares them is the loss."""
    import keras

    batch = _images(images)
    for model in models.values():
        model.compile(keras.optimizers.SGD(1e-3), "categorical_crossentropy")
    calls = {
        side: lambda model=model: float(model.train_on_batch(*batch))
        for side, model in models.items()
    }
    return Prepared(calls, same, images=images, notes=notes)


def _prepare_forward() -> Prepared:
    from cnnzoo.runtimes.choose import compile

    images, _ = _images(BATCH)
    theirs, ours = _pair(None)  # logits, which tell more than probabilities
    auto = compile(ours, batch_size=BATCH)
    float32 = compile(ours, precision="float32", batch_size=BATCH)
    return Prepared(
        {
            THEIRS: lambda: theirs.predict(images, batch_size=BATCH, verbose=0),
            OURS: lambda: auto(images),
            FLOAT32: lambda: float32(images),
        },
        close({OURS: 0.02, FLOAT32: 1e-3}),
        images=BATCH,
        notes=tuple(f"{r.precision}: {r.runtime}" for r in (auto, float32)),
    )


def _prepare_graph() -> Prepared:
    from cnnzoo.runtimes.backends import compiled

    images, _ = _images(BATCH)
    theirs, ours = _pair(None)
    models = {THEIRS: theirs, OURS: ours, REST: _exchanged(ours, _nothing)}
    runs = {side: compiled(model) for side, model in models.items()}
    calls = {side: lambda run=run: run(images) for side, run in runs.items()}
    return Prepared(calls, close({OURS: 1e-3}), images=BATCH)


def _prepare_convolution(gradient: bool) -> Prepared:
    """One layer, as ResNeXt50 has it first."""
    import keras
    import tensorflow as tf

    from cnnzoo.models.grouped import GroupedConv2D

    images = tf.random.stateless_normal((8, 56, 56, 128), seed=(1, 2))
    layers = {
        THEIRS: keras.layers.Conv2D(128, 3, groups=32, padding="same"),
        OURS: GroupedConv2D(128, 3, groups=32, padding="same"),
    }
    for layer in layers.values():
        layer.build(images.shape)
    layers[OURS].set_weights(layers[THEIRS].get_weights())

    def step_of(layer: Any) -> Any:
        @tf.function
        def step() -> Any:
            with tf.GradientTape() as tape:
                answer = layer(images)
                loss = tf.reduce_sum(answer**2)
            return tape.gradient(loss, layer.kernel.value) if gradient else answer

        return lambda: step().numpy()

    calls = {side: step_of(layer) for side, layer in layers.items()}
    return Prepared(calls, close({OURS: 1e-3}))


_TRAIN = "SGD, train_on_batch"
CASES = [
    Case(
        "resnext.step",
        "What does our grouped convolution gain in a training step of ResNeXt50?",
        {
            THEIRS: f"{_XLA}, float32; {_TRAIN}, {BATCH} images",
            OURS: f'GroupedConv2D in what precision="auto" trains in; {_TRAIN}, {BATCH} images',
            FLOAT32: f"GroupedConv2D, float32; {_TRAIN}, {BATCH} images",
        },
        _prepare_step,
        aims=(Aim(OURS, THEIRS, times=50, native_bfloat16=True),),
        rounds=2,  # one of theirs takes a minute
        warm_up=0,
    ),
    Case(
        "resnext.beside-resnet50",
        "What does a training step of ResNeXt50 cost beside one of ResNet50?",
        {
            RESNET: f"float32; {_TRAIN}, {2 * BATCH} images",
            OURS: f"ResNeXt50, float32; {_TRAIN}, {2 * BATCH} images",
        },
        _prepare_beside,
        aims=(Aim(OURS, RESNET, times=1 / 1.5),),
    ),
    Case(
        "resnext.forward",
        "And in answering images?",
        {
            THEIRS: f"{_XLA}; model.predict, {BATCH} images",
            OURS: f'GroupedConv2D; inference.compile(model, precision="auto"), {BATCH} images',
            FLOAT32: f'the same with precision="float32", {BATCH} images',
        },
        _prepare_forward,
        aims=(Aim(OURS, THEIRS, times=5, native_bfloat16=True),),
    ),
    Case(
        "resnext.graph",
        "How much of that is the grouped convolutions', in the same graph and the same numbers?",
        {
            THEIRS: f"{_XLA}; tf.function, float32, {BATCH} images",
            OURS: f"GroupedConv2D; tf.function, float32, {BATCH} images",
            REST: "the same network with a cropping or a pooling in place of each of them: what "
            "both sides pay for everything else",
        },
        _prepare_graph,
    ),
    Case(
        "resnext.convolution",
        "And in one 3x3 convolution of 8 x 56 x 56 x 128, forward?",
        {THEIRS: f"{_XLA}; tf.function", OURS: "GroupedConv2D; tf.function"},
        lambda: _prepare_convolution(gradient=False),
        aims=(Aim(OURS, THEIRS, times=5),),
    ),
    Case(
        "resnext.gradient",
        "And in that convolution, forward and gradient?",
        {THEIRS: f"{_XLA}; tf.function", OURS: "GroupedConv2D; tf.function"},
        lambda: _prepare_convolution(gradient=True),
        aims=(Aim(OURS, THEIRS, times=50),),
        rounds=3,
        warm_up=0,
    ),
]
