"""Labelled images from wherever they are: names, .npz files, class folders, CSV lists."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from cnnzoo.training.data.dataset import Dataset
from cnnzoo.training.data.select import check_bad_data, select
from cnnzoo.training.data.sources import survey


def load_data(
    source: str | os.PathLike[str],
    *,
    seed: int = 0,
    bad_data: str = "refuse",
    follow_links: bool = False,
) -> Dataset:
    """Load labelled images. Every one is looked at once; nothing on disk is changed.

    Args:
        source: ``"digits"`` (scikit-learn's 1,797 handwritten digits, no network needed);
            ``"mnist"``, ``"fashion_mnist"`` or ``"cifar10"`` (in the folder that the environment
            variable ``CNNZOO_DATA`` names, in any form they are published in, else downloaded
            and kept in the cache); the path of an .npz with x_train, y_train, x_test, y_test, or
            x and y, and perhaps class_names; of a CSV list with path, label and perhaps split;
            of a folder that holds ``train/<class>/`` and ``test/<class>/`` and perhaps
            ``val/<class>/``, or just ``<class>/``; or of the idx files or batches as published.
            A folder that is called like a known name is given as ``./digits``. Image files are
            decoded when they are needed, so they may be more than memory holds; arrays may not.
        seed: Chooses the stratified fifth that becomes the test part where there is none.
        bad_data: ``"refuse"`` damaged, contradictory and leaking images, all named in one
            message; ``"skip"`` them and duplicates, their number in the notes; ``"keep"`` what
            can be trained on, labels that contradict and test images in the training part
            included. Named datasets are not refused: their flaws are published with them.
        follow_links: Accept links and paths that lead out of the dataset's folder.

    Raises:
        UnknownNameError: Neither a known name nor a path that exists.
        UsageError: Neither text nor a path, or an unknown ``bad_data``.
        DataError: Images or labels that cannot be used; every bad file is named.
        DownloadError: A named dataset is neither in ``CNNZOO_DATA`` nor can it be downloaded.
        IntegrityError: What was downloaded is not what was published.
    """
    check_bad_data(bad_data)
    return select(survey(source, follow_links), bad_data, seed)


@dataclass(frozen=True, slots=True)
class Asked:
    """How data were asked for; a record of it loads them again.

    Attributes:
        argument: What ``load_data`` was given; None for a dataset handed over in Python.
        bad_data, follow_links: As of ``load_data``.
    """

    argument: str | None
    bad_data: str = "refuse"
    follow_links: bool = False

    @classmethod
    def by(cls, data: Any, bad_data: str, follow_links: bool) -> Asked:
        argument = None if isinstance(data, Dataset) else os.fspath(data)
        return cls(argument, bad_data, follow_links)

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Asked:
        """What ``asdict`` made of it, perhaps among other things."""
        return cls(**{f.name: record[f.name] for f in fields(cls) if f.name in record})

    def load(self, data: Any = None) -> Dataset:
        """The data, or others in the same way."""
        source = self.argument if data is None else data
        if isinstance(source, Dataset):
            return source
        assert source is not None  # there is an argument, or the dataset itself
        return load_data(source, bad_data=self.bad_data, follow_links=self.follow_links)

    def words(self) -> list[str]:
        """What to add to a command."""
        bad_data = [] if self.bad_data == "refuse" else ["--bad-data", self.bad_data]
        return bad_data + ["--follow-links"] * self.follow_links
