from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import cnnzoo
from cnnzoo.errors import DataError, UsageError
from cnnzoo.training.data.dataset import Dataset, Part
from cnnzoo.training.evaluate import evaluate
from cnnzoo.training.probe import run
from cnnzoo.training.probe.result import Probe


def _probe(what: Any, data: Dataset, **settings: Any) -> Probe:
    """In plain numbers, without training the network first where it has a name."""
    if not isinstance(what, keras.Model):
        settings = {"weights": "random", **settings}
    usual = {"runtime": "keras", "precision": "float32", "progress": False}
    return cnnzoo.probe(what, data, **{**usual, **settings})


def test_the_table_has_a_row_for_every_network_and_head(tiny: str, bars: Dataset) -> None:
    found = _probe([tiny, "lenet5"], bars, head=["linear", "knn"])
    assert [(row.network, row.head) for row in found] == [
        (tiny, "linear"), (tiny, "knn"), ("lenet5", "linear"), ("lenet5", "knn"),
    ]  # fmt: skip
    lines = str(found).splitlines()
    assert lines[0] == "bars: 54 images to learn from, 6 to choose by, 30 to test"
    assert lines[1].split()[:4] == ["network", "weights", "head", "accuracy"]
    assert lines[3].split()[:3] == ["tiny", "random", "linear"]
    assert lines[-1] == "features computed by keras float32"
    assert len(lines) == 8
    assert found[0].features == 8
    assert found[0].size_bytes == 4 * 8 * 90
    assert found[0].interval[0] <= found[0].accuracy <= found[0].interval[1]
    assert json.loads(json.dumps(found.to_dict()))["rows"][1]["chosen"] == found[1].chosen


def test_the_second_time_nothing_is_computed(tiny: str, bars: Dataset) -> None:
    first, second = (_probe(tiny, bars) for _ in range(2))
    assert [first[0].cached, second[0].cached] == [False, True]
    assert first[0].accuracy == second[0].accuracy
    assert "(kept)" in str(second)
    unkept = _probe(tiny, bars, cache=False)
    assert (unkept[0].cached, unkept[0].size_bytes) == (False, 0)
    assert str(unkept).splitlines()[3].endswith("–")


@pytest.mark.parametrize("head", ["linear", "mlp"])
def test_the_network_with_the_head_answers_as_the_probe_did(
    tiny: str, bars: Dataset, head: str, tmp_path: Path
) -> None:
    found = _probe(tiny, bars, head=head)
    model = found.model()
    assert model.output_shape == (None, 3)
    own = model.predict_on_batch(bars.test.images)
    pooled = keras.Model(model.inputs, model.get_layer("head_pool").output)
    vectors = pooled.predict_on_batch(bars.test.images)
    np.testing.assert_allclose(own, found[0].fitted.classifier(vectors), atol=1e-4)
    assert (own.argmax(axis=1) == bars.test.labels).mean() == found[0].accuracy
    model.save(tmp_path / "own.keras")
    again = evaluate(tmp_path / "own.keras", data=bars, out=tmp_path / "out", progress=False)
    assert again.metrics["test_accuracy"] == found[0].accuracy


