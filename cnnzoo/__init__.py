"""The classic convolutional networks for Keras 3, exact, comparable and ready to fine-tune.

The public names below are addresses that are resolved when first used, so that ``import cnnzoo``
costs nothing and a listing needs no framework.
"""

from __future__ import annotations

import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as _version
from typing import Any

from cnnzoo import _keras_hook, errors

try:
    __version__ = _version("cnnzoo")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

_PUBLIC = {
    "add_head": "cnnzoo.training.heads:add_head",
    "benchmark": "cnnzoo.analysis.bench.run:benchmark",
    "build": "cnnzoo.builder:build",
    "check_data": "cnnzoo.training.data.check:check_data",
    "compare": "cnnzoo.analysis.compare:compare",
    "compare_runs": "cnnzoo.training.overlay:compare_runs",
    "decode_predictions": "cnnzoo.inference.decode:decode_predictions",
    "diff": "cnnzoo.analysis.diff:diff",
    "download": "cnnzoo.downloads:download",
    "evaluate": "cnnzoo.training.evaluate:evaluate",
    "export": "cnnzoo.inference.export:export",
    "fine_tune": "cnnzoo.training.finetune:fine_tune",
    "freeze": "cnnzoo.training.freezing:freeze",
    "info": "cnnzoo.analysis.card:info",
    "list_models": "cnnzoo.analysis.listing:list_models",
    "list_weights": "cnnzoo.catalogue.weights:list_weights",
    "load_data": "cnnzoo.training.data.load:load_data",
    "lr_find": "cnnzoo.training.lr_find:lr_find",
    "plot": "cnnzoo.analysis.plot",
    "predict": "cnnzoo.inference.predict:predict",
    "preprocess_input": "cnnzoo.inference.pixels:preprocess_input",
    "probe": "cnnzoo.training.probe.run:probe",
    "register_model": "cnnzoo.catalogue.registry:register_model",
    "summary": "cnnzoo.analysis.summary:summary",
    "table": "cnnzoo.analysis.table:table",
    "unfreeze": "cnnzoo.training.freezing:unfreeze",
    "verify": "cnnzoo.inference.verify:verify",
}
_ERRORS = tuple(
    name
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, errors.CnnZooError)
)

__all__ = ["__version__", *sorted((*_PUBLIC, *_ERRORS))]

_keras_hook.install()


def __getattr__(name: str) -> Any:
    if name in _ERRORS:
        value = getattr(errors, name)
    elif name in _PUBLIC:
        from cnnzoo.lookup import resolve

        value = resolve(_PUBLIC[name])
    else:
        raise AttributeError(f"module 'cnnzoo' has no attribute {name!r}")
    setattr(sys.modules[__name__], name, value)
    return value


def __dir__() -> list[str]:
    return __all__
