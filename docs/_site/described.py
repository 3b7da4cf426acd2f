"""A hook of its own: a picture that tells nothing to those who do not see it ends the build."""

from __future__ import annotations

import re
from typing import Any

from mkdocs.exceptions import PluginError

PICTURE = re.compile(r"<img\b[^>]*>")
DESCRIBED = re.compile(r'\balt="[^"]{8,}"')


def on_page_content(html: str, page: Any, **_: Any) -> str:
    """Look at every picture of a page.

    Raises:
        PluginError: One has no alternative text, or next to none.
    """
    for picture in PICTURE.findall(html):
        if not DESCRIBED.search(picture):
            raise PluginError(f"{page.file.src_uri}: {picture} has no alternative text.")
    return html
