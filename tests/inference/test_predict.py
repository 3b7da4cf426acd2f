"""Pictures of every kind through the two networks that ship, and the refusals."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import cnnzoo
from cnnzoo.cli.main import main
from cnnzoo.errors import DataError, UnknownNameError, UsageError, WeightsError
from cnnzoo.runfiles import KIND
from cnnzoo.runtimes import choose
from cnnzoo.view import View


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNZOO_OFFLINE", "1")


def _digit(digit: int, mode: str = "L") -> Image.Image:
    """A printed digit, light on dark."""
    picture, font = Image.new("L", (280, 280), 0), ImageFont.load_default(200)
    draw = ImageDraw.Draw(picture)
    left, top, right, bottom = draw.textbbox((0, 0), str(digit), font=font)
    draw.text(((280 - right - left) / 2, (280 - bottom - top) / 2), str(digit), 255, font)
    return picture.convert(mode)


@pytest.fixture
def seven(tmp_path: Path) -> Path:
    _digit(7).save(tmp_path / "seven.png")
    return tmp_path / "seven.png"


def _best(found) -> list[str]:
    return [row.classes[0].name for row in found]


def test_printed_digits_are_read_in_the_order_they_are_given(tmp_path: Path) -> None:
    paths = []
    for digit in (7, 0, 4, 2, 5, 3, 8):
        _digit(digit).save(tmp_path / f"{digit}.png")
        paths.append(tmp_path / f"{digit}.png")
    found = cnnzoo.predict("lenet5", paths, batch_size=2)
    assert _best(found) == ["7", "0", "4", "2", "5", "3", "8"]
    assert [row.image for row in found] == [str(path) for path in paths]
    assert _best(cnnzoo.predict("lenet5", tmp_path)) == ["0", "2", "3", "4", "5", "7", "8"]


def test_any_kind_of_picture_will_do(tmp_path: Path) -> None:
    turned, exif = _digit(7).transpose(Image.Transpose.ROTATE_270), Image.Exif()
    exif[0x0112] = 8
    turned.save(tmp_path / "turned.jpg", exif=exif)
    _digit(7, "RGB").save(tmp_path / "coloured.webp")
    _digit(7, "1").save(tmp_path / "bits.bmp")
    deep = np.asarray(_digit(7)).astype("uint16") * 257
    Image.fromarray(deep).save(tmp_path / "deep.png")
    ghost = Image.new("RGBA", (280, 280), "black")
    ghost.paste("white", mask=_digit(7))
    ghost.save(tmp_path / "ghost.png")
    found = cnnzoo.predict("lenet5", tmp_path)
    assert len(found) == 5
    assert _best(found) == ["7"] * 5


def test_pixels_are_pictures_too(seven: Path) -> None:
    pixels = np.asarray(Image.open(seven))
    expected = cnnzoo.predict("lenet5", seven)[0].classes
    stack = np.stack([pixels, pixels])[..., None]
    for images in (pixels, pixels[..., None], stack, [pixels, seven], pixels.astype("float64")):
        for row in cnnzoo.predict("lenet5", images):
            assert row.classes[0].probability == pytest.approx(expected[0].probability, rel=1e-6)
    assert cnnzoo.predict("lenet5", stack)[1].image == "array 1"


def test_many_pictures_go_to_a_faster_runtime_and_few_do_not(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CNNZOO_CACHE", str(tmp_path / "cache"))
    asked = []

    def compiled(model: keras.Model, *names: str, **counts: int) -> object:
        asked.append((names, counts))
        return choose.compile(model, *names, **counts)

    monkeypatch.setattr("cnnzoo.inference.predict.compile", compiled)
    digits = np.stack([np.asarray(_digit(7))] * 3)[..., None]
    expected = cnnzoo.predict("lenet5", digits)
    found = cnnzoo.predict("lenet5", digits, runtime="openvino", precision="float32", batch_size=2)
    assert asked == [
        (("auto", "auto"), {"batch_size": 32, "images": 3}),
        (("openvino", "float32"), {"batch_size": 2, "images": 3}),
    ]
    for row, known in zip(found, expected, strict=True):
        assert row.classes[0].probability == pytest.approx(known.classes[0].probability, rel=1e-4)
    _digit(7).save(tmp_path / "seven.png")
    words = ["predict", "lenet5", str(tmp_path / "seven.png"), "--precision", "bfloat16"]
    assert main([*words, "--runtime", "openvino"]) == 0
    printed = capsys.readouterr()
    assert "  7 " in printed.out
    assert printed.err.startswith("cnnzoo: openvino in bfloat16 differs from Keras in float32 by ")
    assert main([*words, "--runtime", "onnxruntime"]) == 2
    assert "onnxruntime does not compute in bfloat16" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pixels", "says"),
    [
        (np.zeros((4, 4, 4)), r"shape \(4, 4, 4\)"),
        (np.zeros((4, 0)), "no grey or RGB"),
        (np.full((4, 4), 300), "go from 300 to 300"),
        (np.full((4, 4), np.nan), "no pixels"),
        (np.full((4, 4), 0.5), "go up to 1 only"),
        (np.array([["a"]]), "no pixels"),
    ],
)
def test_pixels_that_are_none_are_refused(pixels, says: str) -> None:
    with pytest.raises(DataError, match=says):
        cnnzoo.predict("lenet5", [pixels])


def test_probabilities_are_the_network_s_own_and_sorted(seven: Path) -> None:
    model = cnnzoo.build("lenet5", weights="mnist", include_preprocessing=True)
    small = Image.open(seven).resize((32, 32), Image.Resampling.BILINEAR)
    expected = model.predict_on_batch(np.asarray(small).reshape(1, 32, 32, 1))[0]
    classes = cnnzoo.predict("lenet5", seven, top=99)[0].classes
    assert len(classes) == 10
    probabilities = [guess.probability for guess in classes]
    assert probabilities == sorted(probabilities, reverse=True)
    assert probabilities == pytest.approx([float(expected[int(g.name)]) for g in classes], abs=1e-6)


def test_coloured_pictures_are_seen_by_resnet20_and_named_after_cifar(tmp_path: Path) -> None:
    Image.new("RGB", (48, 40), (120, 170, 230)).save(tmp_path / "sky.png")
    found = cnnzoo.predict("resnet20", tmp_path / "sky.png", weights="cifar10", top=2)
    assert {guess.name for guess in found[0].classes} == {"bird", "airplane"}
    assert found.by == "resnet20, weights 'cifar10'"


def test_all_bad_pictures_are_named_in_one_error(tmp_path: Path, seven: Path) -> None:
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "cut.png").write_bytes(seven.read_bytes()[:300])
    with pytest.raises(DataError, match="no JPEG") as caught:
        cnnzoo.predict("lenet5", [seven, tmp_path / "text.png", tmp_path / "cut.png", "no.png"])
    assert all(name in str(caught.value) for name in ("text.png", "cut.png", "no.png"))
    assert "seven.png" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        (("lenet5", []), UsageError, "no images"),
        (("lenet5", 7), UsageError, "neither a path nor an array"),
        (("lenet5", "x.png", {"top": 0}), UsageError, "top=0"),
        (("lenet5", "x.png", {"batch_size": 0}), UsageError, "batch_size=0"),
        (("lenet6", "x.png"), UnknownNameError, "Did you mean 'lenet5'"),
        (("lenet5", "x.png", {"weights": "mnsit"}), UnknownNameError, "Did you mean 'mnist'"),
        (("lenet5", "x.png", {"weights": "no.h5"}), WeightsError, "does not exist"),
        (("lenet5", "x.png", {"padding": "same"}), UsageError, "contradicts"),
    ],
)
def test_what_cannot_work_is_refused(arguments, error, says: str, tmp_path: Path) -> None:
    name, images, more = (*arguments, {})[:3]
    if images == "x.png":
        _digit(1).save(tmp_path / "x.png")
        images = tmp_path / "x.png"
    with pytest.raises(error, match=says):
        cnnzoo.predict(name, images, **more)


def test_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="without images"):
        cnnzoo.predict("lenet5", tmp_path)


def test_model_of_one_s_own_numbers_its_classes(seven: Path) -> None:
    model = keras.Sequential(
        [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(3, "softmax")]
    )
    names = {guess.name for guess in cnnzoo.predict(model, seven)[0].classes}
    assert names == {"class 0", "class 1", "class 2"}
    with pytest.raises(UsageError, match="a classifier of pictures takes"):
        cnnzoo.predict(cnnzoo.build("lenet5", include_top=False), seven)


def test_folder_of_a_run_predicts_with_its_own_classes(seven: Path, tmp_path: Path) -> None:
    run = tmp_path / "runs" / "mine"
    model = cnnzoo.build("lenet5", weights="mnist", include_preprocessing=True)
    run.mkdir(parents=True)
    model.save(run / "model.keras")
    names = [f"digit {i}" for i in range(10)]
    config = {
        "kind": KIND,
        "arguments": {"input_shape": [32, 32, 1]},
        "data": {"name": "x", "class_names": names},
    }
    (run / "config.json").write_text(json.dumps(config))
    assert _best(cnnzoo.predict(str(run), seven)) == ["digit 7"]
    (run / "config.json").write_text("{}")
    with pytest.raises(DataError, match="no run of cnnzoo finetune"):
        cnnzoo.predict(str(run), seven)
    (run / "config.json").write_text(json.dumps(config))
    (run / "model.keras").unlink()
    with pytest.raises(DataError, match="cannot be loaded"):
        cnnzoo.predict(str(run), seven)


def test_view_of_imagenet_resizes_the_shorter_side_and_cuts_the_middle() -> None:
    picture = Image.fromarray(np.arange(60, dtype="uint8").repeat(30).reshape(60, 30) * 4)
    whole = View(15, 15, 3).pixels(picture)
    middle = View(15, 15, 3, resize=30).pixels(picture)
    assert whole.shape == middle.shape == (15, 15, 3)
    assert (whole[0, 0, 0], whole[-1, 0, 0]) == (8, 228)  # rows 0 to 59, squeezed
    assert np.array_equal(middle[:, 0, 0], np.arange(22, 37) * 4)  # rows 22 to 36 as they were
    assert np.array_equal(
        View(15, 15, 1, resize=30).pixels(picture, invert=True), 255 - middle[..., :1]
    )


def test_shown_rows_are_html_in_a_notebook_and_lines_in_a_terminal(seven: Path) -> None:
    found = cnnzoo.predict("lenet5", seven, top=1)
    assert str(found).startswith(f"lenet5, weights 'mnist'\n{seven}\n  7 ")
    assert "<td>7 99" in found._repr_html_()
    assert found.to_dicts()[0]["classes"][0]["id"] == "7"


def test_command_goes_on_after_a_bad_picture_and_ends_with_5(
    seven: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / "über\nall.png"
    odd.write_bytes(b"")
    assert main(["predict", "lenet5", str(odd), str(seven)]) == 5
    out, err = capsys.readouterr()
    assert f"{seven}: 7 99" in out
    assert r"über\nall.png: it is no JPEG" in out
    assert "1 picture is not readable" in err


def test_command_prints_one_json_document(seven: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["predict", "lenet5", str(seven), "absent.png", "--json", "--top", "2"]) == 5
    document = json.loads(capsys.readouterr().out)
    good, bad = document["predictions"]
    assert good["classes"][0]["id"] == "7"
    assert len(good["classes"]) == 2
    assert bad == {"image": "absent.png", "error": "it cannot be read: No such file or directory."}


def test_dark_digit_on_light_paper_is_told_of_and_read_when_inverted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "paper.png"
    _digit(7).point(lambda value: 255 - value).save(path)
    assert main(["predict", "lenet5", str(path)]) == 0
    assert "Try --invert" in capsys.readouterr().err
    assert main(["predict", "lenet5", str(path), "--invert", "--top", "1"]) == 0
    out, err = capsys.readouterr()
    assert "\n  7 " in out
    assert err == ""
