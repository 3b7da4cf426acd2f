"""Every map against the graph it feeds and the listing of the file it reads."""

from __future__ import annotations

from math import prod
from pathlib import Path

import numpy as np
import pytest
from weight_files import LISTINGS, MAPS, listing

from cnnzoo import list_models
from cnnzoo.analysis.measure import sketch
from cnnzoo.catalogue.weights import all_weights
from cnnzoo.errors import CatalogueError, WeightsError
from cnnzoo.pretrained import assign
from cnnzoo.pretrained.assign import Fit
from cnnzoo.pretrained.load import plan_for
from cnnzoo.pretrained.name_map import read_name_map
from cnnzoo.pretrained.readers.keras_h5 import _leaf, renumbered
from cnnzoo.pretrained.readers.tensor import Tensor

# Table 1 of GoogLeNet as BVLC names its layers: 1x1, 3x3 reduce, 3x3, 5x5 reduce, 5x5, pool proj.
GOOGLENET = {
    "3a": (192, 64, 96, 128, 16, 32, 32),
    "3b": (256, 128, 128, 192, 32, 96, 64),
    "4a": (480, 192, 96, 208, 16, 48, 64),
    "4b": (512, 160, 112, 224, 24, 64, 64),
    "4c": (512, 128, 128, 256, 24, 64, 64),
    "4d": (512, 112, 144, 288, 32, 64, 64),
    "4e": (528, 256, 160, 320, 32, 128, 128),
    "5a": (832, 256, 160, 320, 32, 128, 128),
    "5b": (832, 384, 192, 384, 48, 128, 128),
}


