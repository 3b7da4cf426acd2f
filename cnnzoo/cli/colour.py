"""Colour for those who read on a terminal; files and programs get the plain text."""

from __future__ import annotations

import sys
from collections.abc import Mapping


def show(text: str, styles: Mapping[str, str]) -> None:
    """Print ``text``; on a terminal, what a pattern matches has the style beside it."""
    if not sys.stdout.isatty():
        print(text)
        return
    from rich.console import Console
    from rich.text import Text

    coloured = Text(text)
    for pattern, style in styles.items():
        coloured.highlight_regex(pattern, style)
    Console(highlight=False).print(coloured, soft_wrap=True)
