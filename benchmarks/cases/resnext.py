"""Grouped convolution: Keras' own layer, and ours in its place with the same weights."""

from __future__ import annotations

from typing import Any

from benchmarks.core import Aim, Case, Prepared, close

THEIRS, OURS, RESNET = "keras Conv2D(groups=32)", "cnnzoo", "ResNet50"
_XLA = "keras.layers.Conv2D(groups=32), which Keras runs through XLA on a CPU"


def _pair(activation: str | None) -> tuple[Any, Any]:
    """ResNeXt50 with Keras' layer, and ours; the same random weights."""
    import keras

    import cnnzoo
    from cnnzoo.models.grouped import GroupedConv2D

    def plain(layer: Any) -> Any:
        kind = keras.layers.Conv2D if isinstance(layer, GroupedConv2D) else type(layer)
        return kind.from_config(layer.get_config())

    ours = cnnzoo.build("resnext50", classifier_activation=activation)
    theirs = keras.models.clone_model(ours, clone_function=plain)
    theirs.set_weights(ours.get_weights())
    return theirs, ours


def _images(count: int) -> tuple[Any, Any]:
    import numpy as np

    random = np.random.default_rng(0)
    labels = np.eye(1000, dtype="float32")[random.integers(1000, size=count)]
    return random.standard_normal((count, 224, 224, 3), dtype="float32"), labels


def _prepare_step(images: int, with_theirs: bool) -> Prepared:
    import keras

    import cnnzoo

    theirs, ours = _pair("softmax")
    models = {THEIRS: theirs} if with_theirs else {RESNET: cnnzoo.build("resnet50")}
    models[OURS] = ours
    batch = _images(images)
    for model in models.values():
        model.compile(keras.optimizers.SGD(1e-3), "categorical_crossentropy")
    calls = {
        side: lambda model=model: float(model.train_on_batch(*batch))
        for side, model in models.items()
    }
    same = close({OURS: 1e-3}) if with_theirs else lambda answers: "two networks, one kind of step"
    return Prepared(calls, same, images=images)


def _prepare_forward() -> Prepared:
    from cnnzoo.runtimes.backends import compiled

    images, _ = _images(8)
    pair = _pair(None)  # logits, which tell more than probabilities
    runs = {side: compiled(model) for side, model in zip((THEIRS, OURS), pair, strict=True)}
    calls = {side: lambda run=run: run(images) for side, run in runs.items()}
    return Prepared(calls, close({OURS: 1e-3}), images=8)


def _prepare_convolution() -> Prepared:
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
                loss = tf.reduce_sum(layer(images) ** 2)
            return tape.gradient(loss, layer.kernel.value)

        return lambda: step().numpy()

    calls = {side: step_of(layer) for side, layer in layers.items()}
    return Prepared(calls, close({OURS: 1e-3}))


_TRAIN = "SGD, float32, train_on_batch"
CASES = [
    Case(
        "resnext.step",
        "What does our grouped convolution gain in a training step of ResNeXt50?",
        {THEIRS: f"{_XLA}; {_TRAIN}, 2 images", OURS: f"GroupedConv2D; {_TRAIN}, 2 images"},
        lambda: _prepare_step(2, with_theirs=True),
        aims=(Aim(OURS, THEIRS, times=50),),
        rounds=2,  # one of theirs takes the better part of a minute
        warm_up=0,
    ),
    Case(
        "resnext.beside-resnet50",
        "What does a training step of ResNeXt50 cost beside one of ResNet50?",
        {RESNET: f"{_TRAIN}, 16 images", OURS: f"ResNeXt50; {_TRAIN}, 16 images"},
        lambda: _prepare_step(16, with_theirs=False),
        aims=(Aim(OURS, RESNET, times=1 / 1.5),),
    ),
    Case(
        "resnext.forward",
        "And in answering images?",
        {THEIRS: f"{_XLA}; tf.function, 8 images", OURS: "GroupedConv2D; tf.function, 8 images"},
        _prepare_forward,
        aims=(Aim(OURS, THEIRS, times=5),),
    ),
    Case(
        "resnext.convolution",
        "And in one 3x3 convolution of 8 x 56 x 56 x 128, forward and gradient?",
        {THEIRS: f"{_XLA}; tf.function", OURS: "GroupedConv2D; tf.function"},
        _prepare_convolution,
        aims=(Aim(OURS, THEIRS, times=50),),
        rounds=3,
        warm_up=0,
    ),
]
