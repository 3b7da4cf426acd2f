"""Pages and pictures out of the templates beside this file."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from cnnzoo import units

NO_BREAK = "\N{NO-BREAK SPACE}"


def fill(template: str, **values: Any) -> str:
    """The text of a template with its values, escaped; a value it lacks is an error."""
    return _environment().get_template(template).render(values)


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader("cnnzoo", "training/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {
        "percent": lambda *figure: units.percent(*figure).replace(" ", NO_BREAK),
        "duration": units.duration,
        "grouped": units.grouped,
    }
    return found
