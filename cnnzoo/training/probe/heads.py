"""How heads learn: a linear one, one with a hidden layer, nearest neighbours.

Each is a function ``(training, validation, classes, seed) -> Fitted``. The validation samples
choose between settings; the test samples are not known here.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import keras
import numpy as np
from keras import layers

from cnnzoo.training.probe.classifiers import Classifier, Dense, Neighbours, judge, merits
from cnnzoo.training.probe.samples import Samples

# What large weights of a linear head cost: mean cross-entropy + L2 / 2 * sum of squares.
L2 = (1e-1, 1e-2, 1e-3, 1e-4)
STEPS = 100  # of L-BFGS, at most
SMALL = 10**8  # multiplications of one pass, a hundredth of a second
NEVER = -1e4  # bias of a class without training images

NEIGHBOURS = (1, 3, 5, 10, 20, 50)

HIDDEN, DROPOUT = 256, 0.2  # as cnnzoo.add_head
RATE, BATCH = 1e-3, 64  # of Adam
EPOCHS, SHOWN = (5, 50), 600_000  # the least and the most, and the vectors they aim at
PATIENCE = 10  # epochs without a better one


@dataclass(frozen=True, slots=True)
class Fitted:
    """A head that has learnt.

    Attributes:
        chosen: The settings that did best on the validation samples.
        validation: Share of these that was right.
    """

    classifier: Classifier = field(repr=False)
    chosen: Mapping[str, Any]
    validation: float


def linear(training: Samples, validation: Samples, classes: int, seed: int) -> Fitted:
    """Logistic regression on standardised features; validation chooses what weights cost."""
    from sklearn.linear_model import LogisticRegression

    mean, scale = training.statistics()
    known, labels = training.scaled(mean, scale), training.all_labels
    model = LogisticRegression(max_iter=STEPS, warm_start=True)
    found = []
    with warnings.catch_warnings():  # a head that is not at its very best is judged like others
        warnings.simplefilter("ignore")
        for l2 in L2:
            model.set_params(C=1 / (l2 * len(known))).fit(known, labels)
            kernel, bias = _of_all_classes(model, classes)
            classifier = Dense({"predictions": folded(kernel, bias, mean, scale)})
            found.append((judge(classifier, validation), classifier, l2))
    (accuracy, _), classifier, l2 = max(found, key=lambda one: one[0])
    return Fitted(classifier, {"l2": l2}, accuracy)


def mlp(training: Samples, validation: Samples, classes: int, seed: int) -> Fitted:
    """One hidden layer on standardised features; validation chooses the epoch."""
    mean, scale = training.statistics()
    known, labels = training.scaled(mean, scale), training.all_labels
    model = _two_layers(training.width, classes, seed)
    rng = np.random.default_rng(seed)
    least, most = EPOCHS
    epochs = min(most, max(least, SHOWN // len(known)))
    best: tuple[tuple[float, float], Dense, int] | None = None
    for epoch in range(1, epochs + 1):
        order = rng.permutation(len(known))
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            model.train_on_batch(known[rows], labels[rows])
        kernel, bias, *last = model.get_weights()
        classifier = Dense(
            {
                "head_hidden": folded(kernel, bias, mean, scale),
                "predictions": (last[0], last[1]),
            }
        )
        worth = judge(classifier, validation)
        if best is None or worth > best[0]:
            best = worth, classifier, epoch
        elif epoch >= best[2] + PATIENCE:
            break
    assert best is not None
    return Fitted(best[1], {"epoch": best[2]}, best[0][0])


def knn(training: Samples, validation: Samples, classes: int, seed: int) -> Fitted:
    """Nearest neighbours by cosine; validation chooses how many of them vote."""
    counts = tuple(k for k in NEIGHBOURS if k <= len(training))
    known = Neighbours(training.units(), training.all_labels, classes, counts[0])
    votes = np.concatenate([known.votes(block, counts) for block in validation.blocks()], axis=1)
    worth = [merits(probabilities, validation.all_labels) for probabilities in votes]
    best = max(range(len(counts)), key=lambda i: worth[i])
    classifier = Neighbours(known.known, known.labels, classes, counts[best])
    return Fitted(classifier, {"k": counts[best]}, worth[best][0])


@contextlib.contextmanager
def threads_for(training: Samples, classes: int) -> Iterator[None]:
    """Compute with one thread what is over before several have found each other.

    On a busy machine they wait for one another a hundred times longer than they compute.
    """
    small = len(training) * training.width * classes < SMALL
    threads = import_module("threadpoolctl")  # scikit-learn needs it, too
    with threads.threadpool_limits(1 if small else None):
        yield


LEARN: dict[str, Callable[[Samples, Samples, int, int], Fitted]] = {
    "linear": linear, "mlp": mlp, "knn": knn,
}  # fmt: skip


def folded(
    kernel: np.ndarray, bias: np.ndarray, mean: np.ndarray, scale: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """A layer for standardised features as one for features as they are."""
    inside = kernel / scale[:, None]
    return inside.astype(np.float32), (bias - mean @ inside).astype(np.float32)


def _of_all_classes(model: Any, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """(F, classes) and (classes,): scikit-learn leaves out absent classes, and the first of two."""
    coefficients, intercept = model.coef_, model.intercept_
    if len(model.classes_) == 2:
        coefficients = np.concatenate([np.zeros_like(coefficients), coefficients])
        intercept = np.concatenate([np.zeros_like(intercept), intercept])
    kernel = np.zeros((coefficients.shape[1], classes), np.float32)
    bias = np.full(classes, NEVER, np.float32)
    kernel[:, model.classes_], bias[model.classes_] = coefficients.T, intercept
    return kernel, bias


def _two_layers(width: int, classes: int, seed: int) -> keras.Model:
    glorot = keras.initializers.GlorotUniform
    model = keras.Sequential(
        [
            keras.Input((width,)),
            layers.Dense(HIDDEN, activation="relu", kernel_initializer=glorot(seed)),
            layers.Dropout(DROPOUT, seed=seed),
            layers.Dense(classes, kernel_initializer=glorot(seed + 1)),
        ]
    )
    model.compile(
        keras.optimizers.Adam(RATE),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,  # compiling would take longer than it saves
    )
    return model
