"""Where the data files are: catalogue, name maps, labels, shipped weights."""

from __future__ import annotations

from pathlib import Path

from cnnzoo.errors import CatalogueError


def weights_folder() -> Path:
    """Find the data folder: inside an installed package, or beside it in a checkout.

    Raises:
        CatalogueError: Neither exists.
    """
    return _weights_folder(Path(__file__).resolve().parents[1])


def _weights_folder(package: Path) -> Path:
    for folder in (package / "_weights", package.parent / "weights"):
        if (folder / "catalogue").is_dir():
            return folder
    raise CatalogueError(
        f"The weights catalogue is missing: neither {package / '_weights'} nor "
        f"{package.parent / 'weights'} holds a folder 'catalogue'. Install cnnzoo again."
    )
