"""Measuring: arguments, order, statistics, documents, and what tables and plots make of them."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys

import keras
import pytest
import tensorflow

import cnnzoo
from cnnzoo import DataError, UsageError, machine
from cnnzoo.analysis.bench import memory, run, timing
from cnnzoo.analysis.bench.plan import RUNTIMES, make_plan
from cnnzoo.analysis.bench.results import Benchmark, Row, digits, read
from cnnzoo.analysis.plot import text
from cnnzoo.analysis.plot.canvas import Text
from cnnzoo.catalogue.registry import unregister_model


def own_model(shape=(6, 8, 3), name="own"):
    image = keras.Input(shape)
    x = keras.layers.Conv2D(2, 3)(image)
    return keras.Model(image, keras.layers.GlobalAveragePooling2D()(x), name=name)


# --- arguments ---------------------------------------------------------------------------------

# fmt: off
REFUSED = [
    (["lenet6"],             {},                             "Did you mean 'lenet5'"),
    (["lenet5", "LeNet-5"],  {},                             "networks holds 'lenet5' twice"),
    ([],                     {},                             "empty list"),
    (7,                      {},                             "neither a network's name nor"),
    (None,                   {"input_size": 8},              "too small for"),
    (["xception"],           {"input_size": 64},             "which needs 71 pixels"),
    (["lenet5"],             {"input_size": 0},              "no image size"),
    (["lenet5"],             {"batches": (1, 0)},            "batch=0 is not a whole number"),
    (["lenet5"],             {"batches": (1.5,)},            "batch=1.5 is not"),
    (["lenet5"],             {"batches": (8, 1, 8)},         "batches holds 8 twice"),
    (["lenet5"],             {"batches": None},              "batches=None is no list"),
    (["lenet5"],             {"runtimes": ("kears",)},       "Did you mean 'keras'"),
    (["lenet5"],             {"runtimes": ()},               "runtimes is an empty list"),
    (["lenet5"],             {"dtypes": ("floot16",)},       "Did you mean 'float16'"),
    (["lenet5"],             {"dtypes": ("float32",) * 2},   "dtypes holds 'float32' twice"),
    (["lenet5"],             {"rounds": 0},                  "rounds=0 is not a whole number"),
    (["lenet5"],             {"rounds": True},               "rounds=True is not a whole number"),
    (["lenet5"],             {"threads": -1},                "threads=-1 is not a whole number"),
    (["lenet5"],             {"dtypes": "int8"},             "not compute lenet5 in int8"),
    (["lenet5"],  {"runtimes": "onnxruntime", "dtypes": "bfloat16"}, "only in: float32, int8"),
    (["lenet5"],  {"runtimes": "openvino", "threads": 1},    "cannot be set for the runtime"),
]
# fmt: on


@pytest.mark.parametrize(("networks", "arguments", "says"), REFUSED)
def test_argument_that_cannot_work_is_refused_before_anything_is_built(
    monkeypatch, networks, arguments, says
):
    monkeypatch.setattr(timing, "build_as", None)
    with pytest.raises(UsageError, match=says):
        cnnzoo.benchmark(networks, **arguments)


def test_plan_takes_single_values_forgives_spelling_and_counts_the_cases():
    plan = make_plan("LeNet-5", batches=4, runtimes="Predict", dtypes=["BFloat16", "float32"])
    assert [network.name for network in plan.networks] == ["lenet5"]
    assert (plan.batches, plan.runtimes) == ((4,), ("predict",))
    assert plan.dtypes == ("bfloat16", "float32")
    assert plan.networks[0].size == (32, 32)
    assert plan.cases == 2


def test_without_names_every_network_is_measured():
    assert {network.name for network in make_plan(None).networks} == set(cnnzoo.list_models())


def test_own_model_keeps_its_dtype_and_its_size():
    with pytest.raises(UsageError, match="'own' is built already"):
        make_plan([own_model()], dtypes=("float16",))
    with pytest.raises(UsageError, match="built for 6x8"):
        make_plan([own_model()], input_size=8)
    with pytest.raises(UsageError, match=r"any size.*Pass input_size"):
        make_plan([own_model((None, None, 3))])
    assert make_plan([own_model((None, None, 3))], input_size=9).networks[0].size == (9, 9)
    vector = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    with pytest.raises(UsageError, match="only pictures"):
        make_plan(vector)
    with pytest.raises(UsageError, match="neither a network's name nor a built Keras model"):
        make_plan(keras.Sequential([keras.layers.Dense(2)]))


# --- order and statistics ----------------------------------------------------------------------


def test_calls_are_made_in_turn_and_timed_one_by_one():
    made, now = [], iter([0, 1, 10, 12, 20, 23, 30, 34])
    calls = [lambda: made.append("a"), lambda: made.append("b")]
    rounds = []
    seconds = timing.time_in_turn(calls, 2, clock=lambda: next(now), after_round=rounds.append)
    assert made == ["a", "b", "a", "b"]
    assert seconds == [[1, 3], [2, 4]]
    assert rounds == [1, 2]


def test_quartiles_are_those_of_the_rounds():
    assert timing.quartiles_ms([0.005, 0.001, 0.002, 0.004, 0.003]) == (2.0, 3.0, 4.0)
    assert timing.quartiles_ms([0.002]) == (2.0, 2.0, 2.0)


def test_images_per_second_count_the_whole_batch():
    assert Row(network="a", batch=8, median_ms=4.0).images_per_second == 2000


@pytest.mark.parametrize(
    ("value", "shown"), [(0.01234, "0.0123"), (1.234, "1.23"), (99.94, "99.9"), (1234.5, "1,234")]
)
def test_times_show_three_digits(value, shown):
    assert digits(value) == shown


# --- measuring ---------------------------------------------------------------------------------


def test_every_configuration_is_a_row_with_its_machine():
    said = []
    found = cnnzoo.benchmark(
        ["lenet5", own_model()],
        batches=(1, 3),
        runtimes=RUNTIMES,
        rounds=2,
        memory=False,
        progress=lambda share, what: said.append((share, what)),
    )
    rows = [(row.network, row.batch, row.runtime, row.own) for row in found]
    assert rows == [
        (name, batch, runtime, name == "own")
        for name in ("lenet5", "own")
        for batch in (1, 3)
        for runtime in RUNTIMES
    ]
    assert all(0 < row.p25_ms <= row.median_ms <= row.p75_ms for row in found)
    assert {(row.network, row.input_size) for row in found} == {
        ("lenet5", (32, 32)),
        ("own", (6, 8)),
    }
    for name in ("python", "keras", "backend", "backend_version", "cnnzoo", "cpu", "cores", "date"):
        assert found.environment[name]
    assert found.machine == machine.in_words(found.environment)
    assert str(found).splitlines()[-1] == f"on {found.machine}"
    assert said[-1] == (1.0, "timed in turn: round 2 of 2")
    assert [share for share, _ in said] == sorted(share for share, _ in said)


def test_dtype_is_that_of_the_network_and_the_policy_is_put_back():
    before = keras.config.dtype_policy().name
    model = timing.build_as("lenet5", "bfloat16", (32, 32))
    assert model.layers[1].compute_dtype == "bfloat16"
    assert keras.config.dtype_policy().name == before
    row = cnnzoo.benchmark("lenet5", dtypes="bfloat16", rounds=1, memory=False)[0]
    assert row.dtype == "bfloat16"


def test_other_runtimes_lower_the_precision_of_a_network_in_float32(monkeypatch):
    built = []
    build_as = timing.build_as
    monkeypatch.setattr(
        timing,
        "build_as",
        lambda spec, dtype, size: built.append(dtype) or build_as(spec, dtype, size),
    )
    found = cnnzoo.benchmark(
        "lenet5", runtimes=("keras", "openvino"), dtypes="bfloat16", rounds=1, memory=False
    )
    assert built == ["bfloat16", "float32"]
    assert [(row.runtime, row.dtype) for row in found] == [
        ("keras", "bfloat16"), ("openvino", "bfloat16"),
    ]  # fmt: skip
    (row,) = cnnzoo.benchmark("lenet5", runtimes="onnxruntime", dtypes="int8", rounds=1)
    assert row.dtype == "int8"
    assert row.peak_rss_mib > 50


def test_heavy_networks_are_timed_one_group_after_the_other(monkeypatch):
    groups = []
    measure = timing.time_in_turn
    monkeypatch.setattr(run, "GROUP_BYTES", 1)
    monkeypatch.setattr(
        timing,
        "time_in_turn",
        lambda calls, rounds, **more: groups.append(len(calls)) or measure(calls, rounds, **more),
    )
    found = cnnzoo.benchmark([own_model(), own_model(name="b")], batches=(1, 2), rounds=1)
    assert groups == [2, 2]
    assert [row.network for row in found] == ["own", "own", "b", "b"]


def test_what_the_machine_cannot_compute_is_one_clear_error(monkeypatch):
    def prepare(*arguments):
        raise RuntimeError("slow_conv2d not implemented for 'Half'\nmore")

    monkeypatch.setattr(timing, "prepare", prepare)
    with pytest.raises(
        UsageError, match=r"lenet5 cannot be computed here with batch 1, keras, float16: slow_conv"
    ):
        cnnzoo.benchmark("lenet5", dtypes="float16")


def test_backend_that_cannot_compile_is_named(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "numpy")
    with pytest.raises(UsageError, match="not known for the backend 'numpy'"):
        cnnzoo.benchmark([own_model()])


def test_threads_cannot_change_once_the_backend_computes(monkeypatch):
    tensorflow.add(1, 1)
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    with pytest.raises(UsageError, match="comes too late"):
        machine.set_threads(1)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(UsageError, match="cannot be set on the backend 'jax'"):
        machine.set_threads(1)


# --- memory ------------------------------------------------------------------------------------


def test_memory_is_that_of_a_fresh_process_and_more_than_the_framework():
    (row,) = cnnzoo.benchmark("lenet5", input_size=28 + 8, rounds=1)
    assert row.peak_rss_mib > row.framework_rss_mib > 50


def test_memory_of_the_parent_is_not_counted():
    script = "from cnnzoo.analysis.bench.memory import peak_mib; print(peak_mib())"
    ballast = b"x" * (200 * 2**20)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
    assert len(ballast) > 0
    assert float(done.stdout) < 100 < memory.peak_mib()


def test_own_and_registered_networks_say_that_their_memory_is_not_measured():
    cnnzoo.register_model("mine", keras.layers.Conv2D(2, 3), input_shape=(8, 8, 3))
    try:
        found = cnnzoo.benchmark([own_model(), "mine"], rounds=1)
    finally:
        unregister_model("mine")
    assert {(row.peak_rss_mib, row.framework_rss_mib) for row in found} == {(None, None)}
    assert found.notes == tuple(
        f"memory of {name} was not measured: a fresh process does not know how to build it"
        for name in ("own", "mine")
    )
    assert found.notes[1] in str(found)


def test_process_that_dies_costs_its_figure_and_not_the_results():
    case = {"network": "lenet5", "batch": 1, "runtime": "keras", "dtype": "none", "size": (32, 32)}
    case |= {"threads": None, "data_format": "channels_last"}
    assert memory.measure(case, "no-such-backend").startswith("its process ended with code 1")


# --- documents ---------------------------------------------------------------------------------


def _row(network="lenet5", **changes):
    row = {"network": network, "batch": 1, "median_ms": 2.0, "input_size": [32, 32]}
    return row | {"runtime": "keras", "dtype": "float32"} | changes


def _file(tmp_path, rows, **changes):
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"machine": "an abacus", "rows": rows} | changes), "utf-8")
    return path


def test_results_survive_the_way_through_a_file(tmp_path):
    row = Row(network="a", batch=2, median_ms=4.0, p25_ms=3.0, p75_ms=5.0, input_size=(6, 8))
    found = Benchmark("an abacus", (row,), {"cores": 10}, ("one bead is missing",))
    path = found.save(tmp_path / "new" / "bench.json")
    assert read(path) == found
    document = json.loads(path.read_text("utf-8"))
    assert document == json.loads(found.to_json())
    assert list(document) == ["machine", "environment", "notes", "rows"]
    assert document["rows"][0]["images_per_second"] == 500
    assert document["rows"][0]["input_size"] == [6, 8]


def test_narrow_terminal_leaves_out_the_last_columns_and_keeps_the_machine():
    row = Row(network="inception_resnet_v2", batch=1, median_ms=4.0, p25_ms=3.0, p75_ms=5.0)
    shown = Benchmark("an abacus", (row,)).to_text(80)
    assert max(map(len, shown.splitlines())) <= 80
    assert "… for a wider terminal: quartiles ms, peak MiB, framework MiB" in shown
    assert shown.splitlines()[-1] == "on an abacus"
    page = Benchmark("an <abacus>", (row,))._repr_html_()
    assert "<p>on an &lt;abacus&gt;</p>" in page


# fmt: off
DAMAGED = [
    "rows", [3], [{}], [_row(batch=0)], [_row(batch="1")], [_row(median_ms=-1)],
    [_row(median_ms="fast")], [_row(input_size=[3])],
]
# fmt: on


@pytest.mark.parametrize("rows", DAMAGED, ids=str)
def test_other_documents_are_refused(tmp_path, rows):
    with pytest.raises(DataError, match="no document of cnnzoo bench"):
        read(_file(tmp_path, rows))


def test_two_times_of_one_thing_are_refused(tmp_path):
    with pytest.raises(DataError, match="two times of lenet5 with batch 1, keras, float32"):
        read(_file(tmp_path, [_row(), _row(median_ms=3.0)]))
    assert len(read(_file(tmp_path, [_row(), _row(input_size=[64, 64])]))) == 2


def test_one_configuration_is_selected_and_others_can_be_asked_for(tmp_path):
    rows = [_row(batch=8), _row(runtime="predict"), _row(), _row(dtype="float16")]
    found = read(_file(tmp_path, rows))
    assert [row.configuration for row in found.select()] == ["batch 1, predict, float32"]
    (row,) = found.select(batch=1, runtime="keras", dtype="float16")
    assert row.dtype == "float16"
    with pytest.raises(UsageError, match=r"dtype=float16\. Measured: float32"):
        found.select(runtime="predict", dtype="float16")
    with pytest.raises(UsageError, match=r"batch=2\. Measured: 1, 8"):
        found.select(batch=2)
    with pytest.raises(UsageError, match="Measured: none at all"):
        Benchmark("an abacus", ()).select()


# --- the table ---------------------------------------------------------------------------------

VGG = _row("vgg16", median_ms=80.0, input_size=[224, 224])
WHERE = "batch 1, keras, float32, on an abacus"


def test_times_stand_after_the_macs_with_the_machine_below(tmp_path):
    path = _file(tmp_path, [_row(), VGG, _row("mine", own=True)])
    table = cnnzoo.table(["lenet5", "vgg16", "xception"], bench=path)
    keys = [column.key for column in table.columns]
    assert keys[keys.index("macs") + 1 :][:3] == ["latency_ms", "images_per_second", "measured_on"]
    assert [row["latency_ms"] for row in table] == [2.0, 80.0, None]
    assert [row["images_per_second"] for row in table] == [500.0, 12.5, None]
    for form in ("text", "markdown", "html", "latex"):
        assert "batch 1, keras, float32, measured on an abacus" in table.to(form)
        assert "measured on</th>" not in table.to(form)
    assert "measured on an abacus" in table.to_text(60).replace("\n  ", " ")


def test_programs_find_the_machine_in_a_column(tmp_path):
    table = cnnzoo.table(
        ["vgg16", "lenet5"], columns="name,latency_ms", bench=_file(tmp_path, [_row(), VGG])
    )
    rows = list(csv.DictReader(io.StringIO(table.to_csv())))
    assert rows[0] == {
        "name": "vgg16",
        "latency_ms": "80.0",
        "measured_on": f"measured with {WHERE}",
    }
    assert json.loads(table.to_json())[1]["measured_on"] == f"measured with {WHERE}"
    assert "latency_ms" in table.to_pandas()


def test_table_is_sorted_by_measured_times_and_takes_results_at_hand(tmp_path):
    found = read(_file(tmp_path, [_row(), VGG, _row("vgg16", batch=8, input_size=[224, 224])]))
    table = cnnzoo.table(bench=found, sort="latency_ms", reverse=True, columns="name")
    assert [row["name"] for row in table][:2] == ["vgg16", "lenet5"]
    table = cnnzoo.table(["vgg16"], bench=found.select(batch=8))
    assert table[0]["images_per_second"] == 4000
    assert "batch 8" in table.caption


def test_times_of_another_size_are_not_shown_and_named(tmp_path):
    path = _file(tmp_path, [_row(input_size=[40, 40]), VGG])
    table = cnnzoo.table(["lenet5", "vgg16"], bench=path)
    assert table[0]["latency_ms"] is None
    assert "not shown, because of another size: lenet5" in str(table)
    assert cnnzoo.table(["lenet5"], bench=path, input_size=40)[0]["latency_ms"] == 2.0
    with pytest.raises(UsageError, match=r"no times for these .* lenet5 \(40x40\), vgg16"):
        cnnzoo.table(["lenet5", "xception"], bench=path)


def test_model_of_a_users_own_does_not_stand_for_the_network_of_that_name(tmp_path):
    path = _file(tmp_path, [_row(own=True), VGG])
    assert cnnzoo.table(["lenet5", "vgg16"], bench=path)[0]["latency_ms"] is None


def test_times_without_results_say_how_to_get_them():
    for arguments in ({"columns": "name,latency_ms"}, {"sort": "images_per_second"}):
        with pytest.raises(UsageError, match="Type: cnnzoo bench"):
            cnnzoo.table(**arguments)
    with pytest.raises(UsageError, match="bench=3 is neither a file"):
        cnnzoo.table(bench=3)
    with pytest.raises(DataError, match=r"absent\.json cannot be read"):
        cnnzoo.table(bench="absent.json")


# --- the plot ----------------------------------------------------------------------------------


def test_picture_names_runtime_and_dtype_and_refuses_two_sizes(tmp_path):
    rows = [_row(name, input_size=[224, 224]) for name in ("vgg16", "vgg19", "resnet50")]
    path = _file(tmp_path, [*rows, *(row | {"runtime": "predict"} for row in rows)])
    picture = cnnzoo.plot.accuracy_vs("latency", results=path)
    assert "Median time for one image, keras, float32, measured on an abacus." in picture.to_svg()
    long = _file(tmp_path, rows, machine=" ".join(["one of many beads,"] * 20))
    for shape in cnnzoo.plot.accuracy_vs("latency", results=long).shapes:
        if isinstance(shape, Text) and "bead" in shape.text:
            assert text.width(shape.text, shape.size) < 2 * min(shape.x, 760 - shape.x)
    path = _file(tmp_path, [*rows, rows[0] | {"input_size": [64, 64]}])
    with pytest.raises(UsageError, match="vgg16 for images of 224x224 and 64x64 pixels"):
        cnnzoo.plot.accuracy_vs("latency", results=path)
