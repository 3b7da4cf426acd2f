"""What stands on a trunk: features in, one number per class out."""

import keras
from keras import layers


def classify(x, num_classes, activation, name="predictions"):
    """(N, C) -> (N, num_classes), in float32 even under a mixed policy, where softmax would lose digits."""
    half = keras.config.dtype_policy().compute_dtype in ("float16", "bfloat16")
    dtype = "float32" if half else None
    return layers.Dense(num_classes, activation=activation, dtype=dtype, name=name)(x)


def pooled(features, num_classes, activation, **_):
    """(N, H, W, C) -> (N, num_classes): mean over the image, one dense layer."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(features)
    return classify(x, num_classes, activation)
