"""Pictures: what they say, where things lie, that the same picture is the same file."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest

import cnnzoo
from cnnzoo.analysis.plot import text
from cnnzoo.analysis.plot.canvas import Circle, Line, Picture, Rect, Text
from cnnzoo.analysis.plot.labels import Box, place
from cnnzoo.analysis.plot.scatter import decades, pareto
from cnnzoo.analysis.plot.squarify import Area, squarify
from cnnzoo.analysis.plot.theme import THEMES, get_theme, luminance
from cnnzoo.errors import DataError, StorageError, UnknownNameError, UsageError

THREE = ["resnet50", "vgg16", "xception"]


def _words(picture: Picture) -> str:
    return " ".join(shape.text for shape in picture.shapes if isinstance(shape, Text))


def _small() -> Picture:
    picture = Picture("a < b", 'says "a & b"', get_theme("light"), 60, 40)
    picture.add(Rect(2, 2, 20, 10, "#ff0000", radius=3, tip="tip <1>"))
    picture.add(Circle(40, 20, 5, None, "#0000ff"))
    picture.add(Line(((0, 0), (10, 10)), "#00ff00", dash=(2, 2)))
    picture.add(Text(5, 35, "$5 & more", 8, "#000000", "middle", bold=True))
    picture.arrow(((50, 2), (50, 30)), "#000000")
    return picture


def test_drawing_without_a_framework_imports_none():
    script = """
import sys, cnnzoo
assert "matplotlib" not in sys.modules
cnnzoo.plot.accuracy_vs("macs").to_svg(), cnnzoo.plot.timeline().to_svg()
assert "keras" not in sys.modules and "tensorflow" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", script], check=True)


def test_plot_knows_its_functions_and_no_other():
    assert dir(cnnzoo.plot) == ["accuracy_vs", "architecture", "timeline", "treemap"]
    with pytest.raises(AttributeError, match="'pie'"):
        _ = cnnzoo.plot.pie


def test_svg_is_well_formed_and_speaks_to_those_who_cannot_see():
    root = ElementTree.fromstring(_small()._repr_svg_())
    name = "{http://www.w3.org/2000/svg}"
    assert root.get("role") == "img"
    assert root.find(f"{name}title").text == "a < b"
    assert root.find(f"{name}desc").text == 'says "a & b"'
    assert root.find(f"{name}text").text == "$5 & more"
    assert root.findall(f"{name}rect")[1].find(f"{name}title").text == "tip <1>"


@pytest.mark.parametrize(
    ("suffix", "begins"), [(".svg", b"<svg"), (".png", b"\x89PNG"), (".pdf", b"%PDF")]
)
def test_save_writes_the_same_bytes_every_time(tmp_path, suffix, begins):
    first = _small().save(tmp_path / f"a{suffix}").read_bytes()
    assert first == _small().save(str(tmp_path / f"b{suffix}")).read_bytes()
    assert first.startswith(begins)
    assert sorted(p.name for p in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_pdf_holds_no_date(tmp_path):
    assert b"CreationDate" not in _small().save(tmp_path / "a.pdf").read_bytes()


def test_save_refuses_a_suffix_it_does_not_write(tmp_path):
    with pytest.raises(UsageError, match=r"'\.docx'.*\.svg, \.png, \.pdf"):
        _small().save(tmp_path / "a.docx")


def test_save_says_when_the_file_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="cannot be written"):
        _small().save(tmp_path / "file" / "a.svg")


def test_front_is_what_nothing_beats():
    points = [(1, 50), (2, 60), (2, 55), (3, 60), (4, 70), (5, 65)]
    assert pareto(points) == [0, 1, 4]


def test_ticks_are_one_two_and_five_in_every_decade():
    assert decades(0.9, 60) == [1, 2, 5, 10, 20, 50]


def test_labels_of_crowded_points_do_not_overlap_and_stay_inside():
    points = [(100 + 4 * i, 100 + 3 * (i % 4)) for i in range(12)]
    frame = Box(0, 0, 300, 200)
    boxes = place(points, [(50, 13)] * 12, 5, frame)
    assert all(a.overlap(b, 0) == 0 for a, b in itertools.combinations(boxes, 2))
    assert all(box.within(frame) for box in boxes)
    assert boxes == place(points, [(50, 13)] * 12, 5, frame)


