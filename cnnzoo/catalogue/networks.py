"""The zoo's table of contents, oldest network first, those of lectures last."""

from __future__ import annotations

from functools import partial

from cnnzoo.catalogue.airbench import AIRBENCH94
from cnnzoo.catalogue.lectures import LECTURES
from cnnzoo.catalogue.resnets import RESNETS_2015, RESNEXT50
from cnnzoo.catalogue.spec import Choice, ModelSpec, Option, Paper, stem_option


def _aux(where: str, min_size: int) -> Option:
    return Option(
        "aux",
        f"auxiliary classifiers on {where}, for training",
        (
            Choice(False, "one output"),
            Choice(True, "all outputs, the main one first", None, min_size),
        ),
    )


_SMALL_INCEPTION = stem_option("conv1 steps by one pixel, pool1 is left out", 29)
_vgg_paper = partial(
    Paper,
    authors="K. Simonyan, A. Zisserman",
    title="Very Deep Convolutional Networks for Large-Scale Image Recognition",
    year=2014,
    venue="ICLR 2015",
    url="https://arxiv.org/abs/1409.1556",
)
_VGG_STAGES = tuple(f"block{i}_pool" for i in range(1, 6))
_inception_resnet_paper = partial(
    Paper,
    authors="C. Szegedy, S. Ioffe, V. Vanhoucke, A. Alemi",
    title="Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning",
    year=2016,
    venue="AAAI 2017",
    url="https://arxiv.org/abs/1602.07261",
)

LENET5 = ModelSpec(
    name="lenet5",
    title="LeNet-5",
    family="lenet",
    idea="Learnt features: convolutions and sub-sampling in turn",
    paper=Paper(
        authors="Y. LeCun, L. Bottou, Y. Bengio, P. Haffner",
        title="Gradient-Based Learning Applied to Document Recognition",
        year=1998,
        venue="Proceedings of the IEEE 86(11)",
        url="https://doi.org/10.1109/5.726791",
        table="Figure 2 and Table I",
    ),
    input_shape=(32, 32, 1),
    min_size=32,
    num_classes=10,
    dataset="MNIST",
    preprocessing="zero-one",
    trunk="cnnzoo.models.lenet:lenet5",
    top="cnnzoo.models.lenet:classifier",
    stages=("s2", "s4", "c5"),
    flat_top=True,
    options=(
        Option(
            "original",
            "the network of 1998 to the letter",
            (
                Choice(False, "average pooling, full C3, softmax: what is taught today"),
                Choice(True, "trained sub-sampling, C3 connection table, RBF output"),
            ),
        ),
        Option(
            "padding",
            "padding of the first convolution",
            (
                Choice("valid", "for 32x32 images, as in the paper"),
                Choice("same", "for 28x28 images, as MNIST is distributed", 28, 28),
            ),
        ),
    ),
    aliases=("lenet", "le-net-5"),
    notes=(
        "The lecture's '60K' is exact for the network of 1998 (original=True: 60,000 trained "
        "parameters); the layer table taught today has 61,706.",
    ),
)

ALEXNET = ModelSpec(
    name="alexnet",
    title="AlexNet",
    family="alexnet",
    idea="ReLU, dropout, two GPUs: deep learning wins ImageNet",
    paper=Paper(
        authors="A. Krizhevsky, I. Sutskever, G. Hinton",
        title="ImageNet Classification with Deep Convolutional Neural Networks",
        year=2012,
        venue="NIPS 2012",
        url="https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
        table="Figure 2 and section 3.5",
    ),
    input_shape=(227, 227, 3),
    min_size=67,
    num_classes=1000,
    preprocessing="bgr-centred-bvlc",
    trunk="cnnzoo.models.alexnet:alexnet",
    top="cnnzoo.models.alexnet:classifier",
    stages=("pool1", "pool2", "pool5"),
    flat_top=True,
    options=(
        Option(
            "variant",
            "which AlexNet",
            (
                Choice("two-tower", "the paper: conv2, conv4 and conv5 split over two GPUs"),
                Choice("one-tower", "the same widths without the split"),
                Choice("torchvision", "64-192-384-256-256, no normalisation, 224x224", 224, 63),
                Choice("bvlc", "two towers, normalisation constants of the Caffe weights"),
            ),
        ),
    ),
    aliases=("alex-net",),
    notes=(
        "60,965,224 parameters with the two towers of the paper; 62,378,344 drawn as one tower; "
        "61,100,840 in torchvision, which follows a later paper ('one weird trick').",
        "The paper says 224x224 but its arithmetic needs 227x227: (227 - 11) / 4 + 1 = 55.",
    ),
)

