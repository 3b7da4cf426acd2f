"""At which learning rate a network learns: a range test, a few steps at ever higher rates.

L. N. Smith, "Cyclical Learning Rates for Training Neural Networks", 2015, section 3.3. As is usual
since, the rate grows exponentially and the loss is smoothed.
"""

from __future__ import annotations

import contextlib
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TextIO

import keras
import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

from cnnzoo.catalogue import augmentations
from cnnzoo.catalogue.recipes import BARE, Recipe, get_recipe
from cnnzoo.catalogue.registry import get_spec
from cnnzoo.errors import DataError, TrainingError, UsageError
from cnnzoo.sources import find_source
from cnnzoo.training.batches import Batches
from cnnzoo.training.data.dataset import Dataset
from cnnzoo.training.data.load import Asked
from cnnzoo.training.finetune import split_options
from cnnzoo.training.network import PlannedNetwork, make_loss
from cnnzoo.training.optimizers import make_optimizer
from cnnzoo.training.plan import AUTO, Plan, check_seed, make_plan
from cnnzoo.training.rate_test import GROWN, RateTest, rates_between, smooth
from cnnzoo.training.schedules import phases

# Fields of a recipe that say how a network is built or frozen, which a built one already is.
_OF_BUILDING = ("freeze", "head_share", "stage_decay", "precision", "pixels", "whiten")


def lr_find(
    network: str | keras.Model,
    *,
    data: str | os.PathLike[str] | Dataset,
    recipe: str | Recipe = "auto",
    settings: Mapping[str, Any] | None = None,
    weights: str | None = None,
    input_shape: tuple[int, int, int] | None = None,
    seed: int = 0,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    bad_data: str = "refuse",
    follow_links: bool = False,
    progress: bool | TextIO = True,
    **options: Any,
) -> RateTest:
    """Train for a few steps, each at a higher learning rate, and say at which the loss falls best.

    Nothing is written, and a model that is given is afterwards what it was to the last bit:
    weights, statistics, seeds. Images come from the training part alone. Of a recipe with several
    phases the last is tried, on a head that has learnt nothing yet.

    Args:
        network: A name of ``cnnzoo.list_models()``, or a built Keras model that takes pixels 0 to
            255 and gives probabilities; what is frozen in it stays so.
        data: What ``cnnzoo.load_data`` takes or returns.
        recipe: As for ``cnnzoo.fine_tune``; it decides the optimizer, the batch size and what is
            done to the images. Its learning rate and schedule are not used.
        settings: Fields of the recipe to change.
        weights: As for ``cnnzoo.build``; of a name only.
        input_shape: Height, width and channels; of a name only.
        seed: Of the weights and of the order and the changes of the images.
        lowest: The first rate.
        highest: The last, unless the loss grows to four times its lowest before.
        steps: How many rates there are between the two, at even ratios.
        bad_data: "refuse", "skip" or "keep" damaged and leaking images, as ``cnnzoo.load_data``.
        follow_links: Accept links and paths that lead out of the dataset's folder.
        progress: Whether to show it on standard error, or the stream to show it on.
        **options: Fields of the recipe, and the network's own options.

    Raises:
        UsageError: An argument cannot work.
        DataError: The data cannot be used, or the model is for other classes.
        TrainingError: The loss is no number at any rate.
    """
    rates = rates_between(lowest, highest, steps)
    if keras.config.image_data_format() != "channels_last":
        raise UsageError("lr_find needs keras.config.set_image_data_format('channels_last').")
    own, fields = split_options(options, settings)
    if isinstance(network, keras.Model):
        _refuse(network, {"weights": weights, "input_shape": input_shape, **own})
        plan = _plan_of(network, recipe, fields, seed)
    else:
        plan = make_plan(
            network, recipe=recipe, settings=fields, weights=weights,
            input_shape=input_shape, seed=seed, **own,
        )  # fmt: skip
        if plan.weights is not None:
            find_source(plan.weights, get_spec(plan.network), include_top=True)
    dataset = Asked.by(data, bad_data, follow_links).load(data)
    plan = plan.for_data(len(dataset.train), dataset.channels, dataset.class_names)
    batches = Batches(
        dataset.train, plan.input_shape, plan.recipe.batch_size, len(dataset.class_names),
        seed=plan.seed, effects=augmentations.parse(plan.recipe.augment),
    )  # fmt: skip
    names = (plan.network, dataset.name)
    stream = sys.stderr if progress is True else progress or None
    if not isinstance(network, keras.Model):
        keras.utils.set_random_seed(plan.seed)
        built = PlannedNetwork(plan, dataset.class_names)
        built.initialise_from(batches)
        phase = phases(plan.recipe)[-1]
        entered = built.enter(phase, phase.epochs * batches.steps)
        return _test(*entered, rates, batches, names, stream)
    with unchanged(network):
        _check_answers(network, batches[0][0], dataset)
        return _test(
            *_enter(network, plan.recipe, plan.recipe.epochs * batches.steps),
            rates,
            batches,
            names,
            stream,
        )


def _refuse(model: keras.Model, given: Mapping[str, Any]) -> None:
    """What only a network that is built here could heed."""
    if names := [name for name, value in given.items() if value is not None]:
        raise UsageError(
            f"{', '.join(names)}: {model.name!r} is built already. Build it so, or give a name of "
            "'cnnzoo list' instead."
        )


