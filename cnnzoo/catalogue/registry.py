"""Every network there is: the built-in ones, those a user registers, those plugins bring."""

from __future__ import annotations

import importlib.metadata
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from cnnzoo.catalogue.networks import NETWORKS
from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.catalogue.spec import Address, ModelSpec, Option, Paper
from cnnzoo.errors import UnknownNameError, UsageError
from cnnzoo.lookup import fold, pick

PLUGIN_GROUP = "cnnzoo.models"

_BUILT_IN = {spec.name: spec for spec in NETWORKS}
_registered: dict[str, ModelSpec] = {}


def all_specs() -> dict[str, ModelSpec]:
    """Name -> spec: built-in, plugins', then registered ones (which win)."""
    return _BUILT_IN | _plugins() | _registered


def get_spec(name: str | ModelSpec) -> ModelSpec:
    """The spec called ``name``; case, ``-``, ``_`` and known aliases are forgiven.

    Raises:
        UnknownNameError: No network is called so; the message gives the nearest names.
    """
    if isinstance(name, ModelSpec):
        return name
    specs = _BUILT_IN | _registered
    _check_is_name(name)
    if not isinstance(name, str) or fold(name) not in _names(specs):
        specs = all_specs()  # plugins are only looked for when a name needs them
    return pick(
        specs,
        name,
        kind="network",
        aliases=_aliases(specs),
        see=f"Known: {', '.join(specs)}." if len(specs) <= 20 else "Type: cnnzoo list",
    )


def _check_is_name(name: object) -> None:
    """Tell what looks like a network but is no name of one."""
    if not isinstance(name, str):
        raise UnknownNameError(
            f"{name!r:.80} is a {type(name).__name__}, not the name of a network. Models of your "
            "own are taken by cnnzoo.compare, diff, summary, benchmark, evaluate and cnnzoo.plot; "
            "cnnzoo.register_model gives a network of your own a name."
        )
    network, colon, form = name.partition(":")
    if colon and "=" in form:
        raise UnknownNameError(
            f"{name!r} is a form of a network, which compare and diff take. Here its options go "
            f"beside the name: cnnzoo.build({network!r}, …), or --option {form.split(',')[0]}"
        )
    if name.endswith((".keras", ".h5")):
        raise UnknownNameError(
            f"{name!r} is a file, and the name of a network is wanted. Files of Keras models are "
            "taken by: cnnzoo evaluate FILE --data DATA"
        )


def register_model(
    name: str,
    trunk: Address | None = None,
    *,
    input_shape: tuple[int, int, int],
    top: Address = "cnnzoo.models.heads:pooled",
    flat_top: bool = False,
    num_classes: int = 1000,
    min_size: int = 1,
    preprocessing: str = "zero-one",
    stages: tuple[str, ...] = (),
    title: str | None = None,
    family: str = "own",
    paper: Paper | None = None,
    options: tuple[Option, ...] = (),
    aliases: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    overwrite: bool = False,
) -> Any:
    """Add a network of your own; it then appears in every list, table and command.

    As a function: ``register_model("tiny", trunk, input_shape=(32, 32, 3))`` returns the spec.
    As a decorator: ``@register_model("tiny", input_shape=(32, 32, 3))`` over the trunk.

    Args:
        name: Its key: letters, digits and ``_``.
        trunk: ``(image, **options) -> features``, a function or the address of one,
            ``"package.module:function"``.
        input_shape: Height, width and channels it was made for.
        top: ``(features, num_classes, activation, **options) -> probabilities``; global average
            pooling and one dense layer unless given.
        flat_top: The top flattens and so needs a known height and width.
        min_size: Smallest height and width in pixels.
        preprocessing: Rule for pixels 0 to 255, one of those in ``cnnzoo.catalogue.preprocessing``.
        stages: The layer that ends each stage, from the image on; three at least, for
            ``cnnzoo.freeze`` and ``cnnzoo.unfreeze``.
        overwrite: Replace a network that is already called so.

    Raises:
        UsageError: The name or an alias is taken, or an argument cannot work.
    """

    def register(function: Address) -> ModelSpec:
        spec = ModelSpec(
            name=name,
            title=title or name,
            family=family,
            paper=paper or Paper(authors="", title="", year=0, venue="", url="", table=""),
            input_shape=input_shape,
            min_size=min_size,
            num_classes=num_classes,
            preprocessing=preprocessing,
            trunk=function,
            top=top,
            flat_top=flat_top,
            stages=stages,
            options=options,
            aliases=aliases,
            notes=notes,
            dataset="",
            origin="registered",
        )
        check_spec(spec)
        if not overwrite:
            _refuse_taken(spec, all_specs())
        _registered[name] = spec
        return spec

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        register(function)
        return function

    return decorate if trunk is None else register(trunk)


