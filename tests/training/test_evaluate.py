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
from PIL import Image

from cnnzoo.errors import DataError, UsageError
from cnnzoo.runfiles import KIND
from cnnzoo.training.data.dataset import Dataset
from cnnzoo.training.evaluate import evaluate


def _network(activation: str | None = "softmax", classes: int = 3) -> keras.Model:
    keras.utils.set_random_seed(0)
    image = keras.Input((12, 12, 1))
    x = layers.Conv2D(4, 3, activation="relu", name="see")(layers.Rescaling(1 / 255)(image))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(image, layers.Dense(classes, activation=activation)(x), name="small")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.keras"
    _network().save(path)
    return path


def test_the_figures_are_those_of_the_network(file: Path, bars: Dataset, tmp_path: Path) -> None:
    found = evaluate(file, data=bars, out=tmp_path / "out", batch_size=7, progress=False)
    expected = _network().predict_on_batch(bars.test.images)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-6)
    wrong = int((expected.argmax(axis=1) != bars.test.labels).sum())
    assert found.metrics["misclassified"] == wrong
    assert found.metrics["part"] == "test"
    assert found.metrics["class_names"] == ["lying", "standing", "both"]
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == found.metrics
    assert (
        str(found).splitlines()[0].startswith(f"{100 * (30 - wrong) / 30:.2f} % of 30 test images")
    )
    page = found.report.read_text()
    assert "small.keras on bars" in page
    assert "what spoke for" in page


@pytest.mark.parametrize(
    ("asked", "precision"),
    [({"runtime": "openvino"}, "float32"), ({"runtime": "openvino", "precision": "int8"}, "int8")],
)
def test_another_runtime_gives_the_same_figures_and_the_report_names_it(
    file: Path,
    bars: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, str],
    precision: str,
) -> None:
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / "cache"))
    found = evaluate(file, data=bars, out=tmp_path / "out", progress=False, **asked)
    expected = _network().predict_on_batch(bars.test.images)
    close = {"float32": 1e-5, "int8": 0.1}[precision]
    np.testing.assert_allclose(found.probabilities, expected, atol=close)
    assert (found.metrics["runtime"], found.metrics["precision"]) == ("openvino", precision)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["arguments"]["runtime"] == "openvino"
    assert config["arguments"]["precision"] == precision
    assert ("in int8 differs from Keras" in found.report.read_text()) is (precision == "int8")


def test_few_images_are_left_to_keras(file: Path, bars: Dataset, tmp_path: Path) -> None:
    found = evaluate(file, data=bars, out=tmp_path / "out", progress=False)
    assert (found.metrics["runtime"], found.metrics["precision"]) == ("keras", "float32")
    with pytest.raises(UsageError, match="openvino"):
        evaluate(file, data=bars, runtime="openvno", progress=False)


def test_a_sequential_model_of_ones_own_is_evaluated(bars: Dataset, tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            layers.Rescaling(1 / 255),
            layers.Conv2D(4, 3),
            layers.Flatten(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.save(tmp_path / "own.keras")
    found = evaluate(tmp_path / "own.keras", data=bars, out=tmp_path / "out", progress=False)
    expected = model.predict_on_batch(bars.test.images).argmax(axis=1)
    assert found.metrics["misclassified"] == int((expected != bars.test.labels).sum())
    assert "what spoke for" in found.report.read_text()


def test_the_usual_folder_is_overwritten_when_asked_to(
    file: Path, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first, second, third = (
        evaluate(file, data=bars, progress=False, overwrite=overwrite).path
        for overwrite in (False, False, True)
    )
    assert first == third == Path("runs/evaluate-small-bars")
    assert second == Path("runs/evaluate-small-bars-2")


def test_parts_are_chosen(file: Path, bars: Dataset, tmp_path: Path) -> None:
    counts = {
        part: evaluate(file, data=bars, part=part, out=tmp_path / part, progress=False).metrics[
            "test_images"
        ]
        for part in ("train", "test", "all")
    }
    assert counts == {"train": 60, "test": 30, "all": 90}


def test_all_parts_of_files_are_measured(file: Path, tmp_path: Path) -> None:
    for i in range(12):
        folder = tmp_path / "data" / ("train", "test")[i % 2] / "abc"[i % 3]
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((12, 12), 20 * i, np.uint8)).save(folder / f"{i}.png")
    out = tmp_path / "out"
    found = evaluate(file, data=tmp_path / "data", part="all", out=out, progress=False)
    assert found.probabilities.shape == (12, 3)
    assert found.metrics["per_class"][0]["support"] == 4


def test_a_part_that_the_data_do_not_have_is_refused(file: Path, bars: Dataset) -> None:
    with pytest.raises(DataError, match=r"bars has no validation images.*: train, test"):
        evaluate(file, data=bars, part="validation", progress=False)


def test_logits_become_probabilities_and_the_report_says_so(bars: Dataset, tmp_path: Path) -> None:
    found = evaluate(_network(None), data=bars, out=tmp_path / "out", progress=False)
    expected = _network().predict_on_batch(bars.test.images)
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)
    assert "a softmax was applied to them" in found.report.read_text()
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["command"] is None  # network and data came as objects


def test_answers_above_zero_that_do_not_add_up_to_1_are_no_probabilities(
    bars: Dataset, tmp_path: Path
) -> None:
    found = evaluate(_network("softplus"), data=bars, out=tmp_path / "out", progress=False)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-5)


