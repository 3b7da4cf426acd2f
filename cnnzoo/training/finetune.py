"""From data to a trained network, its figures and a report.

The training part gives a stratified share for validation. After every epoch the network is
measured on that share, and the weights of the best epoch are kept: the highest accuracy, among
equals the lowest loss. The test part is read once, at the very end, by those weights.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TextIO

import keras
import numpy as np

from cnnzoo.catalogue import augmentations
from cnnzoo.catalogue.recipes import ALIASES, SETTINGS, Recipe
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import CheckpointError, UsageError
from cnnzoo.runtimes.quiet import compiling_again
from cnnzoo.sources import find_source
from cnnzoo.training.batches import Batches
from cnnzoo.training.data.dataset import Dataset, Part
from cnnzoo.training.data.load import Asked
from cnnzoo.training.fast_steps import fast_steps
from cnnzoo.training.loop import Trainer, Watcher
from cnnzoo.training.network import PlannedNetwork
from cnnzoo.training.plan import Plan, make_plan
from cnnzoo.training.progress import ShowProgress, TensorBoard
from cnnzoo.training.record import config_of, metrics_of, sheet
from cnnzoo.training.report import render
from cnnzoo.training.resume import check_reading, same_run
from cnnzoo.training.rundir import RunDirectory, free_path
from cnnzoo.training.schedules import shrunk
from cnnzoo.training.splits import emptied, stratified
from cnnzoo.units import duration, percent

log = logging.getLogger("cnnzoo")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes:
        path: The folder with config.json, history.csv, metrics.json, model.keras, report.html.
        metrics: What metrics.json holds; accuracies are fractions.
        model: The network with the weights that were tested; takes pixels 0 to 255.
    """

    path: Path
    metrics: dict[str, Any]
    model: keras.Model = field(repr=False)

    @property
    def report(self) -> Path:
        return self.path / "report.html"

    def __str__(self) -> str:
        m = self.metrics
        return (
            f"{percent(m['test_accuracy'])} of {m['test_images']:,} test images right, "
            f"{m['misclassified']:,} wrong\n"
            f"{duration(m['seconds'])} of training, best epoch {m['best_epoch']} of {m['epochs']}\n"
            f"report: {self.report}"
        )


@dataclass(frozen=True, slots=True)
class Surroundings:
    """How a run is shown and kept, which changes nothing about its result."""

    stream: TextIO | None
    tensorboard: bool
    checkpoint_seconds: float


