from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers
from PIL import Image

from cnnzoo.errors import DataError, UsageError
from cnnzoo.pictures import ImageFiles
from cnnzoo.store import FEATURES
from cnnzoo.training.data.dataset import Dataset, Part
from cnnzoo.training.probe import features
from cnnzoo.training.probe.backbones import find_backbone
from cnnzoo.training.probe.features import Extractor, digest_of, usual_effects


def _extract(what: Any, **settings: Any) -> Extractor:
    weights = "random" if isinstance(what, str) else None
    return Extractor(
        find_backbone(what, weights), **{"runtime": "keras", "precision": "float32", **settings}
    )


@pytest.fixture
def runs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of images of every call of a network."""
    found: list[int] = []
    compile_runner = features.compile_runner

    def spied(*arguments: Any, **named: Any) -> Any:
        runner = compile_runner(*arguments, **named)

        class Spy:
            runtime, precision = runner.runtime, runner.precision

            def __call__(self, pixels: np.ndarray) -> Any:
                found.append(len(pixels))
                return runner(pixels)

        return Spy()

    monkeypatch.setattr(features, "compile_runner", spied)
    return found


def test_features_are_those_of_the_trunk_and_global_pooling(tiny: str, bars: Dataset) -> None:
    extract = _extract(tiny)
    found = extract(bars, "train")
    network = find_backbone(tiny, "random").network()
    expected = np.asarray(network(bars.train.images.astype("float32"))).mean(axis=(1, 2))
    assert found.array.shape == (60, 8)
    np.testing.assert_allclose(found.array, expected, rtol=1e-4)
    assert (found.cached, found.runtime) == (False, "keras float32")


def test_every_image_passes_the_network_once(tiny: str, bars: Dataset, runs: list[int]) -> None:
    first = _extract(tiny, batch_size=25)(bars, "train")
    assert runs == [25, 25, 10]
    again = _extract(tiny, batch_size=7)(bars, "train")
    assert sum(runs) == 60
    assert again.cached
    assert again.runtime == first.runtime
    np.testing.assert_array_equal(again.array, first.array)
    _extract(tiny)(bars, "test")
    assert sum(runs) == 90


def test_a_network_of_the_zoo_is_not_even_built_again(
    bars: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _extract("lenet5")(bars, "test")
    monkeypatch.setattr("cnnzoo.builder.build", None)
    assert _extract("lenet5")(bars, "test").cached
    assert not first.cached


def test_other_images_weights_views_and_numbers_have_other_features(
    tiny: str, bars: Dataset, runs: list[int]
) -> None:
    images = bars.train.images.copy()
    images[0, 0, 0] ^= 1
    changed = replace(bars, train=Part(images, bars.train.labels))
    _extract(tiny)(bars, "train")
    _extract(tiny)(changed, "train")
    _extract(tiny)(bars, "train", 1)
    _extract(tiny)(bars, "train", 2)
    _extract(tiny, seed=1)(bars, "train", 2)
    _extract(tiny, precision="bfloat16")(bars, "train")
    other = find_backbone(tiny, "random", seed=1)
    Extractor(other, runtime="keras", precision="float32")(bars, "train")
    assert sum(runs) == 7 * 60
    relabelled = replace(bars, train=Part(bars.train.images, bars.train.labels[::-1].copy()))
    assert _extract(tiny, seed=1)(relabelled, "train").cached  # labels are no features
    assert len(FEATURES.entries()) == 7


def test_views_change_the_images_and_keep_their_order(tiny: str, bars: Dataset) -> None:
    extract = _extract(tiny)
    as_they_are, one, two = (extract(bars, "train", change).array for change in (0, 1, 2))
    assert not np.allclose(one, two)
    far = np.linalg.norm(as_they_are[:, None] - one[None], axis=2)
    assert far.diagonal().mean() < 0.7 * far.mean()
    np.testing.assert_array_equal(_extract(tiny, cache=False)(bars, "train", 1).array, one)


def test_without_a_cache_nothing_is_kept(tiny: str, bars: Dataset, cache: Path) -> None:
    kept = _extract(tiny, cache=False)(bars, "train")
    assert not cache.exists()
    np.testing.assert_array_equal(_extract(tiny)(bars, "train").array, kept.array)


def test_image_files_are_decoded_batch_by_batch(tiny: str, tmp_path: Path, bars: Dataset) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(5)]
    for path, image in zip(paths, bars.test.images, strict=False):
        Image.fromarray(image[..., 0]).save(path)
    files = replace(bars, test=Part(ImageFiles(paths), bars.test.labels[:5]))
    array = replace(bars, test=bars.test.rows(np.arange(5)))
    extract = _extract(tiny, batch_size=2)
    np.testing.assert_allclose(extract(files, "test").array, extract(array, "test").array)
    before = digest_of(files.test.images)
    os.utime(paths[0], (1, 1))
    assert digest_of(files.test.images) != before


def test_a_model_without_a_classifier_is_pooled(bars: Dataset) -> None:
    image = keras.Input((12, 12, 1))
    model = keras.Model(image, layers.Conv2D(5, 3, name="see")(image), name="own")
    assert _extract(model)(bars, "test").array.shape == (30, 5)


def test_answers_that_are_no_numbers_are_refused_and_not_kept(bars: Dataset) -> None:
    image = keras.Input((12, 12, 1))
    x = layers.Conv2D(2, 3, bias_initializer=keras.initializers.Constant(np.inf))(image)
    with pytest.raises(DataError, match="own answers with numbers that are not finite"):
        _extract(keras.Model(image, x, name="own"))(bars, "test")
    assert FEATURES.entries() == []


@pytest.mark.parametrize("shape", [(7,), (None, None, 1), (12, 12, 4)])
def test_what_takes_no_pictures_is_refused(bars: Dataset, shape: tuple[int | None, ...]) -> None:
    image = keras.Input(shape)
    with pytest.raises(UsageError, match=r"own takes .* a network of pictures takes"):
        _extract(keras.Model(image, layers.Dense(3)(image), name="own"))(bars, "test")


def test_digits_are_never_mirrored(bars: Dataset) -> None:
    coloured = replace(bars, channels=3)
    digits = replace(coloured, class_names=("0", "1", "2"))
    flips = ["flip" in [e.name for e in usual_effects(data)] for data in (coloured, digits, bars)]
    assert flips == [True, False, False]
