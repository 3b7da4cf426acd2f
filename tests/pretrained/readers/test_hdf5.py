"""HDF5 that points elsewhere, lies about itself, or is damaged, is refused before it is read."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from weight_files import bytes_of, write_legacy

import cnnzoo
from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.load import load_weights
from cnnzoo.pretrained.readers import hdf5, keras_h5

NAMES = ["a/a/kernel:0", "a/a/bias:0"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of one dense layer."""
    path = tmp_path / "weights.h5"
    write_legacy(path, NAMES, [np.ones((3, 2), "float32"), np.zeros(2, "float32")])
    return path


def read(path: Path) -> dict[str, np.ndarray]:
    with path.open("rb") as file, keras_h5.tensors(file, str(path)) as tensors:
        return {name: tensor.read() for name, tensor in tensors.items()}


def test_intact_file_is_read(path):
    assert [(name, values.shape) for name, values in read(path).items()] == [
        ("a/kernel", (3, 2)),
        ("a/bias", (2,)),
    ]


def _external_link(file: h5py.File) -> None:
    file["a/a/bias:0"] = h5py.ExternalLink("/etc/hostname", "/x")


def _soft_link(file: h5py.File) -> None:
    file["a/a/bias:0"] = h5py.SoftLink("/a/a/kernel:0")


def _soft_group(file: h5py.File) -> None:
    file.move("a", "b")
    file["a"] = h5py.SoftLink("/b")
    file["b/a/bias:0"] = np.zeros(2, "float32")


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2,), "float32")
    layout[:] = h5py.VirtualSource("/etc/hostname", "x", (2,))
    file["a/a"].create_virtual_dataset("bias:0", layout)


def _external_storage(file: h5py.File) -> None:
    file["a/a"].create_dataset("bias:0", (2,), "float32", external=[("/etc/hostname", 0, 8)])


def _filter(file: h5py.File) -> None:
    file["a/a"].create_dataset("bias:0", data=np.zeros(2, "float32"), compression="lzf")


def _group(file: h5py.File) -> None:
    file["a/a"].create_group("bias:0")


def _empty(file: h5py.File) -> None:
    file["a/a"].create_dataset("bias:0", data=h5py.Empty("float32"))


def _bomb(file: h5py.File) -> None:
    file["a/a"].create_dataset("bias:0", (2**50,), "float32")


def _large_chunks(file: h5py.File) -> None:
    file["a/a"].create_dataset("bias:0", (2,), "float32", maxshape=(None,), chunks=(2**29,))


def _of(data: Any) -> Callable[[h5py.File], None]:
    def write(file: h5py.File) -> None:
        file["a/a"].create_dataset("bias:0", data=data)

    return write


