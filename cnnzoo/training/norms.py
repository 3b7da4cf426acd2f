"""Batch normalisation in training by TensorFlow's one kernel for it.

Keras writes it as about twenty passes over the maps, forward and back, in 32 bits whatever the
images are in. The kernel adds in 32 bits too and takes a sixth of the time in bfloat16, a quarter
in float32 (docs/decisions/0017-batch-norm.md). What is learnt, kept and stored is Keras'.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from keras import layers


def gains(layer: layers.Layer) -> bool:
    """Whether this normalises maps, over their last axis, in a way that the kernel knows."""
    return (
        type(layer) is layers.BatchNormalization
        and layer.compute_dtype in ("bfloat16", "float32")
        and len(layer.input.shape) == 4
        and layer.axis in (-1, 3)
        and not (layer.renorm or layer.synchronized)
    )


def faster(layer: layers.BatchNormalization) -> Callable[..., Any]:
    """What the layer does; with Keras' own code where it only uses its statistics."""
    import tensorflow as tf

    plain = type(layer).call
    channels = layer.moving_mean.shape

    def call(inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not training or not layer.trainable or mask is not None:
            return plain(layer, inputs, training=training, mask=mask)
        answers, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=inputs,
            scale=layer.gamma if layer.scale else tf.ones(channels),
            offset=layer.beta if layer.center else tf.zeros(channels),
            mean=[], variance=[], epsilon=layer.epsilon, is_training=True,
        )  # fmt: skip
        count = tf.cast(tf.size(inputs) // channels[0], variance.dtype)
        variance *= (count - 1) / count  # the kernel's is of the population, Keras' of the batch
        for kept, new in ((layer.moving_mean, mean), (layer.moving_variance, variance)):
            kept.assign(kept * layer.momentum + new * (1 - layer.momentum))
        return answers

    return call
