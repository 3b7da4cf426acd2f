"""What servers send instead of a file, told by its first bytes."""

from __future__ import annotations

import re

HEAD_BYTES = 4096

_PAGE = re.compile(
    rb"[\s\xef\xbb\xbf]*<(!doctype|html|head|body|title|script|meta|error|\?xml|!--)", re.IGNORECASE
)
_TITLE = re.compile(rb"<title[^>]*>\s*(.*?)\s*</title>", re.IGNORECASE | re.DOTALL)
_LFS = b"version https://git-lfs"


def impostor(head: bytes) -> str:
    """Name what ``head`` begins, or return nothing when it can be a weight file."""
    if head.startswith(_LFS):
        return "a git-LFS pointer instead of the file it points to"
    if not _PAGE.match(head):
        return ""
    title = _TITLE.search(head)
    words = title[1].decode("utf-8", "replace").split() if title else []
    return f"a web page titled {' '.join(words)[:80]!r}" if words else "a web page"