def _plan_of(
    model: keras.Model, recipe: str | Recipe, fields: Mapping[str, Any], seed: Any
) -> Plan:  # fmt: skip
    """The recipe for a model that is taken as it is."""
    if not isinstance(recipe, Recipe):
        recipe = get_recipe("scratch" if recipe == AUTO else recipe, "")
    chosen = recipe.with_settings(fields)
    for name in _OF_BUILDING:
        if getattr(chosen, name) != getattr(BARE, name):
            raise UsageError(
                f"{name}={getattr(chosen, name)!r} decides how a network is built or frozen, and "
                f"{model.name!r} is taken as it is. Leave it out; cnnzoo.freeze freezes a model."
            )
    augmentations.check(chosen.augment)
    return Plan(
        network=model.name, options={}, weights=None, input_shape=_input_shape(model),
        seed=check_seed(seed), recipe=chosen,
    )  # fmt: skip


def _input_shape(model: keras.Model) -> tuple[int, int, int]:
    """Height, width, channels of a classifier of images."""
    try:
        (taken,), (given,) = model.inputs, model.outputs
        shape, outputs = tuple(taken.shape), tuple(given.shape)
    except (AttributeError, TypeError, ValueError) as error:
        raise UsageError(
            f"{model.name!r} does not have one input and one output; a classifier of images has."
        ) from error
    if len(shape) != 4 or None in shape[1:] or shape[3] not in (1, 3) or len(outputs) != 2:
        raise UsageError(
            f"{model.name!r} takes {shape} and gives {outputs}; a classifier of images takes "
            "(N, height, width, 1 or 3) of known size and gives (N, classes)."
        )
    return shape[1:]  # type: ignore[return-value]


def _check_answers(model: keras.Model, images: np.ndarray, dataset: Dataset) -> None:
    """Refuse a model whose loss would mean nothing."""
    classes = len(dataset.class_names)
    if model.outputs[0].shape[1] != classes:
        raise DataError(
            f"{model.name!r} gives {model.outputs[0].shape[1]} numbers per image, {dataset.name} "
            f"has {classes} classes."
        )
    answers = keras.ops.convert_to_numpy(model(images.astype("float32"), training=False))
    finite = np.isfinite(answers).all()
    if not finite or answers.min() < 0 or np.abs(answers.sum(axis=1) - 1).max() > 1e-2:
        raise UsageError(
            f"{model.name!r} does not give probabilities: its numbers for an image are no numbers, "
            "negative, or do not add up to 1. End it in softmax, for example by "
            "keras.Model(model.inputs, keras.layers.Softmax()(model.outputs[0]))."
        )


def _enter(
    model: keras.Model, recipe: Recipe, steps: int
) -> tuple[keras.Model, keras.optimizers.Optimizer]:  # fmt: skip
    """A compiled model on the same layers; the optimizer of ``model`` stays out of it."""
    trained = keras.Model(model.inputs, model.outputs)
    if not trained.trainable_variables:
        raise UsageError(f"{model.name!r} is frozen as a whole: nothing would be trained.")
    optimizer = make_optimizer(recipe, recipe.rate, trained, steps)
    trained.compile(optimizer, loss=make_loss(recipe))
    return trained, optimizer


@contextlib.contextmanager
def unchanged(model: keras.Model) -> Iterator[None]:
    """Give every variable of ``model`` its value back, seeds and statistics included."""
    kept = [np.array(keras.ops.convert_to_numpy(variable)) for variable in model.variables]
    try:
        yield
    finally:
        for variable, value in zip(model.variables, kept, strict=True):
            variable.assign(value)


def _test(
    trained: keras.Model,
    optimizer: keras.optimizers.Optimizer,
    rates: Sequence[float],
    batches: Batches,
    names: tuple[str, str],
    stream: TextIO | None,
) -> RateTest:
    """One step at each rate, until the loss has grown too much or is no number."""
    console = Console(file=stream or sys.stderr, force_jupyter=False)
    bar = Progress(
        "learning rates", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(compact=True),
        console=console, disable=stream is None or not console.is_terminal, transient=True,
    )  # fmt: skip
    losses: list[float] = []
    grown = False
    with bar, contextlib.closing(batches.ahead(0, len(rates))) as ahead:  # type: ignore[type-var]
        for rate, batch in bar.track(zip(rates, ahead, strict=True), total=len(rates)):
            optimizer.learning_rate.assign(rate)
            loss = float(trained.train_on_batch(*batch, return_dict=True)["loss"])
            grown = not math.isfinite(loss)
            if not grown:
                losses.append(loss)
                smoothed = smooth(losses)
                grown = smoothed[-1] > GROWN * min(smoothed)
            if grown:
                break
    if len(losses) < 2:
        raise TrainingError(
            f"The loss of {names[0]} is no number at a learning rate of {rates[len(losses)]:g}. "
            "Start lower (lowest=…), or look for what is no number in the network or the images."
        )
    tried = tuple(rates[: len(losses)])
    return RateTest(*names, tried, tuple(losses), tuple(smooth(losses)), grown)
