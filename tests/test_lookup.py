"""Names and addresses."""

from __future__ import annotations

import pytest

from cnnzoo.errors import UnknownNameError
from cnnzoo.lookup import did_you_mean, fold, nearest, pick, resolve

TABLE = {"vgg16": 16, "vgg19": 19, "inception_v1": 1}


@pytest.mark.parametrize("name", ["vgg16", "VGG16", "vgg-16", " Vgg_16 ", "v.g.g.16"])
def test_pick_forgives_case_and_separators(name):
    assert pick(TABLE, name, kind="network") == 16


def test_pick_follows_aliases_however_spelt():
    assert pick(TABLE, "Google-Net", kind="network", aliases={"googlenet": "inception_v1"}) == 1


def test_pick_answers_a_typo_with_the_nearest_keys_once_each():
    aliases = {"googlenet": "inception_v1", "goglnet": "inception_v1"}
    with pytest.raises(UnknownNameError) as caught:
        pick(TABLE, "gogglenet", kind="network", aliases=aliases)
    assert str(caught.value) == (
        "No network is named 'gogglenet'. Did you mean 'inception_v1'? "
        "Known: inception_v1, vgg16, vgg19."
    )


@pytest.mark.parametrize("name", [None, 16, ["vgg16"], "", "???"])
def test_pick_refuses_what_is_no_name(name):
    with pytest.raises(UnknownNameError, match="No network is named"):
        pick(TABLE, name, kind="network")


def test_nearest_is_best_first_and_did_you_mean_may_be_empty():
    assert nearest("vgg-18", TABLE)[:2] in (["vgg19", "vgg16"], ["vgg16", "vgg19"])
    assert did_you_mean("zzz", TABLE) == ""
    assert fold("Inception-ResNet v2") == "inceptionresnetv2"


@pytest.mark.parametrize("typed", ["resnet5O", "ResNet-5o"])
def test_nearest_knows_which_signs_look_alike(typed):
    assert nearest(typed, ["resnet56", "resnext50", "resnet50"])[0] == "resnet50"


def test_resolve_imports_an_address_and_leaves_a_function_alone():
    assert resolve("math:sqrt")(9) == 3
    assert resolve(len) is len


def test_resolve_returns_the_module_when_the_address_names_no_function():
    import json.decoder

    assert resolve("json.decoder") is json.decoder
