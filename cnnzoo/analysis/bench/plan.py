"""What is to be measured, every argument checked before anything is built. No framework needed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from cnnzoo.analysis.table import check_size
from cnnzoo.catalogue.registry import all_specs, get_spec
from cnnzoo.catalogue.spec import ModelSpec
from cnnzoo.errors import UsageError
from cnnzoo.lookup import pick
from cnnzoo.runtimes.names import PRECISIONS

Size = tuple[int, int]

# Name -> what it computes in. The first two run what Keras built under a dtype policy.
RUNTIMES = {
    "keras": ("float32", "bfloat16", "float16"),
    "predict": ("float32", "bfloat16", "float16"),
    "openvino": PRECISIONS["openvino"],
    "onnxruntime": PRECISIONS["onnxruntime"],
}
DTYPES = ("float32", "bfloat16", "float16", "int8")


@dataclass(frozen=True, slots=True)
class Network:
    """A network of the zoo, by its spec, or a model of the user's own; exactly one of the two."""

    name: str
    size: Size
    spec: ModelSpec | None = None
    model: Any = None


@dataclass(frozen=True, slots=True)
class Plan:
    """Every network is measured in every configuration; an own model has its own dtype."""

    networks: tuple[Network, ...]
    batches: tuple[int, ...]
    runtimes: tuple[str, ...]
    dtypes: tuple[str, ...]
    rounds: int
    threads: int | None

    def dtypes_of(self, network: Network) -> tuple[str, ...]:
        return self.dtypes if network.model is None else (str(network.model.compute_dtype),)

    @property
    def cases(self) -> int:
        dtypes = sum(len(self.dtypes_of(network)) for network in self.networks)
        return dtypes * len(self.batches) * len(self.runtimes)


def make_plan(
    networks: Any,
    *,
    batches: Iterable[int] = (1,),
    runtimes: Iterable[str] = ("keras",),
    dtypes: Iterable[str] | None = None,
    rounds: int = 20,
    input_size: int | Size | None = None,
    threads: int | None = None,
) -> Plan:
    """The arguments of ``benchmark``, checked.

    Raises:
        UnknownNameError: A network, a runtime or a dtype is unknown; the nearest is named.
        UsageError: An argument cannot work.
    """
    asked = _listed("networks", list(all_specs()) if networks is None else networks)
    own = [it for it in asked if not isinstance(it, str)]
    if dtypes is not None and own:
        raise UsageError(
            f"dtypes={dtypes!r} cannot be had: {_name(own[0])!r} is built already, in the dtype "
            "it was built in. Leave dtypes out, or name a network of the zoo."
        )
    size = None if input_size is None else check_size(input_size)
    found = [_zoo(get_spec(it), size) if isinstance(it, str) else _own(it, size) for it in asked]
    _refuse_twice("networks", [network.name for network in found])
    counts = [_count("batch", number) for number in _listed("batches", batches)]
    _refuse_twice("batches", counts)
    plan = Plan(
        networks=tuple(found),
        batches=tuple(counts),
        runtimes=_names("runtime", RUNTIMES, runtimes),
        dtypes=_names("dtype", DTYPES, ("float32",) if dtypes is None else dtypes),
        rounds=_count("rounds", rounds),
        threads=None if threads is None else _count("threads", threads),
    )
    _check_runtimes(plan)
    return plan


def _check_runtimes(plan: Plan) -> None:
    """Refuse a dtype that one of the runtimes does not know, and threads that it would not heed."""
    for runtime in plan.runtimes:
        for network in plan.networks:
            for dtype in plan.dtypes_of(network):
                if dtype not in RUNTIMES[runtime]:
                    raise UsageError(
                        f"The runtime {runtime!r} does not compute {network.name} in {dtype}, only "
                        f"in: {', '.join(RUNTIMES[runtime])}. Measure it by itself."
                    )
        if plan.threads is not None and runtime in PRECISIONS and runtime != "keras":
            raise UsageError(
                f"threads={plan.threads} cannot be set for the runtime {runtime!r}. Bind the "
                "process to cores instead, on Linux with taskset."
            )


def _zoo(spec: ModelSpec, size: Size | None) -> Network:
    choices = spec.choose({})
    least = spec.min_size_for(choices)
    if size is not None and min(size) < least:
        raise UsageError(
            f"input_size={size[0]}x{size[1]} is too small for {spec.name}, which needs {least} "
            f"pixels. Use input_size={least} or more, or leave {spec.name} out."
        )
    height, width, _ = spec.shape_for(choices)
    return Network(spec.name, size or (height, width), spec=spec)


def _own(model: Any, size: Size | None) -> Network:
    """A built model with one input of pictures, whose size is known or given."""
    inputs = getattr(model, "inputs", None)
    if not hasattr(model, "predict") or not inputs or len(inputs) != 1:
        raise UsageError(
            f"{_name(model)!r} is neither a network's name nor a built Keras model with one "
            "input. Use a name of cnnzoo.list_models(), or a functional or sequential model."
        )
    shape = inputs[0].shape
    if len(shape) != 4:
        raise UsageError(f"{_name(model)!r} takes {tuple(shape)}; only pictures can be timed.")
    sides = shape[2:] if _channels_first() else shape[1:3]
    if size is None and None in sides:
        raise UsageError(
            f"{_name(model)!r} takes images of any size, and the time depends on it. "
            "Pass input_size, for example input_size=224."
        )
    size = size or (sides[0], sides[1])
    if any(side not in (None, wanted) for side, wanted in zip(sides, size, strict=True)):
        raise UsageError(
            f"input_size={size[0]}x{size[1]} does not fit {_name(model)!r}, which was built for "
            f"{sides[0]}x{sides[1]}. Leave input_size out."
        )
    return Network(_name(model), size, model=model)


def _channels_first() -> bool:
    import keras  # an own model exists, so it is loaded already

    return bool(keras.config.image_data_format() == "channels_first")


def _name(model: Any) -> str:
    return str(getattr(model, "name", repr(model)))


def _listed(what: str, values: Any) -> list[Any]:
    """A list of what was asked for; one thing alone may stand without a list around it."""
    single = isinstance(values, str | int) or hasattr(values, "predict")
    if not single and not isinstance(values, Iterable):
        raise UsageError(f"{what}={values!r} is no list. Use one value or a list of them.")
    found = [values] if single else list(values)
    if not found:
        raise UsageError(f"{what} is an empty list, so there is nothing to measure.")
    return found


def _names(kind: str, known: Iterable[str], asked: Any) -> tuple[str, ...]:
    table = {name: name for name in known}
    found = [pick(table, name, kind=kind) for name in _listed(f"{kind}s", asked)]
    _refuse_twice(f"{kind}s", found)
    return tuple(found)


def _count(what: str, value: Any) -> int:
    if type(value) is not int or value < 1:
        raise UsageError(f"{what}={value!r} is not a whole number from 1.")
    return value


def _refuse_twice(what: str, names: Sequence[object]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"{what} holds {name!r} twice. Name each once.")
