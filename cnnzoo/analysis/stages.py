"""A network cut into stages: what works at one image size, and the head that follows."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from cnnzoo.analysis.graph import Shape, Step


@dataclass(frozen=True, slots=True)
class Stage:
    """Steps that make feature maps of one height and width, or, at the end, none.

    Attributes:
        result: The step whose output is handed on to the next stage.
    """

    steps: tuple[Step, ...]
    result: Step

    @property
    def name(self) -> str:
        first, last = self.steps[0].name, self.result.name
        return first if first == last else f"{first} … {last}"


def stages(walked: list[Step]) -> list[Stage]:
    """Group steps by the height and width of what they make; padding goes with what it is for."""
    readers: dict[int, list[int]] = {}
    for child, step in enumerate(walked):
        for parent in step.parents:
            readers.setdefault(parent, []).append(child)
    groups: dict[Shape | None, list[int]] = {}
    for position in range(len(walked)):
        reader = position
        while isinstance(walked[reader].layer, keras.layers.ZeroPadding2D) and reader in readers:
            reader = readers[reader][0]
        groups.setdefault(image_size(walked[reader].outputs[0]), []).append(position)
    head = groups.pop(None, [])
    found = []
    for group in [*groups.values(), *([head] if head else [])]:
        inside = set(group)
        exits = [i for i in group if not set(readers.get(i, ())) <= inside or i not in readers]
        widest = max(exits, key=lambda i: (channels(walked[i].outputs[0]) or 0, i))
        found.append(Stage(tuple(walked[i] for i in group), walked[widest]))
    return found


def image_size(shape: Shape) -> Shape | None:
    """Height and width of a feature map; ``None`` for what is no image."""
    if len(shape) != 4:
        return None
    return shape[1:3] if _channels_last() else shape[2:4]


def channels(shape: Shape) -> int | None:
    """Channels of a feature map, units of a vector."""
    return shape[-1] if len(shape) != 4 or _channels_last() else shape[1]


def _channels_last() -> bool:
    return bool(keras.config.image_data_format() == "channels_last")