VGG16 = ModelSpec(
    name="vgg16",
    title="VGG-16",
    family="vgg",
    idea="Nothing but 3x3 convolutions, 16 layers with weights",
    paper=_vgg_paper(table="Table 1, column D"),
    input_shape=(224, 224, 3),
    min_size=32,
    num_classes=1000,
    preprocessing="bgr-centred",
    trunk="cnnzoo.models.vgg:vgg16",
    stages=_VGG_STAGES,
    top="cnnzoo.models.vgg:classifier",
    flat_top=True,
)

VGG19 = ModelSpec(
    name="vgg19",
    title="VGG-19",
    family="vgg",
    idea="Three more convolutions: depth alone levels off",
    paper=_vgg_paper(table="Table 1, column E"),
    input_shape=(224, 224, 3),
    min_size=32,
    num_classes=1000,
    preprocessing="bgr-centred",
    trunk="cnnzoo.models.vgg:vgg19",
    stages=_VGG_STAGES,
    top="cnnzoo.models.vgg:classifier",
    flat_top=True,
)

INCEPTION_V1 = ModelSpec(
    name="inception_v1",
    title="Inception v1 (GoogLeNet)",
    family="inception",
    idea="Kernels of several sizes side by side, 1x1 to save work",
    paper=Paper(
        authors="C. Szegedy, W. Liu, Y. Jia, P. Sermanet, S. Reed, D. Anguelov, D. Erhan, "
        "V. Vanhoucke, A. Rabinovich",
        title="Going Deeper with Convolutions",
        year=2014,
        venue="CVPR 2015",
        url="https://arxiv.org/abs/1409.4842",
        table="Table 1",
    ),
    input_shape=(224, 224, 3),
    min_size=32,
    num_classes=1000,
    preprocessing="bgr-centred-bvlc",
    trunk="cnnzoo.models.inception_v1:inception_v1",
    top="cnnzoo.models.inception_v1:classifier",
    auxiliary="cnnzoo.models.inception_v1:auxiliary",
    stages=("pool2", "inception_3b", "inception_4e", "inception_5b"),
    options=(
        Option(
            "variant",
            "which Inception v1",
            (
                Choice("paper", "biases, local response normalisation, 5x5 branch"),
                Choice("torchvision", "batch normalisation, 3x3 in the place of 5x5"),
                Choice("slim", "as torchvision, batch normalisation without scale, 'same' stem"),
            ),
        ),
        _aux("inception 4a and 4d", 65),
        stem_option("conv1 keeps the size, pool1 is left out", 17),
    ),
    aliases=("googlenet", "google-net", "inception"),
    notes=(
        "6,998,552 parameters as in the paper's Table 1; 13,378,280 with both auxiliary "
        "classifiers; 6,639,464 in torchvision, which has batch normalisation and a 3x3 "
        "convolution where the paper has 5x5.",
    ),
)

