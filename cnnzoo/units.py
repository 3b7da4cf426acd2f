"""Numbers as people read them."""

from __future__ import annotations

DASH = "–"
_STEPS = ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k"))


def short(number: float, digits: int = 1) -> str:
    """``138_357_544`` -> ``"138.4 M"``."""
    for size, letter in _STEPS:
        if abs(number) >= size:
            return f"{number / size:.{digits}f} {letter}"
    return f"{number:g}"


def parse(text: str) -> float:
    """``"30M"``, ``"30 M"``, ``"30e6"``, ``"30,000,000"`` -> ``30_000_000.0``.

    Raises:
        ValueError: It is no number.
    """
    bare = text.replace(" ", "").replace(",", "")
    sizes = {letter.lower(): size for size, letter in _STEPS}
    size = sizes.get(bare[-1:].lower(), 1)
    return float(bare if size == 1 else bare[:-1]) * size


def grouped(number: int) -> str:
    """``138357544`` -> ``"138,357,544"``."""
    return f"{number:,}"


def mebibytes(size_bytes: float) -> str:
    """``553_430_176`` -> ``"527.8 MiB"`` (1 MiB = 2**20 bytes); two digits below one."""
    size = size_bytes / 2**20
    return f"{size:,.{1 if size >= 1 or not size else 2}f} MiB"


def percent(fraction: float, digits: int = 2) -> str:
    """``0.9806`` -> ``"98.06 %"``."""
    return f"{100 * fraction:.{digits}f} %"


def duration(seconds: float) -> str:
    """``75`` -> ``"1 min 15 s"``."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"