def test_labels_of_points_at_the_border_stay_inside():
    frame = Box(0, 0, 100, 60)
    boxes = place([(98, 2), (98, 58), (2, 2), (2, 58)], [(40, 13)] * 4, 5, frame)
    assert all(box.within(frame) for box in boxes)


def test_labels_keep_off_obstacles():
    (box,) = place([(50, 50)], [(40, 12)], 5, Box(0, 0, 100, 100), [Box(50, 50, 100, 50)])
    assert box.right < 50 or box.bottom < 50 or box.top > 50


@pytest.mark.parametrize("values", [[5, 3, 1, 1], [100, 1, 1, 1], [1], list(range(40, 0, -1))])
def test_squarified_areas_are_proportional_fill_the_room_and_do_not_overlap(values):
    room = Area(10, 20, 300, 120)
    areas = squarify(values, room)
    for value, area in zip(values, areas, strict=True):
        assert area.width * area.height == pytest.approx(value / sum(values) * 36_000)
        assert area.x >= 10 - 1e-6
        assert area.y >= 20 - 1e-6
        assert area.x + area.width <= 310 + 1e-6
        assert area.y + area.height <= 140 + 1e-6
    for a, b in itertools.combinations(areas, 2):
        wide = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
        tall = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
        assert min(wide, tall) < 1e-6


def test_text_is_measured_cut_and_wrapped():
    assert text.width("WW", 10) == pytest.approx(2 * text.width("W", 10))
    assert text.width("W", 10, bold=True) > text.width("W", 10) > text.width("i", 10)
    cut = text.fit("Inception v1 (GoogLeNet)", 10, 80)
    assert cut.endswith("…")
    assert text.width(cut, 10) <= 80
    lines = text.wrap("one two three four five", 10, 60)
    assert " ".join(lines) == "one two three four five"
    assert max(text.width(line, 10) for line in lines) <= 60


@pytest.mark.parametrize("name", THEMES)
def test_every_text_colour_stands_out_from_the_paper(name):
    theme = THEMES[name]
    for colour in (theme.ink, theme.soft, theme.accent, *theme.series):
        light, dark = sorted((luminance(colour), luminance(theme.paper)), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, colour


def test_unknown_theme_is_refused():
    with pytest.raises(UsageError, match="Did you mean 'dark'"):
        cnnzoo.plot.timeline(theme="drak")


def test_accuracy_names_axis_unit_source_and_who_is_left_out():
    picture = cnnzoo.plot.accuracy_vs("macs", models=[*THREE, "lenet5"])
    words = _words(picture)
    assert "MACs Multiply-accumulates" in words
    assert "keras-applications" in words
    assert "Left out, no ImageNet accuracy published: LeNet-5." in words
    assert "On the Pareto front, cheapest first: ResNet-50, Xception." in picture.description


def test_accuracy_takes_every_column_of_numbers():
    assert "Convolutions and dense layers" in _words(
        cnnzoo.plot.accuracy_vs("depth_weighted", models=THREE)
    )


def test_memory_is_weights_and_activations_together():
    picture = cnnzoo.plot.accuracy_vs("memory", models=THREE)
    (row,) = cnnzoo.table(["vgg16"], columns=["weight_mib", "act_mib"])
    tips = [shape.tip for shape in picture.shapes if isinstance(shape, Circle)]
    assert any(f"at {row['weight_mib'] + row['act_mib']:g}"[:8] in tip for tip in tips)


def test_labels_of_the_whole_zoo_do_not_overlap():
    shapes = cnnzoo.plot.accuracy_vs("params").shapes
    titles = {cnnzoo.info(name).spec.title for name in cnnzoo.list_models()}
    boxes = []
    for shape in shapes:
        if isinstance(shape, Text) and shape.text in titles:
            half = text.width(shape.text, shape.size, shape.bold) / 2
            boxes.append(Box(shape.x - half, shape.y - 10, shape.x + half, shape.y + 3))
    assert len(boxes) > 5
    assert all(a.overlap(b, 0) == 0 for a, b in itertools.combinations(boxes, 2))


# fmt: off
REFUSED = [
    ("paramz",  {},                       "Did you mean 'params'"),
    ("family",  {},                       "holds words"),
    ("latency", {},                       "Type: cnnzoo bench"),
    ("macs",    {"batch": 1},             "belong to 'latency'"),
    ("macs",    {"models": ["vgg16"]},    "needs two"),
    ("macs",    {"models": ["vgg16", "VGG-16"]}, "names a network twice"),
    ("macs",    {"models": ["vgg61"]},    "Did you mean 'vgg1"),
]
# fmt: on


@pytest.mark.parametrize(("cost", "options", "says"), REFUSED)
def test_accuracy_refuses_what_it_cannot_draw(cost, options, says):
    with pytest.raises(UsageError, match=says):
        cnnzoo.plot.accuracy_vs(cost, **options)


def _results(tmp_path, **changes):
    rows = [
        {"network": name, "batch": batch, "median_ms": 3.0 * i + batch}
        for i, name in enumerate(THREE, start=1)
        for batch in (1, 8)
    ]
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"machine": "an abacus", "rows": rows} | changes))
    return path


