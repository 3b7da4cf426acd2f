"""A network as a function on NumPy arrays that cuts them into batches."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import UsageError
from cnnzoo.runtimes.backends import Run


@dataclass(frozen=True, slots=True)
class Runner:
    """Call it with images; the weights are those of the moment when it was made.

    Attributes:
        runtime: Who computes: "keras", "openvino" or "onnxruntime".
        precision: In what: "float32", "bfloat16" or "int8". Answers are float32 always.
        note: One line for people: why it is not the faster one, how much it differs; or nothing.
        batch_size: Images at once.
        shape: Of one image, ``None`` where any length will do.
    """

    run: Run = field(repr=False)
    runtime: str
    precision: str
    note: str
    batch_size: int
    shape: tuple[int | None, ...]

    def __call__(self, pixels: Any) -> Any:
        """(N, H, W, C) numbers -> (N, ...) float32, a list of them if there are several outputs.

        Raises:
            UsageError: The images do not have the shape that the network takes.
        """
        pixels = np.asarray(pixels)
        self._check(pixels)
        starts = range(0, max(1, len(pixels)), self.batch_size)
        size = batch_of(len(pixels), self.batch_size)
        answers = [self._batch(pixels[i : i + self.batch_size], size) for i in starts]
        return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *answers)

    def _batch(self, pixels: NDArray[Any], size: int) -> Any:
        """The answers to at most ``size`` images; missing ones are black, their answers dropped."""
        count = len(pixels)
        images = np.zeros((size, *pixels.shape[1:]), "float32")
        images[:count] = pixels
        return keras.tree.map_structure(
            lambda answer: np.asarray(answer[:count], "float32"), self.run(images)
        )

    def _check(self, pixels: NDArray[Any]) -> None:
        given, taken = pixels.shape[1:], self.shape
        fits = len(given) == len(taken) and all(
            length in (None, side) for side, length in zip(given, taken, strict=True)
        )
        if pixels.ndim < 1 or not fits or pixels.dtype.kind not in "buif":
            wanted = ", ".join("any" if side is None else str(side) for side in taken)
            raise UsageError(
                f"An array of {pixels.dtype} of shape {pixels.shape} came; the network takes "
                f"numbers of shape (N, {wanted})."
            )


def batch_of(count: int, most: int) -> int:
    """How many images a call computes at once: few sizes, because each is compiled.

    ``most``, or for fewer images the next power of two.
    """
    return min(most, 1 << max(0, count - 1).bit_length())
