from __future__ import annotations

import csv
import json
import logging
import shutil
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from PIL import Image

from cnnzoo.errors import DataError, UsageError
from cnnzoo.pictures import ImageFiles
from cnnzoo.training.augmentation import Movement
from cnnzoo.training.batches import Batches
from cnnzoo.training.data.dataset import Dataset, Part
from cnnzoo.training.finetune import Run, fine_tune
from cnnzoo.training.loop import Trainer
from cnnzoo.training.rundir import FILES

QUICK: dict[str, Any] = {"epochs": 2, "batch_size": 16, "progress": False}


def _history(run: Run) -> list[dict[str, str]]:
    with (run.path / "history.csv").open(newline="") as file:
        return [
            {**row, "seconds": "", "images_per_second": "", "waiting": ""}
            for row in csv.DictReader(file)
        ]


def _metrics(run: Run) -> dict[str, Any]:
    return {**run.metrics, "seconds": None}


@pytest.fixture(scope="module")
def run(tiny: str, bars: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of 20 epochs; read it, do not change it."""
    return fine_tune(
        tiny, data=bars, out=tmp_path_factory.mktemp("runs") / "bars", seed=5, epochs=20,
        batch_size=8, learning_rate=0.02, augment="none", progress=False,
    )  # fmt: skip


def test_a_network_learns_and_everything_is_written(run: Run) -> None:
    assert {path.name for path in run.path.iterdir()} == {*FILES, "checkpoints", ".lock"}
    assert run.metrics["test_accuracy"] > 0.6  # guessing gives a third
    assert json.loads((run.path / "metrics.json").read_text()) == run.metrics
    assert len(_history(run)) == run.metrics["epochs"] == 20
    assert np.sum(run.metrics["confusion_matrix"]) == run.metrics["test_images"] == 30
    assert "tiny on bars" in run.report.read_text()
    assert f"{run.metrics['misclassified']} wrong" in str(run)
    assert str(run).endswith(f"report: {run.path / 'report.html'}")


def test_config_holds_what_is_needed_to_do_it_again(run: Run) -> None:
    config = json.loads((run.path / "config.json").read_text())
    assert config["seed"] == config["arguments"]["seed"] == 5
    assert config["recipe"]["epochs"] == 20
    assert config["recipe"]["name"] == "scratch"
    assert config["network"] == {"name": "tiny", "title": "tiny", "parameters": 235}
    assert config["data"]["training_images"] + config["data"]["validation_images"] == 60
    assert config["data"]["validation_images"] == 6
    assert config["data"]["class_names"] == ["lying", "standing", "both"]
    assert {"python", "keras", "backend", "numpy", "cnnzoo"} <= set(config["versions"])
    assert {"cpu", "cores", "platform"} <= set(config["hardware"])
    assert config["command"] is None  # the data came as arrays


def test_the_saved_model_takes_pixels_and_is_the_one_that_was_tested(
    run: Run, bars: Dataset
) -> None:
    saved = keras.saving.load_model(run.path / "model.keras")
    for model in (saved, run.model):
        predicted = model.predict_on_batch(bars.test.images).argmax(axis=1)
        assert (predicted != bars.test.labels).sum() == run.metrics["misclassified"]
    assert not saved.compiled  # the state of an optimizer would triple the file


def test_the_best_epoch_is_the_one_of_the_history(run: Run) -> None:
    rows = _history(run)
    best = max(rows, key=lambda row: (float(row["val_accuracy"]), -float(row["val_loss"])))
    assert int(best["epoch"]) == run.metrics["best_epoch"]
    assert float(best["val_accuracy"]) == run.metrics["validation_accuracy"]


def test_the_same_seed_gives_the_same_figures(tiny: str, bars: Dataset, tmp_path: Path) -> None:
    first, again, other = (
        fine_tune(tiny, data=bars, out=tmp_path / name, seed=seed, **QUICK)
        for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert _history(first) == _history(again)
    assert _metrics(first) == _metrics(again)
    assert _history(first) != _history(other)


class Watched(np.ndarray):
    """Counts how often each image is taken out."""

    taken: dict[int, int]

    def __getitem__(self, index: Any) -> Any:
        for row in np.atleast_1d(index) if not isinstance(index, (slice, tuple)) else ():
            self.taken[int(row)] = self.taken.get(int(row), 0) + 1
        return np.asarray(super().__getitem__(index))


def test_the_test_part_is_read_once_and_after_the_training(
    tiny: str, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(bars.test.images, np.ndarray)
    watched = bars.test.images.view(Watched)
    watched.taken = {}
    after: dict[str, Any] = {}
    load_best = Trainer._load_best

    def note(self: Trainer) -> None:
        after["taken"] = dict(watched.taken)
        after["epochs"] = len((tmp_path / "history.csv").read_text().splitlines()) - 1
        load_best(self)

    monkeypatch.setattr(Trainer, "_load_best", note)
    monkeypatch.setattr("cnnzoo.training.record.fingerprint", lambda _: "")
    monkeypatch.setattr("cnnzoo.training.finetune.render", lambda *a, **b: "")  # shows mistakes
    fine_tune(tiny, data=replace(bars, test=Part(watched, bars.test.labels)), out=tmp_path, **QUICK)
    assert after == {"taken": {}, "epochs": 2}
    assert watched.taken == dict.fromkeys(range(30), 1)


class BreaksAfter(StringIO):
    """A stream that fails when the given number of epochs has been written."""

    def __init__(self, lines: int, error: BaseException) -> None:
        super().__init__()
        self.lines, self.error = lines, error

    def write(self, text: str) -> int:
        if self.getvalue().count("epoch ") >= self.lines:
            raise self.error
        return super().write(text)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("power cut")])
def test_a_run_that_dies_leaves_a_folder_that_can_be_used(
    tiny: str, bars: Dataset, tmp_path: Path, error: BaseException
) -> None:
    with pytest.raises(type(error)):
        fine_tune(
            tiny, data=bars, out=tmp_path, epochs=9, batch_size=16, progress=BreaksAfter(2, error)
        )
    assert {path.name for path in tmp_path.iterdir()} == {
        "config.json", "history.csv", "model.keras", "checkpoints", ".lock"
    }  # fmt: skip
    assert len((tmp_path / "history.csv").read_text().splitlines()) == 1 + 3
    keras.saving.load_model(tmp_path / "model.keras")
    assert fine_tune(tiny, data=bars, out=tmp_path, overwrite=True, **QUICK).report.exists()


def test_a_file_that_vanishes_during_training_is_named(tiny: str, tmp_path: Path) -> None:
    paths = [tmp_path / f"image-{i}.png" for i in range(40)]
    for path in paths:
        Image.new("L", (12, 12)).save(path)

    class Deletes(StringIO):
        def write(self, text: str) -> int:
            for path in paths if "epoch 1" in text else ():
                path.unlink(missing_ok=True)
            return super().write(text)

    part = Part(ImageFiles(paths), np.arange(40) % 2)
    data = Dataset("files", "", part, part, ("a", "b"), channels=1)
    with pytest.raises(DataError, match=r"image-\d+\.png: it cannot be read: No such file"):
        fine_tune(tiny, data=data, out=tmp_path / "run", epochs=9, batch_size=4, progress=Deletes())
    keras.saving.load_model(tmp_path / "run" / "model.keras")


def test_training_images_are_shuffled_and_moved_and_validation_images_are_not(
    tiny: str, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Batches] = []

    class Noted(Batches):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            made.append(self)

    monkeypatch.setattr("cnnzoo.training.finetune.Batches", Noted)
    fine_tune(tiny, data=bars, out=tmp_path, seed=7, augment="photos, erase", **QUICK)
    learnt, checked, tested = made
    assert learnt.seed == 7
    assert learnt.movement == Movement(flip=True, shift=0.1, zoom=0.1)
    assert len(learnt.effects.layers) == 1
    for still in (checked, tested):
        assert (still.seed, still.movement, still.effects.layers) == (None, None, [])
    assert (len(learnt.part), len(checked.part)) == (54, 6)


@pytest.mark.parametrize(
    "arguments",
    [
        {"epochs": 0},
        {"learning_rate": -1.0},
        {"optimizer": "adamant"},
        {"colour": True},
        {"out": __file__},
        {"out": Path(__file__).parent},
    ],
)
def test_bad_arguments_are_refused_before_data_are_looked_for(
    tiny: str, arguments: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        fine_tune(tiny, data="nowhere.npz", **arguments)


def test_arguments_that_do_not_fit_the_data_are_refused_before_a_network_is_built(
    tiny: str, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cnnzoo.training.network.build", lambda *a, **b: pytest.fail("built"))
    with pytest.raises(UsageError, match="batch_size=61 is more than the 60 training images"):
        fine_tune(tiny, data=bars, out=tmp_path / "run", batch_size=61)
    few = replace(bars, train=bars.train.rows(np.arange(6)))
    with pytest.raises(UsageError, match="leaves no training image of the class 'lying'"):
        fine_tune(tiny, data=few, out=tmp_path / "run", validation_fraction=0.9, batch_size=2)
    assert not (tmp_path / "run" / "config.json").exists()


def test_images_last_is_the_only_data_format(tiny: str, bars: Dataset) -> None:
    keras.config.set_image_data_format("channels_first")
    try:
        with pytest.raises(UsageError, match="set_image_data_format"):
            fine_tune(tiny, data=bars)
    finally:
        keras.config.set_image_data_format("channels_last")


def test_an_older_run_stays_when_the_new_data_cannot_be_read(
    tiny: str, run: Run, tmp_path: Path
) -> None:
    old = shutil.copytree(run.path, tmp_path / "old")
    before = _contents(old)
    with pytest.raises(DataError):
        fine_tune(tiny, data="nowhere.npz", out=old, overwrite=True, **QUICK)
    assert _contents(old) == before


def _contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_without_out_a_free_folder_is_found(
    tiny: str, bars: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("runs/tiny-bars").mkdir(parents=True)
    assert fine_tune(tiny, data=bars, **QUICK).path == Path("runs/tiny-bars-2")


def test_notes_about_the_data_reach_the_log_the_config_and_the_report(
    tiny: str, bars: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "cnnzoo"):
        run = fine_tune(tiny, data=replace(bars, notes=("Half dark.",)), out=tmp_path, **QUICK)
    assert caplog.messages == ["bars: Half dark."]
    assert json.loads((tmp_path / "config.json").read_text())["data"]["notes"] == ["Half dark."]
    assert "Half dark." in run.report.read_text()


def test_coloured_images_of_another_size_fit_a_grey_network(tiny: str, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 20, 9, 3), np.uint8)
    np.savez(
        tmp_path / "coloured.npz",
        x_train=images, y_train=np.arange(20) % 4, x_test=255 - images, y_test=np.arange(20) % 4,
    )  # fmt: skip
    run = fine_tune(tiny, data=tmp_path / "coloured.npz", out=tmp_path / "run", **QUICK)
    assert run.model.input_shape == (None, 12, 12, 1)
    config = json.loads((run.path / "config.json").read_text())
    assert config["recipe"]["augment"][0] == "rotate 10"  # the classes are digits: never mirrored
    assert config["data"]["images"].endswith("where they differ, RGB becomes its luma")
    assert run.model.output_shape == (None, 4)
    command = json.loads((run.path / "config.json").read_text())["command"]
    assert command.startswith(f"cnnzoo finetune tiny --data {tmp_path / 'coloured.npz'} ")


def test_progress_goes_to_standard_output_or_where_it_is_told(
    tiny: str, bars: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = StringIO()
    fine_tune(tiny, data=bars, out=tmp_path / "a", epochs=2, progress=stream)
    lines = stream.getvalue().splitlines()
    assert lines[0].startswith("tiny on bars: 54 images to learn from, 6 for validation, 30 to")
    assert lines[1] == "images: resized to 12 x 12 where they differ, grey"
    assert lines[2].startswith("recipe scratch: ")
    assert "  learning_rate         0.002" in lines
    assert [line.split()[:2] for line in lines[-2:]] == [["epoch", "1/2"], ["epoch", "2/2"]]
    assert capsys.readouterr().out == ""
    fine_tune(tiny, data=bars, out=tmp_path / "b", epochs=1)
    assert "epoch 1/1" in capsys.readouterr().out


def test_leaking_images_are_refused_or_skipped_by_flag(tiny: str, tmp_path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, (24, 12, 12, 1), np.uint8)
    labels = np.arange(24) % 3
    np.savez(
        tmp_path / "leaks.npz", x_train=images, y_train=labels, x_test=images[:9],
        y_test=labels[:9], class_names=["a", "b", "c"],
    )  # fmt: skip
    with pytest.raises(DataError, match="leak"):
        fine_tune(tiny, data=tmp_path / "leaks.npz", out=tmp_path / "run", **QUICK)
    quick = QUICK | {"batch_size": 4, "bad_data": "skip"}
    run = fine_tune(tiny, data=tmp_path / "leaks.npz", out=tmp_path / "run", **quick)
    config = json.loads((run.path / "config.json").read_text())
    assert config["data"]["bad_data"] == "skip"
    assert config["command"].endswith(" --bad-data skip")
    assert any("9" in note for note in config["data"]["notes"])


def test_sides_and_phases_are_compiled_without_a_warning(
    tiny: str, bars: Dataset, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    logger = logging.getLogger("tensorflow")
    logger.addHandler(caplog.handler)
    try:
        fine_tune(
            tiny, data=bars, out=tmp_path / "run", input_shape=(28, 28, 1), first_size=0.3,
            epochs=9, batch_size=48, progress=False,
        )  # fmt: skip
    finally:
        logger.removeHandler(caplog.handler)
    assert not [record for record in caplog.records if "retracing" in record.getMessage()]
    assert logger.isEnabledFor(logging.WARNING)