def test_latency_is_read_from_results_and_names_the_machine(tmp_path):
    path = _results(tmp_path)
    words = _words(cnnzoo.plot.accuracy_vs("latency", models=[*THREE, "vgg19"], results=path))
    assert "Median time for one image, measured on an abacus." in words
    assert "Left out, no milliseconds: VGG-19." in words
    one = cnnzoo.plot.accuracy_vs("latency", results=path, models=THREE)
    tips = [shape.tip for shape in one.shapes if isinstance(shape, Circle) and shape.tip]
    assert [tip.rpartition(" at ")[2] for tip in tips] == ["4", "7", "10"]
    assert "for 8 images" in _words(cnnzoo.plot.accuracy_vs("latency", results=path, batch=8))
    with pytest.raises(UsageError, match=r"batch=2\. Measured: 1, 8"):
        cnnzoo.plot.accuracy_vs("latency", results=path, batch=2)


@pytest.mark.parametrize("content", ["{}", "[]", "no json", '{"rows": [{}], "machine": ""}'])
def test_results_of_another_form_are_refused(tmp_path, content):
    path = tmp_path / "bench.json"
    path.write_text(content)
    with pytest.raises(DataError, match="no document of cnnzoo bench"):
        cnnzoo.plot.accuracy_vs("latency", results=path)
    with pytest.raises(DataError, match="cannot be read"):
        cnnzoo.plot.accuracy_vs("latency", results=tmp_path / "absent.json")


def test_timeline_goes_by_year_and_tells_what_is_new():
    picture = cnnzoo.plot.timeline(models=["xception", "lenet5", "vgg16"])
    assert picture.title == "Convolutional networks, 1998 to 2016"
    assert re.findall(r"\b(\d{4}) [A-Z]", picture.description) == ["1998", "2014", "2016"]
    assert cnnzoo.info("vgg16").spec.idea in picture.description
    radii = {s.tip.split(",")[0]: s.radius for s in picture.shapes if isinstance(s, Circle)}
    assert radii["VGG-16"] > radii["Xception"] > radii["LeNet-5"]


def test_timeline_text_does_not_overlap_nor_leave_the_picture():
    picture = cnnzoo.plot.timeline()
    boxes = []
    for shape in picture.shapes:
        if isinstance(shape, Text):
            wide = text.width(shape.text, shape.size, shape.bold)
            left = shape.x - {"start": 0, "middle": 0.5, "end": 1}[shape.anchor] * wide
            boxes.append(Box(left, shape.y - 0.7 * shape.size, left + wide, shape.y))
    frame = Box(0, 0, picture.width, picture.height)
    assert all(box.within(frame) for box in boxes)
    assert all(a.overlap(b, 0) == 0 for a, b in itertools.combinations(boxes, 2))


def test_every_built_in_network_says_what_was_new_about_it():
    lengths = {name: len(cnnzoo.info(name).spec.idea) for name in cnnzoo.list_models()}
    assert {name: n for name, n in lengths.items() if not 0 < n <= 56} == {}


def test_network_without_a_year_is_named_below_the_timeline():
    from cnnzoo.catalogue.registry import unregister_model

    cnnzoo.register_model("undated", "package.module:function", input_shape=(8, 8, 3))
    try:
        words = _words(cnnzoo.plot.timeline(models=["undated", "vgg16"]))
        assert "Left out, no year of publication: undated." in words
        with pytest.raises(UsageError, match="no timeline"):
            cnnzoo.plot.timeline(models=["undated"])
    finally:
        unregister_model("undated")


def test_unknown_network_is_met_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'vgg19' or 'vgg16'"):
        cnnzoo.plot.timeline(models=["vgg61"])
