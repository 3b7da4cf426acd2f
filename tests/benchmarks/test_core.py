"""The runner: what is not the same is not compared, and what is reported is what was measured."""

from __future__ import annotations

import json
import time
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks import __main__ as program
from benchmarks import report
from benchmarks.cases import CASES, probe, speedrun
from benchmarks.core import Aim, Case, Differ, Prepared, close, measure, nothing_in_common
from cnnzoo.errors import UnknownNameError

SIDES = {"theirs": "as they are", "ours": "as we are"}


def case(prepare, **more) -> Case:
    return Case("fake.case", "Which one is faster?", SIDES, prepare, **more)


def test_sides_that_answer_something_else_are_not_timed():
    calls = []

    def theirs() -> list[float]:
        calls.append("theirs")
        return [1.0, 2.0]

    prepared = Prepared({"theirs": theirs, "ours": lambda: [1.0, 2.2]}, close({"ours": 0.01}))
    with pytest.raises(Differ, match=r"ours differs from theirs by 1\.0e-01; 1e-02 is allowed"):
        measure(case(lambda: prepared), rounds=3)
    assert calls == ["theirs"]


def test_answers_of_another_shape_or_without_numbers_differ():
    for answer in ([1.0], [np.nan, 2.0]):
        with pytest.raises(Differ):
            close({"ours": 0.01})({"theirs": [1.0, 2.0], "ours": answer})


def test_result_holds_times_ratios_aims_and_the_machine():
    prepared = Prepared(
        {"theirs": lambda: time.sleep(0.02) or [2.0], "ours": lambda: [2.0]},
        close({"ours": 0.0}),
        images=4,
        notes=("a note",),
    )
    aims = (Aim("ours", "theirs", times=1.0), Aim("theirs", "ours", times=1.0))
    found = measure(case(lambda: prepared, aims=aims), rounds=3)
    assert json.loads(json.dumps(found)) == found
    theirs, ours = found["sides"].values()
    assert theirs["settings"] == "as they are"
    assert theirs["times_as_fast"] == 1
    assert ours["times_as_fast"] == pytest.approx(theirs["median_ms"] / ours["median_ms"], rel=0.01)
    assert theirs["images_per_second"] == pytest.approx(4000 / theirs["median_ms"], rel=0.01)
    assert theirs["p25_ms"] <= theirs["median_ms"] <= theirs["p75_ms"]
    assert [aim["met"] for aim in found["aims"]] == [True, False]
    assert "ours differs by 0e+00" in found["checked"]
    assert found["machine"]
    assert found["environment"]["packages"] is not None


def test_every_side_is_called_as_often_as_said():
    calls: list[str] = []
    prepared = Prepared(
        {side: lambda side=side: calls.append(side) for side in SIDES}, nothing_in_common("not")
    )
    measure(case(lambda: prepared, warm_up=2), rounds=3)
    assert calls == [*SIDES, *(side for side in SIDES for _ in range(2)), *[*SIDES] * 3]
    calls.clear()
    measure(case(lambda: prepared, warm_up=0, rounds=1), rounds=3)
    assert calls == [*SIDES] * 2


def test_a_call_that_takes_minutes_is_made_once_and_checked():
    calls: list[str] = []
    prepared = Prepared(
        {side: lambda side=side: calls.append(side) or [1.0] for side in SIDES},
        close({"ours": 0.0}),
    )
    found = measure(case(lambda: prepared, once=True), rounds=3)
    assert calls == [*SIDES]
    assert found["rounds"] == 1
    assert "ours differs by 0e+00" in found["checked"]


def test_a_part_of_the_work_counts_as_often_as_there_are_parts():
    calls = {"theirs": lambda: time.sleep(0.01), "ours": lambda: time.sleep(0.01)}
    prepared = Prepared(calls, nothing_in_common("not"), parts={"theirs": 50})
    found = measure(case(lambda: prepared), rounds=3)
    assert found["sides"]["theirs"]["median_ms"] >= 500
    assert found["sides"]["ours"]["median_ms"] < 500


def test_sides_have_to_be_those_announced():
    prepared = Prepared({"others": lambda: 1}, nothing_in_common("not"))
    with pytest.raises(ValueError, match=r"announces \['theirs', 'ours'\] and has \['others'\]"):
        measure(case(lambda: prepared), rounds=1)


@pytest.mark.parametrize(
    ("aim", "reached", "met"),
    [
        (Aim("ours", "theirs", times=2), 2.5, True),
        (Aim("ours", "theirs", times=3), 2.5, False),
        (Aim("theirs", "ours", extra_ms=150), 150, True),
        (Aim("theirs", "ours", extra_ms=149), 150, False),
    ],
)
def test_aim_is_judged_by_medians(aim, reached, met):
    assert aim.judge({"ours": 100.0, "theirs": 250.0}) == (reached, met)


def test_case_says_what_it_lacks():
    assert case(Prepared, needs=("json", "no_such_module")).missing == ["no_such_module"]


