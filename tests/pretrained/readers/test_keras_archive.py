"""Whole Keras models: their weights are read, whatever else the archive holds."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from weight_files import bytes_of, randomise

import cnnzoo
from cnnzoo.errors import WeightsError


@pytest.fixture(scope="module")
def trained():
    model = cnnzoo.build("lenet5", num_classes=3, include_preprocessing=True)
    randomise(model)
    return model


@pytest.fixture
def saved(trained, tmp_path: Path) -> Path:
    trained.save(tmp_path / "model.keras")
    return tmp_path / "model.keras"


def _rewritten(path: Path, **members: bytes) -> Path:
    """The same archive with members replaced; ``None`` would be an absent one."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    content |= {name.replace("_json", ".json"): data for name, data in members.items()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def test_weights_of_a_trained_model_are_those_of_the_next_one(trained, saved: Path) -> None:
    again = cnnzoo.build("lenet5", num_classes=3, weights=saved)
    assert bytes_of(again) == bytes_of(trained)


def test_trained_backbone_takes_a_new_classifier(trained, saved: Path) -> None:
    again = cnnzoo.build("lenet5", num_classes=5, weights=saved)
    assert bytes_of(again)[:-2] == bytes_of(trained)[:-2]
    assert again.output_shape == (None, 5)


def test_configuration_is_never_opened(trained, saved: Path) -> None:
    path = _rewritten(saved, config_json=b"{ no JSON", metadata_json=b"")
    again = cnnzoo.build("lenet5", num_classes=3, weights=path)
    assert bytes_of(again) == bytes_of(trained)


def test_cut_archive_is_refused_at_every_length(saved: Path) -> None:
    content = saved.read_bytes()
    for length in range(1, len(content), 9973):
        saved.write_bytes(content[:length])
        with pytest.raises(WeightsError):
            cnnzoo.build("lenet5", num_classes=3, weights=saved)


def test_archive_that_unpacks_to_far_more_than_it_is_is_refused(saved: Path) -> None:
    with zipfile.ZipFile(saved, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("model.weights.h5", bytes(50_000_000))
    with pytest.raises(WeightsError, match="claims to hold weights of 50,000,000"):
        cnnzoo.build("lenet5", num_classes=3, weights=saved)


def test_flipped_byte_in_the_weights_is_refused(saved: Path) -> None:
    content = bytearray(saved.read_bytes())
    where = content.index(b"\x89HDF") + 200_000
    content[where] ^= 0x40
    saved.write_bytes(content)
    with pytest.raises(WeightsError, match="no intact Keras model"):
        cnnzoo.build("lenet5", num_classes=3, weights=saved)
