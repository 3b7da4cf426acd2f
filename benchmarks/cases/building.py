"""Building networks and filling them from a file on this disk."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.core import Aim, Case, Differ, Prepared

THEIRS, OURS = "keras.applications", "cnnzoo"
# Beyond what imports and a first small network take: that is TensorFlow waking up.
_PEAK = """
import sys, cnnzoo
from cnnzoo.analysis.bench.memory import peak_mib
cnnzoo.build("lenet5")
before = peak_mib()
model = cnnzoo.build("vgg16", weights=sys.argv[1])
print(peak_mib() - before, model.count_params() * 4 / 2**20)
"""


def _same_shapes(answers: dict[str, Any]) -> str:
    first, *others = ([tuple(v.shape) for v in model.weights] for model in answers.values())
    if any(other != first for other in others):
        raise Differ("The networks do not have the same weights.")
    return f"{len(first)} weights of the same shapes in the same order"


def _same_weights(models: list[Any]) -> str:
    first, *others = (model.get_weights() for model in models)
    for other in others:
        if len(other) != len(first) or any(
            a.tobytes() != b.tobytes() for a, b in zip(first, other, strict=True)
        ):
            raise Differ("The networks do not hold the same numbers.")
    return f"{len(first)} weights equal bit by bit"


def _build(name: str, theirs: str) -> Case:
    def prepare() -> Prepared:
        import keras

        import cnnzoo

        function = getattr(keras.applications, theirs)
        return Prepared(
            {THEIRS: lambda: function(weights=None), OURS: lambda: cnnzoo.build(name)}, _same_shapes
        )

    return Case(
        f"build.{name}",
        f"Is {name} built as quickly as in keras.applications?",
        {THEIRS: f"{theirs}(weights=None)", OURS: f'build("{name}")'},
        prepare,
        aims=(Aim(OURS, THEIRS, times=1.0),),
    )


def _folder() -> Path:
    """A folder that lives as long as this process."""
    _folders.append(tempfile.TemporaryDirectory())
    return Path(_folders[-1].name)


_folders: list[tempfile.TemporaryDirectory[str]] = []
_RANDOM, _LOADED = "cnnzoo, random", "cnnzoo, from a file"
_THEIRS_LOADED = "keras.applications, from a file"


def _prepare_filled() -> Prepared:
    import keras

    import cnnzoo

    path = str(_folder() / "vgg16.weights.h5")
    cnnzoo.build("vgg16").save_weights(path)
    return Prepared(
        {
            _THEIRS_LOADED: lambda: keras.applications.VGG16(weights=path),
            _RANDOM: lambda: cnnzoo.build("vgg16"),
            _LOADED: lambda: cnnzoo.build("vgg16", weights=path),
        },
        lambda answers: _same_weights([answers[_THEIRS_LOADED], answers[_LOADED]]),
    )


_READ = {"safetensors": "read .safetensors", "hdf5": "read .weights.h5"}
_LOAD = {"safetensors": "build from .safetensors", "hdf5": "build from .weights.h5"}


def _prepare_load() -> Prepared:
    import numpy as np
    from safetensors.numpy import save_file

    import cnnzoo
    from cnnzoo.pretrained.assign import variables

    folder = _folder()
    model = cnnzoo.build("vgg16")
    paths = {"safetensors": folder / "vgg16.safetensors", "hdf5": folder / "vgg16.weights.h5"}
    model.save_weights(paths["hdf5"])
    save_file(
        {name: np.asarray(v.value) for name, v in variables(model).items()}, paths["safetensors"]
    )
    calls: dict[str, Any] = {}
    for kind, path in paths.items():
        calls[_READ[kind]] = path.read_bytes
        calls[_LOAD[kind]] = lambda path=path: cnnzoo.build("vgg16", weights=path)
    return Prepared(
        calls,
        lambda answers: _same_weights([model, *(answers[side] for side in _LOAD.values())]),
        notes=tuple(_peak(path) for path in paths.values()),
    )


def _peak(path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _PEAK, str(path)], capture_output=True, text=True, check=True
    )
    peak, size = map(float, done.stdout.split()[-2:])
    return f"peak memory of building from {path.name}: {peak:.0f} MiB for a model of {size:.0f} MiB"


CASES = [
    _build("vgg16", "VGG16"),
    _build("resnet50", "ResNet50"),
    Case(
        "build.vgg16-with-weights",
        "What is gained by not drawing random weights that a file replaces?",
        {
            _THEIRS_LOADED: "VGG16(weights=FILE)",
            _RANDOM: 'build("vgg16")',
            _LOADED: 'build("vgg16", weights=FILE): draws nothing, reads and checks every number',
        },
        _prepare_filled,
        aims=(Aim(_LOADED, _THEIRS_LOADED, times=1.0), Aim(_LOADED, _RANDOM, times=1.0)),
    ),
    Case(
        "load.vgg16",
        "Is a network built and filled in twice the time of reading its file?",
        {
            _READ["safetensors"]: "the bytes of the file into memory, and nothing else",
            _LOAD["safetensors"]: 'build("vgg16", weights=FILE)',
            _READ["hdf5"]: "the bytes of the file into memory, and nothing else",
            _LOAD["hdf5"]: 'build("vgg16", weights=FILE)',
        },
        _prepare_load,
        aims=tuple(Aim(_LOAD[kind], _READ[kind], times=0.5) for kind in _LOAD),
    ),
]
