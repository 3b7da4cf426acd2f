"""The residual networks: the five of ImageNet, the five of CIFAR-10, and ResNeXt."""

from __future__ import annotations

from cnnzoo.catalogue.spec import Choice, ModelSpec, Option, Paper, stem_option


def _paper(table: str) -> Paper:
    return Paper(
        authors="K. He, X. Zhang, S. Ren, J. Sun",
        title="Deep Residual Learning for Image Recognition",
        year=2015,
        venue="CVPR 2016",
        url="https://arxiv.org/abs/1512.03385",
        table=table,
    )


_PROJECTION = Choice("projection", "a 1x1 convolution where the shape changes (option B)")
_ZERO_PADDING = Choice("zero-padding", "new channels are zeros, no parameters (option A)")
_PLAIN = Choice("none", "the paper's plain network, without shortcuts")
_V1 = Choice("v1", "the paper and Keras: stride in the first 1x1, biases")
_V1_5 = Choice("v1.5", "torchvision and timm: stride in the 3x3, no biases")
_V1_2017 = Choice("v1-2017", "Keras' first port: epsilon 1e-3, no padding before pooling")


def _shortcut(*choices: Choice) -> tuple[Option, ...]:
    return (Option("shortcut", "what joins the ends of a block", choices),)


def _variant(*choices: Choice) -> tuple[Option, ...]:
    return (Option("variant", "where a block halves the image", choices),)


def _stages(*blocks: int) -> tuple[str, ...]:
    """The stem, then the last block of each column."""
    ends = (f"conv{column}_block{count}_out" for column, count in enumerate(blocks, start=2))
    return ("conv1_relu", *ends)


_STEM = stem_option("conv1 keeps the size and no pooling follows", 8)
_BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
_BLOCKS[50] = _BLOCKS[34]


def _imagenet(
    depth: int, preprocessing: str, options: tuple[Option, ...], notes: tuple[str, ...], idea: str
) -> ModelSpec:
    return ModelSpec(
        name=f"resnet{depth}",
        title=f"ResNet-{depth}",
        family="resnet",
        idea=idea,
        paper=_paper(f"Table 1, column {depth}-layer"),
        input_shape=(224, 224, 3),
        min_size=32,
        num_classes=1000,
        preprocessing=preprocessing,
        trunk=f"cnnzoo.models.resnet:resnet{depth}",
        stages=_stages(*_BLOCKS[depth]),
        options=(*options, _STEM),
        notes=notes,
    )


def _cifar(depth: int, trainable: str, idea: str) -> ModelSpec:
    return ModelSpec(
        name=f"resnet{depth}",
        title=f"ResNet-{depth} (CIFAR)",
        family="resnet",
        idea=idea,
        paper=_paper(f"Section 4.2, n = {(depth - 2) // 6}"),
        input_shape=(32, 32, 3),
        min_size=8,
        num_classes=10,
        dataset="CIFAR-10",
        preprocessing="standardised",
        trunk=f"cnnzoo.models.resnet:resnet{depth}",
        stages=_stages(*[(depth - 2) // 6] * 3),
        options=_shortcut(_ZERO_PADDING, _PLAIN),
        aliases=(f"cifar_resnet{depth}", f"resnet{depth}_cifar10"),
        notes=(
            f"The paper's {trainable} are the trained parameters with option A; with the "
            "projections of option B there are more.",
        ),
    )


_BASIC = _shortcut(_PROJECTION, _ZERO_PADDING, _PLAIN)

RESNET18 = _imagenet(
    18, "standardised", _BASIC,
    ("11,689,512 in torchvision and timm, which do not count batch-norm statistics.",),
    idea="Residual blocks: learn what to add to the input",
)  # fmt: skip
RESNET34 = _imagenet(
    34, "standardised", _BASIC,
    (
        "21,797,672 in torchvision and timm, which do not count batch-norm statistics.",
        "The paper's Figure 3 leaves the shortcut open; option B is what everybody trains, "
        "option A has 21,639,080 parameters.",
    ),
    idea="With shortcuts 34 layers beat 18; without, they lose",
)  # fmt: skip
RESNET50 = _imagenet(
    50, "bgr-centred", _variant(_V1, _V1_5, _V1_2017),
    (
        "25,636,712 with the convolution biases of Keras and the batch-norm statistics; "
        "25,557,032 in torchvision and timm, which have neither biases nor count statistics.",
        "torchvision and timm build v1.5: the stride sits in the 3x3 convolution, which costs "
        "6 % more MACs.",
    ),
    idea="Bottlenecks, 1x1 down and up, make depth affordable",
)  # fmt: skip
RESNET101 = _imagenet(
    101, "bgr-centred", _variant(_V1, _V1_5),
    (
        "44,707,176 with the convolution biases of Keras and the batch-norm statistics; "
        "44,549,160 in torchvision and timm, which have neither biases nor count statistics.",
    ),
    idea="The same bottlenecks, twice as deep, and still better",
)  # fmt: skip
RESNET152 = _imagenet(
    152, "bgr-centred", _variant(_V1, _V1_5),
    (
        "60,419,944 with the convolution biases of Keras and the batch-norm statistics; "
        "60,192,808 in torchvision and timm, which have neither biases nor count statistics.",
    ),
    idea="Eight times as deep as VGG, with less work",
)  # fmt: skip
RESNET20 = _cifar(20, "0.27 M", "Residual learning on images of 32x32 pixels")
RESNET32 = _cifar(32, "0.46 M", "Deeper is better, as long as there are shortcuts")
RESNET44 = _cifar(44, "0.66 M", "Deeper still: the training error keeps falling")
RESNET56 = _cifar(56, "0.85 M", "Beats its plain twin by far: degradation is overcome")
RESNET110 = _cifar(110, "1.7 M", "110 layers trained on 50,000 small images")

RESNEXT50 = ModelSpec(
    name="resnext50",
    title="ResNeXt-50 (32x4d)",
    family="resnet",
    idea="32 parallel paths a block: cardinality besides width",
    paper=Paper(
        authors="S. Xie, R. Girshick, P. Dollár, Z. Tu, K. He",
        title="Aggregated Residual Transformations for Deep Neural Networks",
        year=2016,
        venue="CVPR 2017",
        url="https://arxiv.org/abs/1611.05431",
        table="Table 1, column ResNeXt-50 (32x4d)",
    ),
    input_shape=(224, 224, 3),
    min_size=32,
    num_classes=1000,
    preprocessing="standardised",
    trunk="cnnzoo.models.resnet:resnext50",
    stages=_stages(3, 4, 6, 3),
    options=(_STEM,),
    aliases=("resnext50_32x4d", "resnext"),
    notes=(
        "25,097,128 with true grouped convolutions; the last release of keras-applications "
        "imitates them by constant layers and counts 153,220,008.",
    ),
)

RESNETS_2015 = (
    *(RESNET18, RESNET34, RESNET50, RESNET101, RESNET152),
    *(RESNET20, RESNET32, RESNET44, RESNET56, RESNET110),
)
