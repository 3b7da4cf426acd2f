"""The catalogue of datasets: what ships is valid, and what is not valid cannot ship."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnnzoo.catalogue.datasets import all_datasets, get_dataset, read_datasets
from cnnzoo.errors import CatalogueError, UnknownNameError

FILE: dict[str, Any] = {
    "file": "a.npz",
    "urls": ["https://example.org/a.npz", "https://mirror.example.org/a.npz"],
    "size_bytes": 10,
    "hash": "sha256:" + 64 * "0",
    "hash_stated_by": "example.org",
}
ENTRY: dict[str, Any] = {
    "title": "A",
    "words": "some pictures",
    "labels": "MNIST",
    "train": 6,
    "test": 1,
    "licence": "MIT",
    "origin": "example.org",
}
Write = Callable[..., Path]


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(inner)}" for name, inner in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write one dataset with one form of one file; None takes a field out."""

    def run(name: str = "a", form: object = "npz", file: object = None, **changed: Any) -> Path:
        file = FILE | (file if isinstance(file, dict) else {})
        files = [{key: value for key, value in file.items() if value is not None}]
        entry = ENTRY | {"forms": [{"form": form, "files": files}]} | changed
        lines = [f"{key} = {_toml(value)}" for key, value in entry.items() if value is not None]
        path = tmp_path / "datasets.toml"
        path.write_text("\n".join([f'["{name}"]', *lines]))
        return path

    return run


def test_what_ships_is_valid() -> None:
    assert {"mnist", "fashion_mnist", "cifar10"} <= set(all_datasets())


def test_every_dataset_has_a_place_to_fail_over_to() -> None:
    for entry in all_datasets().values():
        assert sum(len(form.files[0].urls) for form in entry.forms) >= 3, entry.name


def test_the_page_of_cifar_10_is_asked_last() -> None:
    for form in get_dataset("CIFAR-10").forms:
        assert "cs.toronto.edu" in form.files[0].urls[-1]
        assert not any("cs.toronto.edu" in url for url in form.files[0].urls[:-1])


def test_no_hash_stands_for_two_files() -> None:
    files = [f for entry in all_datasets().values() for form in entry.forms for f in form.files]
    assert len({file.hash for file in files}) == len(files)


def test_a_name_is_forgiven_and_a_misspelt_one_answered() -> None:
    assert get_dataset("Fashion-MNIST").class_names[9] == "Ankle boot"
    with pytest.raises(UnknownNameError, match="Did you mean 'mnist'"):
        get_dataset("minst")


def test_a_good_entry_is_read(write: Write) -> None:
    (entry,) = read_datasets(write()).values()
    assert entry.forms[0].files[0].urls == tuple(FILE["urls"])
    assert entry.forms[0].size_bytes == 10


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "A B"}, "'A B' is no name of a dataset"),
        ({"titel": "A"}, r"'titel' is no field\. Did you mean 'title'"),
        ({"licence": None}, "licence is missing; it must be the licence of the images"),
        ({"title": " "}, "title = ' ' must be text"),
        ({"labels": "letters"}, "labels = 'letters' must be one of ImageNet-1k"),
        ({"labels": ["MNIST"]}, "labels = .* must be one of"),
        ({"train": 0}, "train = 0 must be a number of images"),
        ({"test": True}, "test = True must be a number of images"),
        ({"forms": []}, r"forms = \[\] must be one or more"),
        ({"forms": ["npz"]}, "'npz' is no table"),
        ({"form": "zip"}, "form = 'zip' must be one of npz, idx, cifar-python"),
        ({"file": {"file": "../a"}}, r"file = '\.\./a' must be a plain file name"),
        ({"file": {"urls": []}}, "urls = .* must be different https addresses"),
        ({"file": {"urls": ["http://example.org/a"]}}, "must be different https addresses"),
        ({"file": {"urls": 2 * ["https://example.org/a"]}}, "must be different https"),
        ({"file": {"hash": "sha256:12"}}, "hash = 'sha256:12' must be 'sha256:' and 64"),
        ({"file": {"size_bytes": "10"}}, "size_bytes = '10' must be the exact number"),
        ({"file": {"hash_stated_by": None}}, "hash_stated_by is missing"),
    ],
)
def test_what_breaks_the_schema_is_named(
    write: Write, changed: dict[str, Any], message: str
) -> None:
    with pytest.raises(CatalogueError, match=rf"{message}.*datasets\.toml"):
        read_datasets(write(**changed))


@pytest.mark.parametrize("content", [b"[a", b"\xff", b"a = 1"])
def test_what_is_no_catalogue_is_named(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "datasets.toml").write_bytes(content)
    with pytest.raises(CatalogueError, match=r"datasets\.toml"):
        read_datasets(tmp_path / "datasets.toml")
