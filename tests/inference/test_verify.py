"""`verify`: green for what ships, and every kind of wrong is called what it is."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

import cnnzoo
from cnnzoo.catalogue import preprocessing, weights
from cnnzoo.catalogue.folder import weights_folder
from cnnzoo.cli.main import main
from cnnzoo.errors import CatalogueError, UsageError
from cnnzoo.inference import golden, verify

FILE = "resnet20-cifar10.safetensors"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the data folder that a test may damage."""
    copy = tmp_path / "weights"
    for part in ("files", "golden", "name_maps"):
        shutil.copytree(weights_folder() / part, copy / part)
    (copy / "catalogue").mkdir()
    for name in ("lenet5", "resnet20"):
        shutil.copy(weights_folder() / "catalogue" / f"{name}.toml", copy / "catalogue")
    monkeypatch.setattr(weights, "weights_folder", lambda: copy)
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("CNNZOO_OFFLINE", "1")
    weights.all_weights.cache_clear()
    yield copy
    weights.all_weights.cache_clear()


@pytest.fixture
def change(folder: Path) -> Callable[..., None]:
    """Publish other numbers under the same name: file, catalogue and record agree on the hash."""

    def run(alter: Callable[[dict[str, np.ndarray]], None]) -> None:
        path = folder / "files" / FILE
        old = hashlib.sha256(path.read_bytes()).hexdigest()
        tensors = load_file(path)
        alter(tensors)
        save_file(tensors, path)
        new = hashlib.sha256(path.read_bytes()).hexdigest()
        entry = folder / "catalogue" / "resnet20.toml"
        size = f"{path.stat().st_size:_}"
        entry.write_text(entry.read_text().replace(old, new).replace("1_093_216", size))
        record = folder / "golden" / f"{FILE}.json"
        record.write_text(record.read_text().replace(old, new))
        weights.all_weights.cache_clear()

    return run


def _failed(found: verify.Verification) -> dict[str, str]:
    return {line.step: line.text for line in found.lines if line.ok is False}


