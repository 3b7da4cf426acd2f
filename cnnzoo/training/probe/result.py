"""What probing found: a row for each network and head, and the networks with their new heads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cnnzoo.training.probe.backbones import Backbone
from cnnzoo.training.probe.heads import HIDDEN, Fitted
from cnnzoo.units import mebibytes, percent

if TYPE_CHECKING:
    import keras

HEADINGS = (
    "network", "weights", "head", "accuracy", "95 % interval", "chosen", "features",
    "features s", "head s", "on disk",
)  # fmt: skip
RIGHT = (False, False, False, True, True, False, True, True, True, True)


@dataclass(frozen=True, slots=True)
class Row:
    """One head on one network.

    Attributes:
        accuracy: Share of the test images that is right, with its 95 % interval.
        validation_accuracy: Of the images that chose the settings.
        chosen: These settings.
        features: Length of a vector.
        features_seconds: To make the vectors of all parts, or to find them.
        cached: Whether all of them were there already.
        head_seconds: To learn the head and to measure it.
        size_bytes: Of the vectors on the disk; 0 when they are not kept.
        runtime: What computed the vectors, and in which numbers.
    """

    network: str
    weights: str
    head: str
    accuracy: float
    interval: tuple[float, float]
    validation_accuracy: float
    chosen: dict[str, Any]
    features: int
    features_seconds: float
    cached: bool
    head_seconds: float
    size_bytes: int
    runtime: str
    backbone: Backbone = field(repr=False, compare=False)
    fitted: Fitted = field(repr=False, compare=False)
    classes: int = field(repr=False)

    def model(self) -> keras.Model:
        """(N, height, width, channels) pixels 0 to 255 -> (N, classes): network and head as one.

        The trunk of a model that was given as such is shared with it, not copied.

        Raises:
            UsageError: Nearest neighbours are no layers.
        """
        from cnnzoo.training.heads import add_head

        weights = self.fitted.classifier.layers()
        kind = "mlp" if "head_hidden" in weights else "gap"
        model = add_head(
            self.backbone.network(), self.classes, kind, hidden=HIDDEN, dropout=0.0
        )  # fmt: skip
        for name, values in weights.items():
            model.get_layer(name).set_weights(values)
        return model

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        hidden = ("backbone", "fitted", "classes")
        found = {name: getattr(self, name) for name in self.__slots__ if name not in hidden}
        return found | {"interval": list(self.interval), "chosen": dict(self.chosen)}

    def cells(self) -> tuple[str, ...]:
        low, high = self.interval
        name, value = next(iter(self.chosen.items()))
        return (
            self.network, self.weights, self.head, percent(self.accuracy),
            f"{percent(low, 1)} to {percent(high, 1)}", f"{name} {value:g}", str(self.features),
            f"{self.features_seconds:.2f}{' (kept)' if self.cached else ''}",
            f"{self.head_seconds:.2f}",
            mebibytes(self.size_bytes) if self.size_bytes else "–",
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Probe(Sequence[Row]):
    """Networks compared by what a head makes of their features; prints as a table.

    Attributes:
        images: How many the heads learnt from, chose by and were measured on.
        views: How often every training image was shown changed, beside as it is.
    """

    data: str
    images: dict[str, int]
    views: int
    class_names: tuple[str, ...] = field(repr=False)
    rows: tuple[Row, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        return self.rows[index]

    def model(self) -> keras.Model:
        """The best of the networks, by validation, with its head, as `Row.model` makes it.

        Raises:
            UsageError: All heads are nearest neighbours, which are no layers.
        """
        return self.best().model()

    def best(self) -> Row:
        """The row of the highest validation accuracy; nearest neighbours only if all are."""
        return max(self.rows, key=lambda row: (row.head != "knn", row.validation_accuracy))

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "data": self.data,
            "images": dict(self.images),
            "views": self.views,
            "class_names": list(self.class_names),
            "rows": [row.to_dict() for row in self.rows],
        }

    def __str__(self) -> str:
        cells = [HEADINGS, *(row.cells() for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(
                text.rjust(width) if right else text.ljust(width)
                for text, width, right in zip(row, widths, RIGHT, strict=True)
            ).rstrip()
            for row in cells
        ]
        lines.insert(1, "  ".join("─" * width for width in widths))
        shown = f", each in {self.views + 1} views" if self.views else ""
        counts = (
            f"{self.data}: {self.images['training']:,} images to learn from{shown}, "
            f"{self.images['validation']:,} to choose by, {self.images['test']:,} to test"
        )
        runtimes = " and ".join(dict.fromkeys(row.runtime for row in self.rows))
        return "\n".join([counts, *lines, f"features computed by {runtimes}"])