def test_the_head_is_the_one_that_training_through_the_frozen_network_finds(
    tiny: str, bars: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Standardised features, one dense layer, the same penalty: only the way there differs."""
    monkeypatch.setattr("cnnzoo.training.probe.heads.L2", (0.01,))
    found = _probe(tiny, bars)
    kept, _ = run._split(bars, 0)
    images, labels = bars.train.images[kept].astype("float32"), bars.train.labels[kept]
    network = found[0].backbone.network()
    network.trainable = False
    pool = layers.GlobalAveragePooling2D()(network.output)
    vectors = keras.Model(network.inputs, pool).predict_on_batch(images)
    x = layers.Normalization(mean=vectors.mean(axis=0), variance=vectors.var(axis=0))(pool)
    decay = keras.regularizers.L2(0.01 / 2)
    x = layers.Dense(3, "softmax", kernel_regularizer=decay)(x)
    frozen = keras.Model(network.inputs, x)
    frozen.compile(keras.optimizers.Adam(0.05), "sparse_categorical_crossentropy")
    for _ in range(400):
        frozen.train_on_batch(images, labels)
    expected = frozen.predict_on_batch(bars.test.images)
    own = found.model().predict_on_batch(bars.test.images)
    np.testing.assert_allclose(own, expected, atol=0.01)
    assert (own.argmax(axis=1) == expected.argmax(axis=1)).mean() > 0.96


def test_neighbours_cannot_be_put_on_the_network(tiny: str, bars: Dataset) -> None:
    found = _probe(tiny, bars, head="knn")
    with pytest.raises(UsageError, match="head='linear'"):
        found.model()
    both = _probe(tiny, bars, head=["knn", "linear"])
    assert both.best().head == "linear"
    assert both.model().output_shape == (None, 3)


def test_the_best_is_chosen_by_validation(tiny: str, bars: Dataset) -> None:
    found = _probe(tiny, bars, head=["linear", "mlp"])
    rows = [
        replace(row, accuracy=accuracy, validation_accuracy=validation)
        for row, accuracy, validation in zip(found, (0.9, 0.8), (0.5, 0.6), strict=True)
    ]
    assert replace(found, rows=tuple(rows)).best() is rows[1]


def test_a_validation_part_of_its_own_chooses(tiny: str, bars: Dataset) -> None:
    own = replace(bars, validation=bars.test.rows(np.arange(9)))
    found = _probe(tiny, own)
    assert found.images == {"training": 60, "validation": 9, "test": 30}


def test_the_test_part_decides_nothing(tiny: str, bars: Dataset) -> None:
    wrong = replace(bars, test=Part(bars.test.images, (bars.test.labels + 1) % 3))
    one, other = (_probe(tiny, data, head=["linear", "knn"]) for data in (bars, wrong))
    for first, second in zip(one, other, strict=True):
        assert (first.chosen, first.validation_accuracy) == (
            second.chosen, second.validation_accuracy,
        )  # fmt: skip
        assert first.accuracy != second.accuracy


def test_changed_views_are_learnt_from_too(tiny: str, bars: Dataset) -> None:
    found = _probe(tiny, bars, head="knn", views=2)
    assert "54 images to learn from, each in 3 views" in str(found)
    assert len(found[0].fitted.classifier.known) == 3 * 54  # type: ignore[attr-defined]


def test_a_model_of_ones_own_is_probed_and_shared(bars: Dataset) -> None:
    image = keras.Input((12, 12, 1))
    x = layers.Conv2D(6, 5, activation="relu", name="see")(image)
    x = layers.Dense(10, name="old")(layers.GlobalAveragePooling2D()(x))
    own = keras.Model(image, x, name="own")
    found = _probe(own, bars)
    assert (found[0].network, found[0].weights, found[0].features) == ("own", "own", 6)
    model = found.model()
    assert model.get_layer("see") is own.get_layer("see")
    assert "old" not in [layer.name for layer in model.layers]


def test_data_of_one_class_or_one_image_of_a_class_are_refused(tiny: str, bars: Dataset) -> None:
    first = bars.train.rows(np.flatnonzero(bars.train.labels == 0))
    with pytest.raises(DataError, match="of one class"):
        _probe(tiny, replace(bars, train=first))
    few = bars.train.rows(np.array([0, 1, 2, 3, 5]))  # one image of the class 1
    with pytest.raises(DataError, match="a single training image of the class 'standing'"):
        _probe(tiny, replace(bars, train=few))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "batch_size=0 cannot be"),
        ({"seed": -1}, "seed=-1 cannot be"),
        ({"head": "svm"}, "No head is named 'svm'"),
        ({"colour": "red"}, "no option 'colour'"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_read(
    tiny: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        cnnzoo.probe(tiny, "nowhere", weights="random", progress=False, **arguments)


def test_progress_that_is_no_terminal_stays_quiet(tiny: str, bars: Dataset) -> None:
    stream = io.StringIO()
    _probe(tiny, bars, progress=stream)
    assert stream.getvalue() == ""
