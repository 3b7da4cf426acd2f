"""Treemap and block diagram: what is drawn, what is collapsed, what is counted where."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import keras
import pytest

import cnnzoo
from cnnzoo.analysis.plot.blocks import bands
from cnnzoo.analysis.plot.canvas import Rect, Text
from cnnzoo.analysis.plot.describe import describe, join, leads
from cnnzoo.analysis.plot.network import read
from cnnzoo.analysis.plot.structure import Box, Fork, Label, Reader, collapse
from cnnzoo.errors import UnknownNameError, UsageError


@dataclass(frozen=True)
class Fake:
    """A step with a name and parents is all that cutting needs."""

    name: str
    parents: tuple[int, ...] = ()


def _parts(*steps: tuple):
    found = [Fake(name, tuple(parents)) for name, *parents in steps]
    reader = Reader(
        found, lambda s: None if s.name == "-" else Label("conv", s.name), lambda s: "+"
    )
    return reader.parts()


def _looks(parts) -> list:
    """Parts as nested lists of names: a fork is a tuple of branches."""
    return [
        part.label.text if isinstance(part, Box) else tuple(_looks(b) for b in part.branches)
        for part in parts
    ]


def _texts(picture) -> list[str]:
    return [shape.text for shape in picture.shapes if isinstance(shape, Text)]


def _figures_boxes(picture) -> list[Rect]:
    return [shape for shape in picture.shapes if isinstance(shape, Rect) and shape.tip]


def test_chain_is_a_sequence_and_steps_not_drawn_go_with_a_neighbour():
    parts = _parts(("a",), ("-", 0), ("b", 1), ("-", 2))
    assert _looks(parts) == ["a", "b"]
    assert [part.steps for part in parts] == [(0, 1), (2, 3)]


def test_figures_beside_a_stage_are_those_of_the_summary():
    """Normalisation counts with the convolution before it, zeros with the one behind."""
    network = read("inception_v3", {})
    found = bands(network, Reader(network.steps, describe, join, leads).parts())
    params = {band.shape: network.cost("params", band.covers) for band in found}
    assert params["149 × 149 × 32"] == 3 * 3 * 3 * 32 + 3 * 32  # no scale
    assert params["71 × 71 × 192"] == 3 * 3 * 80 * 192 + 3 * 192
    resnet = read("resnet50", {})
    first = bands(resnet, Reader(resnet.steps, describe, join, leads).parts())[1]
    assert resnet.cost("params", first.covers) == 7 * 7 * 3 * 64 + 64 + 4 * 64


def test_shortcut_is_an_empty_branch():
    parts = _parts(("a",), ("b", 0), ("c", 1), ("add", 2, 0), ("d", 3))
    assert _looks(parts) == ["a", (["b", "c"], []), "d"]
    assert parts[1].steps == (1, 2, 3)


def test_branches_stand_in_the_order_in_which_they_are_joined():
    parts = _parts(("a",), ("b", 0), ("c", 0), ("d", 2), ("join", 3, 1))
    assert _looks(parts) == ["a", (["c", "d"], ["b"])]


def test_forks_are_found_inside_branches():
    steps = ("a",), ("b", 0), ("c", 1), ("d", 1), ("in", 2, 3), ("e", 4), ("out", 5, 0)
    assert _looks(_parts(*steps)) == ["a", (["b", (["c"], ["d"]), "e"], [])]


def test_branch_that_splits_without_joining_again_is_drawn_as_a_fork():
    parts = _parts(("a",), ("b", 0), ("c", 1), ("d", 1), ("e", 0), ("join", 2, 3, 4))
    assert _looks(parts) == ["a", (["b", (["c"], ["d"])], ["e"])]
    assert parts[1].branches[0][1].join == ""


def test_skip_from_the_source_of_a_branch_is_no_cut():
    parts = _parts(("a",), ("b", 0), ("c", 1, 0), ("d", 2))
    assert _looks(parts) == ["a", (["b"], []), "d"]


def test_entangled_branches_stay_one_box():
    steps = ("a",), ("b", 0), ("c", 0), ("d", 1, 2), ("e", 1, 2), ("join", 3, 4)
    assert _looks(_parts(*steps)) == ["a", (["4 layers"],)]


def test_side_outputs_are_left_out():
    parts = _parts(("a",), ("b", 0), ("side", 0), ("c", 1))
    assert _looks(parts) == ["a", "b", "c"]


def test_repeats_of_one_or_several_parts_are_collapsed():
    def chain(names):
        return [Box(Label("conv", name), (i,)) for i, name in enumerate(names)]

    def runs(names):
        return [(_looks(run.parts), run.times) for run in collapse(chain(names))]

    assert runs("aab") == [(["a"], 2), (["b"], 1)]
    assert runs("xababab") == [(["x"], 1), (["a", "b"], 3)]
    assert runs("") == []
    assert collapse(chain("aab"))[0].steps == (0, 1)


@pytest.mark.parametrize(
    ("layer", "kind", "says"),
    [
        (keras.layers.Conv2D(64, 3, strides=2), "conv", "3×3, 64 /2"),
        (keras.layers.Conv2D(64, (1, 7), groups=8), "conv", "1×7, 64, 8 groups"),
        (keras.layers.DepthwiseConv2D(3), "conv", "3×3 depthwise"),
        (keras.layers.SeparableConv2D(16, 3), "conv", "3×3 separable, 16"),
        (keras.layers.MaxPooling2D(3, 2), "pool", "3×3 max /2"),
        (keras.layers.GlobalAveragePooling2D(), "pool", "global average"),
        (keras.layers.UpSampling2D(2), "other", "up sampling"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_box_says_what_papers_say(layer, kind, says):
    image = keras.Input((32, 32, 8))
    network = read(keras.Model(image, layer(image)), {})
    assert describe(network.steps[1]) == Label(kind, says)


def _two_blocks() -> keras.Model:
    image = keras.Input((16, 16, 3), name="pixels")
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", name="stem")(image)
    for i in range(3):
        y = keras.layers.Conv2D(4, 3, padding="same", use_bias=False, name=f"conv{i}")(x)
        y = keras.layers.BatchNormalization(name=f"bn{i}")(y)
        x = keras.layers.Add(name=f"add{i}")([x, y])
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(image, keras.layers.Dense(2, name="out")(x), name="mine")


def test_own_model_is_drawn_with_its_blocks_collapsed():
    picture = cnnzoo.plot.architecture(_two_blocks(), theme="dark")
    texts = _texts(picture)
    assert texts[0] == "mine, block by block"
    assert texts.count("3×3, 4") == 1
    assert "×3" in texts
    assert "8 × 8 × 4" in texts


def test_stages_together_hold_all_parameters_and_macs():
    network = read("resnet50", {"variant": "v1.5"})
    found = bands(network, Reader(network.steps, describe, join).parts())
    covered = sorted(step for band in found for step in band.covers)
    assert covered == list(range(len(network.steps)))
    rows = cnnzoo.summary("resnet50", variant="v1.5")
    assert network.cost("params", covered) == rows.params
    assert network.cost("macs", covered) == rows.macs


def test_layer_called_twice_counts_its_parameters_once():
    image = keras.Input((8, 8, 3))
    layer = keras.layers.Conv2D(3, 1)
    assert sum(read(keras.Model(image, layer(layer(image))), {}).params) == 12


def test_residual_stages_of_resnet50_repeat_as_in_the_paper():
    texts = _texts(cnnzoo.plot.architecture("resnet50"))
    assert [t for t in texts if t.startswith("×")] == ["×2", "×3", "×5", "×2"]


def test_side_outputs_of_the_diagram_are_named():
    texts = " ".join(_texts(cnnzoo.plot.architecture("inception_v3", aux=True)))
    assert "layers of the other outputs" in texts


def test_shapes_are_beside_the_stages_of_lenet5():
    texts = _texts(cnnzoo.plot.architecture("lenet5"))
    assert [t for t in texts if t.startswith(("28 ×", "14 ×", "10 ×", "5 ×"))] == [
        "28 × 28 × 6",
        "14 × 14 × 6",
        "10 × 10 × 16",
        "5 × 5 × 16",
    ]


@pytest.mark.parametrize("of", ["params", "macs"])
def test_treemap_areas_are_the_layers_shares(of):
    picture = cnnzoo.plot.treemap("lenet5", of)
    rows = {row.name: getattr(row, of) for row in cnnzoo.summary("lenet5").rows}
    cells = {cell.tip.partition(":")[0]: cell for cell in _figures_boxes(picture)}
    assert set(cells) == {name for name, value in rows.items() if value}
    whole = sum(cell.width * cell.height for cell in cells.values())
    for name, cell in cells.items():
        assert cell.width * cell.height / whole == pytest.approx(rows[name] / sum(rows.values()))
    for a, b in itertools.combinations(cells.values(), 2):
        wide = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
        tall = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
        assert min(wide, tall) < 1e-6


def test_treemap_draws_both_side_by_side_unless_told():
    texts = " ".join(_texts(cnnzoo.plot.treemap("lenet5")))
    assert "61.71 k parameters" in texts
    assert "416.52 k multiply-accumulates" in texts


def test_same_network_is_the_same_svg():
    for draw in (cnnzoo.plot.treemap, cnnzoo.plot.architecture):
        assert draw("lenet5").to_svg() == draw("lenet5").to_svg()


# fmt: off
MISTAKES = [
    (lambda: cnnzoo.plot.treemap("lenet5", "flops"),         UsageError, "'params' or 'macs'"),
    (lambda: cnnzoo.plot.treemap("lenet6"),                  UnknownNameError, "'lenet5'"),
    (lambda: cnnzoo.plot.architecture(7),                    UsageError, "not a Keras model"),
    (lambda: cnnzoo.plot.architecture("lenet5", theme="x"),  UsageError, "'light' or 'dark'"),
    (lambda: cnnzoo.plot.architecture("lenet5", aux=True),   UsageError, "no option 'aux'"),
    (lambda: cnnzoo.plot.treemap(_two_blocks(), aux=True),   UsageError, "only act when a name"),
    (lambda: cnnzoo.plot.treemap(_free()),                   UsageError, "has no parameters"),
]
# fmt: on


def _free() -> keras.Model:
    image = keras.Input((8, 8, 3))
    return keras.Model(image, keras.layers.MaxPooling2D()(image))


@pytest.mark.parametrize(("draw", "error", "says"), MISTAKES, ids=[says for *_, says in MISTAKES])
def test_mistakes_are_met(draw, error, says):
    with pytest.raises(error, match=says):
        draw()


def test_fork_knows_how_it_is_joined():
    network = read("inception_resnet_v2", {})
    joins = {
        part.join
        for part in Reader(network.steps, describe, join).parts()
        if isinstance(part, Fork)
    }
    assert joins == {"+", "concat"}
