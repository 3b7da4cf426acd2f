"""The data in `weights/` is found from a wheel, from an sdist and from a checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image

import cnnzoo
from cnnzoo.catalogue import weights

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = """
import cnnzoo, cnnzoo.catalogue.weights as w
print(cnnzoo.__file__, w.weights_folder(), len(w.all_weights()), cnnzoo.info("vgg16").facts.macs)
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Wheels from the tree and from the sdist, and the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--no-isolation"]
    subprocess.run([*build, "--wheel", "--outdir", folder / "tree", ROOT], check=True)
    subprocess.run([*build, "--outdir", folder / "sdist", ROOT], check=True)  # the wheel from it
    return folder


def _installed(wheel: Path, target: Path) -> list[str]:
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--target", target, wheel], check=True)
    environment = os.environ | {"PYTHONPATH": str(target)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=target,
    )
    return done.stdout.split()


@pytest.mark.parametrize("origin", ["tree", "sdist"])
def test_installed_wheel_finds_its_own_data(built, origin, tmp_path):
    (wheel,) = (built / origin).glob("*.whl")
    module, folder, networks, macs = _installed(wheel, tmp_path)
    assert Path(module).is_relative_to(tmp_path)
    assert Path(folder) == tmp_path / "cnnzoo" / "_weights"
    assert int(networks) == len(weights.all_weights()) >= 10
    assert int(macs) == 15_470_264_320


def test_installed_wheel_predicts_and_verifies_without_a_network(built, tmp_path):
    """Weights, labels and golden records are all inside."""
    (wheel,) = (built / "tree").glob("*.whl")
    target = tmp_path / "installed"
    _installed(wheel, target)
    Image.new("L", (28, 28)).save(tmp_path / "black.png")
    environment = os.environ | {"PYTHONPATH": str(target), "CNNZOO_OFFLINE": "1"}
    for words in (
        ["predict", "lenet5", "black.png"],
        ["predict", "resnet20", "black.png"],
        ["verify"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "cnnzoo", *words],
            capture_output=True,
            text=True,
            check=False,
            env=environment,
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
    assert done.stdout.count(": verified") >= 2


def test_wheels_from_tree_and_sdist_hold_the_same_files(built):
    names = [
        {n for n in zipfile.ZipFile(next((built / o).glob("*.whl"))).namelist()}
        for o in ("tree", "sdist")
    ]
    assert names[0] == names[1]
    assert not [name for name in names[0] if name.startswith(("tests", "docs"))]
    assert "cnnzoo/py.typed" in names[0]


def test_checkout_finds_the_data_beside_the_package():
    assert weights.weights_folder() == ROOT / "weights"
    assert Path(cnnzoo.__file__).is_relative_to(ROOT)
