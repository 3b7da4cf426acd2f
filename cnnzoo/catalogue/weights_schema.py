"""What an entry of ``weights/catalogue/*.toml`` must look like. A broken entry cannot ship."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from cnnzoo.catalogue.labels import DATASETS
from cnnzoo.catalogue.preprocessing import PREPROCESSING
from cnnzoo.errors import CatalogueError
from cnnzoo.lookup import did_you_mean

NOT_STATED = "not stated"
PARTS = ("full", "notop")
FORMATS = ("keras-h5", "keras3-h5", "safetensors", "onnx", "torch")
LAYOUTS = (
    "keras1-flat-suffix",  # /block1_conv1/block1_conv1_W_1:0
    "keras1-flat",  # /res2a_branch2a/res2a_branch2a_W:0; running_std holds the variance
    "keras1-own-names",  # as keras1-flat, layers named as in no network: matched in order
    "keras2-nested",  # /conv1_conv/conv1_conv/kernel:0
    "keras2-nested-depthwise",  # the same; grouped convolutions stored as depthwise kernels
    "keras3",  # Keras 3 .weights.h5
    "torch-state-dict",  # OIHW kernels, (out, in) dense layers
    "own-names",  # layer/variable as the network itself calls them, shapes of Keras
    "caffe-onnx",  # Caffe through ONNX: OIHW, first kernel in BGR
)
INTERPOLATIONS = ("bilinear", "bicubic")
# A plain name under POSIX and Windows alike: no folder, no drive, no device, no trailing dot.
_FILE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?")
_DEVICE = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_URL = re.compile(r"https://[a-z0-9][a-z0-9.-]*/[^\s?#@\\]+")
_HASH = re.compile(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}|sha256-prefix:[0-9a-f]{8,63}")
_TAG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_STEM = re.compile(r"(?:[a-z0-9][a-z0-9_.-]*)?")
_OPTION = re.compile(r"[a-z][a-z0-9_]*")


class _Rule(NamedTuple):
    holds: Callable[[Any], bool]
    wants: str
    required: bool = True


def check_entry(fields: object, where: str) -> None:
    """Check one ``[[weights]]`` table.

    Args:
        where: File and entry, for the message.

    Raises:
        CatalogueError: Names the field, its value, what would work, and where.
    """
    if not isinstance(fields, dict):
        raise CatalogueError(f"{fields!r:.80} is no [[weights]] table. ({where})")
    for name in fields:
        if name not in _RULES:
            hint = did_you_mean(name, _RULES)
            raise CatalogueError(f"{name!r} is no field of a weights entry.{hint} ({where})")
    for name, rule in _RULES.items():
        if name not in fields:
            if rule.required:
                raise CatalogueError(f"{name} is missing; it must be {rule.wants}. ({where})")
        elif not rule.holds(fields[name]):
            value = repr(fields[name])
            raise CatalogueError(f"{name} = {value:.120} must be {rule.wants}. ({where})")
    _check_together(fields, where)


def _check_together(fields: dict[str, Any], where: str) -> None:
    """The rules that tie fields to each other."""
    if (fields["part"] == "full") != ("classes" in fields):
        raise CatalogueError(f"classes must be given for part = 'full' and only there. ({where})")
    if fields["part"] == "notop" and {"top1", "top5", "class_offset"} & set(fields):
        raise CatalogueError(
            f"top1, top5 and class_offset belong to part = 'full': this file cannot classify. "
            f"({where})"
        )
    if fields.get("class_offset", 0) >= fields.get("classes", math.inf):
        raise CatalogueError(f"class_offset leaves no class of {fields['classes']}. ({where})")
    if "top1" not in fields and {"top5", "evaluation"} & set(fields):
        raise CatalogueError(f"top5 and evaluation belong to top1, which is missing. ({where})")
    if "top1" in fields and "evaluation" not in fields:
        raise CatalogueError(
            f"evaluation is missing: an accuracy says nothing without its protocol. ({where})"
        )
    if fields.get("resize", math.inf) < max(fields["input_size"]):
        raise CatalogueError(
            f"resize is smaller than input_size, which is cut out of it. ({where})"
        )
    if not fields["urls"] and fields["size_bytes"] == NOT_STATED:
        raise CatalogueError(f"size_bytes must be exact for a file that ships. ({where})")


def _text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and value.isprintable()


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def _one_of(words: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and value in words


def _file_name(value: Any) -> bool:
    return _matches(_FILE)(value) and not _DEVICE.fullmatch(value)


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _percentage(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value <= 100


def _size(value: Any) -> bool:
    return value == NOT_STATED or _whole(value, 1, 2**40)


def _urls(value: Any) -> bool:
    return (
        isinstance(value, list)
        and all(_matches(_URL)(url) for url in value)
        and len(set(value)) == len(value)
    )


def _pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_whole(n, 1, 4096) for n in value)


def _options(value: Any) -> bool:
    return isinstance(value, dict) and all(
        _matches(_OPTION)(name)
        and (_text(setting) or (isinstance(setting, bool | int | float) and math.isfinite(setting)))
        for name, setting in value.items()
    )


def _words(words: tuple[str, ...]) -> str:
    return f"one of {', '.join(words)}"


_RULES = {
    "tag": _Rule(_matches(_TAG), "lower-case words joined by '-', such as imagenet-timm-a1"),
    "part": _Rule(_one_of(PARTS), _words(PARTS)),
    "file": _Rule(_file_name, "a plain file name of letters, digits, '.', '_' and '-'"),
    "urls": _Rule(_urls, "different https addresses without query or credentials"),
    "size_bytes": _Rule(_size, f"the exact number of bytes, or '{NOT_STATED}'"),
    "hash": _Rule(
        _matches(_HASH),
        "'sha256:' and 64, 'md5:' and 32, or 'sha256-prefix:' and 8 or more lower-case hex digits",
    ),
    "hash_stated_by": _Rule(_text, "who published the hash"),
    "format": _Rule(_one_of(FORMATS), _words(FORMATS)),
    "layout": _Rule(_one_of(LAYOUTS), _words(LAYOUTS)),
    "name_map": _Rule(_matches(_STEM), "the stem of a file in weights/name_maps, or empty"),
    "preprocessing": _Rule(_one_of(tuple(PREPROCESSING)), _words(tuple(PREPROCESSING))),
    "input_size": _Rule(_pair, "[height, width] in pixels"),
    "resize": _Rule(lambda value: _whole(value, 1, 4096), "a number of pixels", required=False),
    "interpolation": _Rule(_one_of(INTERPOLATIONS), _words(INTERPOLATIONS), required=False),
    "classes": _Rule(lambda value: _whole(value, 1, 10**6), "a number of classes", required=False),
    "class_offset": _Rule(lambda value: _whole(value, 0, 10**6), "0 or more", required=False),
    "options": _Rule(_options, "a table of build options and their settings"),
    "dataset": _Rule(_one_of(tuple(DATASETS)), _words(tuple(DATASETS))),
    "licence": _Rule(_text, "the licence of the weights"),
    "origin": _Rule(_text, "who trained or converted them"),
    "top1": _Rule(_percentage, "per cent, above 0 and up to 100", required=False),
    "top5": _Rule(_percentage, "per cent, above 0 and up to 100", required=False),
    "evaluation": _Rule(_text, "the protocol behind top1", required=False),
    "evidence": _Rule(_text, "who published or measured it"),
}
