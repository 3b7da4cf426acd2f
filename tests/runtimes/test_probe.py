from __future__ import annotations

import numpy as np
import pytest

from cnnzoo.runtimes import probe

KNOWN = np.array([[0.7, 0.2, 0.1], [0.3, 0.3005, 0.3995]], "float32")


def test_pictures_are_pixels_and_scaled_pixels_the_same_every_time():
    pictures = probe.pictures((6, 5, 3))
    assert pictures.shape == (probe.COUNT, 6, 5, 3)
    np.testing.assert_array_equal(pictures, probe.pictures((6, 5, 3)))
    pixels, scaled = pictures[::2], pictures[1::2]
    assert pixels.min() >= 0
    assert 200 < pixels.max() <= 255
    assert -1 <= scaled.min() < -0.5
    assert 0.5 < scaled.max() <= 1


@pytest.mark.parametrize(
    ("precision", "factor", "agrees"),
    [("float32", 1 + 9e-5, True), ("float32", 1 + 2e-4, False), ("bfloat16", 1.009, True),
     ("bfloat16", 1.011, False), ("int8", 1.19, True), ("int8", 1.21, False)],
)  # fmt: skip
def test_the_difference_is_that_of_the_norms(precision, factor, agrees):
    said = probe.disagreement((KNOWN * factor).astype("float32"), KNOWN, precision)
    assert (said == "") is agrees


def test_bfloat16_must_choose_the_same_class_unless_keras_cannot_tell():
    known = np.array([[0.500, 0.496, 0.004]] * 4, "float32")
    tie = known + np.float32([-0.003, 0.003, 0])
    assert probe.disagreement(tie, known, "bfloat16") == ""
    clear = np.array([[0.502, 0.494, 0.004]] * 4, "float32")
    other = clear + np.float32([-0.0045, 0.0045, 0])
    assert (
        probe.disagreement(other, clear, "bfloat16") == "chooses another class for 4 of 4 pictures"
    )
    assert probe.disagreement(other, clear, "float32").startswith("differs from Keras")


def test_pooled_features_choose_nothing():
    known = np.full((2, 1000), 1.0, "float32")
    known[:, 0] = 1.02
    other = known.copy()
    other[:, 1] = 1.05
    assert probe.disagreement(other, known, "bfloat16") == ""


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_no_number_agrees_with_nothing(bad):
    answers = KNOWN.copy()
    answers[0, 0] = bad
    for precision in probe.ALLOWED:
        assert "inf" in probe.disagreement(answers, KNOWN, precision)
    assert "inf" in probe.disagreement(KNOWN[:1], KNOWN, "int8")
