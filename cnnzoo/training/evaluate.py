"""What a network gets right: the figures and the report of fine-tuning, for any model and data."""

from __future__ import annotations

import json
import os
import shlex
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np

from cnnzoo import machine
from cnnzoo.catalogue.labels import check_classes
from cnnzoo.errors import DataError, UsageError
from cnnzoo.files import write_json, write_text
from cnnzoo.pictures import ImageFiles
from cnnzoo.runfiles import CONFIG, METRICS, REPORT
from cnnzoo.runtimes import names
from cnnzoo.runtimes.choose import compile
from cnnzoo.training.answers import calibration, probabilities_of
from cnnzoo.training.data.dataset import Dataset, Part
from cnnzoo.training.data.load import Asked
from cnnzoo.training.metrics import score
from cnnzoo.training.report import render
from cnnzoo.training.rundir import free_path
from cnnzoo.training.subject import Subject, find_subject
from cnnzoo.units import percent
from cnnzoo.view import View

KIND = "cnnzoo evaluation"
FILES = (METRICS, REPORT)  # beside CONFIG
USUAL = {"batch_size": 32, "runtime": "auto", "precision": "float32"}
PARTS = ("test", "validation", "train", "all")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What came out.

    Attributes:
        path: The folder with config.json, metrics.json and report.html.
        metrics: What metrics.json holds; accuracies are fractions.
        probabilities: (N, classes), in the order of the images.
    """

    path: Path
    metrics: dict[str, Any]
    probabilities: np.ndarray = field(repr=False)

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def __str__(self) -> str:
        m = self.metrics
        low, high = m["test_accuracy_interval"]
        what = {"train": "training ", "all": ""}.get(m["part"], f"{m['part']} ")
        return (
            f"{percent(m['test_accuracy'])} of {m['test_images']:,} {what}images right "
            f"(95 % interval {percent(low)} to {percent(high)}), {m['misclassified']:,} wrong\n"
            f"report: {self.report}"
        )


def evaluate(
    model: str | os.PathLike[str] | keras.Model,
    *,
    data: str | os.PathLike[str] | Dataset,
    weights: str | None = None,
    part: str = "test",
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    batch_size: int = 32,
    bad_data: str = "refuse",
    follow_links: bool = False,
    runtime: str = "auto",
    precision: str = "float32",
    progress: bool | TextIO = True,
    **options: Any,
) -> Evaluation:
    """Measure a network on labelled images and write the report.

    Images are decoded batch by batch; memory does not grow with their number.

    Args:
        model: The folder of a run of ``cnnzoo finetune``, the path of a ``.keras`` file, a name
            of ``cnnzoo.list_models()``, or a Keras model. It takes pixels 0 to 255.
        data: What ``cnnzoo.load_data`` takes or returns.
        weights: With a name: a tag of ``cnnzoo info NAME``, or a file; the first tag unless
            given. Images are resized and cut as those weights were measured.
        part: "test", "validation", "train" or "all" images of the data.
        out: Folder for the results, new or empty; ``runs/evaluate-<model>-<data>`` unless given.
        overwrite: Replace an older evaluation in ``out``.
        batch_size: Images at once.
        bad_data: "refuse", "skip" or "keep" damaged and leaking images, as ``cnnzoo.load_data``.
        follow_links: Accept links and paths that lead out of the dataset's folder.
        runtime: What computes: "auto", "keras", "openvino" or "onnxruntime", as for
            ``cnnzoo.inference.compile``.
        precision: In what: "float32", so that the figures do not depend on the machine, "bfloat16",
            "auto", or "int8", calibrated on training images.
        progress: Whether to show it on standard error, or the stream to show it on.
        **options: With a name: the network's own options.

    Raises:
        UnknownNameError: No network, or no weights of it, are called so.
        UsageError: An argument cannot work; nothing was written.
        DataError: Images that cannot be read, or classes that are not those of the network.
        DownloadError, IntegrityError, StorageError, WeightsError: The weights cannot be had.
        MissingExtraError: The runtime that was named is not installed.
    """
    runtime, precision = names.check(runtime, precision)
    if isinstance(model, keras.Model):
        subject = Subject(model.name, model.name)
    else:
        subject = find_subject(model, weights, options)
    check_settings(part, batch_size)
    if keras.config.image_data_format() != "channels_last":
        raise UsageError("evaluate needs keras.config.set_image_data_format('channels_last').")
    if out is not None:
        _check_folder(Path(out), overwrite)
    asked = Asked.by(data, bad_data, follow_links)
    dataset = asked.load(data)
    images = _part(dataset, part)
    class_names = check_classes(
        subject.title,
        subject.class_names,
        dataset.class_names,
        of_digits=dataset.name in ("digits", "mnist"),
    )
    network = model if isinstance(model, keras.Model) else subject.load()
    view = _view(subject, network, len(class_names))
    stream = sys.stderr if progress is True else progress or None
    began = time.perf_counter()
    runner = compile(
        network,
        runtime,
        precision,
        batch_size=batch_size,
        images=len(images),
        calibration=calibration(dataset, view) if precision == "int8" else None,
    )
    probabilities, notes = probabilities_of(runner, subject.title, view, images, stream)
    metrics = {
        **score(images.labels, probabilities, class_names),
        "part": part,
        "seconds": round(time.perf_counter() - began, 3),
        "runtime": runner.runtime,
        "precision": runner.precision,
    }
    config = _config(subject, network, dataset, metrics, view)
    settings = {"part": part, "batch_size": batch_size, "runtime": runtime, "precision": precision}
    config["command"] = _command(model, asked, weights, options, settings)
    config["data"]["notes"] += notes
    page = render(config, [], metrics, images, probabilities, model=network, view=view)
    path = Path(out) if out is not None else _usual(subject, dataset, overwrite)
    _write(path, overwrite, config, metrics, page)
    return Evaluation(path, metrics, probabilities)


def _usual(subject: Subject, dataset: Dataset, overwrite: bool) -> Path:
    """``runs/evaluate-<model>-<data>``, with a number where that is taken and is to stay."""
    name = f"evaluate-{subject.name}-{dataset.name}"
    return Path("runs", name) if overwrite else free_path(name)


def check_settings(part: str, batch_size: int) -> None:
    """Refuse a part or a batch size that cannot be."""
    if part not in PARTS:
        raise UsageError(f"part={part!r} cannot be. Use one of: {', '.join(PARTS)}.")
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise UsageError(f"batch_size={batch_size!r} cannot be. Use a whole number from 1.")


def _view(subject: Subject, network: keras.Model, classes: int) -> View:
    """How images become the network's input, which must be one we can make."""
    try:
        (taken,), (given,) = network.inputs, network.outputs
        shape, outputs = tuple(taken.shape), tuple(given.shape)
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(
            f"{subject.title} does not have one input and one output; a classifier of images has."
        ) from error
    if len(shape) != 4 or None in shape[1:] or shape[3] not in (1, 3) or len(outputs) != 2:
        raise UsageError(
            f"{subject.title} takes {shape} and gives {outputs}; a classifier of images takes "
            "(N, height, width, 1 or 3) of known size and gives (N, classes)."
        )
    if outputs[1] != classes:
        raise DataError(
            f"{subject.title} gives {outputs[1]} numbers per image, the data have {classes} "
            "classes."
        )
    if subject.entry is None or subject.entry.resize is None:
        return View(*shape[1:])
    return View(*shape[1:], subject.entry.resize, subject.entry.interpolation)