def fine_tune(
    architecture: str | None = None,
    *,
    data: str | os.PathLike[str] | Dataset | None = None,
    recipe: str | Recipe = "auto",
    settings: Mapping[str, Any] | None = None,
    weights: str | None = None,
    input_shape: tuple[int, int, int] | None = None,
    seed: int = 0,
    out: str | os.PathLike[str] | None = None,
    overwrite: bool = False,
    resume: str | os.PathLike[str] | None = None,
    bad_data: str = "refuse",
    follow_links: bool = False,
    progress: bool | TextIO = True,
    tensorboard: bool = False,
    checkpoint_minutes: float = 5.0,
    **options: Any,
) -> Run:
    """Train a network on labelled images, measure it on the test part and write a report.

    The same arguments on the same machine give the same figures. Whatever stops a run, it can be
    taken up again with ``fine_tune(resume=FOLDER)``, as if it had never stopped.

    Args:
        architecture: A name of ``cnnzoo.list_models()``.
        data: What ``cnnzoo.load_data`` takes or returns.
        recipe: How to train: a name that ``cnnzoo finetune --list-recipes`` shows, or "auto":
            "scratch" without weights and "transfer" with them.
        settings: Fields of the recipe to change, such as ``{"epochs": 5, "lr": 0.01}``.
        weights: As for ``cnnzoo.build``.
        input_shape: Height, width and channels; the network's own unless given. Images are
            resized to it, grey is repeated to RGB, RGB becomes its luma for one channel.
        seed: Of the weights, the validation split, the order and the changes of the images.
        out: Folder for the results, new or empty; ``runs/<network>-<data>`` unless given.
        overwrite: Replace an older run in ``out``; only files of a run are removed.
        resume: Folder of a run to go on with. Other arguments may be left out; those that are
            given must be the ones the run was started with.
        bad_data: What to do about damaged, contradictory and leaking images: "refuse" them all,
            "skip" them, or "keep" what can be trained on; as for ``cnnzoo.load_data``.
        follow_links: Accept links and paths that lead out of the dataset's folder.
        progress: Whether to show it on standard output, or the stream to show it on.
        tensorboard: Also write the figures of every epoch for TensorBoard, into the folder.
        checkpoint_minutes: Longest time between two checkpoints; there is one after every epoch.
        **options: Fields of the recipe, such as ``epochs=5``, and the network's own options, see
            ``cnnzoo info NAME``.

    Raises:
        UsageError: An argument cannot work; nothing was read, built or written.
        DataError: Images or labels that cannot be used.
        InterruptedRun: By Ctrl-C or SIGTERM; everything was saved.
        TrainingError: The loss stopped being a number, or memory is short.
        CheckpointError: The run to resume is another one, or none of its checkpoints is intact.
        RunLockedError: Another process trains in the folder.
    """
    about = Surroundings(
        sys.stdout if progress is True else progress or None,
        tensorboard,
        60 * _minutes(checkpoint_minutes),
    )
    if keras.config.image_data_format() != "channels_last":
        raise UsageError("fine_tune needs keras.config.set_image_data_format('channels_last').")
    plan = None
    if architecture is not None:
        own, fields = split_options(options, settings)
        plan = make_plan(
            architecture, recipe=recipe, settings=fields, weights=weights,
            input_shape=input_shape, seed=seed, **own,
        )  # fmt: skip
    if resume is not None:
        if out is not None or overwrite:
            raise UsageError("resume goes on in its own folder: leave out and overwrite out.")
        given = {"recipe": recipe != "auto", "settings": settings, "weights": weights,
                 "input_shape": input_shape, "seed": seed, **options}  # fmt: skip
        if plan is None and (others := [name for name, value in given.items() if value]):
            raise UsageError(
                f"{', '.join(sorted(others))} cannot be changed in a run that goes on. To compare "
                "them with those it was started with, name the network too."
            )
        asked_now = Asked(None, bad_data, follow_links)
        return _resume(RunDirectory(Path(resume)), plan, data, asked_now, about)
    if plan is None or data is None:
        raise UsageError("Give a network and data, or resume=FOLDER to go on with a run.")
    if plan.weights is not None:
        find_source(plan.weights, get_spec(plan.network), include_top=True)
    if out is not None:
        RunDirectory(Path(out), overwrite).check()
    asked = Asked.by(data, bad_data, follow_links)
    dataset = asked.load(data)
    for note in dataset.notes:
        log.warning("%s: %s", dataset.name, note)
    plan = plan.for_data(len(dataset.train), dataset.channels, dataset.class_names)
    path = Path(out) if out is not None else free_path(f"{plan.network}-{dataset.name}")
    run = RunDirectory(path, overwrite)
    with run.locked():
        run.check()
        return _run(plan, dataset, run, about, asked)


