"""Fill a network from a file: all of it, or nothing.

First names and shapes are compared. Then tensor after tensor is read, looked at, converted and
assigned, so that no more than one of them is held beside the network. Whatever fails, the network
is left as it was.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras
import numpy as np
from numpy.typing import NDArray

from cnnzoo.errors import WeightsError
from cnnzoo.pretrained.blank import Initializers, draw, hand_over
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


def assign(
    model: keras.Model,
    tensors: Tensors,
    plan: Plan,
    fit: Fit,
    pending: Initializers | None = None,
) -> Report:
    """Fill ``model`` as ``plan`` says.

    Args:
        pending: Of a network built with `blank_variables`. What the file does not bring is drawn;
            after a failure such a network has to be thrown away.

    Raises:
        WeightsError: A tensor is missing, unexpected, of another shape, no float, not finite, a
            kernel of zeros, or cannot be read. The model is left as it was.
    """
    pending = {} if pending is None else pending
    steps, report = check(model, tensors, plan, fit)
    for name in sorted(plan.ones):
        _check_ones(tensors[name], f"{name} of {fit.file}")
    changed = _grey(steps, fit) if report.grey else {}
    before: list[tuple[Any, NDArray[Any]]] = []
    try:
        for step in steps:
            values = changed.get(step.target)
            values = _values(step, fit) if values is None else values
            if pending.pop(id(step.variable), None) is None:
                before.append((step.variable, np.array(keras.ops.convert_to_numpy(step.variable))))
            hand_over(step.variable, values)
            del values  # before the next one takes as much memory
        wanted = variables(model)
        for name in report.new:
            if id(wanted[name]) in pending:
                draw(wanted[name], pending)
    except BaseException:  # a key press counts as a failure too
        for variable, old in before:
            variable.assign(old)
        raise
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


def _values(step: Step, fit: Fit) -> NDArray[Any]:
    """What one variable will hold, read and looked at."""
    values = numbers(step.tensor, f"{step.source} of {fit.file}")
    # Biases may be zero, a kernel of zeros was never trained. Its first rows tell.
    if values.ndim > 1 and not any(part.any() for part in values):
        raise WeightsError(
            f"{step.source} of {fit.file} is all zeros, so nothing behind it could answer. "
            "Fetch the file again, or save it again."
        )
    if step.variable.dtype == "float16" and np.abs(values).max() > _LARGEST_FLOAT16:
        raise WeightsError(f"{step.source} of {fit.file} is too large for float16.")
    return step.conversion.values(values)


def _grey(steps: Sequence[Step], fit: Fit) -> dict[str, NDArray[Any]]:
    """The stem for one channel, and whatever takes up the difference of the means."""
    mean, scale = fit.pixels or ((0.0,) * 3, (1.0,) * 3)
    if len(mean) == 1:
        mean, scale = tuple(mean) * 3, tuple(scale) * 3
    stem = next(step for step in steps if step.grey)
    kernel = _values(stem, fit)
    offset = grey_offset(kernel, mean, scale)
    changed = {stem.target: grey_kernel(kernel, scale).astype(kernel.dtype)}
    name = f"{stem.target.rpartition('/')[0]}/bias"
    bias = next((step for step in steps if step.target == name), None)
    mean_of = next((step for step in steps if step.target.endswith("/moving_mean")), None)
    if bias:
        changed[bias.target] = (_values(bias, fit) + offset).astype(kernel.dtype)
    elif mean_of and tuple(mean_of.variable.shape) == offset.shape:
        changed[mean_of.target] = (_values(mean_of, fit) - offset).astype(kernel.dtype)
    elif np.any(offset):
        raise WeightsError(f"{fit.file} cannot serve one channel: nothing follows {stem.target}.")
    return changed
