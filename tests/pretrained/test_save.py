"""Weights written as safetensors, and what they are when they are read again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from weight_files import bytes_of, randomise

import cnnzoo
from cnnzoo.cli.main import main
from cnnzoo.errors import StorageError, UsageError
from cnnzoo.pretrained.save import save_weights


@pytest.fixture(scope="module")
def network():
    model = cnnzoo.build("resnet20", num_classes=7)
    randomise(model)
    return model


def test_weights_come_back_bit_by_bit(network, tmp_path: Path) -> None:
    path = save_weights(network, tmp_path / "mine.safetensors")
    assert bytes_of(cnnzoo.build("resnet20", num_classes=7, weights=path)) == bytes_of(network)


def test_equal_weights_give_equal_files_that_say_what_they_are(network, tmp_path: Path) -> None:
    first = save_weights(network, tmp_path / "a.safetensors", "licence: none")
    second = save_weights(network, tmp_path / "b.safetensors", "licence: none")
    assert first.read_bytes() == second.read_bytes()
    length = int.from_bytes(first.read_bytes()[:8], "little")
    header = json.loads(first.read_bytes()[8 : 8 + length])
    assert header["__metadata__"] == {"note": "licence: none"}
    assert header["conv1_conv/kernel"]["shape"] == [3, 3, 3, 16]


def test_another_suffix_is_refused_and_a_failed_write_leaves_the_older_file(
    network, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UsageError, match=r"must end in \.safetensors"):
        save_weights(network, tmp_path / "mine.h5")
    path = save_weights(network, tmp_path / "mine.safetensors")
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(StorageError, match="No space left"):
        save_weights(network, path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["mine.safetensors"]


def test_convert_writes_a_tag_s_weights_under_our_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "copy.safetensors"
    assert main(["convert", "lenet5", "mnist", str(target), "--note", "Apache-2.0"]) == 0
    assert f"{target}: 10 tensors, " in capsys.readouterr().out
    copy = cnnzoo.build("lenet5", weights=target)
    assert bytes_of(copy) == bytes_of(cnnzoo.build("lenet5", weights="mnist"))


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["lenet5", "mnist", "exists.safetensors"], 2, "Add --overwrite"),
        (["lenet5", "mnist", "other.h5"], 2, "must end in .safetensors"),
        (["lenet5", "mnistt", "new.safetensors"], 2, "Did you mean 'mnist'"),
        (["lenet5", "absent.th", "new.safetensors"], 6, "does not exist"),
        (["lenet5", "mnist", "new.safetensors", "--option", "original=true"], 2, "contradicts"),
    ],
)
def test_convert_refuses_what_cannot_work(
    words: list[str],
    code: int,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("exists.safetensors").write_bytes(b"older")
    assert main(["convert", *words]) == code
    assert says in capsys.readouterr().err
    assert Path("exists.safetensors").read_bytes() == b"older"
    assert not Path("new.safetensors").exists()


def test_shipped_lenet_reads_a_seven() -> None:
    digits = cnnzoo.build("lenet5", weights="mnist", include_preprocessing=True)
    seven = np.zeros((1, 32, 32, 1), "uint8")
    seven[0, 8:11, 9:23] = 255
    for row in range(11, 26):
        seven[0, row, 21 - (row - 11) // 2 : 24 - (row - 11) // 2] = 255
    assert int(np.argmax(digits.predict_on_batch(seven))) == 7


# What torch 2.13 answers to `patterns()` with the published resnet20-12fca82f.th, in a network
# written for that purpose on torch.nn.functional, without anything of this package.
TORCH = [
    [4.5908, 2.51784, -0.86376, -0.69811, -5.96344, -3.51466, -0.17689, -0.11708, 0.04947, 4.15749],
    [1.71846, 14.63634, 1.42384, -6.66532, -17.36604, -2.66768, 16.09117, -12.80552, -4.17777,
     9.85922],
    [3.21244, -1.32711, 4.36928, 5.71317, -5.88854, 3.05921, -0.34057, 0.50426, -4.2236, -5.14882],
]  # fmt: skip


def patterns() -> np.ndarray:
    """(3, 32, 32, 3) uint8: a ramp, a product, rings."""
    i, j, c = np.meshgrid(np.arange(32), np.arange(32), np.arange(3), indexing="ij")
    rings = ((i - 16) ** 2 + (j - 16) ** 2 + 60 * c) // 2
    return (np.stack([8 * i + 40 * c, i * j + 85 * c, rings]) % 256).astype("uint8")


def test_shipped_resnet20_answers_as_torch_does_from_the_published_file() -> None:
    network = cnnzoo.build(
        "resnet20", weights="cifar10", include_preprocessing=True, classifier_activation=None
    )
    ours = network.predict_on_batch(patterns())
    assert np.abs(ours - TORCH).max() <= 1e-4 * np.abs(TORCH).max()
