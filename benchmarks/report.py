"""Results as text for a terminal and as Markdown for the documentation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cnnzoo.units import duration

Results = Mapping[str, Mapping[str, Any]]


def text(name: str, result: Mapping[str, Any]) -> str:
    """One case, some lines."""
    width = max(map(len, result["sides"]))
    lines = [f"{name}: {result['question']}"]
    for side, found in result["sides"].items():
        speed = found.get("images_per_second")
        spread = _spread(found, result["rounds"])
        lines.append(
            f"  {side:{width}}  {_time(found['median_ms']):>9}  "
            f"{f'({spread})  ' if spread else ''}{found['times_as_fast']:7.3g} ×"
            + (f"  {speed:9,.4g} images/s" if speed else "")
        )
    lines += [f"  aim {_aim(aim)}" for aim in result["aims"]]
    lines += [f"  {line}" for line in (result["checked"], *result["notes"])]
    return "\n".join(lines)


def markdown(results: Results) -> str:
    """A table for each group of cases and how each side was set, then the machine."""
    groups: dict[str, list[str]] = {}
    for name in results:
        groups.setdefault(name.partition(".")[0], []).append(name)
    parts = [_table(group, {name: results[name] for name in names})
             for group, names in groups.items()]  # fmt: skip
    machines = dict.fromkeys(result["machine"] for result in results.values())
    return "\n\n".join([*parts, *(f"Measured on {machine}." for machine in machines)])


def _table(group: str, results: Results) -> str:
    lines = [
        f"## {group.capitalize()}", "",
        "| case | side | median | quartiles | images/s | times as fast | aim |",
        "|---|---|---:|---:|---:|---:|---|",
    ]  # fmt: skip
    for name, result in results.items():
        first = name.partition(".")[2] or name
        for side, found in result["sides"].items():
            aims = "<br>".join(_short(aim) for aim in result["aims"] if aim["side"] == side)
            speed = found.get("images_per_second")
            cells = [
                first,
                side,
                _time(found["median_ms"]),
                _spread(found, result["rounds"]),
                f"{speed:,.4g}" if speed else "",
                f"{found['times_as_fast']:.3g}",
                aims,
            ]
            lines.append(f"| {' | '.join(cells)} |")
            first = ""
    lines += ["", '<details markdown="1">', "<summary>Questions, checks and settings</summary>"]
    for name, result in results.items():
        rounds = "One round" if result["rounds"] == 1 else f"{result['rounds']} rounds"
        lines += ["", f"**{name}**: {result['question']} {rounds}. "
                  f"Checked: {result['checked']}.", ""]  # fmt: skip
        lines += [f"- {side}: {found['settings']}" for side, found in result["sides"].items()]
        lines += [f"- {note}" for note in result["notes"]]
    return "\n".join([*lines, "", "</details>"])


def _aim(aim: Mapping[str, Any]) -> str:
    return f"{aim['aim']}: {aim['reached']:.3g}, {'met' if aim['met'] else 'MISSED'}"


def _short(aim: Mapping[str, Any]) -> str:
    """Of which side it is and what it reached stands beside it."""
    wanted = aim["aim"].removeprefix(f"{aim['side']} ")
    return f"{wanted}: {'met' if aim['met'] else '**missed**'}"


def _spread(found: Mapping[str, Any], rounds: int) -> str:
    """The quartiles, where there is more than one time."""
    return f"{_time(found['p25_ms'])} – {_time(found['p75_ms'])}" if rounds > 1 else ""


def _time(milliseconds: float) -> str:
    if milliseconds < 1000:
        return f"{milliseconds:,.3g} ms"
    if milliseconds < 100_000:
        return f"{milliseconds / 1000:,.3g} s"
    return duration(milliseconds / 1000)
