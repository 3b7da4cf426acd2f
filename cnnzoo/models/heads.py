"""What stands on a trunk: features in, one number per class out."""

import keras
from keras import layers


def classify(x, num_classes, activation, name="predictions", bias=True):
    """(N, C) -> (N, num_classes) by one dense layer."""
    dense = layers.Dense(
        num_classes, activation=activation, use_bias=bias, dtype=last_dtype(), name=name
    )
    return dense(x)


def last_dtype():
    """Policy of the last layer: float32 under a mixed one, because softmax needs the digits."""
    half = keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16")
    return "float32" if half else None


def pooled(features, num_classes, activation, **_):
    """(N, H, W, C) -> (N, num_classes): mean over the image, one dense layer."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(features)
    return classify(x, num_classes, activation)