def test_a_run_is_evaluated_with_its_class_names(file: Path, bars: Dataset, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    file.rename(run / "model.keras")
    config: dict[str, Any] = {"kind": KIND, "data": {"class_names": ["lying", "standing", "both"]}}
    (run / "config.json").write_text(json.dumps(config))
    found = evaluate(run, data=bars, out=tmp_path / "out", progress=False)
    assert found.metrics["test_images"] == 30
    swapped = replace(bars, class_names=("standing", "lying", "both"))
    with pytest.raises(DataError, match="another order"):
        evaluate(run, data=swapped, out=tmp_path / "other", progress=False)
    assert not (tmp_path / "other").exists()


def test_published_weights_are_evaluated_by_name(tmp_path: Path) -> None:
    found = evaluate(
        "lenet5", data="digits", out=tmp_path / "out", bad_data="skip", batch_size=64,
        progress=False,
    )  # fmt: skip
    assert found.metrics["test_images"] > 300
    assert "LeNet-5, weights mnist on digits" in found.report.read_text()
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["command"] == (
        "cnnzoo evaluate lenet5 --data digits --bad-data skip --part test --batch-size 64"
    )


def test_nothing_is_overwritten_unless_asked(file: Path, bars: Dataset, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = evaluate(file, data=bars, out=out, progress=False)
    with pytest.raises(UsageError, match="holds an evaluation already"):
        evaluate(file, data=bars, out=out, progress=False)
    again = evaluate(file, data=bars, out=out, overwrite=True, part="all", progress=False)
    assert (first.metrics["part"], again.metrics["part"]) == ("test", "all")
    assert json.loads((out / "metrics.json").read_text())["part"] == "all"


def test_a_run_is_never_overwritten(file: Path, bars: Dataset, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"kind": KIND}))
    with pytest.raises(UsageError, match="no evaluation"):
        evaluate(file, data=bars, out=tmp_path, overwrite=True, progress=False)
    with pytest.raises(UsageError, match="is a file"):
        evaluate(file, data=bars, out=tmp_path / "config.json", progress=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"part": "tset"}, "test, validation, train, all"),
        ({"batch_size": 0}, "whole number from 1"),
        ({"weights": "imagenet"}, "Leave weights and options out"),
    ],
)
def test_what_cannot_work_is_refused(
    file: Path, bars: Dataset, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        evaluate(file, data=bars, progress=False, **arguments)


def test_a_network_for_other_things_is_refused(bars: Dataset, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="gives 5 numbers per image, the data have 3 classes"):
        evaluate(_network(classes=5), data=bars, progress=False)
    words = keras.Input((7,))
    with pytest.raises(UsageError, match="a classifier of images takes"):
        evaluate(keras.Model(words, layers.Dense(3)(words)), data=bars, progress=False)
    image = keras.Input((12, 12, 1))
    flat = layers.Flatten()(image)
    two = keras.Model(image, [layers.Dense(3)(flat), layers.Dense(3)(flat)])
    with pytest.raises(UsageError, match="one input and one output"):
        evaluate(two, data=bars, progress=False)
    (tmp_path / "broken.keras").write_bytes(b"no zip")
    with pytest.raises(DataError, match="cannot be loaded"):
        evaluate(tmp_path / "broken.keras", data=bars, progress=False)


def test_progress_that_is_no_terminal_stays_quiet(
    file: Path, bars: Dataset, tmp_path: Path
) -> None:
    stream = io.StringIO()
    evaluate(file, data=bars, out=tmp_path / "out", progress=stream)
    assert stream.getvalue() == ""
