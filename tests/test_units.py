"""Numbers as people read them."""

from __future__ import annotations

import pytest

from cnnzoo import units


@pytest.mark.parametrize(
    ("function", "value", "text"),
    [
        (units.short, 138_357_544, "138.4 M"),
        (units.short, 15_470_264_320, "15.5 G"),
        (units.short, 999, "999"),
        (units.parse, "30M", 30e6),
        (units.parse, "1.5 g", 1.5e9),
        (units.parse, "30,000,000", 30e6),
        (units.parse, "30e6", 30e6),
        (units.grouped, 138357544, "138,357,544"),
        (units.mebibytes, 553_430_176, "527.8 MiB"),
        (units.percent, 0.98055, "98.06 %"),
        (units.duration, 42.13, "42.1 s"),
        (units.duration, 75, "1 min 15 s"),
        (units.duration, 3700, "1 h 1 min"),
    ],
)
def test_numbers_read_as_they_should(function, value, text):
    assert function(value) == text