def _part(dataset: Dataset, part: str) -> Part:
    """The images to measure; there is at least one."""
    held = {"train": dataset.train, "validation": dataset.validation, "test": dataset.test}
    asked = list(held.values()) if part == "all" else [held[part]]
    chosen = [one for one in asked if one is not None and len(one)]
    if not chosen:
        has = [name for name, one in held.items() if one is not None and len(one)]
        raise DataError(
            f"{dataset.name} has no {part} images. It has these parts: {', '.join(has)}."
        )
    if len(chosen) == 1:
        return chosen[0]
    labels = np.concatenate([one.labels for one in chosen])
    files = [one.images.paths for one in chosen if isinstance(one.images, ImageFiles)]
    if files:
        return Part(ImageFiles([path for paths in files for path in paths]), labels)
    return Part(np.concatenate([one.images for one in chosen]), labels)


def _config(
    subject: Subject, network: keras.Model, dataset: Dataset, metrics: dict[str, Any], view: View
) -> dict[str, Any]:
    cut = None if view.resize is None else f"shorter side to {view.resize}, middle cut out"
    return {
        "kind": KIND,
        "network": {
            "name": subject.name,
            "title": subject.title,
            "parameters": network.count_params(),
        },
        "arguments": {
            "part": metrics["part"],
            "weights": subject.weights,
            "options": dict(subject.options),
            "input_shape": list(view.shape),
            "images": cut or "resized to the input",
            "runtime": metrics["runtime"],
            "precision": metrics["precision"],
        },
        "data": {
            "name": dataset.name,
            "source": dataset.source,
            "part": metrics["part"],
            "images": metrics["test_images"],
            "class_names": metrics["class_names"],
            "notes": list(dataset.notes) if metrics["part"] != "train" else [],
        },
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": machine.versions(),
        "hardware": machine.hardware(),
    }


def _command(
    model: Any, asked: Asked, weights: str | None, options: Any, settings: dict[str, Any]
) -> str | None:
    """What to type to do it again, if it can be typed."""
    if isinstance(model, keras.Model) or asked.argument is None:
        return None
    words = ["cnnzoo", "evaluate", os.fspath(model), "--data", asked.argument, *asked.words()]
    words += ["--weights", weights] if weights is not None else []
    for name, value in settings.items():
        words += [f"--{name.replace('_', '-')}", str(value)] if value != USUAL.get(name) else []
    for name, value in options.items():
        text = str(value).lower() if isinstance(value, bool) else value
        words += ["--option", f"{name}={text}"]
    return shlex.join(words)


def _check_folder(path: Path, overwrite: bool) -> None:
    """Refuse a folder that holds anything but an evaluation that may be overwritten."""
    if not os.path.lexists(path) or (path.is_dir() and not any(path.iterdir())):
        return
    if not path.is_dir():
        raise UsageError(f"out={str(path)!r} is a file. Give a folder.")
    try:
        ours = json.loads((path / CONFIG).read_text("utf-8"))["kind"] == KIND
    except (OSError, ValueError, KeyError, TypeError):
        ours = False
    if not ours:
        raise UsageError(
            f"out={str(path)!r} holds files that are no evaluation. Give an empty folder or one "
            "that does not exist."
        )
    if not overwrite:
        raise UsageError(
            f"out={str(path)!r} holds an evaluation already. Give another folder, or pass "
            "overwrite=True (--overwrite) to replace it."
        )


def _write(
    path: Path, overwrite: bool, config: dict[str, Any], metrics: dict[str, Any], page: str
) -> None:
    """metrics.json comes last: its presence means that the folder is whole."""
    _check_folder(path, overwrite)
    for name in FILES:
        (path / name).unlink(missing_ok=True)
    write_json(path / CONFIG, config)
    write_text(path / REPORT, page)
    write_json(path / METRICS, metrics)
