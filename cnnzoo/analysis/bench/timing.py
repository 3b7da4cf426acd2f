"""Networks made ready, and timed in turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from cnnzoo.analysis.bench.plan import Size
from cnnzoo.builder import build
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.runtimes import backends
from cnnzoo.runtimes.choose import fresh
from cnnzoo.runtimes.quiet import compiling_again

CALIBRATION = 16  # images of noise for int8, whose time does not depend on them
WARM_UP = 3  # calls: the first compiles, the next ones fill what the libraries keep

Call = Callable[[], Any]
_OF_KERAS = {"keras": backends.compiled, "predict": backends.predict}


def build_as(network: str | ModelSpec, dtype: str, size: Size) -> keras.Model:
    """The network with random weights under a dtype policy of Keras, for images of ``size``."""
    channels = get_spec(network).input_shape[2]
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(dtype)
    try:
        return build(network, input_shape=_shape(size, channels))
    finally:
        keras.config.set_dtype_policy(before)


def policy(runtime: str, dtype: str) -> str:
    """What the network is built under: other runtimes than Keras lower the precision themselves."""
    return dtype if runtime in _OF_KERAS else "float32"


def prepare(model: keras.Model, runtime: str, dtype: str, batch: int, size: Size) -> Call:
    """One batch of noise through the network; the same pixels every time."""
    channels = model.inputs[0].shape[-1 if _channels_last() else 1]
    shape, random = _shape(size, channels), np.random.default_rng(0)
    pixels = random.random((batch, *shape), dtype="float32")
    if runtime in _OF_KERAS:
        run = _OF_KERAS[runtime](model)
    else:
        noise = random.random((CALIBRATION, *shape), dtype="float32")
        run = fresh(model, runtime, dtype, noise if dtype == "int8" else None)
    return lambda: run(pixels)


def warm_up(call: Call) -> None:
    """The calls before the first that counts."""
    with compiling_again():
        for _ in range(WARM_UP):
            call()


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
