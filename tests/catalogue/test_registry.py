"""The registry: own networks, plugins, and what it refuses."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError

import keras
import pytest

import cnnzoo
from cnnzoo.catalogue import registry
from cnnzoo.catalogue.lectures import LECTURES
from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.errors import UnknownNameError, UsageError
from cnnzoo.lookup import fold, resolve


@pytest.fixture
def own():
    """Registers a tiny network and forgets it afterwards."""

    def trunk(image):
        return keras.layers.Conv2D(4, 3, name="conv")(image)

    def register(name="tiny", **arguments):
        arguments = {"input_shape": (8, 8, 3), "num_classes": 5} | arguments
        return cnnzoo.register_model(name, trunk, **arguments)

    before = dict(registry._registered)
    yield register
    registry._registered.clear()
    registry._registered.update(before)


def test_built_in_networks_are_in_the_order_of_their_papers_and_each_once():
    names = [spec.name for spec in NETWORKS]
    assert len(names) == len(set(names))
    published = [spec for spec in NETWORKS if spec.family != "lecture"]
    assert (published[0].name, published[-1].name) == ("lenet5", "airbench94")
    assert [spec.year for spec in published] == sorted(spec.year for spec in published)
    assert [*published, *LECTURES] == list(NETWORKS)
    assert cnnzoo.list_models() == names


def test_no_name_or_alias_means_two_networks():
    names = [fold(n) for spec in NETWORKS for n in {fold(spec.name), *map(fold, spec.aliases)}]
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("spec", NETWORKS, ids=lambda spec: spec.name)
def test_every_address_resolves_and_every_record_is_complete(spec):
    for address in filter(None, (spec.trunk, spec.top, spec.auxiliary)):
        assert callable(resolve(address))
    assert spec.preprocessing in PREPROCESSING
    assert spec in LECTURES or (spec.year and spec.paper.url.startswith("https://"))
    assert all((spec.paper.authors, spec.paper.title, spec.paper.venue, spec.paper.table))
    registry.check_spec(spec)


def test_registered_network_is_in_every_list_and_table(own, capsys):
    from cnnzoo.cli.main import main

    spec = own(aliases=("wee",))
    assert spec.origin == "registered"
    assert "tiny" in cnnzoo.list_models()
    assert cnnzoo.list_models(max_params=1_000) == ["tiny"]
    row = next(row for row in cnnzoo.table() if row["name"] == "tiny")
    assert row["total_params"] == 3 * 3 * 3 * 4 + 4 + 4 * 5 + 5
    assert row["macs"] == 6 * 6 * 3 * 3 * 3 * 4 + 4 * 5
    assert "137 in all" in str(cnnzoo.info("WEE"))
    assert cnnzoo.build("wee").output.shape == (None, 5)
    assert main(["list"]) == 0
    assert "tiny" in capsys.readouterr().out


def test_decorator_registers_the_trunk_and_leaves_it_as_it_is(own):
    @cnnzoo.register_model("decorated", input_shape=(8, 8, 1))
    def trunk(image):
        return keras.layers.Conv2D(2, 3)(image)

    assert trunk(keras.Input((8, 8, 1))).shape == (None, 6, 6, 2)
    assert cnnzoo.build("decorated").output.shape == (None, 1000)


@pytest.mark.parametrize("name", ["vgg16", "tiny", "VGG_16".lower(), "googlenet"])
def test_taken_name_is_refused_unless_it_may_be_overwritten(own, name):
    own()
    with pytest.raises(UsageError, match="overwrite=True"):
        own(name)
    own(name, overwrite=True, title="replaced")
    assert cnnzoo.info(name).spec.title == "replaced"


def test_taken_alias_is_refused(own):
    with pytest.raises(UsageError, match="'googlenet' is already a name of 'inception_v1'"):
        own(aliases=("GoogLeNet".lower(),))


@pytest.mark.parametrize(
    "arguments",
    [
        dict(name="my net"),
        dict(name=""),
        dict(input_shape=(8, 8)),
        dict(input_shape=(8, 8, 0)),
        dict(input_shape=(8.0, 8, 3)),
        dict(preprocessing="tensorflow"),
        dict(top="no address"),
    ],
    ids=str,
)
def test_spec_that_could_not_be_listed_is_refused(own, arguments):
    with pytest.raises(UsageError):
        own(**arguments)
    assert "tiny" not in cnnzoo.list_models()


def test_only_what_was_registered_can_be_forgotten(own):
    own()
    registry.unregister_model("tiny")
    with pytest.raises(UnknownNameError):
        cnnzoo.info("tiny")
    with pytest.raises(UsageError, match="was not registered"):
        registry.unregister_model("vgg16")


def test_card_and_spec_are_frozen():
    with pytest.raises(FrozenInstanceError):
        cnnzoo.info("vgg16").spec.name = "other"


PLUGIN = """
from cnnzoo.catalogue.spec import ModelSpec, Paper

