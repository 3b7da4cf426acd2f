"""Probing: how good are the features of a network for these images, without training it?"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any, TextIO

import keras
import numpy as np

from cnnzoo.errors import DataError, UsageError
from cnnzoo.training.data.dataset import Dataset
from cnnzoo.training.data.load import Asked
from cnnzoo.training.metrics import wilson_interval
from cnnzoo.training.plan import check_seed
from cnnzoo.training.probe.classifiers import judge
from cnnzoo.training.probe.features import Extractor
from cnnzoo.training.probe.heads import LEARN, threads_for
from cnnzoo.training.probe.result import Probe, Row
from cnnzoo.training.probe.samples import Samples
from cnnzoo.training.probe.settings import Settings, make_settings
from cnnzoo.training.splits import emptied, stratified

FRACTION = 0.1  # of the training images chooses, where the data have no validation part
log = logging.getLogger("cnnzoo")


def probe(
    architecture: str | os.PathLike[str] | keras.Model | Iterable[Any],
    data: str | os.PathLike[str] | Dataset,
    *,
    weights: str | os.PathLike[str] | None = None,
    head: str | Iterable[str] = "linear",
    views: int = 0,
    seed: int = 0,
    batch_size: int = 32,
    runtime: str = "auto",
    precision: str = "auto",
    cache: bool = True,
    bad_data: str = "refuse",
    follow_links: bool = False,
    progress: bool | TextIO = True,
    **options: Any,
) -> Probe:
    """Train heads on the features of frozen networks, which see every image once.

    Features are what global average pooling makes of the last feature map, as with
    ``cnnzoo.add_head``; vectors stay as they are. They are kept in the cache, so that another
    head, or the same again, needs no network. A tenth of the training images, or the validation
    part where the data have one, chooses the settings of the heads; the test part is read once.

    Args:
        architecture: A name of ``cnnzoo.list_models()``, the folder of a run of ``cnnzoo
            finetune``, a ``.keras`` file, a Keras model that takes pixels 0 to 255, or a list.
        data: What ``cnnzoo.load_data`` takes or returns.
        weights: A tag of ``cnnzoo info NAME``, a file, or "random"; the first tag unless given.
        head: "linear", "mlp", "knn", or several of them.
        views: How often every training image is shown changed as well, as fine-tuning would.
        seed: Chooses the validation images, the changes, and what is random about a head.
        batch_size: Images at once.
        runtime: What runs the networks, as ``cnnzoo.inference.compile`` takes it.
        precision: In which numbers.
        cache: Whether to keep the features, and to use those that are kept.
        bad_data: "refuse", "skip" or "keep" damaged and leaking images, as ``cnnzoo.load_data``.
        follow_links: Accept links and paths that lead out of the dataset's folder.
        progress: Whether to show it on standard error, or the stream to show it on.
        **options: Of the networks, see ``cnnzoo info NAME``.

    Raises:
        UnknownNameError: No network, weights or head are called so.
        UsageError: An argument cannot work; nothing was computed.
        DataError: Images or labels that cannot be used.
        DownloadError, IntegrityError, WeightsError: The weights cannot be had.
        StorageError: The features cannot be kept.
    """
    check_seed(seed)
    check_batch_size(batch_size)
    settings = make_settings(
        architecture, weights=weights, head=head, views=views, seed=seed, options=options
    )
    if keras.config.image_data_format() != "channels_last":
        raise UsageError("probe needs keras.config.set_image_data_format('channels_last').")
    dataset = Asked.by(data, bad_data, follow_links).load(data)
    for note in dataset.notes:
        log.warning("%s: %s", dataset.name, note)
    split = _split(dataset, seed)
    count = (1 + settings.views) * len(dataset.train) + len(dataset.test)
    rows: list[Row] = []
    for backbone in settings.backbones:
        extract = Extractor(
            backbone, runtime=runtime, precision=precision, batch_size=batch_size, images=count,
            seed=seed, cache=cache, stream=sys.stderr if progress is True else progress or None,
        )  # fmt: skip
        rows += _probed(extract, dataset, split, settings, seed)
    training, validation = (len(part) for part in split)
    images = {"training": training, "validation": validation, "test": len(dataset.test)}
    return Probe(dataset.name, images, settings.views, dataset.class_names, tuple(rows))


def check_batch_size(batch_size: Any) -> None:
    if isinstance(batch_size, bool) or not isinstance(batch_size, int) or batch_size < 1:
        raise UsageError(f"batch_size={batch_size!r} cannot be. Use a whole number from 1.")


def _probed(
    extract: Extractor,
    dataset: Dataset,
    split: tuple[np.ndarray, np.ndarray],
    settings: Settings,
    seed: int,
) -> Iterator[Row]:
    """A row for each head on one network; the vectors are made once."""
    learning = [extract(dataset, "train", change) for change in range(settings.views + 1)]
    testing = extract(dataset, "test")
    made = [*learning, testing]
    kept, chosen = split
    if dataset.validation is None:
        validation = Samples((learning[0].array,), chosen, dataset.train.labels[chosen])
    else:
        made.append(extract(dataset, "validation"))
        validation = Samples((made[-1].array,), chosen, dataset.validation.labels[chosen])
    training = Samples(tuple(v.array for v in learning), kept, dataset.train.labels[kept])
    test = Samples((testing.array,), np.arange(len(dataset.test)), dataset.test.labels)
    classes = len(dataset.class_names)
    for head in settings.heads:
        began = time.perf_counter()
        with threads_for(training, classes):
            fitted = LEARN[head](training, validation, classes, seed)
            accuracy, _ = judge(fitted.classifier, test)
        yield Row(
            network=extract.backbone.name,
            weights=extract.backbone.weights,
            head=head,
            accuracy=accuracy,
            interval=_interval(accuracy, len(test)),
            validation_accuracy=fitted.validation,
            chosen=dict(fitted.chosen),
            features=training.width,
            features_seconds=round(sum(v.seconds for v in made), 3),
            cached=all(v.cached for v in made),
            head_seconds=round(time.perf_counter() - began, 3),
            size_bytes=sum(v.array.nbytes for v in made) if extract.cache else 0,
            runtime=testing.runtime,
            backbone=extract.backbone,
            fitted=fitted,
            classes=classes,
        )


def _interval(accuracy: float, images: int) -> tuple[float, float]:
    low, high = wilson_interval(round(accuracy * images), images)
    return low, high


def _split(dataset: Dataset, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of the training images, and of those of the validation part or of a tenth."""
    labels, digests = dataset.train.labels, dataset.train.digests
    if len(np.unique(labels)) < 2:
        raise DataError(
            f"The training images of {dataset.name} are of one class. Give two or more."
        )
    if dataset.validation is not None:
        return np.arange(len(labels)), np.arange(len(dataset.validation))
    if empty := emptied(labels, FRACTION, digests):
        raise DataError(
            f"{dataset.name} has a single training image of the class "
            f"{dataset.class_names[empty[0]]!r}, and one is needed to choose by. Give at least two."
        )
    return stratified(labels, FRACTION, seed, digests)
