"""Late binding: from a name to an entry, from an address to a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from importlib import import_module
from typing import Any, TypeVar

from cnnzoo.errors import UnknownNameError

T = TypeVar("T")
_ALIKE = str.maketrans("oli", "011")


def resolve(address: str | Callable[..., Any]) -> Any:
    """Import ``"package.module:function"`` and return the function; a function is itself.

    An address without a colon is that of a module, which is returned.
    """
    if callable(address):
        return address
    name, _, attribute = address.partition(":")
    module = import_module(name)
    return getattr(module, attribute) if attribute else module


def fold(name: str) -> str:
    """Forget what people type differently: case, ``-``, ``_``, ``.`` and spaces."""
    return "".join(character for character in name.lower() if character.isalnum())


def nearest(name: object, known: Iterable[str], limit: int = 3) -> list[str]:
    """The known names most like ``name``, best first.

    Compared without case and separators; ``O`` is like ``0``, ``l`` and ``I`` are like ``1``.
    """
    by_looks = {_looks(candidate): candidate for candidate in known}
    found = get_close_matches(_looks(str(name)), by_looks, n=limit, cutoff=0.5)
    return [by_looks[key] for key in found]


def _looks(name: str) -> str:
    return fold(name).translate(_ALIKE)


def did_you_mean(name: object, known: Iterable[str], limit: int = 3) -> str:
    """`` Did you mean 'vgg16' or 'vgg19'?`` with a leading space, or nothing."""
    return _question(nearest(name, known, limit))


def _question(names: Iterable[str]) -> str:
    quoted = [repr(name) for name in names]
    return f" Did you mean {' or '.join(quoted)}?" if quoted else ""


def pick(
    table: Mapping[str, T],
    name: object,
    *,
    kind: str,
    aliases: Mapping[str, str] | None = None,
    see: str = "",
) -> T:
    """Return the entry called ``name``, forgiving case, separators and aliases.

    Args:
        kind: What the table holds, singular, for the message: ``"network"``.
        aliases: Other names people type, to the key they mean.
        see: The command or page that lists what exists.

    Raises:
        UnknownNameError: No entry is called so; the message gives the nearest names.
    """
    if isinstance(name, str):
        if name in table:
            return table[name]
        by_fold = {fold(alias): key for alias, key in (aliases or {}).items()}
        by_fold |= {fold(key): key for key in table}
        if fold(name) in by_fold:
            return table[by_fold[fold(name)]]
    meant = nearest(name, [*table, *(aliases or {})])
    hint = _question(dict.fromkeys((aliases or {}).get(found, found) for found in meant))
    known = see or f"Known: {', '.join(sorted(table))}."
    raise UnknownNameError(f"No {kind} is named {name!r}.{hint} {known}")
