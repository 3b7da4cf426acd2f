from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from cnnzoo.training.data.dataset import Part
from cnnzoo.training.metrics import score
from cnnzoo.training.report import render

NAMES = ("cat", "<script>alert(1)</script>", 'd"o&g')
TRUE = np.array([0, 0, 1, 1, 2, 2])
PREDICTED = [0, 1, 1, 0, 2, 1]
SURE = [0.9, 0.7, 0.8, 0.95, 0.6, 0.5]


@pytest.fixture
def test_part() -> Part:
    return Part(np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1), np.uint8), TRUE)


@pytest.fixture
def page(test_part: Part, probabilities: Callable[..., np.ndarray]) -> str:
    rows = probabilities(PREDICTED, SURE, 3)
    history = [
        {"epoch": i, "loss": 1 / i, "accuracy": 0.5, "val_loss": 1 / i, "val_accuracy": 0.5}
        for i in (1, 2)
    ]
    metrics = score(TRUE, rows, NAMES) | {
        "best_epoch": 2,
        "best_epoch_by": "highest validation accuracy",
        "epochs": 2,
        "seconds": 75.0,
    }
    return render(_config(), history, metrics, test_part, rows)


def _config(**changed: Any) -> dict[str, Any]:
    arguments = {
        "network": "lenet5", "options": {"original": True}, "weights": None,
        "input_shape": [32, 32, 1], "seed": 0,
    }  # fmt: skip
    recipe = {"name": "scratch", "lr": {"head": 0.001}, "augment": ["flip", "zoom 0.1"]}
    config = {
        "command": "cnnzoo finetune lenet5 --data 'a & b.npz'",
        "started": "2026-01-02T03:04:05+00:00",
        "arguments": arguments,
        "recipe": recipe,
        "network": {"name": "lenet5", "title": "LeNet-5", "parameters": 61706},
        "data": {
            "name": "pets", "source": "/home/pets", "training_images": 1295,
            "validation_images": 143, "test_images": 6, "class_names": list(NAMES),
            "notes": ["1 test image is also in the training part"],
        },
        "versions": {"python": "3.11"},
        "hardware": {"cpu": "some processor", "cores": 2},
    }  # fmt: skip
    return config | changed


def test_the_page_says_what_came_out(page: str) -> None:
    text = " ".join(re.sub(r"<[^>]+>", " ", page.partition("<body>")[2]).split())
    assert "LeNet-5 on pets 50.00 % test accuracy" in text
    assert "misclassified 3 of 6" in text
    assert "training time 1 min 15 s" in text
    assert "best epoch 2 of 2" in text
    assert "parameters 61,706" in text
    assert "1 test image is also in the training part" in text
    assert "options: original True" in text
    assert "input shape 32 × 32 × 1" in text
    assert "lr: head 0.001 augment flip, zoom 0.1" in text
    assert "Training images are changed at random" in text


def test_the_page_asks_for_nothing_from_elsewhere(page: str) -> None:
    sources = re.findall(r"""(?:src|href|url\()\s*=?\s*["']?([^"')>\s]+)""", page)
    assert sources
    assert all(source.startswith(("data:image/png;base64,", "#plot")) for source in sources)
    assert "http" not in page
    assert "<script" not in page
    assert "@import" not in page


def test_the_page_escapes_what_it_did_not_write(page: str) -> None:
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "d&#34;o&amp;g" in page
    assert "&#39;a &amp; b.npz&#39;" in page


def test_the_heat_map_shows_the_counts(page: str) -> None:
    cells = re.findall(
        r'<div class="(hit|miss)[^>]*title="true (.*?), predicted (.*?): \d+">(\d*)<', page
    )
    assert ("hit", "cat", "cat", "1") in cells
    assert [kind for kind, *_ in cells].count("miss") == 3
    assert [count for *_, count in cells] == ["1"] * 6


