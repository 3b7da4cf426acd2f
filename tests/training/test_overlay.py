from __future__ import annotations

import copy
import csv
import html
import io
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cnnzoo.errors import DataError, UsageError
from cnnzoo.runfiles import is_run
from cnnzoo.training.data.dataset import Dataset
from cnnzoo.training.finetune import Run, fine_tune
from cnnzoo.training.overlay import Overlay, compare_runs
from cnnzoo.training.overlay_page import COLOURS, DASHES, apart

Make = Callable[..., Path]


@pytest.fixture(scope="module")
def trained(tiny: str, bars: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run of two epochs; read it, do not change it."""
    return fine_tune(
        tiny, data=bars, out=tmp_path_factory.mktemp("runs") / "trained", epochs=2, batch_size=16,
        augment="none", progress=False,
    )  # fmt: skip


@pytest.fixture
def make(trained: Run, tmp_path: Path) -> Make:
    """Writes the folder of a run like ``trained``, with other settings, epochs or data."""
    config = json.loads((trained.path / "config.json").read_text("utf-8"))
    metrics = json.loads((trained.path / "metrics.json").read_text("utf-8"))
    row = {
        "phase": "all", "loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5,
        "learning_rate": 0.001, "seconds": 2.0, "images_per_second": 30.0,
    }  # fmt: skip

    def write(
        name: str, epochs: int = 3, finished: bool = True, data: dict[str, Any] | None = None,
        network: str = "tiny", **recipe: Any,
    ) -> Path:  # fmt: skip
        folder = tmp_path / name
        folder.mkdir(parents=True)
        told = copy.deepcopy(config)
        told["recipe"] |= {"epochs": 5, **recipe}
        told["arguments"]["network"] = network
        told["data"] |= data or {}
        (folder / "config.json").write_text(json.dumps(told), "utf-8")
        rows = [{"epoch": i + 1, **row, "val_accuracy": 0.5 + 0.1 * i} for i in range(epochs)]
        text = io.StringIO()
        writer = csv.DictWriter(text, ["epoch", *row])
        writer.writeheader()
        writer.writerows(rows)
        if rows:
            (folder / "history.csv").write_text(text.getvalue(), "utf-8")
        if finished:
            (folder / "metrics.json").write_text(json.dumps(metrics | {"best_epoch": 2}), "utf-8")
        return folder

    return write


def _row(overlay: Overlay, name: str) -> tuple[str, ...]:
    return dict(overlay.figures)[name]


def test_a_real_run_is_read_with_all_its_figures(trained: Run, make: Make) -> None:
    overlay = compare_runs(trained.path, make("other", batch_size=8))
    run, metrics = overlay.runs[0], trained.metrics
    assert (run.letter, run.name, run.network, run.data) == ("A", "trained", "tiny", "bars")
    assert run.test_accuracy == metrics["test_accuracy"]
    assert run.misclassified == metrics["misclassified"]
    assert (run.parameters, run.seed, run.best_epoch) == (235, 0, metrics["best_epoch"])
    assert [row["epoch"] for row in run.history] == [1, 2]
    assert run.history[0]["phase"] == "all"
    assert _row(overlay, "wrong")[0] == f"{metrics['misclassified']} of 30"
    assert _row(overlay, "recipe") == ("scratch", "scratch")


def test_settings_that_differ_are_listed_as_one_types_them(make: Make) -> None:
    overlay = compare_runs(make("a"), make("b", learning_rate=0.1, ema=0.9), make("c"))
    differing = dict(overlay.differences)
    assert differing == {"lr": ("0.002", "0.1", "0.002"), "ema": ("0", "0.9", "0")}
    assert "lr                    0.002  0.1  0.002" in str(overlay)
    same = compare_runs(make("d"), make("e"))
    assert same.differences == ()
    assert "All settings are the same." in str(same)


def test_a_setting_that_another_version_does_not_know_is_no_difference(make: Make) -> None:
    a, b = make("a"), make("b")
    config = json.loads((b / "config.json").read_text("utf-8"))
    del config["recipe"]["clip_norm"]
    (b / "config.json").write_text(json.dumps(config), "utf-8")
    assert compare_runs(a, b).differences == ()


def test_an_unfinished_run_is_shown_with_the_epochs_so_far(make: Make) -> None:
    overlay = compare_runs(make("done"), make("open", epochs=4, finished=False))
    assert _row(overlay, "epochs") == ("3", "unfinished: 4 of 5")
    assert _row(overlay, "test accuracy")[1] == "–"
    assert _row(overlay, "best epoch")[1] == "4"
    assert _row(overlay, "validation")[1] == "80.00 %"
    assert _row(overlay, "time")[1] == "8.0 s"
    assert any(note.startswith("Unfinished: B.") for note in overlay.notes)


def test_figures_that_are_no_numbers_are_passed_over(make: Make) -> None:
    """What an older version wrote when a loss was no number."""
    broken = make("broken", epochs=2, finished=False)
    text = (broken / "history.csv").read_text("utf-8")
    rows = text.splitlines()
    rows[-1] = rows[-1].replace(",1.0,", ",nan,")  # both losses
    assert rows[-1].count("nan") == 2
    (broken / "history.csv").write_text("\n".join(rows), "utf-8")
    overlay = compare_runs(make("whole"), broken)
    assert _row(overlay, "best epoch")[1] == "1"
    assert overlay.to_html().count("<polyline") == 8
    json.loads(overlay.to_json(), parse_constant=lambda word: pytest.fail(word))


def test_a_run_that_has_no_epoch_yet_is_shown(make: Make) -> None:
    overlay = compare_runs(make("done"), make("fresh", epochs=0, finished=False))
    assert _row(overlay, "epochs")[1] == "unfinished: 0 of 5"
    assert _row(overlay, "images/s")[1] == "–"
    assert overlay.to_html().count("<polyline") == 4  # of the other
    bare = compare_runs(make("x", 0, False), make("y", 0, False))
    assert "Learning curves" not in bare.to_html()


def test_other_data_are_noted_and_other_images_under_the_same_name(make: Make) -> None:
    a, b = make("a"), make("b", data={"name": "mnist", "fingerprint": "f"})
    (note,) = compare_runs(a, b).notes
    assert "The runs saw different data (A: bars; B: mnist)." in note
    (note,) = compare_runs(a, make("c", data={"fingerprint": "f"})).notes
    assert "other images or labels under the same name" in note
    assert compare_runs(a, make("d")).notes == ()


def test_figures_that_flatter_are_said_to(make: Make) -> None:
    overlay = compare_runs(make("a"), make("b", validation="test"))
    assert any("after every epoch: B. Such figures flatter." in note for note in overlay.notes)


def test_runs_that_do_not_fit_follow_below(make: Make) -> None:
    text = compare_runs(make("a"), make("b"), make("c")).to_text(45)
    assert max(map(len, text.splitlines()[:40])) <= 45
    assert text.count("test accuracy") == 2


def test_folders_of_the_same_name_are_told_apart(make: Make) -> None:
    overlay = compare_runs(make("x/run"), make("y/run"))
    assert overlay.runs[0].name.endswith("x/run")
    assert overlay.runs[1].name.endswith("y/run")


def test_json_is_one_document_with_histories_and_differences(make: Make) -> None:
    document = json.loads(compare_runs(make("a"), make("b", ema=0.9)).to_json())
    assert [run["name"] for run in document["runs"]] == ["a", "b"]
    assert document["runs"][0]["history"][2]["val_accuracy"] == pytest.approx(0.7)
    assert document["differences"] == {"ema": {"A": "0", "B": "0.9"}}


class _Page(HTMLParser):
    """Counts what is open, and what the page would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{k}={v}" for k, v in attrs if k in ("src", "href")]
        if tag not in ("meta", "line", "rect", "polyline", "circle"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open and self.open[-1] == tag:
            self.open.pop()


def test_the_page_holds_four_pictures_and_needs_no_other_file(make: Make, tmp_path: Path) -> None:
    runs = [make(name, epochs=i + 2) for i, name in enumerate(("a", "b<&>", "c"))]
    path = compare_runs(*runs).save(tmp_path / "runs.html")
    page = path.read_text("utf-8")
    parser = _Page()
    parser.feed(page)
    assert (parser.open, parser.fetched) == ([], [])
    assert page.count('class="chart"') == 4
    assert page.count("<polyline") == 12
    assert html.escape("b<&>") in page
    assert "b<&>" not in page
    assert "3 runs of tiny on bars" in page
    assert "url(http" not in page


def test_runs_differ_in_more_than_colour(make: Make) -> None:
    page = compare_runs(make("a"), make("b"), make("c")).to_html()
    swatches = re.findall(r'<svg class="swatch".*?</svg>', page)
    assert len(set(swatches)) == 3
    assert len({re.sub(r"--run-\d", "", swatch) for swatch in swatches}) == 3
    for letter in "ABC":  # and the letter stands at the end of every curve
        assert len(re.findall(rf'<text class="letter".*>{letter}</text>', page)) == 4
    assert len({(i % COLOURS, i % len(DASHES)) for i in range(26)}) == 26


def test_the_rates_of_a_slow_run_stay_in_the_picture(make: Make) -> None:
    slow = make("slow")
    text = (slow / "history.csv").read_text("utf-8").replace("0.001", "1e-09")
    (slow / "history.csv").write_text(text, "utf-8")
    page = compare_runs(make("fast"), slow).to_html()
    assert "Learning rate, logarithmic" in page
    assert ">1e-9</text>" in page


def test_a_notebook_shows_the_page(make: Make) -> None:
    overlay = compare_runs(make("a"), make("b"))
    shown = overlay._repr_html_()
    assert shown.startswith("<iframe")
    assert html.unescape(shown.split('srcdoc="')[1].split('" style')[0]) == overlay.to_html()


def test_letters_do_not_touch_and_stay_as_near_as_they_can() -> None:
    assert apart({"A": 50, "B": 100}, 18, 200) == {"A": 50, "B": 100}
    assert apart({"A": 50, "B": 51}, 18, 200) == {"A": 50, "B": 61}
    assert apart({"A": 300, "B": 300}, 18, 200) == {"A": 189, "B": 200}
    many = apart({str(i): 100.0 for i in range(26)}, 18, 218)
    assert min(many.values()) >= 18
    assert max(many.values()) <= 218


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((), "0 runs given: 2 to 26 can be compared"),
        (("a",), "1 run given"),
        (("a", "nowhere"), "'.*nowhere' holds no run"),
        (("a", "."), "holds no run"),
        (("a", "a"), "is given twice"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    make: Make, tmp_path: Path, given: tuple[str, ...], message: str
) -> None:
    make("a")
    with pytest.raises(UsageError, match=message):
        compare_runs(*(tmp_path / name for name in given))


@pytest.mark.parametrize("name", ["history.csv", "metrics.json"])
def test_a_damaged_file_is_named(make: Make, name: str) -> None:
    a, b = make("a"), make("b")
    (b / name).write_text("epoch,loss\nx,y\n", "utf-8")
    with pytest.raises(DataError, match=r"The run in .*b cannot be read"):
        compare_runs(a, b)
    assert is_run(b)


def test_only_a_page_is_written(make: Make, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"has to end in \.html"):
        compare_runs(make("a"), make("b")).save(tmp_path / "runs.png")
