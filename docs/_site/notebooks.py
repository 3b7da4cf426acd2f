"""Runs the guides, which are notebooks, and stores them with what they print.

``python docs/_site/notebooks.py`` runs all of them, names after it only those; ``make notebooks``
is the same. Everything happens offline, in an empty folder.
A cell whose output differs from machine to machine, such as times and accuracies, is tagged
``varies``; a picture is described by the metadata ``alt`` of its cell.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

FOLDER = Path(__file__).resolve().parents[1] / "guides"
HOME = "/home/you"  # what outputs call the folder that holds the guide's
VARIES = "varies"
# What TensorFlow says on its own account: greetings, and that it traces a function once more.
CHATTER = re.compile(r"^(WARNING: All log messages|[IWE]\d{4} \d|WARNING:tensorflow:\d).*\n", re.M)
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}


def guides() -> list[Path]:
    return sorted(FOLDER.glob("*.ipynb"))


def run(path: Path) -> Any:
    """The notebook with what its cells print now; the first error ends it.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell raised.
    """
    notebook = nbformat.read(path, as_version=4)
    with tempfile.TemporaryDirectory(prefix="cnnzoo-guide-") as folder:
        home = Path(folder).resolve()
        work = home / "guide"
        work.mkdir()
        client = NotebookClient(
            notebook,
            timeout=600,  # seconds a cell
            kernel_name=KERNEL["name"],
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": str(work)}},
        )
        client.execute(env=_environment(home))
    _tidy(notebook, str(home))
    return notebook


def store(path: Path) -> None:
    """Run a notebook and write it back."""
    nbformat.write(run(path), path)


def code_hash(notebook: Any) -> str:
    """Changes whenever code does; what was run is written beside what it printed."""
    code = "\0".join(cell.source for cell in notebook.cells if cell.cell_type == "code")
    return hashlib.sha256(code.encode()).hexdigest()


def texts(notebook: Any) -> list[str]:
    """What the code cells print, one after the other, without those that may vary."""
    return [
        text
        for cell in notebook.cells
        if VARIES not in cell.metadata.get("tags", [])
        for text in texts_of(cell)
    ]


def texts_of(cell: Any) -> list[str]:
    """What a cell prints; of a picture, what stands for it in a terminal."""
    outputs = cell.get("outputs", [])
    return [output.get("text") or output["data"]["text/plain"] for output in outputs]


def _environment(home: Path) -> dict[str, str]:
    """That of a user who has just installed the package, and is offline."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CNNZOO_")}
    for name in ("KERAS_BACKEND", "MPLBACKEND", "COLUMNS"):
        kept.pop(name, None)
    return kept | {
        "CNNZOO_CACHE": str(home / "cache"),
        "CNNZOO_OFFLINE": "1",
        "IPYTHONDIR": str(home / "ipython"),
        "KERAS_HOME": str(home / "keras"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def _tidy(notebook: Any, folder: str) -> None:
    """Leave out what says nothing about the guide: versions, chatter, where it happened to run."""
    notebook.metadata = {
        "kernelspec": KERNEL,
        "language_info": {"name": "python"},
        "cnnzoo": {"ran": code_hash(notebook)},
    }
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [tidy for output in cell.outputs if (tidy := _tidied(output, folder))]


def _tidied(output: Any, folder: str) -> Any:
    """None if nothing is left."""
    if "text" in output:
        output.text = CHATTER.sub("", output.text.replace(folder, HOME))
        return output if output.text.strip() else None
    for kind, text in output.data.items():
        output.data[kind] = text.replace(folder, HOME)
    return output


def main(names: list[str]) -> None:
    known = {path.stem: path for path in guides()}
    for name in names or known:
        print(name, flush=True)
        store(known[name])


if __name__ == "__main__":
    main(sys.argv[1:])