PAPER = Paper(authors="A. Stranger", title="A Net", year=2020, venue="-", url="-", table="-")
SPEC = ModelSpec(
    name="stranger", title="Stranger", family="strange", paper=PAPER, input_shape=(16, 16, 3),
    min_size=8, num_classes=3, preprocessing="zero-one", trunk="strange_networks:trunk",
)
CLASH = ModelSpec(
    name="vgg16", title="Clash", family="strange", paper=PAPER, input_shape=(16, 16, 3),
    min_size=8, num_classes=3, preprocessing="zero-one", trunk="strange_networks:trunk",
)


def networks():
    return [SPEC]


def broken():
    raise RuntimeError("a stranger's bug")


def trunk(image):
    from keras import layers

    return layers.Conv2D(2, 3, name="conv")(image)
"""
PLUGIN_PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "strange-networks"
version = "1"

[project.entry-points."cnnzoo.models"]
networks = "strange_networks:networks"
clash = "strange_networks:CLASH"
broken = "strange_networks:broken"

[tool.hatch.build.targets.wheel]
include = ["strange_networks.py"]
"""


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    """A package built and installed into a folder of its own."""
    source = tmp_path_factory.mktemp("source")
    (source / "strange_networks.py").write_text(PLUGIN)
    (source / "pyproject.toml").write_text(PLUGIN_PROJECT)
    target = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", target, source], check=True)
    return target


def _python(plugin: object, script: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": str(plugin)},
    )


def test_plugin_network_is_listed_without_a_framework(plugin):
    script = "import cnnzoo, sys; print(*cnnzoo.list_models(), 'keras' in sys.modules)"
    done = _python(plugin, script)
    *names, keras_is_imported = done.stdout.split()
    assert "stranger" in names, done.stderr
    assert keras_is_imported == "False"
    assert "'broken' of strange-networks was left out: a stranger's bug" in done.stderr
    assert "'clash' of strange-networks was left out" in done.stderr


def test_plugin_network_is_measured_built_and_shown(plugin):
    script = """
import cnnzoo, warnings
warnings.simplefilter("ignore")
print(cnnzoo.build("Stranger").output.shape)
print(cnnzoo.table(["stranger"], columns="name,total_params,origin").to_csv())
print(cnnzoo.info("stranger"))
"""
    done = _python(plugin, script)
    assert "(None, 3)" in done.stdout, done.stderr[-2000:]
    assert "stranger,65,strange-networks" in done.stdout
    assert "A. Stranger (2020)" in done.stdout


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("resnet50:variant=v1.5", r"which compare and diff take.*--option variant=v1\.5"),
        ("mine.keras", "cnnzoo evaluate FILE"),
        (object(), "Models of your own are taken by cnnzoo.compare"),
    ],
)
def test_what_is_no_name_is_told_where_it_belongs(given: object, message: str) -> None:
    with pytest.raises(UnknownNameError, match=message):
        registry.get_spec(given)  # type: ignore[arg-type]