def test_case_says_in_one_line_which_data_it_lacks(tmp_path, monkeypatch, capsys):
    needing = case(Prepared, data="mnist")
    monkeypatch.delenv("CNNZOO_DATA", raising=False)
    assert needing.missing == ["mnist in the folder that CNNZOO_DATA names"]
    monkeypatch.setenv("CNNZOO_DATA", str(tmp_path))
    assert needing.missing
    monkeypatch.setitem(CASES, "fake.case", needing)
    monkeypatch.setattr("sys.argv", ["benchmarks", "fake.case"])
    assert program.main() == 0
    said = "fake.case: not measured: needs mnist in the folder that CNNZOO_DATA names\n\n"
    assert capsys.readouterr().out == said
    (tmp_path / "mnist.npz").touch()
    assert not needing.missing


def test_a_probe_that_is_less_right_than_fit_is_not_timed():
    rows = [SimpleNamespace(accuracy=0.9, runtime="openvino bfloat16")]
    assert "90.25 % by fit, 90.00 % by the probe" in probe._as_right(0.9025, rows, 0.9)
    for fit, by_keras in ((0.92, 0.9), (0.9, 0.85)):
        with pytest.raises(Differ, match=r"90\.00 % by the probe"):
            probe._as_right(fit, rows, by_keras)


def test_a_speedrun_that_does_not_reach_the_lecture_is_not_timed():
    answers = {speedrun.LECTURE: 0.4, speedrun.SPEEDRUN: 0.84}
    assert "84.00 % by the speedrun" in speedrun._passed(answers)
    with pytest.raises(Differ, match=r"get 83\.85 % right, the lecture 83\.85 %"):
        speedrun._passed({**answers, speedrun.SPEEDRUN: 0.8385})


def test_names_and_groups_choose_cases():
    assert program.chosen([]) == list(CASES)
    assert program.chosen(["load.vgg16", "startup"]) == [
        "load.vgg16",
        *(name for name in CASES if name.startswith("startup.")),
    ]
    with pytest.raises(UnknownNameError, match=r"inference\.resnet50"):
        program.chosen(["inference.resnet5O"])


def test_every_case_asks_a_question_and_aims_at_its_own_sides():
    for name, each in CASES.items():
        assert each.name == name
        assert each.question.endswith("?")
        assert len(each.sides) > 1
        for aim in each.aims:
            assert {aim.side, aim.against} <= set(each.sides)


RESULT = {
    "question": "Which one is faster?",
    "rounds": 3,
    "sides": {
        "theirs": {"settings": "A", "p25_ms": 1900.0, "median_ms": 2000.0, "p75_ms": 2100.0,
                   "times_as_fast": 1.0, "images_per_second": 8.0},
        "ours": {"settings": "B", "p25_ms": 240.0, "median_ms": 250.0, "p75_ms": 260.0,
                 "times_as_fast": 8.0, "images_per_second": 64.0},
    },
    "checked": "equal",
    "aims": [{"aim": "ours ≥ 9 × theirs", "side": "ours", "reached": 8.0, "met": False}],
    "notes": ["a note"],
    "machine": "a machine",
}  # fmt: skip


def test_text_and_markdown_say_everything_that_was_found_out():
    for drawn in (report.text("fake.case", RESULT), report.markdown({"fake.case": RESULT})):
        for words in ("Which one is faster?", "2 s", "250 ms", "240 ms", "64", "a note", "equal"):
            assert words in drawn
    assert "ours ≥ 9 × theirs: 8, MISSED" in report.text("fake.case", RESULT)
    drawn = report.markdown({"fake.case": RESULT, "fake.other": RESULT})
    assert drawn.count("## Fake") == 1
    assert drawn.count("Measured on a machine.") == 1
    assert "| ours | 250 ms | 240 ms – 260 ms | 64 | 8 | ≥ 9 × theirs: **missed** |" in drawn
    assert "\n\n- theirs: A\n- ours: B\n" in drawn  # a list needs a line before it


def test_one_round_has_no_quartiles_and_long_times_are_in_minutes():
    once = {**RESULT, "rounds": 1, "sides": dict(RESULT["sides"])}
    once["sides"]["theirs"] = {**once["sides"]["theirs"], "median_ms": 6_270_000.0}
    assert "| theirs | 1 h 44 min |  | 8 | 1 |  |" in report.markdown({"fake.case": once})
    assert "One round. Checked" in report.markdown({"fake.case": once})
    assert "  ours       250 ms  " in (drawn := report.text("fake.case", once))
    assert "240 ms" not in drawn


@pytest.mark.slow
def test_two_cheap_cases_run_from_end_to_end(tmp_path, monkeypatch, capsys):
    out = tmp_path / "found.json"
    words = ["benchmarks", "startup.import", "inference.lenet5", "--rounds", "1", "--out", str(out)]
    monkeypatch.setattr("sys.argv", words)
    assert program.main() == 0
    found = json.loads(out.read_text("utf-8"))
    assert list(found) == ["startup.import", "inference.lenet5"]
    monkeypatch.setattr("sys.argv", ["benchmarks", "--markdown", str(out)])
    assert program.main() == 0
    assert "| lenet5 |" in capsys.readouterr().out
