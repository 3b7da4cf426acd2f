from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cnnzoo.cli.main import main
from cnnzoo.store import FEATURES


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / "cache"))


def _typed(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(list(words))
    found = capsys.readouterr()
    return code, found.out, found.err


def test_a_probe_is_printed_kept_listed_saved_and_pruned(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "digits.keras"
    words = ["probe", "lenet5", "--data", "digits", "--runtime", "keras"]
    words += ["--precision", "float32"]
    code, out, _ = _typed(capsys, *words, "--head", "linear", "knn", "--save", str(file))
    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "digits: 1,295 images to learn from, 143 to choose by, 359 to test"
    assert [line.split()[:3] for line in lines[3:5]] == [
        ["lenet5", "mnist", "linear"], ["lenet5", "mnist", "knn"],
    ]  # fmt: skip
    assert lines[5].startswith("features computed by keras float32")
    assert lines[6] == f"saved: lenet5 with head 'linear', {file}"
    assert file.stat().st_size > 0

    document = json.loads(_typed(capsys, *words, "--json")[1])
    (row,) = document["rows"]
    assert row["cached"] is True
    assert row["accuracy"] > 0.95
    assert set(row) >= {"network", "weights", "head", "features_seconds", "size_bytes"}

    code, out, _ = _typed(capsys, "cache", "list")
    assert "lenet5 mnist: digits training" in out
    assert out.splitlines()[-1].startswith("2 files, ")
    (array, _) = sorted(FEATURES.folder.glob("*/features.npy"))
    array.write_bytes(b"")
    code, out, _ = _typed(capsys, "cache", "verify")
    assert code == 4
    assert (out.count("DAMAGED"), out.count("intact")) == (1, 1)
    assert "damaged" in _typed(capsys, "cache", "prune")[1]
    assert "not kept" in _typed(capsys, "cache", "prune", "--all")[1]
    assert json.loads(_typed(capsys, "cache", "list", "--json")[1])["files"] == []


def test_every_option_reaches_the_function_under_its_own_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    called: dict[str, Any] = {}

    class Nothing:
        def to_dict(self) -> dict[str, Any]:
            return {}

    def probe(networks: list[str], data: str, **arguments: Any) -> Nothing:
        called.update(arguments, networks=networks, data=data)
        return Nothing()

    monkeypatch.setattr("cnnzoo.training.probe.run.probe", probe)
    words = (
        "probe resnet20 --data d.npz --weights cifar10 --head mlp --views 2 --seed 3 "
        "--batch-size 5 --runtime keras --precision float32 --no-cache --bad-data skip "
        "--follow-links --json --option shortcut=zero-padding"
    )
    assert _typed(capsys, *words.split())[0] == 0
    called.pop("progress")
    assert called == {
        "networks": ["resnet20"], "data": "d.npz", "weights": "cifar10", "head": ["mlp"],
        "views": 2, "seed": 3, "batch_size": 5, "runtime": "keras", "precision": "float32",
        "cache": False, "bad_data": "skip", "follow_links": True, "shortcut": "zero-padding",
    }  # fmt: skip
    called.clear()
    _typed(capsys, "probe", "lenet5", "--data", "digits", "--json")
    assert called.keys() == {"networks", "data", "cache", "progress"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["lenet6"], "Did you mean 'lenet5'"),
        (["lenet5", "--head", "knm"], "Did you mean 'knn'"),
        (["lenet5", "--views", "-1"], "views=-1 cannot be"),
        (["lenet5", "--save", "model.h5"], "ends in .keras"),
        (["lenet5", "--save", "m.keras", "--head", "knn"], "Type: --head linear"),
        (["lenet5", "--weights", "imagenet"], "Known: mnist"),
    ],
)
def test_a_wrong_word_never_reaches_the_function(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
) -> None:
    monkeypatch.setattr("cnnzoo.training.probe.run.probe", None)
    code, _, err = _typed(capsys, "probe", *words, "--data", "digits")
    assert code == 2
    assert message in err