def unregister_model(name: str) -> None:
    """Forget a network that ``register_model`` added."""
    if _registered.pop(name, None) is None:
        raise UsageError(f"{name!r} was not registered, so it cannot be forgotten.")


def check_spec(spec: ModelSpec) -> None:
    """Refuse a spec that could not be listed or built."""
    if not isinstance(spec.name, str) or not spec.name.isidentifier():
        raise UsageError(f"{spec.name!r} cannot be a network's name; use letters, digits and '_'.")
    shape = spec.input_shape
    if len(shape) != 3 or not all(type(n) is int and n > 0 for n in shape):
        raise UsageError(
            f"input_shape={shape!r} of {spec.name!r} is not (height, width, channels) in pixels."
        )
    pick(PREPROCESSING, spec.preprocessing, kind="preprocessing rule")
    for address in (spec.trunk, spec.top):
        if not callable(address) and not (isinstance(address, str) and ":" in address):
            raise UsageError(
                f"{address!r} of {spec.name!r} is neither a function nor an address "
                "such as 'package.module:function'."
            )


def _refuse_taken(spec: ModelSpec, specs: Mapping[str, ModelSpec]) -> None:
    taken = _names(specs)
    for name in (spec.name, *spec.aliases):
        if fold(name) in taken:
            raise UsageError(
                f"{name!r} is already a name of {taken[fold(name)]!r}. "
                "Choose another name, or pass overwrite=True to replace it."
            )


def _aliases(specs: Mapping[str, ModelSpec]) -> dict[str, str]:
    return {alias: spec.name for spec in specs.values() for alias in spec.aliases}


def _names(specs: Mapping[str, ModelSpec]) -> dict[str, str]:
    """Folded name or alias -> key."""
    names = {fold(alias): name for alias, name in _aliases(specs).items()}
    return names | {fold(name): name for name in specs}


@cache
def _plugins() -> dict[str, ModelSpec]:
    """The networks that installed packages offer under the entry-point group.

    A plugin that cannot be loaded, or whose name is taken, is reported as a warning and left out:
    one broken package must not take the whole zoo away.
    """
    found: dict[str, ModelSpec] = {}
    for entry in sorted(importlib.metadata.entry_points(group=PLUGIN_GROUP), key=lambda e: e.name):
        package = entry.dist.name if entry.dist else entry.value
        try:
            for spec in _specs_of(entry.load()):
                check_spec(spec)
                _refuse_taken(spec, _BUILT_IN | found)
                found[spec.name] = replace(spec, origin=package)
        except Exception as error:  # a stranger's code may raise anything
            warnings.warn(
                f"The plugin {entry.name!r} of {package} was left out: {error}", stacklevel=2
            )
    return found


def _specs_of(plugin: Any) -> Iterable[ModelSpec]:
    """A plugin is a spec, several specs, or a function that returns either."""
    if not isinstance(plugin, ModelSpec) and callable(plugin):
        plugin = plugin()
    specs = (plugin,) if isinstance(plugin, ModelSpec) else tuple(plugin)
    for spec in specs:
        if not isinstance(spec, ModelSpec):
            raise UsageError(f"it offers {type(spec).__name__}, not a ModelSpec.")
    return specs
