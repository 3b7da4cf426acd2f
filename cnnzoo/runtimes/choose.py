"""Which runtime answers: the fastest that is installed, if it says what Keras says."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import keras

from cnnzoo import files, machine
from cnnzoo.errors import StorageError, UsageError
from cnnzoo.runtimes import backends, names, quantise
from cnnzoo.runtimes.backends import Run
from cnnzoo.runtimes.forms import Forms, installed
from cnnzoo.runtimes.runner import Runner
from cnnzoo.runtimes.trial import KERAS, Decision, candidates, measure
from cnnzoo.store import RUNTIMES

__all__ = ["FEW", "Runner", "compile", "fresh"]

FEW = 128  # images that Keras has answered before another runtime is ready: 80 to 640, measured
_FILE = "decision.json"
log = logging.getLogger("cnnzoo")


def compile(
    model: keras.Model,
    runtime: str = "auto",
    precision: str = "auto",
    *,
    batch_size: int = 32,
    images: int | None = None,
    calibration: Any = None,
) -> Runner:
    """A network as a fast function from images to answers, both NumPy.

    ``auto`` tries what is installed on a few pictures, and takes the fastest that answers what
    Keras answers in float32. Exported networks and the choice are kept, so that the next time costs
    little; compile again after the weights have changed.

    Args:
        model: A functional or sequential model with one input. Without one output, or with
            another input than pictures of known size, Keras runs it.
        runtime: "auto", "keras", "openvino" or "onnxruntime".
        precision: "auto", "float32", "bfloat16" or "int8". ``auto`` is bfloat16 where the processor
            has it and the answers stay within 1 %, else float32.
        batch_size: Images computed at once; more than that are cut into batches.
        images: How many there will be, if that is known. For fewer than 128 of them, ``auto`` lets
            Keras answer at once.
        calibration: For int8: some hundred pictures as the model takes them.

    Raises:
        UsageError: An argument cannot work; the message names what would.
        MissingExtraError: The runtime that was named is not installed.
    """
    runtime, precision = names.check(runtime, precision)
    _check_count("batch_size", batch_size, 1)
    _check_count("images", images or 0, 0)
    shape = _shape(model)

    def runner(run: Run, decision: Decision) -> Runner:
        if decision.note:
            log.info("%s: %s.", model.name, decision.note)
        return Runner(run, *decision, batch_size=batch_size, shape=shape)

    plain = precision in ("auto", "float32")
    why = _keras_alone(model, shape)
    if why and (runtime not in ("auto", "keras") or not plain):
        raise UsageError(
            f"{model.name} {why}, so Keras runs it, in its own precision. Leave out "
            f"runtime={runtime!r} and precision={precision!r}."
        )
    if runtime == "auto" and plain and images is not None and images < FEW:
        return runner(backends.called(model), Decision(*KERAS, ""))
    if why:
        return runner(_compiled(model), Decision(*KERAS, f"{model.name} {why}, so Keras runs it"))
    if runtime == "auto" and plain and machine.hardware()["accelerators"]:
        return runner(_compiled(model), Decision(*KERAS, ""))
    pictures = quantise.check(calibration, shape) if precision == "int8" else None
    return runner(*_chosen(Forms(model, pictures), runtime, precision))


def fresh(model: keras.Model, runtime: str, precision: str, calibration: Any = None) -> Run:
    """The network as one runtime runs it, compared with nothing and kept nowhere."""
    return Forms(model, calibration, keep=False).run(runtime, precision)


def _chosen(forms: Forms, runtime: str, precision: str) -> tuple[Run, Decision]:
    """The decision of last time, if there is one, else one that is measured now."""
    asked = candidates(runtime, precision)
    if asked == [KERAS]:
        return _compiled(forms.model), Decision(*KERAS, "")
    if not forms.keep:
        return measure(forms, asked, choosing=runtime == "auto")
    hardware = machine.hardware()
    here = [installed(name) for name in names.PRECISIONS], hardware["cpu"], hardware["cores"]
    pictures = "" if forms.calibration is None else quantise.fingerprint(forms.calibration)
    key = forms.key("decision", runtime, precision, here, pictures)
    if known := RUNTIMES.get(key):
        decision = Decision(**json.loads((known / _FILE).read_text("utf-8")))
        return forms.run(decision.runtime, decision.precision), decision
    run, decision = measure(forms, asked, choosing=runtime == "auto")
    _remember(forms, key, decision)
    return run, decision


def _remember(forms: Forms, key: str, decision: Decision) -> None:
    def write(folder: Path) -> None:
        files.write_json(folder / _FILE, decision._asdict())

    try:
        RUNTIMES.put(key, f"{forms.model.name}: what is fastest", write)
    except StorageError as error:
        log.warning("%s", error)


def _compiled(model: keras.Model) -> Run:
    """What Keras does best here; a backend that compiles nothing is called as it is."""
    known = keras.backend.backend() in backends.FORMS
    return backends.compiled(model) if known else backends.called(model)


def _shape(model: Any) -> tuple[int | None, ...]:
    """Of one image.

    Raises:
        UsageError: The model does not take one array.
    """
    inputs = getattr(model, "inputs", None) if isinstance(model, keras.Model) else None
    if not inputs:
        raise UsageError(
            f"{getattr(model, 'name', model)!r} is no functional or sequential model of Keras "
            "that knows what it takes."
        )
    if len(inputs) != 1:
        raise UsageError(
            f"{model.name} takes {len(inputs)} arrays; a network to compile takes one."
        )
    count, *shape = inputs[0].shape
    if count is not None:
        raise UsageError(
            f"{model.name} takes exactly {count} images at a time. Build it with "
            "keras.Input(shape=...) instead of batch_shape."
        )
    return tuple(shape)


def _keras_alone(model: keras.Model, shape: tuple[int | None, ...]) -> str:
    """Why nothing else can run it, or nothing."""
    if len(model.outputs) != 1:
        return f"has {len(model.outputs)} outputs"
    if len(shape) != 3 or None in shape:
        return f"takes {shape}, no pictures of known size"
    return ""


def _check_count(name: str, value: Any, least: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise UsageError(f"{name}={value!r} cannot be. Use a whole number from {least}.")