def test_the_class_table_shows_a_dash_for_what_is_not_defined(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    rows = probabilities([0] * 6, [0.9] * 6, 3)
    history = [{"loss": 1.0, "accuracy": 0.5, "val_loss": 1.0, "val_accuracy": 0.5}]
    metrics = score(TRUE, rows, NAMES) | {
        "best_epoch": 1, "best_epoch_by": "", "epochs": 1, "seconds": 1.0
    }  # fmt: skip
    page = render(_config(command=None), history, metrics, test_part, rows)
    assert page.count("<td>–</td>") == 2  # the precision of the two classes never predicted
    assert "handed over in Python" in page


def test_the_gallery_titles_true_and_predicted_with_the_probability(page: str) -> None:
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert (
        captions[1]
        == "cat : <em>&lt;script&gt;alert(1)&lt;/script&gt;</em><small>70.0\xa0%</small>"
    )


def _rows(count: int, **more: Any) -> list[dict[str, Any]]:
    """A history."""
    return [
        {
            "epoch": i, "loss": 1 / i, "accuracy": 0.5, "val_loss": 1 / i, "val_accuracy": 0.6,
            "learning_rate": 0.1, "seconds": 2.0, "waiting": 0.03,
            **{key: f(i) for key, f in more.items()},
        }
        for i in range(1, count + 1)
    ]  # fmt: skip


def _metrics(labels: np.ndarray, rows: np.ndarray, names: tuple[str, ...]) -> dict[str, Any]:
    found = {"best_epoch": 1, "best_epoch_by": "", "epochs": 4, "seconds": 1.0}
    return score(labels, rows, names) | found


def _render(
    probabilities: Callable[..., np.ndarray],
    part: Part,
    history: list[dict[str, Any]],
    config: dict[str, Any] | None = None,
    **more: Any,
) -> str:
    rows = probabilities(PREDICTED, SURE, 3)
    return render(config or _config(), history, _metrics(TRUE, rows, NAMES), part, rows, **more)


def test_the_phases_the_learning_rate_and_the_averaged_weights_are_drawn(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    history = _rows(4, phase=lambda i: "head" if i < 3 else "all", ema_val_accuracy=lambda i: 0.7)
    page = _render(probabilities, test_part, history)
    assert page.count('<line class="phase"') == 3  # in loss, accuracy, learning rate
    assert page.count(">head</text>") == page.count(">all</text>") == 3
    assert page.count('<polyline class="averaged"') == 1
    assert "Learning rate" in page
    assert "epoch 2: learning rate 0.1" in page
    assert "epoch, median" in page
    assert re.search(r"waiting for images</[a-z]+>\s*<[^>]+>3.0\s%", page)


def test_a_network_that_was_only_measured_has_no_curves(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    config = _config()
    del config["recipe"]
    config["data"] = {**config["data"], "part": "train"}
    page = _render(probabilities, test_part, [], config)
    assert "Learning curves" not in page
    assert '<p class="eyebrow">Evaluation' in page
    assert "training accuracy, 95" in page


def test_the_reliability_diagram_has_a_bar_for_every_bin_with_answers(page: str) -> None:
    # Confidences 0.9, 0.7, 0.8, 0.95, 0.6, 0.5 in bins of a fifteenth.
    assert len(re.findall(r'<rect class="right"', page)) == 6
    assert re.findall(r'<rect class="(?:short|more)"', page)
    assert "expected calibration error" in page
    assert "in 15 bins" in page


def test_grad_cam_stands_beside_every_mistake(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    image = keras.Input((12, 12, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, name="see")(image))
    network = keras.Model(image, layers.Dense(3, activation="softmax")(x))
    page = _render(probabilities, test_part, [], model=network)
    assert len(re.findall(r'alt="what spoke for', page)) == 3
    assert "Grad-CAM" in page


def test_why_there_is_no_grad_cam_is_said(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    image = keras.Input((8, 8, 1))
    network = keras.Model(image, layers.Dense(3)(layers.Flatten()(image)), name="flat")
    page = _render(probabilities, test_part, [], model=network)
    assert "Without Grad-CAM: flat: no feature map" in page
    assert "what spoke for" not in page


def test_the_sheet_shows_originals_and_what_became_of_them(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    augmented = np.zeros((2, 4, 8, 8, 3), np.uint8)
    page = _render(probabilities, test_part, [], augmented=augmented)
    assert page.count('alt="a training image"') == 2
    assert page.count('alt="the same, changed at random"') == 6
    assert "as the network sees them" not in _render(probabilities, test_part, [])


def test_a_thousand_classes_do_not_blow_up_the_page() -> None:
    rng = np.random.default_rng(0)
    names = tuple(f"class {i}" for i in range(1000))
    labels = rng.integers(0, 1000, 3000)
    rows = rng.dirichlet(np.full(1000, 0.05), 3000).astype("float32")
    part = Part(rng.integers(0, 256, (3000, 8, 8, 1), np.uint8), labels)
    page = render(_config(), [], _metrics(labels, rows, names), part, rows)
    assert len(page) < 300_000
    assert "The 40 of 1,000 classes" in page
    assert "The 100 with the lowest F1; all 1,000 are in metrics.json" in page
    assert page.count("<tr>") == 101


def test_every_image_has_a_text_and_tables_scroll_in_their_own_box(page: str) -> None:
    assert all("alt=" in image for image in re.findall(r"<img[^>]*>", page))
    drawings = re.findall(r"<svg[^>]*>", page)
    assert drawings
    assert all("aria-label=" in drawing for drawing in drawings)
    before = page[: page.index("<table>")]
    assert "scroll" in before[before.rindex("<div class=") :]
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_a_run_without_mistakes_says_so(
    test_part: Part, probabilities: Callable[..., np.ndarray]
) -> None:
    rows = probabilities(TRUE.tolist(), [0.9] * 6, 3)
    history = [{"loss": 0.0, "accuracy": 1.0, "val_loss": 0.0, "val_accuracy": 1.0}]
    metrics = score(TRUE, rows, NAMES) | {
        "best_epoch": 1, "best_epoch_by": "", "epochs": 1, "seconds": 1.0
    }  # fmt: skip
    page = render(_config(), history, metrics, test_part, rows)
    assert "every image was classified correctly" in page
    assert "Mistaken most often" not in page
