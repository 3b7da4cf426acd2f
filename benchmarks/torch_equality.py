"""The same weights in torch's networks and in ours: how far apart are the answers?

    pip install 'cnnzoo[torch]' torchvision timm
    python benchmarks/torch_equality.py

torchvision and timm build their networks with random weights and random batch-norm statistics;
`build(weights=...)` reads the saved state dict as it would a downloaded one. Printed is the
largest difference of the logits, relative to the largest logit, in float32.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import timm
import torch
import torchvision

import cnnzoo

# ours, options, where theirs comes from, its name, height and width in pixels
PAIRS = (
    ("alexnet", {"variant": "torchvision"}, "torchvision", "alexnet", 224),
    ("vgg16", {}, "torchvision", "vgg16", 224),
    ("vgg19", {}, "torchvision", "vgg19", 224),
    ("inception_v1", {"variant": "torchvision"}, "torchvision", "googlenet", 224),
    ("inception_v3", {"variant": "torchvision"}, "torchvision", "inception_v3", 299),
    ("resnet18", {}, "torchvision", "resnet18", 224),
    ("resnet34", {}, "torchvision", "resnet34", 224),
    ("resnet50", {"variant": "v1.5"}, "torchvision", "resnet50", 224),
    ("resnet101", {"variant": "v1.5"}, "torchvision", "resnet101", 224),
    ("resnet152", {"variant": "v1.5"}, "torchvision", "resnet152", 224),
    ("resnext50", {}, "torchvision", "resnext50_32x4d", 224),
    ("vgg16", {}, "timm", "vgg16", 224),
    ("inception_v4", {}, "timm", "inception_v4", 299),
    ("inception_resnet_v2", {}, "timm", "inception_resnet_v2", 299),
)
# Trained by TensorFlow without scale: the published state dicts hold ones there, ours nothing.
UNSCALED = ("inception_v3", "inception_v4", "inception_resnet_v2")


def theirs_of(library: str, name: str) -> torch.nn.Module:
    """Their network, untrained, with statistics that are neither 0 nor 1."""
    torch.manual_seed(3)
    if library == "timm":
        model = timm.create_model(name, pretrained=False)
    else:
        with_aux = {"aux_logits": True, "init_weights": True, "transform_input": False}
        more = with_aux if name in ("googlenet", "inception_v3") else {}
        model = getattr(torchvision.models, name)(weights=None, **more)
    for part in model.modules():
        if isinstance(part, torch.nn.BatchNorm2d):
            torch.nn.init.uniform_(part.running_mean, -0.2, 0.2)
            torch.nn.init.uniform_(part.running_var, 0.5, 1.5)
            if name not in UNSCALED:
                torch.nn.init.uniform_(part.weight, 0.5, 1.5)
            torch.nn.init.uniform_(part.bias, -0.2, 0.2)
    return model.eval()


def difference(ours: str, options: dict[str, str], library: str, name: str, size: int) -> float:
    model = theirs_of(library, name)
    pixels = np.random.default_rng(5).normal(0, 1, (2, size, size, 3)).astype("float32")
    with torch.no_grad():
        expected = model(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy())).numpy()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{name}.pth"
        torch.save(model.state_dict(), path)
        network = cnnzoo.build(ours, weights=path, classifier_activation=None, **options)
    answer = np.asarray(network.predict_on_batch(pixels))
    return float(np.abs(answer - expected).max() / np.abs(expected).max())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("networks", nargs="*", help="only these (all)")
    chosen = parser.parse_args().networks
    print(
        f"torch {torch.__version__}, torchvision {torchvision.__version__}, timm {timm.__version__}"
    )
    print("| network | against | largest relative difference |\n|---|---|---:|")
    for ours, options, library, name, size in PAIRS:
        if not chosen or ours in chosen:
            found = difference(ours, options, library, name, size)
            print(f"| {ours} | {library} {name} | {found:.1e} |", flush=True)


if __name__ == "__main__":
    main()
