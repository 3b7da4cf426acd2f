"""``cnnzoo bench`` and ``cnnzoo table --bench``: output, files, mistakes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cnnzoo.cli.main import main

QUICK = ["--rounds", "1", "--no-memory"]


def test_results_are_printed_with_the_machine_and_nothing_else_where_nobody_watches(capsys):
    assert main(["bench", "LeNet-5", "--batch", "1", "2", "--input-size", "28x36", *QUICK]) == 2
    assert "too small for lenet5" in capsys.readouterr().err
    assert main(["bench", "LeNet-5", "--batch", "1", "2", "--input-size", "32x36", *QUICK]) == 0
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert [line.split()[:5] for line in lines[2:4]] == [
        ["lenet5", batch, "keras", "float32", "32x36"] for batch in ("1", "2")
    ]
    assert lines[-1].startswith("on ")
    assert "Keras" in lines[-1]
    assert err == ""


def test_json_is_one_document_that_the_table_reads(capsys, tmp_path):
    kept = tmp_path / "new" / "bench.json"
    words = ["bench", "lenet5", "resnet20", "--runtime", "predict", "--dtype", "bfloat16", *QUICK]
    assert main([*words, "--json", "--out", str(kept)]) == 0
    out = capsys.readouterr().out
    assert kept.read_text("utf-8") == out
    document = json.loads(out)
    assert [row["network"] for row in document["rows"]] == ["lenet5", "resnet20"]
    assert main(["table", "lenet5", "vgg16", "--bench", str(kept), "--batch", "1"]) == 0
    shown = capsys.readouterr().out
    assert f"batch 1, predict, bfloat16, measured on {document['machine']}" in shown
    assert "images/s" in shown


def _file(tmp_path):
    row = {"network": "lenet5", "batch": 1, "median_ms": 2.0, "input_size": [32, 32]}
    rows = [row | {"runtime": "keras", "dtype": dtype} for dtype in ("float32", "float16")]
    path = tmp_path / "bench.json"
    path.write_text(json.dumps({"machine": "an abacus", "rows": rows}))
    return str(path)


def test_table_takes_the_configuration_asked_for(capsys, tmp_path):
    words = ["table", "lenet5", "--bench", _file(tmp_path)]
    assert main(words) == 0
    assert "batch 1, keras, float32, measured on an abacus" in capsys.readouterr().out
    assert main([*words, "--dtype", "float16", "--format", "csv"]) == 0
    assert "keras, float16, on an abacus" in capsys.readouterr().out
    assert main([*words, "--runtime", "predict"]) == 2
    assert "There are no times for runtime=predict" in capsys.readouterr().err


# fmt: off
MISTAKES = [
    (["bench", "lenet6"],                         2, "Did you mean 'lenet5'"),
    (["bench", "lenet5", "lenet5"],               2, "holds 'lenet5' twice"),
    (["bench", "lenet5", "--batch", "0"],         2, "batch=0 is not"),
    (["bench", "lenet5", "--batch", "many"],      2, "invalid int value: 'many'"),
    (["bench", "lenet5", "--runtime", "predikt"], 2, "Did you mean 'predict'"),
    (["bench", "lenet5", "--dtype", "float8"],    2, "No dtype is named 'float8'. Did you mean"),
    (["bench", "lenet5", "--rounds", "0"],        2, "rounds=0 is not"),
    (["bench", "lenet5", "--threads", "0"],       2, "threads=0 is not"),
    (["bench", "vgg16", "--input-size", "16"],    2, "too small for vgg16"),
    (["bench", "lenet5", "--out", "."],           2, "--out . is a folder"),
    (["table", "--batch", "8"],                   2, "--batch 8 belongs to --bench FILE"),
    (["table", "--sort", "latency_ms"],           2, "Type: cnnzoo bench --json"),
    (["table", "--bench", "absent.json"],         5, "absent.json cannot be read"),
]
# fmt: on


@pytest.mark.parametrize(
    ("words", "code", "says"), MISTAKES, ids=[" ".join(m[0]) for m in MISTAKES]
)
def test_mistake_is_one_line_and_leaves_nothing(capsys, tmp_path, monkeypatch, words, code, says):
    monkeypatch.chdir(tmp_path)
    assert main(words) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert says in captured.err
    assert list(tmp_path.iterdir()) == []


def test_mistakes_and_tables_of_results_import_no_framework(tmp_path):
    script = f"""
import sys
from cnnzoo.cli.main import main
assert main(["bench", "lenet5", "--dtype", "float8"]) == 2
assert main(["table", "lenet5", "--bench", {_file(tmp_path)!r}]) == 0
print(sorted({{"keras", "numpy"}} & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
