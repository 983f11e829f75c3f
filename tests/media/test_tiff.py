"""TIFF and AVIF: every kind of pixels, and files with all that belongs to them."""

from __future__ import annotations

import struct
from io import BytesIO
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from synthmark.labeling.errors import DamagedMedia, UnsupportedFormat
from synthmark.labeling.media.container import Carried
from synthmark.labeling.media.image import Picture, encode, read
from synthmark.labeling.media.probe import probe

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
NOISE = np.random.default_rng(1).integers(0, 256, (31, 45, 4), dtype=np.uint8)


def saved(image: Image.Image, format: str = "tiff", **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def rich(orientation: int = 6) -> Carried:
    exif = Image.Exif()
    exif[271], exif[274] = "a maker", orientation
    exif.get_ifd(0x8769)[0x9286] = b"ASCII\0\0\0hello"
    exif.get_ifd(0x8825)[1] = "N"
    block = exif.tobytes().removeprefix(b"Exif\0\0")
    return Carried(icc=SRGB, exif=block, xmp=b"<x/>", dpi=(300.0, 72.0))


@pytest.mark.parametrize("channels", [0, 3, 4])
@pytest.mark.parametrize("orientation", [1, 6])
def test_a_tiff_is_lossless_and_keeps_what_belongs_to_it(
    channels: int, orientation: int
) -> None:
    pixels = np.ascontiguousarray(NOISE[..., :channels] if channels else NOISE[..., 0])
    kept = rich(orientation)
    picture = Picture(pixels=pixels, orientation=orientation, carried=kept)
    found = read(encode(picture, pixels, "tiff"))
    np.testing.assert_array_equal(found.pixels, pixels)
    assert (found.format, found.orientation) == ("tiff", orientation)
    assert (found.carried.dpi, found.carried.xmp) == (kept.dpi, kept.xmp)
    assert found.carried.icc == (SRGB if channels else None)
    again = read(encode(found, found.pixels))
    np.testing.assert_array_equal(again.pixels, pixels)
    exif = Image.Exif()
    exif.load(again.carried.exif or b"")
    assert exif[271] == "a maker"
    assert exif.get_ifd(0x8769)[0x9286] == b"ASCII\0\0\0hello"
    assert exif.get_ifd(0x8825)[1] == "N"


def test_a_tiff_is_what_other_readers_take_it_for() -> None:
    picture = Picture(pixels=NOISE[..., :3].copy())
    content = encode(picture, picture.pixels, "tiff")
    found = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    np.testing.assert_array_equal(found[..., ::-1], picture.pixels)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"])
@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_deflate"])
def test_every_kind_of_pixels_is_read(mode: str, compression: str) -> None:
    image = Image.fromarray(NOISE).convert("RGB")
    if mode == "I;16":
        image = Image.fromarray(NOISE[..., 0].astype(np.uint16) * 257)
    elif mode == "LA":
        image = Image.fromarray(NOISE).convert("LA")
    else:
        image = image.convert(mode)
    found = read(saved(image, compression=compression))
    if mode == "I;16":
        np.testing.assert_array_equal(found.pixels, NOISE[..., 0])
        assert found.notes == ("16 bits per channel were reduced to 8",)
    elif mode in ("L", "RGB", "RGBA"):
        np.testing.assert_array_equal(found.pixels, np.asarray(image))
        assert found.notes == ()
    else:
        want = np.asarray(image.convert({"1": "L", "LA": "RGBA"}.get(mode, "RGB")))
        np.testing.assert_array_equal(found.pixels, want)
        assert found.notes


def test_sixteen_bits_of_color_are_reduced() -> None:
    wide = NOISE[..., :3].astype(np.uint16) * 257
    _, content = cv2.imencode(".tif", wide[..., ::-1])
    found = read(content.tobytes())
    np.testing.assert_array_equal(found.pixels, NOISE[..., :3])
    assert found.notes == ("16 bits per channel were reduced to 8",)


def test_several_pages_and_rare_pixels_are_refused() -> None:
    image = Image.fromarray(NOISE[..., :3].copy())
    with pytest.raises(UnsupportedFormat, match="several pages"):
        probe(saved(image, save_all=True, append_images=[image]))
    with pytest.raises(UnsupportedFormat, match="unusual pixels"):
        probe(saved(Image.fromarray(NOISE[..., 0].astype(np.float32))))


def test_a_broken_tiff_is_told() -> None:
    content = saved(Image.fromarray(NOISE[..., :3].copy()))
    for length in range(4, len(content), 13):
        with pytest.raises(DamagedMedia):
            read(content[:length])
    circle = b"II*\0" + struct.pack("<IHHHIII", 8, 1, 256, 3, 1, 5, 8)
    with pytest.raises(UnsupportedFormat, match="several pages"):
        read(circle)


@pytest.mark.parametrize("channels", [3, 4])
def test_an_avif_comes_close_and_keeps_what_belongs_to_it(channels: int) -> None:
    y, x = np.mgrid[:48, :64]
    soft = np.dstack([4 * x, 5 * y, 2 * (x + y), 255 - x]).astype(np.uint8)
    pixels = np.ascontiguousarray(soft[..., :channels])
    picture = Picture(pixels=pixels, orientation=6, carried=rich())
    found = read(encode(picture, pixels, "avif"))
    assert np.abs(found.pixels.astype(int) - pixels).max() <= 6
    assert (found.format, found.orientation) == ("avif", 6)
    assert (found.carried.icc, found.carried.xmp) == (SRGB, b"<x/>")
    assert not found.encoding.lossless
    assert probe(encode(picture, pixels, "avif")).mode == ("rgb", "rgba")[channels - 3]


def test_a_broken_or_moving_avif_is_told() -> None:
    image = Image.fromarray(NOISE[..., :3].copy())
    content = saved(image, "avif", speed=10)
    for length in range(12, len(content), 29):
        with pytest.raises(DamagedMedia):
            read(content[:length])
    with pytest.raises(UnsupportedFormat, match="animated"):
        read(saved(image, "avif", save_all=True, append_images=[image], speed=10))