def split_options(
    options: Mapping[str, Any], settings: Mapping[str, Any] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the network, and fields of the recipe, of what was given by name."""
    fields = {name: value for name, value in options.items() if name in {*SETTINGS, *ALIASES}}
    if twice := sorted(fields.keys() & (settings or {}).keys()):
        raise UsageError(f"{twice[0]} is given by name and in settings. Give it once.")
    own = {name: value for name, value in options.items() if name not in fields}
    given = {name: value for name, value in fields.items() if value is not None}
    return own, {**(settings or {}), **given}


def _resume(
    run: RunDirectory, plan: Plan | None, data: Any, asked_now: Asked, about: Surroundings
) -> Run:
    """Go on with a run, if it is the same one."""
    config, metrics = run.read_config(), run.read_metrics()
    check_reading(config, run.path, asked_now)
    if metrics is None or plan is not None or data is not None:
        stored, dataset, asked = same_run(config, run.path, plan, data)
    if metrics is not None:
        if not run.model.is_file():
            raise CheckpointError(
                f"The run in {run.path} is finished, and its model.keras and checkpoints are gone. "
                "Start a new run in another folder."
            )
        log.warning("%s is finished; nothing is left to do.", run.path)
        return Run(run.path, metrics, keras.saving.load_model(run.model))
    with run.locked():
        return _run(stored, dataset, run, about, asked, config)


@compiling_again()  # phases, sides and the last batch have graphs of their own
def _run(
    plan: Plan,
    dataset: Dataset,
    run: RunDirectory,
    about: Surroundings,
    asked: Asked,
    config: dict[str, Any] | None = None,
) -> Run:
    """Split, build, train, measure, report; with ``config``, go on where it was left."""
    recipe, classes = plan.recipe, len(dataset.class_names)
    parts = _parts(dataset, plan)
    keras.utils.set_random_seed(plan.seed)
    network = PlannedNetwork(plan, dataset.class_names, _teller(about.stream))
    effects = augmentations.parse(recipe.augment)
    size = recipe.batch_size
    batches = Batches(
        parts[0], plan.input_shape, size, classes, seed=plan.seed, effects=effects,
        sides=partial(shrunk, recipe),
    )  # fmt: skip
    validation = Batches(parts[1], plan.input_shape, size, classes)
    network.initialise_from(batches)
    going_on = config is not None
    if config is None:
        config = config_of(plan, dataset, parts, network.model, asked)
        run.start(config)
    trainer = Trainer(
        network, recipe, batches, validation, run, checkpoint_seconds=about.checkpoint_seconds
    )
    if going_on and (checkpoint := run.checkpoints.newest()) is not None:
        trainer.restore(checkpoint)
        log.warning("Going on after step %s.", trainer.progress.step)
    _say(about.stream, plan, dataset, config)
    trainer.watchers = _watchers(about, run, trainer)
    with fast_steps(network.model):
        progress = trainer.train()
    probabilities = _predict(network.model, plan, dataset.test)
    metrics = metrics_of(dataset, probabilities, progress, recipe)
    page = render(
        config, progress.history, metrics, dataset.test, probabilities,
        model=network.model, augmented=sheet(parts[0], plan, classes),
    )  # fmt: skip
    run.write_report(page)
    run.write_metrics(metrics)
    return Run(run.path, metrics, network.model)


def _teller(stream: TextIO | None) -> Callable[[str], object]:
    """Where sentences about the network go."""
    return log.info if stream is None else lambda text: stream.write(f"{text}\n")


def _watchers(about: Surroundings, run: RunDirectory, trainer: Trainer) -> list[Watcher]:
    found: list[Watcher] = []
    if about.stream:
        steps, done = trainer.batches.steps, trainer.progress.step
        found.append(ShowProgress(about.stream, trainer.recipe.epochs, steps, done))
    if about.tensorboard:
        found.append(TensorBoard(run.path / "tensorboard"))
    return found


def _say(
    stream: TextIO | None, plan: Plan, dataset: Dataset, config: Mapping[str, Any]
) -> None:  # fmt: skip
    """The recipe in full, and what is done to the images."""
    if stream is None:
        return
    counts = config["data"]
    lines = [
        f"{plan.network} on {dataset.name}: {counts['training_images']:,} images to learn from, "
        f"{counts['validation_images']:,} for validation, {counts['test_images']:,} to test",
        f"images: {config['data']['images']}",
        *plan.recipe.lines(),
    ]
    stream.write("\n".join(lines) + "\n")
    stream.flush()


def _parts(dataset: Dataset, plan: Plan) -> tuple[Part, Part]:
    """What is learnt from, and what is measured after every epoch."""
    train, recipe = dataset.train, plan.recipe
    if recipe.validation == "test":
        log.warning(
            "This recipe measures the test part after every epoch, as the older work did that it "
            "repeats. Its figures flatter."
        )
        return train, dataset.test
    if dataset.validation is not None:
        return train, dataset.validation
    fraction = recipe.validation_fraction
    if empty := emptied(train.labels, fraction, train.digests):
        raise UsageError(
            f"validation_fraction={fraction:g} leaves no training image of the class "
            f"{dataset.class_names[empty[0]]!r}. Use a smaller fraction, or more images."
        )
    kept, taken = stratified(train.labels, fraction, plan.seed, train.digests)
    return train.rows(kept), train.rows(taken)


def _predict(model: keras.Model, plan: Plan, part: Part) -> np.ndarray:
    """(N, classes): the probabilities of one pass over a part, each image read once."""
    batches = Batches(part, plan.input_shape, plan.recipe.batch_size, int(part.labels.max()) + 1)
    answers = [model.predict_on_batch(images) for images, _ in batches.ahead(0, batches.steps)]
    return np.concatenate(answers)


def _minutes(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e6:
        raise UsageError(f"checkpoint_minutes={value!r} cannot be. Use a number above 0.")
    return float(value)
