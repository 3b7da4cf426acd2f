"""Networks made ready, and timed in turn."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from cnnzoo.analysis.bench.plan import RUNTIMES, Size
from cnnzoo.builder import build
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.lookup import resolve

WARM_UP = 3  # calls: the first compiles, the next ones fill what the libraries keep

Call = Callable[[], Any]


def build_as(network: str | ModelSpec, dtype: str, size: Size) -> keras.Model:
    """The network with random weights under a dtype policy of Keras, for images of ``size``."""
    channels = get_spec(network).input_shape[2]
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        return build(network, input_shape=_shape(size, channels))
    finally:
        keras.config.set_dtype_policy(before)


def prepare(model: keras.Model, runtime: str, batch: int, size: Size) -> Call:
    """One batch of noise through the network; the same pixels every time."""
    run = resolve(RUNTIMES[runtime])(model)
    channels = model.inputs[0].shape[-1 if _channels_last() else 1]
    random = np.random.default_rng(0)
    pixels = random.random((batch, *_shape(size, channels)), dtype="float32")
    return lambda: run(pixels)


def warm_up(call: Call) -> None:
    """The calls before the first that counts, without TensorFlow's worries about compiling."""
    logger = logging.getLogger("tensorflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        for _ in range(WARM_UP):
            call()
    finally:
        logger.setLevel(before)


def time_in_turn(
    calls: Sequence[Call],
    rounds: int,
    *,
    clock: Callable[[], float] = time.perf_counter,
    after_round: Callable[[int], object] = lambda number: None,
) -> list[list[float]]:
    """Seconds of every round of every call.

    A round makes each call once, so that whatever slows the machine down for a while slows all
    of them.
    """
    seconds: list[list[float]] = [[] for _ in calls]
    for number in range(rounds):
        for call, taken in zip(calls, seconds, strict=True):
            start = clock()
            call()
            taken.append(clock() - start)
        after_round(number + 1)
    return seconds


def quartiles_ms(seconds: Sequence[float]) -> tuple[float, float, float]:
    """The first quartile, the median and the third, in milliseconds."""
    low, middle, high = np.percentile(np.asarray(seconds) * 1000, (25, 50, 75))
    return round(float(low), 4), round(float(middle), 4), round(float(high), 4)


def _shape(size: Size, channels: int) -> tuple[int, int, int]:
    return (*size, channels) if _channels_last() else (channels, *size)


def _channels_last() -> bool:
    return bool(keras.config.image_data_format() == "channels_last")
