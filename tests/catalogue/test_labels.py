"""The classes of the datasets, against what is known of them elsewhere."""

from __future__ import annotations

import pytest

from cnnzoo.catalogue.labels import DATASETS, check_classes, forms_of, labels_of
from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.errors import DataError, UnknownNameError

PETS = ("cat", "dog", "fox")


def test_imagenet_has_its_thousand_classes_in_the_order_of_their_identifiers():
    labels = labels_of("ImageNet-1k")
    identifiers = [label.id for label in labels]
    assert len(labels) == 1000
    assert identifiers == sorted(set(identifiers))
    assert len({label.name for label in labels}) == 1000
    assert labels[0] == ("n01440764", "tench")
    assert labels[134].id == "n02012849"  # one of the two birds and machines called crane
    assert labels[207] == ("n02099601", "golden retriever")
    assert labels[999] == ("n15075141", "toilet tissue")


def test_small_datasets_have_their_ten_classes():
    assert [label.name for label in labels_of("MNIST")] == list("0123456789")
    names = [label.name for label in labels_of("CIFAR-10")]
    assert (names[0], names[3], names[9], len(set(names))) == ("airplane", "cat", "truck", 10)


def test_every_network_is_of_a_dataset_whose_classes_are_known():
    for spec in NETWORKS:
        assert len(labels_of(spec.dataset)) == spec.num_classes
    assert {spec.dataset for spec in NETWORKS} <= set(DATASETS)


def test_an_unknown_dataset_is_refused_with_the_nearest_name():
    with pytest.raises(UnknownNameError, match=r"Did you mean 'CIFAR-10'"):
        labels_of("cifar-100")


def test_identifiers_that_only_count_are_no_names() -> None:
    assert len(forms_of("CIFAR-10")) == 1
    names, ids = forms_of("ImageNet-1k")
    assert (names[0], ids[0]) == ("tench", "n01440764")


def test_classes_in_the_same_order_are_accepted():
    known = (PETS, ("n1", "n2", "n3"))
    assert check_classes("a run", known, PETS) == PETS
    assert check_classes("a run", known, ("n1", "n2", "n3")) == PETS
    assert check_classes("a run", known, ("0", "1", "2")) == PETS
    assert check_classes("a file", (), ("a", "b")) == ("a", "b")
    with pytest.raises(DataError, match="class 0 is 'cat' to it and '0' to them"):
        check_classes("a run", known, ("0", "1", "2"), of_digits=True)  # digits are no pets


def test_classes_in_another_order_are_refused():
    with pytest.raises(DataError, match="another order; class 0 is 'cat' to it and 'dog' to them"):
        check_classes("a run", (PETS,), ("dog", "cat", "fox"))


def test_other_classes_are_refused():
    with pytest.raises(DataError, match=r"'fox' to it and 'fix' to them\. Did you mean 'fox'"):
        check_classes("a run", (PETS,), ("cat", "dog", "fix"))
    with pytest.raises(DataError, match=r"knows 3 classes .*they have 2 \(0, 1\)"):
        check_classes("a run", (PETS,), ("0", "1"))
