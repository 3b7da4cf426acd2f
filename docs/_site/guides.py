"""The guides: stored notebooks as pages, with what their cells printed and drew."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "guides"
LINK = re.compile(r"(\]\([\w-]+)\.ipynb(?=[)#])")  # to another guide
PICTURES = {"image/svg+xml": "svg", "image/png": "png"}


def pages() -> dict[str, str | bytes]:
    """Path within the site -> page or picture."""
    made: dict[str, str | bytes] = {}
    for path in sorted(FOLDER.glob("*.ipynb")):
        made |= page(path)
    return made


def page(path: Path) -> dict[str, str | bytes]:
    """The page of one notebook, and its pictures."""
    parts: list[str] = []
    pictures: dict[str, bytes] = {}
    for cell in json.loads(path.read_text("utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(LINK.sub(r"\1.md", source))
            continue
        parts.append(_code(source))
        for output in cell["outputs"]:
            found = _picture(output)
            if found is None:
                parts.append(f"```text\n{_text(output).rstrip()}\n```")
                continue
            kind, data = found
            name = f"{path.stem}-{len(pictures) + 1}.{kind}"
            pictures[f"guides/{name}"] = data
            parts.append(f"![{cell['metadata']['alt']}]({name}){{ .drawn }}")
    download = f"[Download this page as a notebook]({path.name}){{ download }}"
    parts.insert(1, f"{download}. What stands below its lines is what they printed.")
    return {f"guides/{path.stem}.md": "\n\n".join(parts), **pictures}


def _code(source: str) -> str:
    """Lines of Python; those that begin with ``!`` are for a terminal."""
    lines = source.splitlines()
    if all(line.startswith("!") for line in lines):
        return "\n".join(["```sh", *(line[1:] for line in lines), "```"])
    return f"```python\n{source}\n```"


def _picture(output: dict[str, Any]) -> tuple[str, bytes] | None:
    """Suffix and content, if the output is one."""
    for kind, suffix in PICTURES.items():
        if kind in output.get("data", {}):
            text = "".join(output["data"][kind])
            return suffix, text.encode() if suffix == "svg" else base64.b64decode(text)
    return None


def _text(output: dict[str, Any]) -> str:
    return "".join(output.get("text") or output["data"]["text/plain"])
