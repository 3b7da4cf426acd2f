from __future__ import annotations

import json
from pathlib import Path

import pytest

from cnnzoo.errors import DataError, UnknownNameError, UsageError
from cnnzoo.runfiles import KIND
from cnnzoo.training.subject import find_subject

PETS = ("cat", "dog", "fox")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run, without a network in it."""
    config = {"kind": KIND, "data": {"class_names": list(PETS)}}
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "model.keras").write_bytes(b"")
    return tmp_path


def test_a_run_is_known_by_its_folder_or_by_the_model_in_it(run: Path) -> None:
    for what in (run, run / "model.keras", str(run)):
        subject = find_subject(what)
        assert subject.class_names == (PETS,)
        assert subject.path == run / "model.keras"
        assert subject.name == run.name


def test_a_folder_of_something_else_is_refused(run: Path) -> None:
    (run / "config.json").write_text('{"kind": "other"}')
    with pytest.raises(DataError, match="no run of cnnzoo finetune"):
        find_subject(run)
    with pytest.raises(DataError, match=r"no run.*FileNotFoundError"):
        find_subject(run.parent)


def test_a_run_without_its_model_is_refused(run: Path) -> None:
    (run / "model.keras").unlink()
    with pytest.raises(DataError, match=r"holds no model\.keras"):
        find_subject(run)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        find_subject(tmp_path / "own.keras")


def test_weights_belong_to_names(run: Path) -> None:
    with pytest.raises(UsageError, match="Leave weights and options out"):
        find_subject(run, "imagenet")


def test_a_name_takes_its_first_weights_or_the_ones_asked_for() -> None:
    subject = find_subject("ResNet-20", "cifar10")
    assert (subject.name, subject.weights) == ("resnet20", "cifar10")
    assert subject.class_names[0][3] == "cat"
    assert find_subject("lenet5").weights == "mnist"


def test_a_name_without_weights_or_of_nothing_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="resnet50"):
        find_subject("resnet5O")
    with pytest.raises(UnknownNameError):
        find_subject("resnet20", "imagenet")