def _caffe(convolutions: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """Names of Caffe2's export: ``conv1_w_0`` and ``conv1_b_0``."""
    found = {}
    for name, shape in convolutions.items():
        found[f"{name}_w_0"], found[f"{name}_b_0"] = shape, (shape[0],)
    return found | {"OC2_DUMMY_1": (2,)}


def _googlenet() -> dict[str, tuple[int, ...]]:
    rows = {
        "conv1/7x7_s2": (64, 3, 7, 7),
        "conv2/3x3_reduce": (64, 64, 1, 1),
        "conv2/3x3": (192, 64, 3, 3),
    }
    for module, (inside, one, three_in, three, five_in, five, pool) in GOOGLENET.items():
        rows |= {
            f"inception_{module}/1x1": (one, inside, 1, 1),
            f"inception_{module}/3x3_reduce": (three_in, inside, 1, 1),
            f"inception_{module}/3x3": (three, three_in, 3, 3),
            f"inception_{module}/5x5_reduce": (five_in, inside, 1, 1),
            f"inception_{module}/5x5": (five, five_in, 5, 5),
            f"inception_{module}/pool_proj": (pool, inside, 1, 1),
        }
    return _caffe(rows | {"loss3/classifier": (1000, 1024)})


def _alexnet() -> dict[str, tuple[int, ...]]:
    return _caffe(
        {
            "conv1": (96, 3, 11, 11),
            "conv2": (256, 48, 5, 5),
            "conv3": (384, 256, 3, 3),
            "conv4": (384, 192, 3, 3),
            "conv5": (256, 192, 3, 3),
            "fc6": (4096, 9216),
            "fc7": (4096, 4096),
            "fc8": (1000, 4096),
        }
    )


def _timm(network: str) -> dict[str, tuple[int, ...]]:
    """timm keeps the dense layers of VGG as convolutions, under names of its own."""
    names = {"classifier.0": "pre_logits.fc1", "classifier.3": "pre_logits.fc2"}
    shapes = {
        "pre_logits.fc1.weight": (4096, 512, 7, 7),
        "pre_logits.fc2.weight": (4096, 4096, 1, 1),
    }
    found = {}
    for name, shape in listing(f"tv_{network}").items():
        layer, _, leaf = name.rpartition(".")
        renamed = f"{names.get(layer, layer).replace('classifier.6', 'head.fc')}.{leaf}"
        found[renamed] = shapes.get(renamed, shape)
    return found


def _keras(name: str) -> dict[str, tuple[int, ...]]:
    """A published Keras file as its reader names it."""
    rows = listing(f"keras_{name}")
    layers = [path.split("/")[1] for path in rows]
    return {
        f"{known}/{_leaf(layer, path)}": shape
        for layer, known, (path, shape) in zip(
            layers, renumbered(layers), rows.items(), strict=True
        )
    }


def _kentsommer() -> dict[str, tuple[int, ...]]:
    """Inception v4 for Keras: the convolutions of timm's listing in order, counted from one."""
    found: dict[str, tuple[int, ...]] = {}
    shapes = [shape for name, shape in listing("timm_inception_v4").items() if len(shape) == 4]
    for number, (out, inside, height, width) in enumerate(shapes, start=1):
        found[f"conv2d_{number}/kernel"] = (height, width, inside, out)
        for leaf in ("beta", "moving_mean", "moving_variance"):
            found[f"batch_normalization_{number}/{leaf}"] = (out,)
    return found | {"dense_1/kernel": (1536, 1001), "dense_1/bias": (1001,)}


def _torch_resnet(
    blocks: tuple[int, ...],
    widths: tuple[int, ...],
    widened: int = 1,
    projected: bool = True,
    classifier: str = "fc",
) -> dict[str, tuple[int, ...]]:
    """A residual network as torch's state dicts name it: basic blocks, or bottlenecks of 4."""
    found: dict[str, tuple[int, ...]] = {}

    def conv_bn(conv: str, bn: str, out: int, inside: int, side: int) -> None:
        found[f"{conv}.weight"] = (out, inside, side, side)
        found.update({f"{bn}.{leaf}": (out,) for leaf in ("weight", "bias")})
        found.update({f"{bn}.{leaf}": (out,) for leaf in ("running_mean", "running_var")})
        found[f"{bn}.num_batches_tracked"] = ()

    conv_bn("conv1", "bn1", widths[0], 3, 7 if classifier == "fc" else 3)
    inside = widths[0]
    for stage, (count, width) in enumerate(zip(blocks, widths, strict=True), start=1):
        for i in range(count):
            block, out = f"layer{stage}.{i}", width * widened
            sides = [(width, inside, 1), (width, width, 3), (out, width, 1)]
            if widened == 1:
                sides = [(width, inside, 3), (width, width, 3)]
            for number, shape in enumerate(sides, start=1):
                conv_bn(f"{block}.conv{number}", f"{block}.bn{number}", *shape)
            if projected and inside != out:
                conv_bn(f"{block}.downsample.0", f"{block}.downsample.1", out, inside, 1)
            inside = out
    classes = 1000 if classifier == "fc" else 10
    return found | {f"{classifier}.weight": (classes, inside), f"{classifier}.bias": (classes,)}


def _cifar_resnet(n: int) -> dict[str, tuple[int, ...]]:
    return _torch_resnet((n, n, n), (16, 32, 64), projected=False, classifier="linear")


WIDTHS = (64, 128, 256, 512)


# map: options of the network, the file, classes to drop
FILES = {
    "alexnet-onnx": ({}, _alexnet, 0),
    "alexnet-torch": ({"variant": "torchvision"}, lambda: listing("tv_alexnet"), 0),
    "inception_resnet_v2-keras": ({}, lambda: _keras("InceptionResNetV2"), 0),
    "inception_resnet_v2-timm": ({}, lambda: listing("timm_inception_resnet_v2"), 0),
    "inception_v1-onnx": ({}, _googlenet, 0),
    "inception_v1-torch": ({"variant": "torchvision"}, lambda: listing("tv_googlenet_aux"), 0),
    "inception_v3-keras": ({}, lambda: _keras("InceptionV3"), 0),
    "inception_v3-torch": ({}, lambda: listing("tv_inception_v3_aux"), 0),
    "inception_v4-keras": ({}, _kentsommer, 1),
    "inception_v4-timm": ({}, lambda: listing("timm_inception_v4"), 0),
    "resnet50-keras": ({}, lambda: _keras("ResNet50"), 0),
    "resnet50-keras-2017": ({}, lambda: _keras("ResNet50_2017"), 0),
    "resnet50-torch": ({"variant": "v1.5"}, lambda: listing("tv_resnet50"), 0),
    "resnet18-torch": ({}, lambda: _torch_resnet((2, 2, 2, 2), WIDTHS), 0),
    "resnet34-torch": ({}, lambda: _torch_resnet((3, 4, 6, 3), WIDTHS), 0),
    "resnet101-torch": ({"variant": "v1.5"}, lambda: _torch_resnet((3, 4, 23, 3), WIDTHS, 4), 0),
    "resnet152-torch": ({"variant": "v1.5"}, lambda: _torch_resnet((3, 8, 36, 3), WIDTHS, 4), 0),
    "resnet20-torch": ({}, lambda: _cifar_resnet(3), 0),
    "resnet32-torch": ({}, lambda: _cifar_resnet(5), 0),
    "resnet44-torch": ({}, lambda: _cifar_resnet(7), 0),
    "resnet56-torch": ({}, lambda: _cifar_resnet(9), 0),
    "resnet110-torch": ({}, lambda: _cifar_resnet(18), 0),
    "resnext50-keras": ({}, lambda: _keras("ResNeXt50"), 0),
    "resnext50-torch": ({}, lambda: listing("tv_resnext50_32x4d"), 0),
    "vgg16-timm": ({}, lambda: _timm("vgg16"), 0),
    "vgg16-torch": ({}, lambda: listing("tv_vgg16"), 0),
    "vgg19-timm": ({}, lambda: _timm("vgg19"), 0),
    "vgg19-torch": ({}, lambda: listing("tv_vgg19"), 0),
    "xception-keras": ({}, lambda: _keras("Xception"), 0),
    "vgg16": ({}, lambda: _keras("VGG16"), 0),
    "vgg19": ({}, lambda: _keras("VGG19"), 0),
}


def _unread(shapes: dict[str, tuple[int, ...]]) -> dict[str, Tensor]:
    def read() -> np.ndarray:
        raise AssertionError("names and shapes are compared without reading")

    kinds = {name: "int64" if "num_batches" in name or "DUMMY" in name else "" for name in shapes}
    return {name: Tensor(shape, kinds[name] or "float32", read) for name, shape in shapes.items()}


def test_torchs_names_as_written_here_are_those_of_a_published_listing():
    ours = _torch_resnet((3, 4, 6, 3), WIDTHS, 4)
    assert ours == listing("tv_resnet50")


@pytest.mark.parametrize("name", FILES)
def test_map_feeds_every_variable_and_accounts_for_every_tensor(name):
    options, file, offset = FILES[name]
    network = name.partition("-")[0]
    tensors = _unread(file())
    model = sketch(network, **options)
    classifier = tuple(model.output_names)
    maps = [read_name_map(path) for path in sorted(MAPS.glob(f"{network}-*.tsv"))]
    plan = plan_for(model, tensors, maps, classifier)
    fit = Fit(name, classifier, class_offset=offset)
    steps, report = assign.check(model, tensors, plan, fit)
    assert report.loaded == report.total == len(model.weights)
    fed = [step.source for step in steps]
    assert len(set(fed)) == len(fed)
    assert set(fed) | plan.unused | plan.ones == set(tensors)
    ours = sum(prod(weight.shape) for weight in model.weights)
    assert sum(prod(step.variable.shape) for step in steps) == ours


@pytest.mark.parametrize("name", list_models())
def test_a_file_of_our_own_is_known_as_such(name):
    model = sketch(name)
    own = assign.variables(model)
    tensors = _unread({target: tuple(variable.shape) for target, variable in own.items()})
    maps = [read_name_map(path) for path in sorted(MAPS.glob(f"{name}-*.tsv"))]
    plan = plan_for(model, tensors, maps, tuple(model.output_names))
    steps, _ = assign.check(model, tensors, plan, Fit(name, tuple(model.output_names)))
    assert [step.source for step in steps] == list(own)


@pytest.mark.parametrize("name", [name for name in FILES if "-" in name])
def test_a_tensor_that_nobody_knows_or_one_that_lacks_is_refused(name):
    options, file, offset = FILES[name]
    network = name.partition("-")[0]
    model = sketch(network, **options)
    classifier = tuple(model.output_names)
    known = read_name_map(MAPS / f"{name}.tsv")
    targets = assign.variables(model)
    for change in ("extra", "lacking", "turned"):
        tensors = _unread(file())
        feeds = known.plan(targets, tensors).feeds
        first = feeds[next(iter(targets))].source
        if change == "extra":
            tensors["unheard.of"] = tensors[first]
        elif change == "lacking":
            del tensors[first]
        else:
            turned = tensors[first].shape[::-1]
            tensors[first] = Tensor(turned, "float32", tensors[first].read)
        with pytest.raises(WeightsError, match="does not fit"):
            assign.check(
                model, tensors, known.plan(targets, tensors), Fit(name, classifier, offset)
            )


def test_every_map_that_the_catalogue_names_exists_and_every_map_is_tested():
    maps = {path.stem for path in MAPS.glob("*.tsv")}
    named = {e.name_map for entries in all_weights().values() for e in entries if e.name_map}
    assert named <= maps
    assert maps - set(FILES) == {"xception-keras2"}  # loaded from a file in another test


def test_every_listing_is_used():
    used = {path.stem for path in LISTINGS.glob("*.tsv")}
    text = Path(__file__).read_text()
    assert all(f'"{name.removeprefix("keras_")}"' in text or "vgg" in name for name in used)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a/kernel\tb", "three columns"),
        ("a/kernel\tb\tturn", "no conversion"),
        ("a/kernel\tb\tflattened 5", "no conversion"),
        ("a/kernel\tb\tflattened x y z", "no conversion"),
        ("a/kernel\tb\tunused", "target"),
        ("-\tb\tcopy", "target"),
        ("x/kernel\tb\tcopy", "again"),
        ("a/kernel\tx\tcopy", "again"),
        ("a/kernel\tb|x\tcopy", "again"),
    ],
)
def test_map_with_a_broken_line_is_refused(line, words, tmp_path):
    path = tmp_path / "broken.tsv"
    path.write_text(f"# comment\n\nx/kernel\tx\tcopy\n{line}\n")
    with pytest.raises(CatalogueError, match=words):
        read_name_map(path)
