"""Where the trunk of a network ends, and which layers end its stages.

Answered by Keras' record of how layers were called; nothing is run and no weight is read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import keras
from keras import layers

from cnnzoo.catalogue.registry import all_specs
from cnnzoo.errors import UnknownNameError, UsageError
from cnnzoo.lookup import did_you_mean

POOLINGS = (layers.GlobalAveragePooling2D, layers.GlobalMaxPooling2D, layers.Flatten)
_LOCAL_POOLINGS = (layers.AveragePooling2D, layers.MaxPooling2D)
_ENOUGH = 3  # stages by which a network is recognised


def check_model(model: Any) -> None:
    """Refuse what has no flat graph of layers.

    Raises:
        UsageError: ``model`` is no functional or built sequential Keras model, or it holds
            another model with weights inside.
    """
    if not isinstance(model, keras.Model):
        raise UsageError(
            f"{model!r:.80} is a {type(model).__name__}, not a Keras model. "
            "Pass a keras.Model, such as cnnzoo.build(name) makes."
        )
    if not getattr(model, "inputs", None) or not getattr(model, "outputs", None):
        raise UsageError(
            f"{model.name!r} has no graph: it is subclassed, or a sequential model that was never "
            "built. Wrap it: x = keras.Input(shape); keras.Model(x, model.call(x))."
        )
    for layer in model.layers:
        if isinstance(layer, keras.Model) and layer.weights:
            raise UsageError(
                f"{model.name!r} hides the layers of the model {layer.name!r} inside. Pass "
                f"model.get_layer({layer.name!r}) itself; cnnzoo.add_head keeps the graph flat."
            )


def trunk_end(model: keras.Model) -> Any:
    """The tensor on which the head of ``model`` stands.

    From the first output back, layer by layer, as long as each reads one tensor: what the global
    pooling or flattening nearest to the image reads. Where there is neither, such as with two
    poolings side by side, the last map through which everything passes; else the output itself.
    """
    tensor = model.outputs[0]
    found = None
    while len(read := maker_of(tensor)[1]) == 1:
        if isinstance(maker_of(tensor)[0], POOLINGS):
            found = read[0]
        tensor = read[0]
    return _last_map(model) if found is None else found


def _last_map(model: keras.Model) -> Any:
    """The map nearest to the first output that all of it is computed by; else that output."""
    output = model.outputs[0]
    images = {id(image) for image in model.inputs}
    waist = [
        tensor
        for tensor in _ancestry([output])
        if len(tensor.shape) == 4
        and id(tensor) not in images
        and images.isdisjoint(map(id, _ancestry([output], without=tensor)))
    ]
    # They lie one behind the other, so the last of them is computed by the most.
    last = max(waist, key=lambda tensor: len(_ancestry([tensor])), default=output)
    maker, read = maker_of(last)
    pooled = isinstance(maker, _LOCAL_POOLINGS) and last.shape[1:3] == (1, 1)
    return read[0] if pooled else last


def before(model: keras.Model, *tensors: Any) -> list[Any]:
    """The layers that ``tensors`` are computed by, in the order of the model."""
    makers = {id(maker_of(tensor)[0]) for tensor in _ancestry(tensors)}
    return [layer for layer in model.layers if id(layer) in makers]


def leading_to(model: keras.Model, layer: Any) -> list[Any]:
    """``layer`` and those that what it makes, in all its calls, is computed by."""
    return before(model, *made_by(model, layer))


def made_by(model: keras.Model, layer: Any) -> list[Any]:
    """What ``layer`` makes in this model, one tensor for each call."""
    return [tensor for tensor in _ancestry(model.outputs) if maker_of(tensor)[0] is layer]


def _ancestry(tensors: Iterable[Any], without: Any = None) -> list[Any]:
    """The tensors themselves and all that they are computed from, not by way of ``without``."""
    found: dict[int, Any] = {}
    waiting = list(tensors)
    while waiting:
        tensor = waiting.pop()
        if id(tensor) not in found and tensor is not without:
            found[id(tensor)] = tensor
            waiting.extend(maker_of(tensor)[1])
    return list(found.values())


def maker_of(tensor: Any) -> tuple[Any, list[Any]]:
    """The operation that made a symbolic tensor, and what that call of it read.

    ``layer.output`` would not do: it is of a layer's first call, maybe in another model.
    """
    operation, call, _ = tensor._keras_history
    return operation, operation._inbound_nodes[call].input_tensors


def stage_ends(model: keras.Model) -> dict[str, str]:
    """Stage -> the layer that ends it, for a network of the registry; else nothing.

    The network is recognised by its layers, whatever the model is called and whatever stands on
    it: at least the first three layers that end a stage must be there. Of several networks, such
    as ResNet-101 and 152, it is the one whose stages reach furthest.
    """
    place = {layer.name: i for i, layer in enumerate(model.layers)}
    best: tuple[list[int], dict[str, str]] = ([], {})
    for spec in all_specs().values():
        known = {}
        for stage, layer in spec.stage_ends.items():
            if layer not in place:
                break
            known[stage] = layer
        reach = [place[layer] for layer in reversed(known.values())]
        if len(known) >= _ENOUGH and reach > best[0]:
            best = (reach, known)
    return best[1]


def layer_called(model: keras.Model, name: str) -> Any:
    """The layer or the last layer of the stage that is called so.

    Raises:
        UnknownNameError: There is neither; the message gives the nearest names.
    """
    stages = stage_ends(model)
    name = stages.get(name, name)
    found = {layer.name: layer for layer in model.layers}
    if name in found:
        return found[name]
    hint = did_you_mean(name, [*stages, *found])
    known = (
        f"Its stages: {', '.join(stages)}."
        if stages
        else "It is no network of the registry, so it has no stage names; name a layer, or give a "
        "fraction such as 0.5."
    )
    raise UnknownNameError(f"{model.name!r} has no layer or stage {name!r}.{hint} {known}")