@pytest.mark.parametrize("name", ["lenet5", "resnet20"])
def test_what_ships_is_verified(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", name]) == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0].endswith(": verified")
    assert [line.split()[0] for line in out.splitlines()[1:]] == [
        *("file", "loading", "preprocessing", "logits", "classes")
    ]
    assert "4 of 4 pictures" in out


@pytest.mark.usefixtures("folder")
def test_without_a_name_everything_that_is_here_is_verified(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["verify", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(one["network"], one["ok"]) for one in found] == [("lenet5", True), ("resnet20", True)]


def test_record_was_made_of_the_pictures_anyone_can_compute() -> None:
    for name in ("lenet5", "resnet20"):
        entry = weights.list_weights(name)[0]
        record = golden.read_record(entry.golden_path, entry)
        assert golden.fingerprint(golden.pictures(record.shape)) == record.pictures
        assert len({int(np.argmax(row)) for row in record.logits}) > 1


def test_pictures_are_four_different_ones_at_any_size() -> None:
    for shape in ((32, 32, 1), (224, 224, 3), (299, 299, 3)):
        pictures = golden.pictures(shape)
        assert (pictures.shape, pictures.dtype) == ((4, *shape), np.uint8)
        assert all(picture.std() > 20 for picture in pictures)
        if shape[2] == 3:  # an exchange of channels would show
            assert all(
                len({picture[..., c].tobytes() for c in range(3)}) == 3 for picture in pictures
            )


def test_damaged_file_ends_at_the_first_line(folder: Path) -> None:
    path = folder / "files" / FILE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    found = cnnzoo.verify("resnet20")
    assert (list(_failed(found)), found.exit_code) == (["file"], 4)
    assert "must be 87bf980a" in _failed(found)["file"]


def test_one_changed_number_is_seen_in_the_logits(change: Callable[..., None]) -> None:
    change(lambda tensors: tensors["conv3_block2_1_conv/kernel"].__setitem__((1, 1, 3, 5), 0.9))
    found = cnnzoo.verify("resnet20")
    assert "logits" in _failed(found)
    assert {"file", "loading", "preprocessing"} & set(_failed(found)) == set()
    assert found.exit_code == 6


def test_classes_in_another_order_are_called_so(change: Callable[..., None]) -> None:
    def turn(tensors: dict[str, np.ndarray]) -> None:
        for name in ("predictions/kernel", "predictions/bias"):
            tensors[name] = np.ascontiguousarray(np.roll(tensors[name], 1, axis=-1))

    change(turn)
    assert "classes stand in another order" in _failed(cnnzoo.verify("resnet20"))["logits"]


def test_missing_tensor_is_a_failure_of_loading(change: Callable[..., None]) -> None:
    change(lambda tensors: tensors.pop("conv1_bn/gamma"))
    found = cnnzoo.verify("resnet20")
    assert list(_failed(found)) == ["loading"]
    assert "conv1_bn/gamma" in _failed(found)["loading"]


@pytest.mark.parametrize("rule", ["bgr-centred", "zero-one", "minus-one-one"])
def test_wrong_rule_for_pixels_is_a_failure_of_preprocessing(folder: Path, rule: str) -> None:
    entry = folder / "catalogue" / "resnet20.toml"
    entry.write_text(entry.read_text().replace('"standardised"', f'"{rule}"'))
    weights.all_weights.cache_clear()
    found = cnnzoo.verify("resnet20")
    assert "and must have" in _failed(found)["preprocessing"]
    assert "logits" in _failed(found)


@pytest.mark.usefixtures("folder")
def test_exchanged_colours_are_seen_in_both(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = preprocessing.PREPROCESSING["standardised"]
    turned = type(rule)(**{f: getattr(rule, f) for f in rule.__slots__} | {"bgr": True})
    monkeypatch.setitem(preprocessing.PREPROCESSING, "standardised", turned)
    failed = _failed(cnnzoo.verify("resnet20"))
    assert "preprocessing" in failed
    assert "logits" in failed


def test_another_graph_is_seen_in_the_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tensors in a network with another epsilon."""
    real = keras.layers.BatchNormalization
    monkeypatch.setattr(
        "cnnzoo.models.blocks.layers.BatchNormalization",
        lambda **arguments: real(**arguments | {"epsilon": 1e-2}),
    )
    assert next(iter(_failed(cnnzoo.verify("resnet20")))) == "logits"


@pytest.mark.usefixtures("folder")
def test_nothing_recorded_is_neither_right_nor_wrong(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "golden" / f"{FILE}.json").unlink()
    assert main(["verify", "resnet20"]) == 0
    out = capsys.readouterr().out
    assert "not verified: nothing recorded" in out
    assert "cnnzoo verify resnet20 --weights cifar10 --record" in out
    assert cnnzoo.verify("resnet20").ok is False


def test_record_is_made_in_the_cache_and_found_there(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "golden" / f"{FILE}.json").unlink()
    assert main(["verify", "resnet20", "--record"]) == 0
    path = tmp_path / "cache" / "golden" / f"{FILE}.json"
    assert capsys.readouterr().out == f"recorded: {path}\n"
    assert cnnzoo.verify("resnet20").ok
    assert verify.record("resnet20") == path  # agrees: nothing is written


def test_record_that_says_something_else_is_replaced_only_when_told_to(
    folder: Path, change: Callable[..., None], tmp_path: Path
) -> None:
    path = verify.record("resnet20", to=tmp_path)
    before = path.read_text()
    change(lambda tensors: tensors["predictions/bias"].__iadd__(1))
    current = hashlib.sha256((folder / "files" / FILE).read_bytes()).hexdigest()
    path.write_text(before.replace(json.loads(before)["weights"], f"sha256:{current}"))
    with pytest.raises(UsageError, match="Add --overwrite"):
        verify.record("resnet20", to=tmp_path)
    verify.record("resnet20", to=tmp_path, overwrite=True)
    assert json.loads(path.read_text())["logits"] != json.loads(before)["logits"]


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (lambda r: "{ no JSON", "no intact golden record"),
        (lambda r: json.dumps({**r, "more": 1}), "no intact golden record"),
        (lambda r: json.dumps({**r, "logits": []}), "do not belong together"),
        (lambda r: json.dumps({**r, "tolerance": float("nan")}), "not finite"),
        (lambda r: json.dumps({**r, "tolerance": 5}), "do not belong together"),
        (lambda r: json.dumps({**r, "weights": "sha256:" + 64 * "0"}), "was recorded with"),
    ],
)
def test_broken_record_is_refused(folder: Path, broken: Callable[..., str], says: str) -> None:
    path = folder / "golden" / f"{FILE}.json"
    path.write_text(broken(json.loads(path.read_text())))
    with pytest.raises(CatalogueError, match=says):
        cnnzoo.verify("resnet20")


def test_several_networks_are_verified_in_turn(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "resnet20", "lenet5"]) == 0
    verdicts = [line for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert verdicts == [
        "resnet20, weights 'cifar10': verified",
        "lenet5, weights 'mnist': verified",
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["lenet6"], "Did you mean 'lenet5'"),
        (["lenet5", "--weights", "mnsit"], "Did you mean 'mnist'"),
        (["--record"], "need the name of one network"),
        (["lenet5", "resnet20", "--weights", "mnist"], "need the name of one network"),
        (["lenet5", "resnet200"], "Did you mean 'resnet20'"),
        (["lenet5", "--overwrite"], "belong to --record"),
    ],
)
def test_what_cannot_work_is_refused(
    words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", *words]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_give_what_tensorflow_recorded(backend: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "cnnzoo", "verify", "--json"],
        env=os.environ | {"KERAS_BACKEND": backend, "CNNZOO_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shipped = [one for one in json.loads(done.stdout) if one["network"] in ("lenet5", "resnet20")]
    assert [one["ok"] for one in shipped] == [True, True]
    assert f"on {backend}" in shipped[0]["lines"][-1]["text"]
