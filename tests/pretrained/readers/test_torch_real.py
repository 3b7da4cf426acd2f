"""Real torch, which `make slow` installs: a network of its functions, its state dict, and ours."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import cnnzoo
from cnnzoo.errors import WeightsError

STAGES = ((16, 16), (16, 32), (32, 64))  # channels in and out, three blocks each

pytestmark = pytest.mark.slow


def _state(torch: Any) -> dict[str, Any]:
    """A ResNet-20 of random numbers under the names of torch's residual networks."""
    draw = torch.Generator().manual_seed(3)
    state: dict[str, Any] = {}

    def conv_bn(conv: str, bn: str, out: int, inside: int) -> None:
        state[f"{conv}.weight"] = torch.randn(out, inside, 3, 3, generator=draw) / (3 * inside**0.5)
        for leaf in ("weight", "bias", "running_mean", "running_var"):
            state[f"{bn}.{leaf}"] = 0.5 + torch.rand(out, generator=draw)
        state[f"{bn}.num_batches_tracked"] = torch.tensor(7)

    conv_bn("conv1", "bn1", 16, 3)
    for stage, (before, width) in enumerate(STAGES, start=1):
        for i in range(3):
            block = f"layer{stage}.{i}"
            conv_bn(f"{block}.conv1", f"{block}.bn1", width, before if i == 0 else width)
            conv_bn(f"{block}.conv2", f"{block}.bn2", width, width)
    state["linear.weight"] = torch.randn(10, 64, generator=draw)
    state["linear.bias"] = torch.randn(10, generator=draw)
    return state


def _answer(torch: Any, state: dict[str, Any], x: Any) -> np.ndarray:
    """What He et al. section 4.2 computes with option A, in torch alone."""
    f = torch.nn.functional

    def conv_bn(x: Any, conv: str, bn: str, stride: int = 1) -> Any:
        x = f.conv2d(x, state[f"{conv}.weight"], stride=stride, padding=1)
        leaves = [state[f"{bn}.{n}"] for n in ("running_mean", "running_var", "weight", "bias")]
        return f.batch_norm(x, *leaves, False, 0.0, 1e-5)

    x = f.relu(conv_bn(x, "conv1", "bn1"))
    for stage, (before, width) in enumerate(STAGES, start=1):
        for i in range(3):
            block, halves = f"layer{stage}.{i}", i == 0 and before != width
            y = f.relu(conv_bn(x, f"{block}.conv1", f"{block}.bn1", 2 if halves else 1))
            y = conv_bn(y, f"{block}.conv2", f"{block}.bn2")
            if halves:
                side = (width - before) // 2
                x = f.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, side, side))
            x = f.relu(x + y)
    return f.linear(x.mean((2, 3)), state["linear.weight"], state["linear.bias"]).numpy()


@pytest.mark.parametrize("old", [False, True], ids=["zip", "pickle of torch before 1.6"])
@pytest.mark.parametrize("parallel", [False, True], ids=["plain", "DataParallel"])
def test_network_answers_as_torch_does(old: bool, parallel: bool, tmp_path: Path) -> None:
    torch = import_module("torch")
    state, path = _state(torch), tmp_path / "resnet20.th"
    prefix = "module." if parallel else ""
    saved = {"state_dict": {prefix + name: value for name, value in state.items()}, "best": 91.7}
    torch.save(saved, path, _use_new_zipfile_serialization=not old)
    network = cnnzoo.build("resnet20", weights=path, classifier_activation=None)
    pixels = np.random.default_rng(1).normal(size=(3, 32, 32, 3)).astype("float32")
    expected = _answer(torch, state, torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()))
    assert (
        np.abs(network.predict_on_batch(pixels) - expected).max() <= 1e-4 * np.abs(expected).max()
    )


def test_pickle_that_runs_code_is_refused(tmp_path: Path) -> None:
    torch = import_module("torch")
    path, sung = tmp_path / "evil.pth", tmp_path / "sung"

    class Canary:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (sung,)

    torch.save({"state_dict": {"conv1.weight": Canary()}}, path)
    with pytest.raises(WeightsError, match="Code is never run"):
        cnnzoo.build("resnet20", weights=path)
    assert not sung.exists()
