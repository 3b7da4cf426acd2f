"""Fill a network from a file: all of it, or nothing.

First names and shapes are compared, then everything is read, converted and looked at, and only
then is the first variable touched. Whatever fails, the network is left as it was.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.conversions import Conversion, grey_kernel, grey_offset, without_first
from cnnzoo.pretrained.name_map import Plan
from cnnzoo.pretrained.readers.tensor import NUMBERS, Tensor, Tensors, numbers

_SHOWN = 10  # names of each kind in a message
_LARGEST_ONES = 2**16  # elements of a batch normalisation's gamma
_LARGEST_FLOAT16 = float(np.finfo(np.float16).max)


@dataclass(frozen=True)
class Fit:
    """What the caller knows about file and network.

    Attributes:
        file: For messages.
        classifier: Names of the layers that end the network; none without top.
        class_offset: Leading classes of the file's classifier to drop.
        new_classifier: The classifier may be missing or of another width; then it stays new.
        pixels: Mean and scale of the file's preprocessing, one number per channel; used when a
            stem for three channels is folded into one. None: the same for all channels.
    """

    file: str
    classifier: Collection[str] = ()
    class_offset: int = 0
    new_classifier: bool = False
    pixels: tuple[Sequence[float], Sequence[float]] | None = None


@dataclass(frozen=True)
class Report:
    """What was loaded; ``str()`` is one line for the log."""

    file: str
    loaded: int  # variables
    total: int
    new: tuple[str, ...] = ()  # variables of a classifier that stayed as initialised
    unused: tuple[str, ...] = ()  # tensors of the file that the network does not need
    grey: bool = False  # the stem was folded from three channels into one

    def __str__(self) -> str:
        if self.new:
            backbone = self.total - len(self.new)
            loaded = f"backbone {self.loaded}/{backbone} tensors, head new"
        else:
            loaded = f"{self.loaded}/{self.total} tensors"
        grey = ", stem summed for one channel" if self.grey else ""
        unused = f", {len(self.unused)} of the file unused" if self.unused else ""
        return f"{self.file}: {loaded}{grey}{unused}"


class Step(NamedTuple):
    """One variable that will be filled."""

    target: str
    variable: Any
    source: str
    tensor: Tensor
    conversion: Conversion
    grey: bool


def variables(model: keras.Model) -> dict[str, Any]:
    """``layer/variable`` -> variable, in the order of the layers.

    Raises:
        WeightsError: Two variables share a name, so that no file can tell them apart.
    """
    found: dict[str, Any] = {}
    for layer in model.layers:
        for variable in layer.weights:
            name = f"{layer.name}/{variable.name}"
            if name in found:
                raise WeightsError(f"{model.name} has two variables called {name}.")
            found[name] = variable
    return found


def assign(model: keras.Model, tensors: Tensors, plan: Plan, fit: Fit) -> Report:
    """Fill ``model`` as ``plan`` says.

    Raises:
        WeightsError: A tensor is missing, unexpected, of another shape, no float, not finite, a
            kernel of zeros, or cannot be read. The model is left as it was.
    """
    steps, report = check(model, tensors, plan, fit)
    for name in sorted(plan.ones):
        _check_ones(tensors[name], f"{name} of {fit.file}")
    values = {}
    for step in steps:
        read = numbers(step.tensor, f"{step.source} of {fit.file}")
        if read.ndim > 1 and not read.any():  # biases may be zero, a kernel was never trained
            raise WeightsError(
                f"{step.source} of {fit.file} is all zeros, so nothing behind it could answer. "
                "Fetch the file again, or save it again."
            )
        values[step.target] = step.conversion.values(read)
    if report.grey:
        values |= _grey(next(step.target for step in steps if step.grey), values, fit)
    for step in steps:
        if step.variable.dtype == "float16" and np.abs(values[step.target]).max() > (
            _LARGEST_FLOAT16
        ):
            raise WeightsError(f"{step.source} of {fit.file} is too large for float16.")
    _assign([step.variable for step in steps], [values.pop(step.target) for step in steps])
    return report


def check(model: keras.Model, tensors: Tensors, plan: Plan, fit: Fit) -> tuple[list[Step], Report]:
    """Compare names and shapes; nothing is read.

    Raises:
        WeightsError: A tensor is missing, unexpected, of another shape or no float.
    """
    wanted = variables(model)
    stem = next((name for name, v in wanted.items() if len(v.shape) == 4), "")
    steps: list[Step] = []
    missing, other = [], []
    for target, variable in wanted.items():
        feed = plan.feeds.get(target)
        if feed is None or feed.source not in tensors:
            missing.append(target)
            continue
        tensor, conversion = tensors[feed.source], feed.conversion
        if fit.class_offset and target.partition("/")[0] in fit.classifier:
            conversion = without_first(fit.class_offset, conversion)
        shape, has = conversion.shape(tensor.shape), tuple(variable.shape)
        grey = target == stem and shape == (*has[:2], 3, has[3]) and has[2] == 1
        if (shape != has and not grey) or tensor.dtype not in NUMBERS:
            other.append(f"{target} {has} from {feed.source} {tensor.shape} {tensor.dtype}")
        steps.append(Step(target, variable, feed.source, tensor, conversion, grey))
    new = _new_classifier(wanted, steps, missing, fit)
    steps = [step for step in steps if step.target not in new]
    missing = [name for name in missing if name not in new]
    other = [line for line in other if line.partition(" ")[0] not in new]
    consumed = {feed.source for target, feed in plan.feeds.items() if target in wanted}
    extra = [name for name in tensors if name not in consumed | plan.unused | plan.ones]
    if missing or other or extra:
        raise _misfit(model, fit, missing, extra, other)
    unused = tuple(name for name in tensors if name in plan.unused)
    grey_stem = any(step.grey for step in steps)
    return steps, Report(fit.file, len(steps), len(wanted), new, unused, grey_stem)


def _new_classifier(
    wanted: dict[str, Any], steps: list[Step], missing: list[str], fit: Fit
) -> tuple[str, ...]:
    """Variables of the classifier, when it may stay new and does not come with the file."""
    if not fit.new_classifier:
        return ()
    ours = tuple(name for name in wanted if name.partition("/")[0] in fit.classifier)
    same = all(
        step.conversion.shape(step.tensor.shape) == tuple(step.variable.shape)
        for step in steps
        if step.target in ours
    )
    return () if same and not set(ours) & set(missing) else ours


def _misfit(
    model: keras.Model, fit: Fit, missing: list[str], extra: list[str], other: list[str]
) -> WeightsError:
    kinds = ((missing, "missing"), (extra, "unexpected"), (other, "of another shape or type"))
    lines = [
        f"{len(names)} {what}: {'; '.join(names[:_SHOWN])}{'; ...' if names[_SHOWN:] else ''}"
        for names, what in kinds
        if names
    ]
    hint = ""
    troubled = {name.partition("/")[0] for name in (*missing, *other)}
    if not extra and troubled and troubled <= set(fit.classifier):
        hint = (
            " Only the classifier differs: use include_top=False, or name the number of classes "
            "with num_classes= and train it anew."
        )
    elif any(line.startswith(f"{name} ") for line in other for name in list(variables(model))[:1]):
        hint = " Weights for three channels serve images of three channels or of one."
    return WeightsError(
        f"{fit.file} does not fit {model.name}. Tensors {'. Tensors '.join(lines)}.{hint} "
        "Nothing was loaded."
    )


def _check_ones(tensor: Tensor, name: str) -> None:
    """A gamma that the network has no place for must not matter."""
    if len(tensor.shape) != 1 or tensor.shape[0] > _LARGEST_ONES or tensor.dtype not in NUMBERS:
        raise WeightsError(f"{name} of shape {tensor.shape} is no scale of batch normalisation.")
    if not np.all(numbers(tensor, name) == 1):
        raise WeightsError(
            f"{name} is not all ones, and the network has no scale there. It would be lost."
        )


def _grey(stem: str, values: dict[str, NDArray[Any]], fit: Fit) -> dict[str, NDArray[Any]]:
    """The stem for one channel, and whatever takes up the difference of the means."""
    mean, scale = fit.pixels or ((0.0,) * 3, (1.0,) * 3)
    if len(mean) == 1:
        mean, scale = tuple(mean) * 3, tuple(scale) * 3
    kernel = values[stem]
    offset = grey_offset(kernel, mean, scale)
    changed = {stem: grey_kernel(kernel, scale).astype(kernel.dtype)}
    bias = f"{stem.rpartition('/')[0]}/bias"
    names = list(values)
    following = next((name for name in names if name.endswith("/moving_mean")), "")
    if bias in values:
        changed[bias] = (values[bias] + offset).astype(kernel.dtype)
    elif following and values[following].shape == offset.shape:
        changed[following] = (values[following] - offset).astype(kernel.dtype)
    elif np.any(offset):
        raise WeightsError(f"{fit.file} cannot serve one channel: nothing follows {stem}.")
    return changed


def _assign(variables: list[Any], values: list[NDArray[Any]]) -> None:
    """Assign all, or restore what was assigned; a key press counts as a failure too."""
    pending = deque(values)
    values.clear()  # so that each number leaves memory once its variable has it
    before: list[NDArray[Any]] = []
    try:
        for variable in variables:
            before.append(np.array(keras.ops.convert_to_numpy(variable)))
            variable.assign(pending.popleft())
    except BaseException:
        for variable, old in zip(variables, before, strict=False):
            variable.assign(old)
        raise
