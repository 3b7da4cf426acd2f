"""What costs nothing must stay free: checked in fresh interpreters."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import cnnzoo

HEAVY = [
    "keras", "tensorflow", "torch", "jax", "numpy", "h5py", "sklearn", "matplotlib", "PIL",
    "requests", "pandas",
]  # fmt: skip
LIGHT = {
    "import": "pass",
    "list": "cnnzoo.cli.main.main(['list'])",
    "list sorted": "cnnzoo.cli.main.main(['list', '--max-params', '30e6', '--sort', 'macs'])",
    "info": "cnnzoo.cli.main.main(['info', 'googlenet'])",
    "table": "cnnzoo.cli.main.main(['table', '--columns', 'all', '--sort', 'macs'])",
    "help": "cnnzoo.cli.main.main(['--help'])",
    "verb help": "cnnzoo.cli.main.main(['finetune', '--help'])",
    "error": "cnnzoo.cli.main.main(['info', 'nonsense'])",
    "python": "cnnzoo.list_models()",
    "register": "cnnzoo.register_model('own', 'a:b', input_shape=(8, 8, 3))",
}


@pytest.mark.parametrize("what", LIGHT)
def test_listing_imports_no_framework(what):
    script = f"""
import sys, json, contextlib, io
import cnnzoo, cnnzoo.cli.main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    {LIGHT[what]}
print(json.dumps(sorted(set({HEAVY!r}) & sys.modules.keys())))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout) == []


def test_public_names_are_sorted_complete_and_open():
    names = cnnzoo.__all__
    assert names == ["__version__", *sorted(names[1:])]
    assert {"build", "fine_tune", "table", "UsageError", "CnnZooError"} <= set(names)
    for name in names:
        assert getattr(cnnzoo, name) is not None
    assert dir(cnnzoo) == sorted(names)


def test_no_public_name_is_hidden_by_a_module_of_the_same_name():
    import pkgutil

    modules = {module.name for module in pkgutil.iter_modules(cnnzoo.__path__)}
    assert modules & set(cnnzoo.__all__) == set()


def test_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'bild'"):
        _ = cnnzoo.bild
