"""``cnnzoo data check``: everything in one pass (S1), nothing changed, as text and as data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnzoo import pictures
from cnnzoo.cli.main import main
from cnnzoo.training.data.check import check_data

RNG = np.random.default_rng(0)


def _fill(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    for i in range(count):
        Image.fromarray(RNG.integers(0, 256, (5, 6, 3), np.uint8)).save(folder / f"{i}.png")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A clean tree: two classes in three parts."""
    for part in ("train", "val", "test"):
        for name in ("cat", "dog"):
            _fill(tmp_path / "pets" / part / name, 3)
    return tmp_path / "pets"


def _state(root: Path) -> dict[str, object]:
    return {
        str(path.relative_to(root)): (path.lstat().st_mtime_ns, _content(path))
        for path in sorted(root.rglob("*"))
    }


def _content(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def test_a_clean_dataset_is_called_so(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", str(tree)]) == 0
    out = capsys.readouterr().out
    assert out.startswith("pets: train 6, validation 6, test 6 images of 2 classes\n")
    assert "  sizes  6 x 5 (18)\n  kinds  PNG RGB (18)\n" in out
    assert "cat             3           3           3\n" in out
    assert out.endswith("\nClean.\n")


def test_everything_wrong_is_found_in_one_pass_and_nothing_is_changed(
    tree: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """S1 to S4, I1 to I3 and I6, planted together."""
    train = tree / "train"
    monkeypatch.setattr(pictures, "MAX_PIXELS", 10_000)
    cut = (train / "cat" / "0.png").read_bytes()[:60]
    (train / "cat" / "cut.png").write_bytes(cut)
    (train / "cat" / "empty.jpg").touch()
    (train / "cat" / "page.jpg").write_text("<html>")
    (train / "dog" / "drawing.eps").write_text("%!PS-Adobe-3.0 EPSF-3.0")
    Image.new("1", (200, 200)).save(train / "dog" / "bomb.png")
    (train / "dog" / "out.png").symlink_to(tree.parent / "elsewhere.png")
    (train / "dog" / "lost.png").symlink_to("nowhere.png")
    (train / "dog" / "deep").mkdir()
    (train / "cow").mkdir()
    (tree / "test" / "horse").mkdir()
    (train / "cat" / "twin.png").write_bytes((train / "cat" / "1.png").read_bytes())
    (train / "dog" / "cat.png").write_bytes((train / "cat" / "2.png").read_bytes())
    (train / "dog" / "leak.png").write_bytes((tree / "test" / "dog" / "0.png").read_bytes())
    (tree / "val" / "dog" / "leak.png").write_bytes((tree / "test" / "dog" / "1.png").read_bytes())
    _fill(train / "Dog", 1)
    Image.new("RGB", (3, 3)).save(train / "cat" / "lies.png", "GIF")
    (train / "cat" / ".DS_Store").touch()
    (tree / "readme.txt").touch()
    before = _state(tree)
    assert main(["data", "check", str(tree), "--json"]) == 5
    report = json.loads(capsys.readouterr().out)
    assert _state(tree) == before
    assert report["clean"] is False
    found = {
        kind: sorted(Path(one["where"]).name for one in group["found"])
        for kind, group in report["problems"].items()
    }
    assert found == {
        "unreadable": ["cut.png", "lost.png"],
        "no image": ["drawing.eps", "empty.jpg", "page.jpg"],
        "too large": ["bomb.png"],
        "outside": ["out.png"],
        "nested": ["deep"],
        "empty class": ["cow"],
        "unknown class": ["horse"],
        "mislabelled": ["2.png", "cat.png"],
        "leaking": ["leak.png", "leak.png"],
        "duplicate": ["twin.png"],
        "single image": ["Dog"],
        "case": ["Dog and dog"],
        "absent": ["Dog", "Dog", "cow", "cow"],
        "misnamed": ["lies.png"],
        "litter": [".DS_Store"],
        "unused": ["readme.txt"],
    }


def test_litter_alone_leaves_a_dataset_clean(tree: Path) -> None:
    """S2."""
    for litter in (".DS_Store", "train/Thumbs.db", "test/cat/.hidden"):
        (tree / litter).touch()
    report = check_data(tree)
    assert report.clean
    assert [problem.kind for problem in report.problems["litter"]] == 3 * ["litter"]


def test_one_bad_file_among_many_is_named(tmp_path: Path) -> None:
    """S1."""
    _fill(tmp_path / "a", 300)
    _fill(tmp_path / "b", 300)
    (tmp_path / "b" / "137.png").write_bytes((tmp_path / "b" / "137.png").read_bytes()[:50])
    (problem,) = check_data(tmp_path).problems["unreadable"]
    assert problem.where == str(tmp_path / "b" / "137.png")


@pytest.mark.parametrize("fault", ["flipped", "cut in the middle"])
def test_flipped_bits_never_crash_the_check(tmp_path: Path, fault: str) -> None:
    """I9: what still decodes is accepted; what does not is named."""
    _fill(tmp_path / "a", 2)
    _fill(tmp_path / "b", 2)
    noise = Image.fromarray(RNG.integers(0, 256, (40, 40, 3), np.uint8))
    noise.save(tmp_path / "a" / "whole.jpg")
    data = (tmp_path / "a" / "whole.jpg").read_bytes()
    for position in range(0, len(data), 97):
        changed = bytearray(data[:position] if fault != "flipped" else data)
        if fault == "flipped":
            changed[position] ^= 0x10
        (tmp_path / "a" / f"{position}.jpg").write_bytes(changed)
    report = check_data(tmp_path)
    assert report.images["all"] == 5 + len(range(0, len(data), 97))
    assert set(report.problems) <= {"unreadable", "no image", "too large", "duplicate"}


def test_postscript_never_reaches_an_interpreter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I3."""
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: pytest.fail("a program was started"))
    _fill(tmp_path / "a", 2)
    _fill(tmp_path / "b", 2)
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n%%EndComments\nshowpage\n%%EOF\n"
    (tmp_path / "a" / "drawing.png").write_bytes(eps)
    assert len(check_data(tmp_path).problems["no image"]) == 1


def test_arrays_are_checked_by_the_number_of_their_images(tmp_path: Path) -> None:
    images = RNG.integers(0, 256, (8, 4, 4), np.uint8)
    images[5] = images[2]
    labels = np.arange(8) % 2
    other = RNG.integers(0, 256, (4, 4, 4), np.uint8)
    other[3] = images[0]
    np.savez(tmp_path / "a.npz", x_train=images, y_train=labels, x_test=other, y_test=labels[:4])
    report = check_data(tmp_path / "a.npz")
    texts = [str(problem) for group in report.problems.values() for problem in group]
    assert texts == [
        "image 0 of x_train: labelled '0', and '1' as image 3 of x_test.",
        "image 3 of x_test: labelled '1', and '0' as image 0 of x_train.",
        "image 2 of x_train: labelled '0', and '1' as image 5 of x_train.",
        "image 5 of x_train: labelled '1', and '0' as image 2 of x_train.",
    ]


def test_what_is_worth_knowing_about_arrays_is_shown(tmp_path: Path) -> None:
    images = RNG.integers(0, 17, (8, 4, 4)).astype("float32")
    np.savez(tmp_path / "a.npz", x=images, y=np.array([0, 1, 0, 1, 0, 1, 0, -1]))
    report = check_data(tmp_path / "a.npz")
    (note,) = report.notes
    assert note.startswith("The brightest pixel of x of ")
    assert note in str(report)
    assert note in report.to_dict()["notes"]
    (problem,) = report.problems["label"]
    assert str(problem) == "image 7 of x: its label is -1; of 2 classes labels go from 0 to 1."
    assert not report.clean


def test_digits_are_clean(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["data", "check", "digits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["images"] == {"all": 1797}


@pytest.mark.parametrize("path", ["absent/", "file.npz"])
def test_what_is_no_dataset_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], path: str
) -> None:
    """S8."""
    (tmp_path / "file.npz").write_text("no archive")
    assert main(["data", "check", str(tmp_path / path)]) == 5
    assert capsys.readouterr().err.startswith("cnnzoo: ")


def test_the_list_of_datasets_says_where_each_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mnist.npz").touch()
    monkeypatch.setenv("CNNZOO_DATA", str(tmp_path))
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / "cache"))
    assert main(["data", "list", "--json"]) == 0
    where = {row["name"]: row["where"] for row in json.loads(capsys.readouterr().out)}
    assert where == {
        "digits": "here, with scikit-learn",
        "mnist": f"here, {tmp_path / 'mnist.npz'}",
        "fashion_mnist": "29.4 MiB to download",
        "cifar10": "162.6 MiB to download",
    }
    assert main(["data", "list"]) == 0
    assert "60,000 + 10,000  handwritten digits" in capsys.readouterr().out
