"""Whether another runtime answers what Keras answers: pictures to ask about, and the rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COUNT = 8  # pictures of a probe batch
# Largest difference from Keras in float32, relative in the L2 norm over the whole batch.
ALLOWED = {"float32": 1e-4, "bfloat16": 1e-2, "int8": 2e-1}
NEAR_TIE = 0.01  # of the largest answer: Keras itself cannot tell such classes apart


def pictures(shape: tuple[int, ...]) -> NDArray[np.float32]:
    """(COUNT, *shape): smooth coloured noise, pixels 0 to 255, the same every time.

    Half of them are scaled to -1 to 1, for networks that take it so.
    """
    rng = np.random.default_rng(0)
    images: NDArray[np.float64] = rng.random((COUNT, *shape))
    for axis in range(1, images.ndim - 1):
        for _ in range(3):
            images = (images + np.roll(images, 1, axis) + np.roll(images, 2, axis)) / 3
    low, high = images.min(), images.max()
    images = np.round(255 * (images - low) / (high - low))
    images[1::2] = images[1::2] / 127.5 - 1
    return images.astype("float32")


def difference(answers: NDArray[np.float32], known: NDArray[np.float32]) -> float:
    """‖answers - known‖ / ‖known‖; infinite where shapes differ or a number is not finite."""
    if answers.shape != known.shape:
        return float("inf")
    with np.errstate(all="ignore"):  # infinite answers are told by the result
        found = _norm(answers - known) / (_norm(known) or 1.0)
    return found if np.isfinite(found) else float("inf")


def same_class(answers: NDArray[np.float32], known: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(N,) whether the first choice is Keras' first choice too, or as good as that."""
    top = known.max(axis=-1)
    chosen = np.take_along_axis(known, answers.argmax(axis=-1)[:, None], axis=-1)[:, 0]
    return np.asarray(top - chosen <= NEAR_TIE * np.abs(top))


def disagreement(answers: NDArray[np.float32], known: NDArray[np.float32], precision: str) -> str:
    """Why the answers cannot stand for those of Keras, in words, or nothing.

    Float32 must come close. Bfloat16 must come near and choose the same class for each picture,
    int8 for nine of ten.
    """
    found = difference(answers, known)
    if found > ALLOWED[precision]:
        return f"differs from Keras by {found:.1e} (allowed: {ALLOWED[precision]:.0e})"
    if precision == "float32" or not _are_choices(known):
        return ""
    other = int((~same_class(answers, known)).sum())
    if other > (len(known) // 10 if precision == "int8" else 0):
        return f"chooses another class for {other} of {len(known)} pictures"
    return ""


def _are_choices(answers: NDArray[np.float32]) -> bool:
    """Whether the largest number of a row means something: probabilities or logits.

    Pooled features are never below zero and do not add up to 1; none of them is chosen.
    """
    if answers.ndim != 2:
        return False
    return bool(answers.min() < 0 or np.abs(answers.sum(axis=1) - 1).max() < 1e-3)


def _norm(values: NDArray[np.float32]) -> float:
    return float(np.linalg.norm(values.ravel()))
