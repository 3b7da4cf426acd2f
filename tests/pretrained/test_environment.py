"""The variables that steer downloads: what they accept, and what they say otherwise."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cnnzoo.errors import UsageError
from cnnzoo.pretrained import environment


def test_the_cache_is_the_users_cache_folder_unless_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CNNZOO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere/cache")
    assert environment.cache_folder() == Path("/somewhere/cache/cnnzoo")
    monkeypatch.setenv("CNNZOO_CACHE", "")
    assert environment.cache_folder() == Path("/somewhere/cache/cnnzoo")


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("CNNZOO_CACHE", "~/weights")
    assert environment.cache_folder() == Path("/home/me/weights")


def test_a_home_that_nobody_knows_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """C15."""
    monkeypatch.setenv("CNNZOO_CACHE", "~nobody-of-that-name/weights")
    with pytest.raises(UsageError, match="CNNZOO_CACHE='~nobody-of-that-name/weights'"):
        environment.cache_folder()


def test_an_unset_home_is_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """C15."""
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setenv("CNNZOO_CACHE", "~/weights")
    assert environment.cache_folder().is_absolute()


def test_a_relative_folder_in_a_deleted_one_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C15."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    here.rmdir()
    monkeypatch.setenv("CNNZOO_CACHE", "weights")
    with pytest.raises(UsageError, match="absolute path"):
        environment.cache_folder()
    os.chdir(tmp_path)


@pytest.mark.parametrize("address", ["https://mirror.example/cnnzoo/", "http://127.0.0.1:8000/x"])
def test_a_mirror_is_an_https_address_or_a_local_one(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv("CNNZOO_MIRROR", address)
    assert environment.mirror() == address.rstrip("/")


@pytest.mark.parametrize(
    "address",
    [
        "http://mirror.example",
        "http://127.0.0.1.example",
        "https://me:secret@mirror.example",
        "https://mirror.example/?token=1",
        "file:///weights",
        "mirror.example",
        "https://",
    ],
)
def test_any_other_mirror_is_a_usage_error(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("CNNZOO_MIRROR", address)
    with pytest.raises(UsageError, match="CNNZOO_MIRROR="):
        environment.mirror()


@pytest.mark.parametrize(
    ("value", "answer"), [("1", True), ("TRUE", True), (" yes ", True), ("0", False), ("", False)]
)
def test_offline_is_a_yes_or_a_no(
    monkeypatch: pytest.MonkeyPatch, value: str, answer: bool
) -> None:
    monkeypatch.setenv("CNNZOO_OFFLINE", value)
    assert environment.offline() is answer


def test_a_maybe_is_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNZOO_OFFLINE", "maybe")
    with pytest.raises(UsageError, match="CNNZOO_OFFLINE='maybe' must be 1 or 0"):
        environment.offline()