HOSTILE = {
    "external link": (_external_link, "ExternalLink"),
    "soft link": (_soft_link, "SoftLink"),
    "soft link to a group": (_soft_group, "SoftLink"),
    "virtual dataset": (_virtual, "virtual"),
    "external storage": (_external_storage, "another file"),
    "unknown filter": (_filter, "filters"),
    "group in place of a dataset": (_group, "a Group where a Dataset belongs"),
    "null dataspace": (_empty, "empty dataspace"),
    "shape bomb": (_bomb, "not in the file"),
    "chunks larger than the data": (_large_chunks, "chunks"),
    "int8": (_of(np.zeros(2, "int8")), "floating-point"),
    "bool": (_of(np.zeros(2, "bool")), "floating-point"),
    "complex": (_of(np.zeros(2, "complex64")), "floating-point"),
    "strings": (_of(np.array([b"a", b"b"])), "floating-point"),
    "objects": (_of(np.array(["a", "b"], h5py.string_dtype())), "floating-point"),
    "enumeration": (_of(np.zeros(2, h5py.enum_dtype({"A": 0}))), "floating-point"),
    "nothing": (lambda file: None, "holds nothing at /a/a/bias:0"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_file_is_refused_and_no_other_file_is_opened(what, path):
    write, words = HOSTILE[what]
    with h5py.File(path, "r+") as file:
        del file["a/a/bias:0"]
        write(file)
    opened: list[str] = []
    watching = [True]

    def watch(event: str, arguments: tuple[Any, ...]) -> None:
        if watching and event == "open":
            opened.append(str(arguments[0]))

    sys.addaudithook(watch)
    try:
        with pytest.raises(WeightsError, match=words) as caught:
            read(path)
    finally:
        watching.clear()
    assert str(path) in str(caught.value)
    assert set(opened) == {str(path)}


def test_shape_bomb_in_chunks_is_refused_by_its_shape_before_anything_is_read(small, tmp_path):
    path = tmp_path / "bomb.weights.h5"
    small.save_weights(path)
    with h5py.File(path, "r+") as file:
        del file["layers/dense/vars/0"]
        file["layers/dense/vars"].create_dataset(
            "0", (2**24, 2**24), "float32", chunks=(256, 256), compression="gzip"
        )
    before = bytes_of(small)
    with pytest.raises(WeightsError, match="16777216"):
        load_weights(small, path, classifier=("predictions",))
    assert bytes_of(small) == before


def test_compressed_and_checksummed_numbers_are_read(path):
    with h5py.File(path, "r+") as file:
        del file["a/a/bias:0"]
        file["a/a"].create_dataset(
            "bias:0", data=np.arange(2.0), compression="gzip", shuffle=True, fletcher32=True
        )
    np.testing.assert_array_equal(read(path)["a/bias"], [0, 1])


@pytest.mark.parametrize(
    ("value", "words"),
    [(np.arange(3), "no list of names"), (3.5, "no list of names"), (h5py.Empty("f4"), "names")],
)
def test_list_of_names_that_is_none_is_refused(path, value, words):
    with h5py.File(path, "r+") as file:
        del file["a"].attrs["weight_names"]
        file["a"].attrs["weight_names"] = value
    with pytest.raises(WeightsError, match=words):
        read(path)


def test_list_of_names_that_is_too_long_is_refused(path, monkeypatch):
    monkeypatch.setattr(hdf5, "_LARGEST_ATTRIBUTE_BYTES", 15)
    with pytest.raises(WeightsError, match="too long"):
        read(path)


def test_group_with_too_many_members_is_refused(small, tmp_path, monkeypatch):
    path = tmp_path / "mine.weights.h5"
    small.save_weights(path)
    monkeypatch.setattr(hdf5, "_MOST_MEMBERS", 3)
    with pytest.raises(WeightsError, match="members"):
        read(path)


def test_names_that_are_no_text_are_damage(path):
    with h5py.File(path, "r+") as file:
        file.attrs["layer_names"] = np.array([b"\xff\xfe"])
    with pytest.raises(WeightsError, match="UnicodeDecodeError"):
        read(path)


def test_two_tensors_of_one_name_are_refused(path):
    with h5py.File(path, "r+") as file:
        file["a"].attrs["weight_names"] = [b"a/kernel:0", b"a/kernel:0"]
    with pytest.raises(WeightsError, match="Two tensors"):
        read(path)


def test_hdf5_that_is_not_of_keras_is_told_so(tmp_path):
    path = tmp_path / "other.h5"
    with h5py.File(path, "w") as file:
        file["data"] = np.zeros(3)
    with pytest.raises(WeightsError, match="not of Keras"):
        read(path)


def test_file_of_layers_without_weights_is_refused(tmp_path):
    path = tmp_path / "empty.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [b"a"]
        file.create_group("a").attrs["weight_names"] = np.array([])
    with pytest.raises(WeightsError, match="no weights"):
        read(path)


# Damages three bytes, reads, and prints what happened: a child, because some damage makes the HDF5
# library loop for ever. Published files cannot be damaged when they are read, a user's can.
CHILD = """
import faulthandler, pathlib, random, sys
from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.readers import keras_h5

path, first, last = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
original = path.read_bytes()
for seed in range(first, last):
    dice, mutant = random.Random(seed), bytearray(original)
    for _ in range(3):
        mutant[dice.randrange(8, len(original))] = dice.randrange(256)
    damaged = path.with_name("damaged.h5")
    damaged.write_bytes(mutant)
    print(seed, end=" ", flush=True)
    faulthandler.dump_traceback_later(3, exit=True)
    try:
        with damaged.open("rb") as file, keras_h5.tensors(file, "damaged.h5") as tensors:
            for tensor in tensors.values():
                tensor.read()
        print("read", flush=True)
    except WeightsError:
        print("refused", flush=True)
    except BaseException as error:
        print("escaped", repr(error), flush=True)
"""


def test_whatever_bytes_are_damaged_the_answer_is_numbers_or_a_weights_error(path):
    outcomes: dict[int, str] = {}
    while len(outcomes) < 300:
        command = [sys.executable, "-c", CHILD, str(path), str(len(outcomes)), "300"]
        child = subprocess.run(command, capture_output=True, text=True, check=False)
        for line in child.stdout.splitlines():
            seed, _, outcome = line.partition(" ")
            outcomes[int(seed)] = outcome or "looped"
    assert not [outcome for outcome in outcomes.values() if outcome.startswith("escaped")]
    refused = [outcome for outcome in outcomes.values() if outcome == "refused"]
    assert len(refused) > 20


@pytest.mark.parametrize("length", [9, 100, 1000, 2047])
def test_truncated_file_is_damage(path, length):
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(WeightsError, match="no intact HDF5 file"):
        read(path)


def test_no_other_module_of_the_package_touches_h5py():
    users = []
    for source in Path(cnnzoo.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text("utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                names = [node.value]  # import_module("h5py")
            if any(name.partition(".")[0] == "h5py" for name in names):
                users.append(source)
    assert set(users) == {Path(hdf5.__file__)}


def test_user_block_before_the_file_is_no_hdf5(path: Path) -> None:
    """W6: what stands before the data could be anything."""
    path.write_bytes(bytes(512) + path.read_bytes())
    with pytest.raises(WeightsError, match="nothing known"):
        cnnzoo.build("lenet5", weights=path)


def test_group_that_contains_itself_is_not_walked(path: Path) -> None:
    """W6."""
    with h5py.File(path, "a") as file:
        file["a/again"] = file["a"]
        file["root"] = file["/"]
    assert sorted(read(path)) == ["a/bias", "a/kernel"]


def test_many_attributes_are_not_read(path: Path) -> None:
    """W6."""
    with h5py.File(path, "a") as file:
        for number in range(3000):
            file["a"].attrs[f"noise{number}"] = b"x" * 1000
    assert sorted(read(path)) == ["a/bias", "a/kernel"]


def test_packed_numbers_are_unpacked_only_when_their_shape_is_the_network_s(tmp_path: Path) -> None:
    """W7: 4 GB of one number are a few MB in a file; the shape gives them away first."""
    path = tmp_path / "bomb.weights.h5"
    trained = cnnzoo.build("lenet5")
    trained.save_weights(path)
    before = bytes_of(trained)
    with h5py.File(path, "a") as file:
        group = file["layers"]["dense"]["vars"]
        del group["0"]
        group.create_dataset(
            "0", (1 << 15, 1 << 15), "float32", chunks=(512, 512), compression="gzip", fillvalue=1
        )
    with pytest.raises(WeightsError, match="does not fit"):
        cnnzoo.build("lenet5", weights=path)
    assert bytes_of(trained) == before
