"""What was proved for which weight file, and how."""

from __future__ import annotations

import cnnzoo
from cnnzoo.catalogue.weights import WeightsEntry

# Layout -> what stands for a file that could not be had here.
_PROOFS = {
    "keras1-flat-suffix": "file of Keras' own network in this layout: equal answers (tests)",
    "keras1-flat": "file of Keras' own network in this layout: equal answers (tests)",
    "keras2-nested": "file of Keras' own network in this layout: equal answers (tests)",
    "keras2-nested-depthwise": "published names and shapes; depthwise kernels regrouped (tests)",
    "keras1-own-names": "names and shapes as documented, matched in order (tests)",
    "torch-state-dict": "published names and shapes (tests)",
    "caffe-onnx": "names and shapes of the Caffe network through ONNX (tests)",
    "own-names": "loads bit by bit",
}
_AGAINST_TORCH = (
    *("alexnet", "vgg16", "vgg19", "inception_v1", "inception_v3", "inception_v4", "resnext50"),
    *("inception_resnet_v2", "resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
)


def proof(entry: WeightsEntry) -> str:
    """One line on what was proved for a file."""
    found = _PROOFS[entry.layout]
    if entry.layout == "torch-state-dict" and entry.network in _AGAINST_TORCH:
        found += "; the same weights in torch's network: equal answers"
    if entry.golden_path.exists():
        return f"**this file**: golden logits on TensorFlow, JAX and torch (tests); {found}"
    return f"{found}; no golden logits recorded yet"


def proofs() -> str:
    """Network, source, layout, and what was proved how."""
    lines = ["| network | tag | source | layout | proved |", "|---|---|---|---|---|"]
    for name in cnnzoo.list_models():
        for entry in cnnzoo.list_weights(name):
            if entry.part == "full":
                lines.append(
                    f"| [{name}](networks/{name}.md) | `{entry.tag}` | {entry.origin} "
                    f"| {entry.layout} | {proof(entry)} |"
                )
    return "\n".join(lines)
