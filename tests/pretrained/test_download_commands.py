"""``cnnzoo download`` and ``cnnzoo cache`` as they are typed."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fault_server import BODY, HASH, FaultServer

import cnnzoo
from cnnzoo import errors
from cnnzoo.catalogue import weights
from cnnzoo.catalogue.datasets import get_dataset
from cnnzoo.cli import cache, download
from cnnzoo.pretrained.cache import blob_path
from cnnzoo.pretrained.remote import RemoteFile
from cnnzoo.store import RUNTIMES


@pytest.fixture(autouse=True)
def _mirror(
    server: FaultServer, catalogue: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    monkeypatch.setenv("CNNZOO_MIRROR", f"{server.url}/ok")
    monkeypatch.setattr(weights, "weights_folder", lambda: catalogue)
    weights.all_weights.cache_clear()
    yield
    weights.all_weights.cache_clear()


@pytest.fixture
def typed(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """Run a command line; return exit code and stdout."""
    parser = argparse.ArgumentParser()
    verbs = parser.add_subparsers()
    download.add_parser(verbs)
    cache.add_parser(verbs)

    def run(*words: str) -> tuple[int, str]:
        arguments = parser.parse_args(words)
        code = arguments.run(arguments)
        return code, capsys.readouterr().out

    return run


Typed = Callable[..., tuple[int, str]]


def test_exported_networks_are_listed_checked_and_pruned(typed: Typed) -> None:
    path = RUNTIMES.put("0" * 32, "small for openvino", lambda to: (to / "a.bin").write_text("a"))
    assert "small for openvino" in typed("cache", "list")[1]
    assert typed("cache", "verify")[0] == 0
    (path / "a.bin").write_text("b")
    code, printed = typed("cache", "verify")
    assert code == 4
    assert "DAMAGED  small for openvino" in printed
    assert f"damaged               {path}" in typed("cache", "prune")[1]
    assert not path.exists()


def test_download_prints_where_the_file_is(typed: Typed, file: RemoteFile) -> None:
    assert typed("download", "ResNet50") == (0, f"{blob_path(file)}\n")
    assert blob_path(file).read_bytes() == BODY


def test_download_to_a_folder_prints_the_file_there(typed: Typed, tmp_path: Path) -> None:
    to = tmp_path / "stick"
    assert typed("download", "resnet50", "--to", str(to)) == (0, f"{to / 'tiny.h5'}\n")


def test_download_without_top_takes_the_whole_file_when_there_is_no_other(typed: Typed) -> None:
    assert typed("download", "resnet50", "--no-top")[0] == 0


def test_download_names_the_nearest_tag(typed: Typed) -> None:
    with pytest.raises(errors.UnknownNameError, match="Did you mean 'imagenet'"):
        typed("download", "resnet50", "--weights", "imagnet")


def test_download_says_when_a_network_has_no_weights(typed: Typed) -> None:
    with pytest.raises(errors.UnknownNameError, match="none are known for vgg16"):
        typed("download", "vgg16")


def test_download_from_python_gives_the_same_path(typed: Typed, tmp_path: Path) -> None:
    printed = typed("download", "resnet50")[1].strip()
    assert str(cnnzoo.download("ResNet-50")) == printed
    moved = cnnzoo.download("resnet50", weights="imagenet", to=tmp_path / "stick")
    assert moved.parent == tmp_path / "stick"
    assert moved.read_bytes() == Path(printed).read_bytes()


def test_download_names_the_nearest_network(typed: Typed) -> None:
    """R5."""
    with pytest.raises(errors.UnknownNameError, match="Did you mean 'resnet50'") as caught:
        typed("download", "resnet5O")
    assert caught.value.exit_code == 2


def test_list_names_the_weights_of_the_catalogue(typed: Typed, file: RemoteFile) -> None:
    typed("download", "resnet50")
    code, printed = typed("cache", "list")
    assert code == 0
    assert "resnet50 imagenet full" in printed
    assert "1 files, 0.19 MiB" in printed


def test_list_as_json_is_one_document(typed: Typed, file: RemoteFile, tmp_path: Path) -> None:
    assert json.loads(typed("cache", "list", "--json")[1])["files"] == []
    typed("download", "resnet50")
    document = json.loads(typed("cache", "list", "--json")[1])
    assert document["folder"] == str(tmp_path / "cache")
    assert document["files"] == [
        {
            "file": "resnet50 imagenet full",
            "size_bytes": len(BODY),
            "hash": HASH,
            "path": str(blob_path(file)),
        }
    ]


def test_verify_ends_with_4_when_a_file_is_damaged(typed: Typed, file: RemoteFile) -> None:
    typed("download", "resnet50")
    code, printed = typed("cache", "verify")
    assert (code, "intact" in printed) == (0, True)
    blob_path(file).write_bytes(b"damaged")
    code, printed = typed("cache", "verify")
    assert (code, "DAMAGED" in printed) == (4, True)
    code, printed = typed("cache", "verify", "--json")
    assert (code, json.loads(printed)["files"][0]["intact"]) == (4, False)


def test_prune_keeps_what_the_catalogue_names_and_all_keeps_nothing(
    typed: Typed, file: RemoteFile
) -> None:
    typed("download", "resnet50")
    assert json.loads(typed("cache", "prune", "--json")[1])["files"] == []
    assert blob_path(file).exists()
    code, printed = typed("cache", "prune", "--all")
    assert (code, "not kept" in printed) == (0, True)
    assert not blob_path(file).exists()


def test_every_verb_shows_examples(typed: Typed, capsys: pytest.CaptureFixture[str]) -> None:
    for verb in ("download", "cache"):
        with pytest.raises(SystemExit):
            typed(verb, "--help")
        assert f"cnnzoo {verb}" in capsys.readouterr().out


def test_datasets_in_the_cache_are_named_and_kept(typed: Typed, tmp_path: Path) -> None:
    typed("download", "resnet50")  # marks the folder as a cache
    published = get_dataset("mnist").forms[0].files[0]
    path = blob_path(RemoteFile.of(published))
    path.parent.mkdir(parents=True)
    path.write_bytes(b"damaged")
    out = typed("cache", "list")[1]
    assert f"mnist mnist.npz  {path}" in out
    assert f"damaged               {path}" in typed("cache", "prune")[1]
