"""Everything that is wrong with a dataset, in one pass, as text and as data."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from cnnzoo.training.data.problems import KINDS, Level, Problem, by_kind
from cnnzoo.training.data.sources import survey
from cnnzoo.training.data.survey import Survey
from cnnzoo.units import grouped

_SIZES_SHOWN = 4


@dataclass(frozen=True, slots=True)
class DataReport:
    """What `check_data` found; printed, it is the text of ``cnnzoo data check``.

    Attributes:
        name: Of the dataset.
        source: Where it came from.
        images: Part -> number of images; ``all`` where there are no parts.
        classes: Class -> part -> number of images.
        sizes: "width x height" -> number of images.
        modes: Such as "JPEG RGB" -> number of images.
        problems: Kind -> everything of this kind, worst kinds first.
        notes: What else a reader should know, such as pictures that are very dark.
    """

    name: str
    source: str
    images: dict[str, int]
    classes: dict[str, dict[str, int]]
    sizes: dict[str, int]
    modes: dict[str, int]
    problems: dict[str, list[Problem]]
    notes: tuple[str, ...] = ()

    @property
    def clean(self) -> bool:
        """Whether nothing was found but what is harmless."""
        return all(KINDS[kind][0] == Level.HARMLESS for kind in self.problems)

    def to_dict(self) -> dict[str, Any]:
        """The report in types that JSON knows."""
        return {
            "name": self.name,
            "source": self.source,
            "clean": self.clean,
            "images": self.images,
            "classes": self.classes,
            "sizes": self.sizes,
            "modes": self.modes,
            "notes": list(self.notes),
            "problems": {
                kind: {
                    "title": KINDS[kind][1],
                    "level": KINDS[kind][0].name.lower(),
                    "count": len(group),
                    "found": [{"where": p.where, "reason": p.reason} for p in group],
                }
                for kind, group in self.problems.items()
            },
        }

    def __str__(self) -> str:
        counts = ", ".join(f"{part} {grouped(count)}" for part, count in self.images.items())
        lines = [
            f"{self.name}: {counts} images of {len(self.classes)} classes",
            f"  from   {self.source}",
            f"  sizes  {_listed(self.sizes)}",
            f"  kinds  {_listed(self.modes)}",
            "",
            *_balance(self.classes, list(self.images)),
            "",
            *self.notes,
        ]
        for kind, group in self.problems.items():
            lines.append(f"{KINDS[kind][1]}: {grouped(len(group))}")
            lines += [f"  {problem}" for problem in group]
        verdict = "Clean." if self.clean else "Not clean. Nothing was changed."
        return "\n".join([*lines, verdict])


def check_data(source: str | os.PathLike[str], *, follow_links: bool = False) -> DataReport:
    """Look at every image of a dataset once and list all that is wrong; change nothing.

    Found are: damaged files, files that are no images or too large, labels and rows that make no
    sense, links that lead out, empty classes; the same picture twice, under two labels, or in two
    parts, compared by decoded pixels, so a renamed copy and a lossless one in another format are
    found, and one that was compressed again with loss is not.

    Args:
        source: As of ``load_data``.
        follow_links: Accept links and paths that lead out of the dataset's folder.

    Raises:
        UnknownNameError, UsageError, DataError, DownloadError, IntegrityError: As ``load_data``,
            where there is no dataset to look at.
    """
    return _report(survey(source, follow_links))


def _report(found: Survey) -> DataReport:
    classes: dict[str, dict[str, int]] = {name: {} for name in found.class_names}
    for part, images in found.parts.items():
        count = np.bincount(images.labels, minlength=len(classes))
        for name, number in zip(classes, count.tolist(), strict=True):
            classes[name][part] = number
    sizes = Counter({f"{width} x {height}": n for (width, height), n in found.sizes.items()})
    return DataReport(
        found.name,
        found.source,
        {part: len(images) for part, images in found.parts.items()},
        classes,
        dict(sizes.most_common()),
        dict(found.modes.most_common()),
        by_kind(found.problems),
        tuple(found.notes),
    )


def _listed(counts: dict[str, int]) -> str:
    shown = [f"{what} ({grouped(n)})" for what, n in list(counts.items())[:_SIZES_SHOWN]]
    rest = len(counts) - len(shown)
    return ", ".join([*shown, *([f"and {rest} more"] if rest else [])]) or "none"


def _balance(classes: dict[str, dict[str, int]], parts: list[str]) -> list[str]:
    """A table of images per class and part."""
    width = max(len("class"), *map(len, classes))
    lines = [f"{'class':<{width}}" + "".join(f"{part:>12}" for part in parts)]
    for name, count in classes.items():
        lines.append(f"{name:<{width}}" + "".join(f"{grouped(count[part]):>12}" for part in parts))
    return lines
