"""Whether a run that is taken up is the one that was started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cnnzoo import machine
from cnnzoo.errors import CheckpointError, UsageError
from cnnzoo.training.data.dataset import Dataset
from cnnzoo.training.data.load import Asked
from cnnzoo.training.plan import Plan, differences, from_record
from cnnzoo.training.record import decisive, fingerprint


def check_reading(config: Mapping[str, Any], path: Path, now: Asked) -> None:
    """Refuse to read the data in another way, where one is asked for.

    Raises:
        CheckpointError: ``bad_data`` or ``follow_links`` is not what the run was started with.
    """
    before, usual = Asked.of(config["data"]), Asked(None)
    for name in ("bad_data", "follow_links"):
        old, new = getattr(before, name), getattr(now, name)
        if new not in (old, getattr(usual, name)):
            raise CheckpointError(
                f"The run in {path} was started with {name}={old!r}, now {new!r}. Leave it out, or "
                "start a new run in another folder."
            )


def same_run(
    config: Mapping[str, Any], path: Path, plan: Plan | None, data: Any
) -> tuple[Plan, Dataset, Asked]:
    """What a run was started with, if what is given now is no other.

    Args:
        config: Of the run.
        path: Its folder, for messages.
        plan, data: What is given now; None stands for what was given then.

    Raises:
        CheckpointError: Settings, images or versions are others; all differences are named.
        UsageError: The data were handed over in Python, and are not again.
        DataError, DownloadError: The data cannot be read any more.
    """
    stored, asked = from_record(config["plan"]), Asked.of(config["data"])
    if data is None and asked.argument is None:
        raise UsageError(
            f"The run in {path} was given its data in Python. Pass the same data again: "
            "cnnzoo.fine_tune(resume=…, data=…)."
        )
    dataset = asked.load(data)
    given = stored
    if plan is not None:
        given = plan.for_data(len(dataset.train), dataset.channels, dataset.class_names)
    before = _told(stored, config["data"]["fingerprint"], config["versions"])
    now = _told(given, fingerprint(dataset), machine.versions())
    if changed := differences(before, now):
        raise CheckpointError(
            f"The run in {path} was started with something else: {'; '.join(changed)}. Give "
            "what it was started with, or start a new run in another folder."
        )
    return stored, dataset, asked


def _told(plan: Plan, seen: str, versions: Mapping[str, str]) -> dict[str, Any]:
    """What has to be the same."""
    return {
        "plan": plan.record(),
        "data": {"fingerprint": seen},
        "versions": decisive(versions),
    }
