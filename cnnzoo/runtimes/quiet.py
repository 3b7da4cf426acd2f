"""What TensorFlow need not say."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator


@contextlib.contextmanager
def compiling_again() -> Iterator[None]:
    """Several shapes or phases are meant to be compiled: TensorFlow does not warn of each."""
    logger = logging.getLogger("tensorflow")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
