from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnnzoo import pictures as images
from cnnzoo.errors import DataError
from cnnzoo.pictures import (
    ImageFiles,
    PictureError,
    examine,
    picture,
    printable,
    read_picture,
)

PATTERN = np.arange(24, dtype=np.uint8).reshape(4, 6) * 10


def _saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


@pytest.mark.parametrize(
    ("mode", "name", "expected"),
    [
        ("L", "a.png", "L"),
        ("RGB", "a.png", "RGB"),
        ("1", "a.png", "L"),
        ("P", "a.gif", "RGB"),
        ("LA", "a.png", "L"),
        ("RGBA", "a.webp", "RGB"),
        ("CMYK", "a.jpg", "RGB"),
        ("RGB", "a.bmp", "RGB"),
    ],
)
def test_every_mode_becomes_grey_or_rgb(
    tmp_path: Path, mode: str, name: str, expected: str
) -> None:
    path = _saved(tmp_path / name, Image.fromarray(PATTERN).convert(mode))
    assert read_picture(path).mode == expected


def test_16_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    deep = np.array([[0, 256, 32768, 65535]], np.uint16)
    path = _saved(tmp_path / "deep.png", Image.fromarray(deep))
    assert np.asarray(read_picture(path)).tolist() == [[0, 1, 128, 255]]


def test_transparency_is_laid_on_white(tmp_path: Path) -> None:
    see_through = np.array([[[255, 0, 0, 255], [255, 0, 0, 0], [0, 0, 0, 128]]], np.uint8)
    path = _saved(tmp_path / "a.png", Image.fromarray(see_through))
    found = np.asarray(read_picture(path)).tolist()
    assert found == [[[255, 0, 0], [255, 255, 255], [127, 127, 127]]]


def test_a_palette_with_a_transparent_colour_is_laid_on_white(tmp_path: Path) -> None:
    image = Image.new("P", (2, 1))
    image.putpalette([0, 0, 0, 200, 10, 10])
    image.putdata([0, 1])
    path = _saved(tmp_path / "a.png", image, transparency=0)
    assert np.asarray(read_picture(path)).tolist() == [[[255, 255, 255], [200, 10, 10]]]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_undone(tmp_path: Path, orientation: int) -> None:
    # How a camera held so stores the upright pattern; EXIF 2.32, tag 274.
    stored = {
        1: PATTERN,
        2: np.fliplr(PATTERN),
        3: np.rot90(PATTERN, 2),
        4: np.flipud(PATTERN),
        5: PATTERN.T,
        6: np.rot90(PATTERN, 1),
        7: np.rot90(PATTERN, 2).T,
        8: np.rot90(PATTERN, -1),
    }[orientation]
    exif = Image.Exif()
    exif[274] = orientation
    path = _saved(tmp_path / "a.png", Image.fromarray(np.ascontiguousarray(stored)), exif=exif)
    assert np.array_equal(np.asarray(read_picture(path)), PATTERN)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow says so itself
def test_broken_exif_is_passed_over(tmp_path: Path) -> None:
    path = _saved(
        tmp_path / "a.jpg", Image.fromarray(PATTERN), exif=b"Exif\0\0II*\0\xff\xff\xff\xff"
    )
    assert read_picture(path).size == (6, 4)


def _truncated(path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(path, "JPEG")
    path.write_bytes(path.read_bytes()[:2000])


BROKEN = {
    "cut": (_truncated, "truncated"),
    "empty": (lambda path: path.touch(), "no JPEG, PNG, WEBP, BMP or GIF image"),
    "page": (lambda path: path.write_text("<html></html>"), "no JPEG"),
    "tiff": (lambda path: Image.fromarray(PATTERN).save(path, "TIFF"), "no JPEG"),
    "absent": (lambda path: None, "No such file"),
    "folder": (lambda path: path.mkdir(), "not a regular file"),
    "pipe": (os.mkfifo, "not a regular file"),
}


@pytest.mark.parametrize("fault", BROKEN)
@pytest.mark.parametrize("size", [None, (8, 8)])
def test_what_is_no_image_is_named_with_its_reason(
    tmp_path: Path, fault: str, size: tuple[int, int] | None
) -> None:
    make, reason = BROKEN[fault]
    make(tmp_path / "bad.jpg")
    with pytest.raises(DataError, match=rf"bad\.jpg: .*{reason}"):
        read_picture(tmp_path / "bad.jpg", size)


def test_too_many_pixels_are_refused_before_they_are_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _saved(tmp_path / "big.png", Image.new("1", (8000, 7000)))
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises(DataError, match="8000 x 7000 pixels are more than the 50 million"):
        read_picture(path)


def test_what_pillow_itself_calls_a_bomb_is_too_large(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """I2: at twice its own limit Pillow raises before we can look at the size."""
    path = _saved(tmp_path / "big.png", Image.new("1", (30, 30)))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(PictureError, match="it has more than the 50 million pixels") as caught:
        read_picture(path)
    assert caught.value.kind == "too large"


def test_examine_tells_how_a_file_was_made(tmp_path: Path) -> None:
    """I6."""
    frames = [Image.new("L", (4, 6), shade) for shade in (0, 255)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    found = examine(tmp_path / "a.gif")
    assert (found.format, found.animated, found.picture.size) == ("GIF", True, (4, 6))
    assert np.asarray(found.picture).max() == 0  # the first frame


def test_a_large_jpeg_is_decoded_small_but_never_below_twice_the_size(tmp_path: Path) -> None:
    path = _saved(tmp_path / "a.jpg", Image.new("RGB", (800, 400)))
    assert read_picture(path, (40, 40)).size == (200, 100)
    assert read_picture(path).size == (800, 400)


def test_image_files_decode_one_and_select_many(tmp_path: Path) -> None:
    paths = [_saved(tmp_path / f"{i}.png", Image.new("L", (3, 2), i)) for i in range(4)]
    files = ImageFiles(paths)
    assert len(files) == 4
    assert files[2].shape == (2, 3, 1)
    assert files[np.array([3, 1])].paths == (paths[3], paths[1])


def test_picture_keeps_the_pixels_of_an_array() -> None:
    array = np.random.default_rng(0).integers(0, 256, (2, 4, 5, 3), np.uint8)
    assert np.array_equal(np.asarray(picture(array, 1)), array[1])
    assert picture(array[..., :1], 0).mode == "L"


def test_printable_shows_bytes_that_are_no_text() -> None:
    assert printable(Path(os.fsdecode(b"caf\xe9.png"))) == "caf\\xe9.png"


def test_the_formats_read_are_the_ones_documented() -> None:
    assert images.FORMATS == ("JPEG", "PNG", "WEBP", "BMP", "GIF")


def test_printable_keeps_a_name_on_one_line() -> None:
    assert printable(Path("two\nlines\x1b[31m.png")) == "two\\nlines\\x1b[31m.png"
