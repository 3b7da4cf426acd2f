"""Time to the accuracy of a lecture on CIFAR-10: its fifty epochs, and ours."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from benchmarks.core import Aim, Case, Differ, Prepared

DATA, LECTURE, SPEEDRUN = "cifar10", "the lecture's 50 epochs", "speedrun"
REPORTED = 0.8385  # of the test images, after the lecture's 50 epochs
EPOCHS = 5  # fewest of the speedrun that pass it


def _prepare() -> Prepared:
    import keras
    import numpy as np

    import cnnzoo
    from cnnzoo.catalogue import augmentations
    from cnnzoo.catalogue.recipes import get_recipe
    from cnnzoo.training.batches import Batches

    data = cnnzoo.load_data(DATA)
    recipe = get_recipe("lecture", "agh_cifar10")
    model = cnnzoo.build("agh_cifar10", include_preprocessing=True)
    model.compile(
        keras.optimizers.Adadelta(recipe.learning_rate),
        "categorical_crossentropy",
        metrics=["accuracy"],
    )
    effects = augmentations.parse(recipe.augment)
    batches = Batches(data.train, (32, 32, 3), recipe.batch_size, 10, seed=0, effects=effects)
    test = data.test.images.astype("float32"), np.eye(10, dtype="float32")[data.test.labels]

    def measured(count: int) -> float:
        size = recipe.batch_size
        found = model.evaluate(test[0][:count], test[1][:count], size, verbose=0)
        return float(found[1])

    def epoch() -> float:
        for batch in batches.ahead(0, batches.steps):
            model.train_on_batch(*batch)
        return measured(len(test[0]))

    def speedrun() -> float:
        with tempfile.TemporaryDirectory() as folder:
            run = cnnzoo.fine_tune(
                "airbench94", data=data, recipe="speedrun", epochs=EPOCHS,
                out=Path(folder) / "run", progress=False,
            )  # fmt: skip
            return float(run.metrics["test_accuracy"])

    model.train_on_batch(*batches[0])  # what is compiled now is not compiled fifty times
    measured(recipe.batch_size)
    return Prepared(
        {LECTURE: epoch, SPEEDRUN: speedrun},
        _passed,
        parts={LECTURE: recipe.epochs},
        notes=(f"{LECTURE}: one epoch was timed",),
    )


def _passed(answers: dict[str, Any]) -> str:
    """What both got right.

    Raises:
        Differ: The speedrun does not reach what the lecture reports.
    """
    from cnnzoo.units import percent

    ours, one, reported = map(percent, (answers[SPEEDRUN], answers[LECTURE], REPORTED))
    if answers[SPEEDRUN] <= REPORTED:
        raise Differ(f"{EPOCHS} epochs of the speedrun get {ours} right, the lecture {reported}.")
    return (
        f"test images that are right: {ours} by the speedrun, {reported} after 50 epochs as the "
        f"lecture reports, {one} after the epoch that was timed"
    )


CASES = [
    Case(
        "speedrun",
        "How soon is the accuracy of a lecture on CIFAR-10 passed?",
        {
            LECTURE: "agh_cifar10 as printed: float32, Adadelta at 1.0, batch 512, images turned, "
            "moved and mirrored, the test part measured after every epoch",
            SPEEDRUN: f'fine_tune("airbench94", recipe="speedrun", epochs={EPOCHS}), from building '
            "the network to the report",
        },
        _prepare,
        aims=(Aim(SPEEDRUN, LECTURE, times=1.0),),
        data=DATA,
        once=True,
    )
]
