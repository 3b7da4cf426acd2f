"""What happens when somebody imports Keras: our layers are registered, and it may be done quietly.

Keras finds a custom layer only if it was registered, that is, if the module that defines it was
imported. A fresh process that imports ``keras`` and ``cnnzoo``, in whichever order, must be able
to reload a model, while ``import cnnzoo`` alone must not cost an import of Keras. So the layers
are imported right after Keras is.

TensorFlow greets with half a dozen lines on stderr that no setting of its own silences any more
(2.21); the command line asks for quiet, a program that imports cnnzoo gets what it always got.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

_LAYERS = ("cnnzoo.models.layers", "cnnzoo.models.grouped", "cnnzoo.models.layers_1998")
_quiet = False


def install() -> None:
    """Register the layers now if Keras is loaded, else as soon as it has been."""
    if "keras" in sys.modules:
        _register()
    else:
        sys.meta_path.insert(0, _AfterKeras())


def import_quietly() -> None:
    """From now on, what an import of Keras writes on stderr is shown only if the import fails."""
    global _quiet
    _quiet = True


def _register() -> None:
    for module in _LAYERS:
        importlib.import_module(module)


class _AfterKeras(importlib.abc.MetaPathFinder):
    """Finds ``keras`` as everybody else would, and adds one step after its execution."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != "keras":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            spec.loader = _ThenRegister(spec.loader)
        return spec


class _ThenRegister(importlib.abc.Loader):
    def __init__(self, loader: importlib.abc.Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        with _muted() if _quiet else contextlib.nullcontext():
            self._loader.exec_module(module)
            _register()


@contextlib.contextmanager
def _muted() -> Iterator[None]:
    """Keep what is written on the file descriptor of stderr; replay it when the block fails."""
    try:
        stderr = os.dup(2)
    except OSError:  # the caller closed it
        yield
        return
    with tempfile.TemporaryFile() as kept:
        os.dup2(kept.fileno(), 2)
        failed = True
        try:
            yield
            failed = False
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            if failed:
                kept.seek(0)
                os.write(2, kept.read())
