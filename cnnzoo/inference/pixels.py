"""Pixels as people have them -> numbers as a network wants them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.weights import get_weights
from cnnzoo.errors import DataError


def preprocess_input(
    images: Any, architecture: str, *, weights: str | None = None
) -> NDArray[np.float32]:
    """(N, H, W, C) or (H, W, C) RGB or grey pixels, 0 to 255 -> the same shape, normalised.

    The rule is that of the published weights ``weights`` names, of the network's canonical ones
    unless given. The input is left as it was. Under the data format ``channels_first`` shapes are
    channels first.

    Raises:
        UnknownNameError: No network, or no weights of it, are called so.
        DataError: The array is no image, or holds anything but finite numbers from 0 to 255.
    """
    spec = get_spec(architecture)
    name = spec.preprocessing
    if weights is not None:
        name = get_weights(spec.name, weights, include_top=False).preprocessing
    rule = PREPROCESSING[name]
    pixels = np.array(images)
    if pixels.ndim not in (3, 4) or pixels.dtype.kind not in "uif":
        raise DataError(
            f"An array of shape {pixels.shape} and type {pixels.dtype} holds no images. "
            "Use numbers of shape (height, width, channels), or a batch of them."
        )
    pixels = pixels.astype("float32")
    if not np.isfinite(pixels).all() or pixels.min(initial=0) < 0 or pixels.max(initial=0) > 255:
        raise DataError(
            f"Pixels must be from 0 to 255; these go from {pixels.min()} to {pixels.max()}. "
            "Undo any scaling first: the network's own is applied here."
        )
    axis = -1 if keras.config.image_data_format() == "channels_last" else -3
    mean, scale, bgr = rule.for_channels(pixels.shape[axis])
    if bgr:
        pixels = np.flip(pixels, axis)
    shape = (-1,) if axis == -1 else (-1, 1, 1)
    centred = pixels - np.array(mean, "float32").reshape(shape)
    return np.asarray(centred / np.array(scale, "float32").reshape(shape), dtype="float32")
