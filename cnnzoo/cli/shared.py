"""What several verbs say alike."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterable
from typing import Any

from cnnzoo import units
from cnnzoo.errors import UsageError


def add_verb(
    verbs: Any, name: str, help: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """A sub-command whose ``--help`` ends with examples."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        name,
        help=help,
        description=description,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def add_bad_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--bad-data",
        metavar="WHAT",
        help="damaged and leaking images: refuse (default), skip or keep",
    )
    add_follow_links(parser)


def add_follow_links(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--follow-links",
        action="store_true",
        default=None,
        help="accept links that lead out of the folder",
    )


def typed(arguments: argparse.Namespace, names: Iterable[str]) -> dict[str, Any]:
    """Those of the options that were typed, by name; the others are left to the function."""
    values = {name: getattr(arguments, name) for name in names}
    return {name: value for name, value in values.items() if value is not None}


def add_runtime(parser: argparse.ArgumentParser, precision: str) -> None:
    """``precision`` is what the function takes unless given, which differs between verbs."""
    parser.add_argument(
        "--runtime", metavar="NAME",
        help="what computes: auto (default), keras, openvino, onnxruntime",
    )  # fmt: skip
    parser.add_argument(
        "--precision", metavar="NAME",
        help=f"in what: auto, float32, bfloat16, int8 ({precision})",
    )  # fmt: skip


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="an option of the network, as 'cnnzoo info' lists them; repeatable",
    )


def parse_options(pairs: list[str]) -> dict[str, bool | str]:
    """``["variant=v1.5", "aux=true"]`` -> ``{"variant": "v1.5", "aux": True}``."""
    options: dict[str, bool | str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name or name in options:
            raise UsageError(f"--option {pair!r} is not NAME=VALUE, each name once.")
        options[name] = {"true": True, "false": False}.get(value.lower(), value)
    return options


def parse_count(text: str) -> float:
    """``"30M"`` -> 30,000,000, for ``type=``."""
    try:
        return units.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no number such as 30M") from error


def parse_shape(text: str | None) -> tuple[int | None, ...] | None:
    """``"64,64,3"`` or ``"64x64x3"`` -> ``(64, 64, 3)``; ``?`` or ``none`` is an open size."""
    if text is None:
        return None
    parts = text.lower().replace("x", ",").split(",")
    try:
        return tuple(None if part.strip() in ("?", "none") else int(part) for part in parts)
    except ValueError as error:
        raise UsageError(f"--input-shape {text!r} is not a shape such as 64,64,3.") from error


def terminal_width() -> int | None:
    """Characters in a line when a person reads, ``None`` when a file or a program does."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
