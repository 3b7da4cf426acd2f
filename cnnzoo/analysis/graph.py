"""A Keras model as a list of steps, nested models opened.

The only file that reads Keras' private record of how layers were called
(``_nodes_by_depth``, ``Node``); nothing is run and no weight is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import keras

from cnnzoo.errors import UsageError

Shape = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One call of one layer.

    Attributes:
        layer: The layer or ``keras.ops`` operation called.
        name: Its name, behind those of the models it is nested in: ``"backbone/conv1"``.
        inputs: Shape of each tensor it read, batch first.
        outputs: Shape of each tensor it made, batch first.
        parents: Positions in the list of the steps that made those inputs, in the same order.
        is_output: Whether the whole model hands its outputs to the caller.
    """

    layer: Any
    name: str
    inputs: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    parents: tuple[int, ...]
    is_output: bool = False


def steps(model: Any, input_shape: Shape | None = None) -> list[Step]:
    """Every call of every layer, inputs first.

    Args:
        model: A built functional or sequential Keras model.
        input_shape: Shape of one image, without batch, to propagate instead of the model's own.

    Raises:
        UsageError: ``model`` is no Keras model, was never built, is subclassed, or cannot take
            images of ``input_shape``.
    """
    graph = _graph(model)
    tensors = list(graph.inputs)
    if input_shape is not None:
        if len(tensors) != 1:
            raise UsageError(f"{model.name!r} has {len(tensors)} inputs; give none a new shape.")
        tensors = [keras.KerasTensor((tensors[0].shape[0], *input_shape), dtype=tensors[0].dtype)]
    found: list[Step] = []
    _, made = _walk(graph, tensors, [None] * len(tensors), "", found)
    outputs = set(made)
    return [replace(step, is_output=i in outputs) for i, step in enumerate(found)]


def _graph(model: Any) -> Any:
    if not isinstance(model, keras.Model):
        raise UsageError(
            f"{model!r} is a {type(model).__name__}, not a Keras model. Pass a keras.Model or a "
            "name of cnnzoo.list_models()."
        )
    if isinstance(model, keras.Sequential):
        if not model.built or getattr(model, "_functional", None) is None:
            raise UsageError(
                f"The sequential model {model.name!r} was never built, so its shapes are unknown. "
                "Begin it with keras.Input(shape), or call model.build((None, height, width, "
                "channels))."
            )
        model = model._functional
    if not hasattr(model, "_nodes_by_depth"):
        raise UsageError(
            f"{model.name!r} is a subclassed model without a graph. Wrap it: "
            "x = keras.Input(shape); keras.Model(x, model.call(x))."
        )
    return model


def _walk(
    graph: Any, tensors: list[Any], sources: list[int | None], prefix: str, found: list[Step]
) -> tuple[list[Any], list[int | None]]:
    """Append the steps of ``graph`` fed with ``tensors``; return its outputs and their makers.

    ``sources`` are the steps that made ``tensors``; ``None`` at the outermost level, where the
    input layers are steps of their own.
    """
    values = {id(own): given for own, given in zip(graph.inputs, tensors, strict=True)}
    makers = {id(own): source for own, source in zip(graph.inputs, sources, strict=True)}
    same = all(own.shape == given.shape for own, given in zip(graph.inputs, tensors, strict=True))
    for node in _nodes(graph):
        if node.is_input:
            (own,) = node.outputs
            if makers[id(own)] is None:
                makers[id(own)] = len(found)
                shape = tuple(values[id(own)].shape)
                found.append(Step(node.operation, prefix + node.operation.name, (), (shape,), ()))
            continue
        parents = [makers[id(tensor)] for tensor in node.input_tensors]
        inputs = [values[id(tensor)] for tensor in node.input_tensors]
        name = prefix + node.operation.name
        if isinstance(node.operation, keras.Model):
            inner = _graph(node.operation)
            outputs, made = _walk(inner, inputs, parents, f"{name}/", found)
        else:
            outputs = node.outputs if same else _propagate(node, values, name)
            made = [len(found)] * len(outputs)
            found.append(
                Step(
                    node.operation,
                    name,
                    inputs=tuple(tuple(tensor.shape) for tensor in inputs),
                    outputs=tuple(tuple(tensor.shape) for tensor in outputs),
                    parents=tuple(parent for parent in parents if parent is not None),
                )
            )
        values |= {id(own): value for own, value in zip(node.outputs, outputs, strict=True)}
        makers |= {id(own): maker for own, maker in zip(node.outputs, made, strict=True)}
    return [values[id(t)] for t in graph.outputs], [makers[id(t)] for t in graph.outputs]


def _nodes(graph: Any) -> Iterator[Any]:
    for depth in sorted(graph._nodes_by_depth, reverse=True):
        yield from graph._nodes_by_depth[depth]


def _propagate(node: Any, values: dict[int, Any], name: str) -> list[Any]:
    """Outputs of one call for other inputs; nothing is added to the layer's record."""
    arguments, keywords = node.arguments.fill_in(values)
    try:
        _check_axes(node.operation, [values[id(tensor)] for tensor in node.input_tensors])
        outputs = node.operation.compute_output_spec(*arguments, **keywords)
    except (ValueError, TypeError) as error:
        raise UsageError(
            f"Layer {name!r} cannot take this input size: {error} "
            "Build the network for the new size instead."
        ) from error
    flat: list[Any] = keras.tree.flatten(outputs)
    return flat


def _check_axes(operation: Any, inputs: list[Any]) -> None:
    """What a call would check first: the sizes that the layer's weights were made for."""
    specs = keras.tree.flatten(getattr(operation, "input_spec", None))
    for spec, tensor in zip(specs, inputs, strict=False):
        for axis, size in (getattr(spec, "axes", None) or {}).items():
            if size is not None and tensor.shape[axis] not in (size, None):
                raise ValueError(f"its weights want {size} inputs, not {tensor.shape[axis]}.")
