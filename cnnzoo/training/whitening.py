"""A first convolution that takes the patches of the training images apart (Jordan 2024).

Its filters are the eigenvectors of the patches' covariance, each divided by the deviation along it
and taken with both signs, so that what they answer is uncorrelated and of one size.
"""

from __future__ import annotations

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import UsageError

PIXELS = 5000 * 32 * 32  # that many are looked at: 5,000 images of CIFAR-10, as published
SMALLEST = 5e-4  # added to the variances, so that what hardly varies is not blown up


def first_convolution(model: keras.Model) -> keras.layers.Conv2D:
    """The convolution nearest to the image.

    Raises:
        UsageError: The network has none.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D) and layer.groups == 1:
            return layer
    raise UsageError(f"whiten: {model.name} has no convolution to set. Leave it out.")


def images_for(shape: tuple[int, int, int]) -> int:
    """How many images of a shape are enough."""
    return max(PIXELS // (shape[0] * shape[1]), 1)


def whiten(model: keras.Model, pixels: NDArray[np.number]) -> None:
    """Set the kernel of the first convolution from (N, H, W, C) pixels 0 to 255.

    Filters beyond twice the numbers of a patch keep their random values.
    """
    layer = first_convolution(model)
    before = keras.Model(model.inputs, layer.input)
    covariance = np.mean(
        [
            _covariance(before.predict_on_batch(part.astype("float32")), layer.kernel_size)
            for part in np.array_split(pixels, -(-len(pixels) // 100))
        ],
        axis=0,
    )
    filters = whitening_filters(covariance)
    kernel = keras.ops.convert_to_numpy(layer.kernel).astype("float32")
    count = min(filters.shape[1], layer.filters)
    kernel[..., :count] = filters[:, :count].reshape(*kernel.shape[:3], count)
    layer.kernel.assign(kernel)


def _covariance(images: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """(N, H, W, C) -> (h w C, h w C), of all patches of a size."""
    seen = keras.ops.convert_to_numpy(images).astype("float32")
    windows = np.lib.stride_tricks.sliding_window_view(seen, size, axis=(1, 2))
    patches = np.moveaxis(windows, 3, -1).reshape(-1, size[0] * size[1] * seen.shape[-1])
    found: NDArray[np.float32] = patches.T @ patches / len(patches)
    return found


def whitening_filters(covariance: NDArray[np.float32]) -> NDArray[np.float32]:
    """(P, P) of patches with P numbers -> (P, 2 P): opposite pairs, largest variance first."""
    values, vectors = np.linalg.eigh(covariance)
    order = np.argsort(-values)
    filters = vectors[:, order] / np.sqrt(values[order] + SMALLEST)
    pairs = np.stack([filters, -filters], axis=-1)
    return pairs.reshape(len(filters), -1).astype("float32")