INCEPTION_V3 = ModelSpec(
    name="inception_v3",
    title="Inception v3",
    family="inception",
    idea="Large kernels factorised: 1x7, then 7x1; batch norm",
    paper=Paper(
        authors="C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna",
        title="Rethinking the Inception Architecture for Computer Vision",
        year=2015,
        venue="CVPR 2016",
        url="https://arxiv.org/abs/1512.00567",
        table="Table 1 and Figures 5 to 7, 10; widths of the released model",
    ),
    input_shape=(299, 299, 3),
    min_size=75,
    num_classes=1000,
    preprocessing="minus-one-one",
    trunk="cnnzoo.models.inception_v3:inception_v3",
    auxiliary="cnnzoo.models.inception_v3:auxiliary",
    stages=("pool2", "mixed2", "mixed7", "mixed10"),
    options=(
        Option(
            "variant",
            "what an average pooling sees at the border",
            (
                Choice("keras", "the image only"),
                Choice("torchvision", "zeros around it too, as torchvision's weights expect"),
            ),
        ),
        _aux("mixed7", 107),
        _SMALL_INCEPTION,
    ),
    notes=(
        "The paper's Table 1 and the model its authors released differ; everybody, this zoo "
        "included, builds the released one.",
        "23,851,784 counts batch-norm statistics; torchvision keeps the batch-norm scale and "
        "leaves the statistics out: 23,834,568.",
    ),
)

INCEPTION_V4 = ModelSpec(
    name="inception_v4",
    title="Inception v4",
    family="inception",
    idea="A uniform Inception: branched stem, deeper stages",
    paper=_inception_resnet_paper(table="Figures 3 to 9"),
    input_shape=(299, 299, 3),
    min_size=75,
    num_classes=1000,
    preprocessing="minus-one-one",
    trunk="cnnzoo.models.inception_v4:inception_v4",
    top="cnnzoo.models.inception_v4:classifier",
    auxiliary="cnnzoo.models.inception_v4:auxiliary",
    stages=("stem3", "inception_a4", "inception_b7", "inception_c3"),
    options=(
        _aux("the last inception B", 107),
        stem_option("conv1 and stem1 step by one pixel instead of two", 31),
    ),
    notes=(
        "42,711,400 without batch-norm scale, as TensorFlow trained it, statistics counted; "
        "timm keeps the scale and leaves the statistics out: 42,679,816.",
    ),
)

INCEPTION_RESNET_V2 = ModelSpec(
    name="inception_resnet_v2",
    title="Inception-ResNet v2",
    family="inception",
    idea="Inception blocks as residuals, scaled to train steadily",
    paper=_inception_resnet_paper(table="Figure 15; widths of the released model"),
    input_shape=(299, 299, 3),
    min_size=75,
    num_classes=1000,
    preprocessing="minus-one-one",
    trunk="cnnzoo.models.inception_resnet_v2:inception_resnet_v2",
    auxiliary="cnnzoo.models.inception_resnet_v2:auxiliary",
    stages=("pool2", "block35_10_ac", "block17_20_ac", "conv_7b_ac"),
    options=(_aux("the last block17", 107), _SMALL_INCEPTION),
    notes=(
        "The released model, which Keras and everybody else builds, has twice the blocks of the "
        "paper's figure (10, 20, 10) and another stem.",
        "55,873,736 counts batch-norm statistics; timm, with batch-norm scale and without "
        "statistics, 55,843,464.",
    ),
)

XCEPTION = ModelSpec(
    name="xception",
    title="Xception",
    family="xception",
    idea="Inception to the extreme: depthwise separable throughout",
    paper=Paper(
        authors="F. Chollet",
        title="Xception: Deep Learning with Depthwise Separable Convolutions",
        year=2016,
        venue="CVPR 2017",
        url="https://arxiv.org/abs/1610.02357",
        table="Figure 5",
    ),
    input_shape=(299, 299, 3),
    min_size=71,
    num_classes=1000,
    preprocessing="minus-one-one",
    trunk="cnnzoo.models.xception:xception",
    stages=(
        "block1_conv2_act",
        "block2_add",
        "block3_add",
        "block12_add",
        "block14_sepconv2_act",
    ),
    options=(stem_option("block1_conv1 steps by one pixel instead of two", 20),),
    notes=(
        "The paper's 22,855,952 are the trainable ones; 22,910,480 counts batch-norm statistics.",
    ),
)

NETWORKS = (
    LENET5,
    ALEXNET,
    VGG16,
    VGG19,
    INCEPTION_V1,
    INCEPTION_V3,
    *RESNETS_2015,
    INCEPTION_V4,
    INCEPTION_RESNET_V2,
    XCEPTION,
    RESNEXT50,
    AIRBENCH94,
    *LECTURES,
)
