"""airbench94 (Jordan 2024), the network that reaches 94 % of CIFAR-10 in seconds on a GPU.

```text
layer            filters  out      params
whiten   conv 2x2     24  31x31       312
block1   conv 3x3     64  15x15    50,816    first convolution, pooling 2x2; second convolution
block2   conv 3x3    256   7x7    737,792    each followed by batch norm and GELU
block3   conv 3x3    256   3x3  1,180,160
pool                 256   1x1
dense                 10             2,560    features divided by 9
```

Section 3 and the code published with it. No convolution but the first has a bias, no batch norm a
scale. The maximum is taken over the whole map, which is 3x3 at 32 pixels, so that other sizes work
too.
"""

from keras import layers

from cnnzoo.models import blocks, heads

WIDTHS = (64, 256, 256)
MOMENTUM, EPSILON = 0.6, 1e-12


def airbench94(image):
    """(N, 32, 32, 3) -> (N, 3, 3, 256)."""
    x = blocks.conv(image, 24, 2, padding="valid", name="whiten")
    x = _gelu(x, "whiten_gelu")
    for i, width in enumerate(WIDTHS, start=1):
        x = blocks.conv(x, width, 3, bias=False, name=f"block{i}a_conv")
        x = blocks.max_pool(x, 2, name=f"block{i}_pool")
        x = _norm_gelu(x, f"block{i}a")
        x = blocks.conv(x, width, 3, bias=False, name=f"block{i}b_conv")
        x = _norm_gelu(x, f"block{i}b")
    return x


def airbench94_classifier(features, num_classes, activation):
    """(N, H, W, 256) -> (N, num_classes): the maximum over the image, one dense layer."""
    x = layers.GlobalMaxPooling2D(name="max_pool")(features)
    x = layers.Rescaling(1 / 9, name="rescale")(x)
    return heads.classify(x, num_classes, activation, bias=False)


def _norm_gelu(x, name):
    x = layers.BatchNormalization(
        axis=blocks.channel_axis(),
        scale=False,
        momentum=MOMENTUM,
        epsilon=EPSILON,
        name=f"{name}_bn",
    )(x)
    return _gelu(x, f"{name}_gelu")


def _gelu(x, name):
    """In float32 under a mixed policy: by way of 16 bits the error function takes twice as long."""
    return layers.Activation("gelu", dtype=heads.last_dtype(), name=name)(x)
