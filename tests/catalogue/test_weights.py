"""The weights catalogue: what ships is valid, and what is not valid cannot ship (rows R1 to R4)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cnnzoo.catalogue import folder, weights
from cnnzoo.catalogue.facts import form_key, recorded
from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.catalogue.weights import WeightsEntry, all_weights, get_weights, list_weights
from cnnzoo.errors import CatalogueError, UnknownNameError, UsageError

GOOD: dict[str, Any] = {
    "tag": "imagenet",
    "part": "full",
    "file": "resnet50.h5",
    "urls": ["https://example.org/resnet50.h5", "https://mirror.example.org/a/resnet50.h5"],
    "size_bytes": 102_967_424,
    "hash": "sha256:" + 64 * "0",
    "hash_stated_by": "example.org",
    "format": "keras-h5",
    "layout": "keras2-nested",
    "name_map": "",
    "preprocessing": "bgr-centred",
    "input_size": [224, 224],
    "classes": 1000,
    "class_offset": 0,
    "options": {"variant": "v1", "aux": False, "bn_epsilon": 1e-5},
    "dataset": "ImageNet-1k",
    "licence": "MIT",
    "origin": "example.org",
    "top1": 74.9,
    "top5": 92.1,
    "evaluation": "centre crop 224",
    "evidence": "published: example.org",
}
NOTOP: dict[str, Any] = {
    **{k: v for k, v in GOOD.items() if k not in ("classes", "class_offset", "top1", "top5")},
    "part": "notop",
    "file": "resnet50_notop.h5",
    "hash": "md5:" + 32 * "1",
}
del NOTOP["evaluation"]

Write = Callable[..., Path]


def as_toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{k} = {as_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(value) if isinstance(value, str | bool) else repr(value)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write entries, or raw text, as the catalogue file of a network."""

    def run(*entries: dict[str, Any], text: str | bytes = "", network: str = "resnet50") -> Path:
        path = tmp_path / "catalogue" / f"{network}.toml"
        path.parent.mkdir(exist_ok=True)
        lines = [text] if isinstance(text, str) else []
        for entry in entries:
            lines += ["[[weights]]", *(f"{k} = {as_toml(v)}" for k, v in entry.items())]
        path.write_bytes(text if isinstance(text, bytes) else "\n".join(lines).encode())
        return path

    return run


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the catalogue lie in ``tmp_path``."""
    monkeypatch.setattr(weights, "weights_folder", lambda: tmp_path)
    all_weights.cache_clear()
    yield
    all_weights.cache_clear()


def refusal(path: Path) -> str:
    with pytest.raises(CatalogueError) as caught:
        weights.read_weights(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_a_good_entry_is_read_as_it_is_written(write: Write) -> None:
    (entry,) = weights.read_weights(write(GOOD))
    assert entry == WeightsEntry(
        network="resnet50",
        **(GOOD | {"urls": tuple(GOOD["urls"]), "input_size": tuple(GOOD["input_size"])}),
    )


def test_a_notop_entry_has_no_classes_and_no_accuracy(write: Write) -> None:
    (entry,) = weights.read_weights(write(NOTOP))
    assert (entry.classes, entry.class_offset, entry.top1, entry.evaluation) == (None, 0, None, "")


def test_a_size_that_nobody_states_is_said_to_be_so(write: Write) -> None:
    (entry,) = weights.read_weights(write(GOOD | {"size_bytes": "not stated"}))
    assert entry.size_bytes is None


BAD = {
    "hash": [
        *("", "sha256:", "sha256:" + 63 * "0", "sha256:" + 65 * "0", "sha256:" + 64 * "A"),
        *("sha256:" + 64 * "g", 64 * "0", "md5:" + 64 * "0", "sha1:" + 40 * "0", 7),
        *("sha256:" + 64 * "0" + "\n", "sha256-prefix:1234567", "sha256-prefix:" + 64 * "0"),
    ],
    "size_bytes": [0, -1, 1.5, True, "1", "", 2**60],
    "urls": [
        *("https://example.org/a", [7], ["http://example.org/a"], ["ftp://example.org/a"]),
        *(["https://example.org/a?key=1"], ["https://me:word@example.org/a"], ["https:///a"]),
        *(["https://example.org"], ["https://example.org/a b"], ["https://a/b", "https://a/b"]),
        ["https://example.org/a#b"],
    ],
    "file": [
        *("", ".", "..", "../x.h5", "/etc/x", "a/b.h5", "C:\\x.h5", "\\\\srv\\x", "a\\b", "C:x"),
        *("CON", "nul.h5", "com1.h5", "LPT9", "a\0b", "a\nb", " a.h5", "a.h5 ", "a.", ".hidden"),
        *("~/x", "x" * 300, "a:b", "a*b", "größe.h5", "file:///x", "%2e%2e%2fx", "a?b", 7),
    ],
    "tag": ["", "ImageNet", "image net", "-imagenet", "imagenet-", "a--b", "a/b", 7],
    "part": ["", "top", "Full", True],
    "format": ["", "h5", "pickle", "keras-h5 "],
    "layout": ["", "nested", 7],
    "name_map": ["../x", "a/b", "A", " ", 7],
    "preprocessing": ["", "caffe", "tf", "BGR-centred"],
    "input_size": [224, [224], [224, 224, 3], [0, 224], [224.0, 224], ["224", 224], [True, 224]],
    "resize": [0, -1, 256.0, "256", True],
    "interpolation": ["", "nearest", 7],
    "dataset": ["", "ImageNet", "imagenet-1k", 7],
    "classes": [0, -1, "1000", 1000.0, True, 10**9],
    "class_offset": [-1, 1000, 1.0, False],
    "options": [7, [], {"Variant": "v1"}, {"variant": []}, {"variant": ""}, {"variant": "a\0"}],
    "licence": ["", "  ", 7, "MIT\0", "two\nlines"],
    "origin": ["", 7],
    "evidence": ["", 7],
    "hash_stated_by": ["", 7],
    "evaluation": ["", 7],
    "top1": [0, -1, 100.5, "74.9", True],
    "top5": [0, 101],
}


@pytest.mark.parametrize(
    ("field", "value"),
    [pytest.param(f, v, id=f"{f}={v!r:.40}") for f, values in BAD.items() for v in values],
)
def test_a_value_that_cannot_be_right_is_refused_by_name(
    write: Write, field: str, value: object
) -> None:
    """R1, R2."""
    message = refusal(write(GOOD, NOTOP | {"tag": "other"}, GOOD | {"tag": "third", field: value}))
    assert field in message
    assert "entry 3" in message


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999"])
@pytest.mark.parametrize("field", ["top1", "size_bytes", "options"])
def test_numbers_that_are_none_are_refused(write: Write, field: str, value: str) -> None:
    """R3."""
    entry = {k: v for k, v in GOOD.items() if k != field}
    path = write(entry)
    written = f"{{ bn_epsilon = {value} }}" if field == "options" else value
    path.write_text(path.read_text() + f"\n{field} = {written}\n")
    assert field in refusal(path)


@pytest.mark.parametrize(
    "field", [f for f in GOOD if f not in ("class_offset", "top1", "top5", "evaluation")]
)
def test_a_missing_field_is_named(write: Write, field: str) -> None:
    """R1."""
    assert field in refusal(write({k: v for k, v in GOOD.items() if k != field}))


def test_an_unknown_field_is_named_with_the_nearest_known_one(write: Write) -> None:
    """R1."""
    message = refusal(write(GOOD | {"size_byte": 7}))
    assert "'size_byte' is no field of a weights entry. Did you mean 'size_bytes'" in message


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        pytest.param(NOTOP | {"classes": 1000}, "classes", id="classes-of-notop"),
        pytest.param(NOTOP | {"top1": 1.0, "evaluation": "x"}, "cannot classify", id="top1"),
        pytest.param(NOTOP | {"class_offset": 1}, "cannot classify", id="offset-of-notop"),
        pytest.param(NOTOP | {"evaluation": "x"}, "belong to top1", id="protocol-of-nothing"),
        pytest.param(
            {k: v for k, v in GOOD.items() if k != "top1"}, "belong to top1", id="top5-alone"
        ),
        pytest.param(
            {k: v for k, v in GOOD.items() if k != "evaluation"}, "protocol", id="no-protocol"
        ),
        pytest.param(GOOD | {"resize": 223}, "resize is smaller", id="cut-larger-than-picture"),
        pytest.param(GOOD | {"urls": [], "size_bytes": "not stated"}, "ships", id="shipped"),
    ],
)
def test_fields_that_contradict_each_other_are_refused(
    write: Write, entry: dict[str, Any], words: str
) -> None:
    """R1."""
    assert words in refusal(write(entry))


def test_a_tag_stands_once_for_each_part(write: Write) -> None:
    """R1."""
    assert len(weights.read_weights(write(GOOD, NOTOP))) == 2
    assert "stands twice" in refusal(write(GOOD, GOOD | {"file": "other.h5"}))


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"\xef\xbb\xbf[[weights]]\ntag = 'a'", id="BOM"),
        pytest.param(b"weights = 1\nweights = 2", id="duplicate-key"),
        pytest.param(b"\xff\xfe", id="not-UTF-8"),
        pytest.param(b"weights = " + b"[" * 3000 + b"]" * 3000, id="nested"),
        pytest.param(b"weights = " + b"9" * 5000, id="huge-number"),
        pytest.param(b"", id="empty"),
        pytest.param(b"weights = 7", id="no-table"),
        pytest.param(b"weights = [7]", id="no-tables"),
        pytest.param(b"[weights]\ntag = 'imagenet'", id="one-table"),
        pytest.param(b"[[weights]]\n[[other]]", id="other-tables"),
        pytest.param(b"[[weights]", id="no-TOML"),
        pytest.param(b"weights = '\x00'", id="NUL"),
    ],
)
def test_what_is_no_catalogue_is_refused(write: Write, raw: bytes) -> None:
    """R3."""
    refusal(write(text=raw))


def test_a_catalogue_of_50_megabytes_is_not_read(write: Write) -> None:
    """R3."""
    assert "larger than 1 MiB" in refusal(write(text=b"#" * 50_000_000))


def test_a_catalogue_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    refusal(tmp_path / "absent.toml")


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize("same", ["file", "hash"])
def test_no_entry_takes_over_the_name_or_the_hash_of_another(write: Write, same: str) -> None:
    """R4."""
    other = GOOD | {"file": "other.h5", "hash": "sha256:" + 64 * "2"}
    write(GOOD)
    write(other | {same: GOOD[same]}, network="vgg16")
    with pytest.raises(CatalogueError, match="stands twice in the catalogue") as caught:
        all_weights()
    assert "resnet50 'imagenet' and vgg16 'imagenet'" in str(caught.value)


@pytest.mark.usefixtures("elsewhere")
def test_a_tag_picks_the_part_that_is_needed(write: Write) -> None:
    write(GOOD, NOTOP, NOTOP | {"tag": "tops-off", "file": "x.h5", "hash": "md5:" + 32 * "2"})
    assert get_weights("resnet50", "imagenet").part == "full"
    assert get_weights("ResNet-50", "ImageNet", include_top=False).part == "notop"
    assert get_weights("resnet50", "tops-off", include_top=False).part == "notop"
    with pytest.raises(UsageError, match="include_top=False"):
        get_weights("resnet50", "tops-off")


@pytest.mark.usefixtures("elsewhere")
def test_without_a_smaller_file_the_whole_one_is_taken(write: Write) -> None:
    write(GOOD)
    assert get_weights("resnet50", "imagenet", include_top=False).part == "full"


@pytest.mark.usefixtures("elsewhere")
def test_an_unknown_tag_is_answered_with_the_nearest_and_all(write: Write) -> None:
    write(GOOD)
    with pytest.raises(UnknownNameError, match=r"'imagnet'. Did you mean 'imagenet'\? Known: ima"):
        get_weights("resnet50", "imagnet")
    assert list_weights("vgg16") == ()
    with pytest.raises(UnknownNameError, match="none are known for vgg16"):
        get_weights("vgg16", "imagenet")


@pytest.mark.usefixtures("elsewhere")
def test_a_file_without_addresses_ships_with_the_package(write: Write, tmp_path: Path) -> None:
    write(GOOD | {"urls": []})
    assert get_weights("resnet50", "imagenet").shipped_path == tmp_path / "files" / "resnet50.h5"


@pytest.mark.parametrize("name", ["resnet5O", "rеsnet50"], ids=["letter-O", "cyrillic"])
def test_a_network_that_does_not_exist_is_not_one_without_weights(name: str) -> None:
    """R5."""
    with pytest.raises(UnknownNameError, match=r"Did you mean .*'resnet50'"):
        list_weights(name)


def test_the_data_is_found_in_an_installed_package_and_in_a_checkout(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "cnnzoo"
    with pytest.raises(CatalogueError, match="Install cnnzoo again"):
        folder._weights_folder(package)
    (package.parent / "weights" / "catalogue").mkdir(parents=True)
    assert folder._weights_folder(package) == package.parent / "weights"
    (package / "_weights" / "catalogue").mkdir(parents=True)
    assert folder._weights_folder(package) == package / "_weights"


NETWORKS = (
    *("alexnet", "vgg16", "vgg19", "inception_v1", "inception_v3", "inception_v4"),
    *("inception_resnet_v2", "xception", "resnext50"),
    *("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"),
)


@pytest.mark.parametrize("network", NETWORKS)
def test_every_imagenet_network_has_public_weights_and_a_default(network: str) -> None:
    default = get_weights(network, "imagenet")
    assert default is list_weights(network)[0]
    assert default.top1
    assert default.top5
    assert default.classes == 1000


@pytest.mark.parametrize("network", ["resnet20", "resnet32", "resnet44", "resnet56", "resnet110"])
def test_every_cifar_network_has_public_weights_of_its_dataset(network: str) -> None:
    default = list_weights(network)[0]
    assert (default.tag, default.dataset, default.classes) == ("cifar10", "CIFAR-10", 10)


def test_two_trained_networks_ship_and_the_licences_of_both_with_them() -> None:
    shipped = {e.file: e for e in shipped_entries() if e.shipped_path}
    assert sorted(shipped) == ["lenet5-mnist.safetensors", "resnet20-cifar10.safetensors"]
    notice = (folder.weights_folder() / "files" / "LICENSES.md").read_text()
    assert all(name in notice for name in shipped)
    assert "Copyright (c) 2018, Yerlan Idelbayev" in notice
    assert "THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS" in notice


def shipped_entries() -> list[WeightsEntry]:
    return [entry for entries in all_weights().values() for entry in entries]


def test_every_catalogue_file_belongs_to_a_network() -> None:
    assert all(get_spec(network).name == network for network in all_weights())


def test_every_preprocessing_is_one_that_exists() -> None:
    assert {entry.preprocessing for entry in shipped_entries()} <= set(PREPROCESSING)


def test_every_file_that_ships_is_there_and_intact() -> None:
    for entry in shipped_entries():
        path = entry.shipped_path
        assert path is None or hash_of(path, entry) == entry.hash


def hash_of(path: Path, entry: WeightsEntry) -> str:
    algorithm = entry.hash.partition(":")[0]
    assert path.stat().st_size == entry.size_bytes
    return f"{algorithm}:{hashlib.new(algorithm, path.read_bytes()).hexdigest()}"


def test_default_weights_fit_a_network_of_the_default_ones_size() -> None:
    """AlexNet's bring the constants of their normalisation, but never other layers or widths."""
    for network in NETWORKS:
        usual = {option.name: option.default for option in get_spec(network).options}
        named = get_weights(network, "imagenet").options
        other = {name: value for name, value in named.items() if usual[name] != value}
        default, form = recorded()[network], recorded()[form_key(network, other)]
        assert (form.total_params, form.macs) == (default.total_params, default.macs)
