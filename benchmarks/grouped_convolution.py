"""Training step of one 3x3 convolution with 32 groups: Keras' own way and ours, side by side."""

from __future__ import annotations

import statistics
import time

import keras
import tensorflow as tf

from cnnzoo.models.layers import GroupedConv2D

IMAGES, GROUPS, ROUNDS = (8, 56, 56, 128), 32, 7


def ours(parts: int) -> keras.layers.Layer:
    """Ours, merged into ``parts`` plain convolutions."""
    layer = GroupedConv2D(IMAGES[-1], 3, groups=GROUPS, padding="same")
    layer.MERGED = parts
    return layer


def step_of(layer: keras.layers.Layer) -> tf.types.experimental.GenericFunction:
    """Forward and gradient, compiled."""
    images = tf.random.normal(IMAGES)
    layer.build(IMAGES)

    @tf.function
    def step() -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(layer(images) ** 2)
        return tape.gradient(loss, layer.kernel.value)

    step()  # compiles
    return step


def main() -> None:
    steps = {
        "keras Conv2D(groups=32)": step_of(keras.layers.Conv2D(128, 3, groups=32, padding="same"))
    }
    steps |= {f"ours, {parts:2} parts": step_of(ours(parts)) for parts in (1, 2, 4, 8, 16, 32)}
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(ROUNDS):
        for name, step in steps.items():
            began = time.perf_counter()
            step()
            seconds[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    fastest = min(medians.values())
    for name, median in medians.items():
        print(f"{name:26} {1000 * median:9.1f} ms  {median / fastest:7.1f} x the fastest")


if __name__ == "__main__":
    main()
