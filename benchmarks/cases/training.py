"""Images a second in training. Pixels and labels are random: what they show takes no time."""

from __future__ import annotations

from typing import Any

from benchmarks.core import Aim, Case, Prepared, close

NUMPY, TF_DATA, OURS = "fit on NumPy", "fit on tf.data", "cnnzoo"
BATCH, STEPS = 128, 20
COUNT = BATCH * STEPS


def built_for(precision: str, name: str, **options: Any) -> Any:
    """A network that trains in ``precision``, as `fine_tune` builds it."""
    from cnnzoo.builder import build
    from cnnzoo.training.network import dtype_policy

    with dtype_policy(precision):
        model = build(name, **options)
    model.layers[-1].dtype_policy = "float32"
    return model


def _prepare() -> Prepared:
    import keras
    import numpy as np
    import tensorflow as tf

    from cnnzoo import machine
    from cnnzoo.training.batches import Batches
    from cnnzoo.training.data.dataset import Part
    from cnnzoo.training.fast_steps import fast_steps

    random = np.random.default_rng(0)
    images = random.integers(256, size=(COUNT, 32, 32, 3), dtype="uint8")
    numbers = random.integers(10, size=COUNT)
    labels = np.eye(10, dtype="float32")[numbers]
    pixels = images.astype("float32")
    precision = machine.best_precision()
    models = {
        side: built_for(kind, "agh_cifar10", include_preprocessing=True)
        for side, kind in {NUMPY: "float32", TF_DATA: "float32", OURS: precision}.items()
    }
    for model in models.values():
        model.set_weights(models[NUMPY].get_weights())
        model.compile(keras.optimizers.Adam(), "categorical_crossentropy", metrics=["accuracy"])
    before = {side: model.predict_on_batch(pixels[:BATCH]) for side, model in models.items()}
    slices = tf.data.Dataset.from_tensor_slices((pixels, labels))
    stream = slices.shuffle(COUNT).batch(BATCH).prefetch(tf.data.AUTOTUNE)
    batches = Batches(Part(images, numbers), (32, 32, 3), BATCH, 10, seed=1)

    def ours() -> None:
        with fast_steps(models[OURS]):
            for batch in batches.ahead(0, STEPS):
                models[OURS].train_on_batch(*batch)

    return Prepared(
        {
            NUMPY: lambda: models[NUMPY].fit(pixels, labels, BATCH, epochs=1, verbose=0),
            TF_DATA: lambda: models[TF_DATA].fit(stream, epochs=1, verbose=0),
            OURS: ours,
        },
        lambda answers: "before training, " + close({TF_DATA: 1e-5, OURS: 0.02})(before),
        images=COUNT,
        notes=(f"{OURS} trains in {precision}",),
    )


_FIT = f"compile and fit as they are, float32, Adam, batch {BATCH}, shuffled"
CASES = [
    Case(
        "training.agh_cifar10",
        "How many images a second does the lecture's CIFAR-10 network learn from?",
        {
            NUMPY: f"{_FIT}, arrays in memory",
            TF_DATA: f"{_FIT}, prefetched",
            OURS: f'batches of fine_tune, precision="auto", Adam, batch {BATCH}, shuffled',
        },
        _prepare,
        aims=(
            Aim(OURS, NUMPY, times=2.5, native_bfloat16=True),
            Aim(OURS, TF_DATA, times=2.5, native_bfloat16=True),
        ),
    ),
]
