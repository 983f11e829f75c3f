"""Pictures: every kind of input, and files that come back as they were."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageCms, ImageOps, JpegImagePlugin, PngImagePlugin

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    SynthmarkError,
    UnsupportedFormat,
    UsageError,
)
from synthmark.labeling.media.image import (
    Pixels,
    display,
    encode,
    format_of,
    from_array,
    from_pil,
    read,
    stored,
)

FORMATS = ["jpeg", "png", "webp"]
XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a>\xe5\x9b\xbe</a></x:xmpmeta>'
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def save(image: Image.Image, format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    image.load()
    return image


def scene(height: int = 24, width: int = 40) -> Pixels:
    """Draw a small picture with smooth and busy parts."""
    y, x = np.mgrid[:height, :width]
    red, green = 255 * x // width, 255 * y // height
    return np.dstack([red, green, (x * y * 7) % 256]).astype(np.uint8)


def chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def png(bits: int, color_type: int, rows: list[bytes], *extra: bytes) -> bytes:
    """Build a PNG of rows of four pixels, with chunks that Pillow does not write."""
    header = struct.pack(">IIBBBBB", 4, len(rows), bits, color_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            *extra,
            chunk(b"IDAT", pixels),
            chunk(b"IEND", b""),
        )
    )


def exif(orientation: int) -> bytes:
    data = Image.Exif()
    data[0x0112] = orientation
    data[0x010E] = "a test picture"
    return data.tobytes()


def cmyk_profile() -> bytes:
    """Build a CMYK profile that shows any color without black as Lab (50, 0, 0)."""
    grid = bytearray()
    for corner in range(16):
        black = corner & 1  # the last channel varies fastest
        grid += bytes((0 if black else 128, 128, 128))
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 16)
    table = b"mft1\0\0\0\0\x04\x03\x02\0" + matrix + ramp * 4 + bytes(grid) + ramp * 3
    header = bytearray(128)
    header[8:12] = b"\x02\x40\0\0"
    header[12:24] = b"prtrCMYKLab "
    header[36:40] = b"acsp"
    header[68:80] = struct.pack(">3i", 63190, 65536, 54061)  # D50
    header[0:4] = struct.pack(">I", 144 + len(table))
    tags = struct.pack(">I", 1) + b"A2B0" + struct.pack(">II", 144, len(table))
    return bytes(header) + tags + table


# --- reading -----------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 1), (1, 1, 3), (1, 300, 3), (300, 1), (9, 7, 4)])
@pytest.mark.parametrize("format", ["png", "webp"])
def test_lossless_formats_bring_the_pixels_back(
    format: str, shape: tuple[int, ...]
) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    back = read(encode(from_array(pixels), pixels, format))
    expected = pixels
    if format == "webp" and pixels.ndim == 2:
        expected = np.dstack([pixels] * 3)
    assert np.array_equal(back.pixels, expected)
    assert (back.format, back.orientation, back.notes) == (format, 1, ())


def test_the_name_of_a_file_plays_no_part() -> None:
    assert read(save(Image.fromarray(scene()), "webp")).format == "webp"


def test_reading_agrees_with_pillow() -> None:
    for format in FORMATS:
        content = save(Image.fromarray(scene()), format, quality=80)
        assert np.array_equal(read(content).pixels, np.array(opened(content)))


def test_black_and_white_becomes_grey() -> None:
    picture = read(save(Image.fromarray(scene()).convert("1"), "png"))
    assert picture.pixels.shape == (24, 40)
    assert set(np.unique(picture.pixels)) == {0, 255}
    assert any("black and white" in note for note in picture.notes)


@pytest.mark.parametrize(("bits", "step"), [(2, 85), (4, 17)])
def test_grey_of_few_bits_is_spread_over_the_range(bits: int, step: int) -> None:
    row = bytes((0b00011011,)) if bits == 2 else bytes((0x01, 0x23))
    picture = read(png(bits, 0, [row, row]))
    assert picture.pixels.tolist() == [[0, step, 2 * step, 3 * step]] * 2
    assert any(f"{bits} bits" in note for note in picture.notes)


def test_a_palette_becomes_rgb() -> None:
    image = Image.fromarray(scene()).quantize(16)
    picture = read(save(image, "png"))
    assert np.array_equal(picture.pixels, np.array(image.convert("RGB")))
    assert picture.notes == ("the color palette was converted to RGB",)


@pytest.mark.parametrize("transparency", [3, bytes(range(0, 256, 16))])
def test_a_palette_with_transparency_becomes_rgba(transparency: int | bytes) -> None:
    content = save(
        Image.fromarray(scene()).quantize(16), "png", transparency=transparency
    )
    picture = read(content)
    assert np.array_equal(picture.pixels, np.array(opened(content).convert("RGBA")))
    assert picture.pixels[:, :, 3].min() == 0
    assert picture.notes == ("the color palette was converted to RGBA",)


@pytest.mark.parametrize(
    ("bits", "color_type", "row", "key", "alpha"),
    [
        (1, 0, b"\x50", b"\0\1", [255, 0, 255, 0]),
        (2, 0, b"\x1b", b"\0\2", [255, 255, 0, 255]),
        (4, 0, b"\x01\x23", b"\0\1", [255, 0, 255, 255]),
        (8, 0, b"\x01\x02\x03\x04", b"\0\4", [255, 255, 255, 0]),
        (16, 0, b"\x01\x11\x02\x22\x03\x33\x04\x44", b"\x02\x22", [255, 0, 255, 255]),
        (8, 2, bytes(range(12)), b"\0\3\0\4\0\5", [255, 0, 255, 255]),
        (8, 2, bytes(range(12)), b"\0\3\0\4\0\6", [255, 255, 255, 255]),
        (16, 2, bytes(range(24)), b"\x06\x07\x08\x09\x0a\x0b", [255, 0, 255, 255]),
    ],
)
def test_a_transparent_color_becomes_alpha(
    bits: int, color_type: int, row: bytes, key: bytes, alpha: list[int]
) -> None:
    plain = read(png(bits, color_type, [row]))
    picture = read(png(bits, color_type, [row], chunk(b"tRNS", key)))
    color = plain.pixels if color_type == 2 else np.dstack([plain.pixels] * 3)
    assert np.array_equal(picture.pixels[:, :, :3], color)
    assert picture.pixels[0, :, 3].tolist() == alpha
    assert any("transparent color" in note for note in picture.notes)


def test_grey_with_alpha_becomes_rgba() -> None:
    image = Image.fromarray(scene()).convert("LA")
    image.putalpha(Image.fromarray(scene()[:, :, 0]))
    picture = read(save(image, "png"))
    assert np.array_equal(picture.pixels, np.array(image.convert("RGBA")))
    assert picture.notes == ("grey with transparency was converted to RGBA",)


def test_sixteen_bits_are_reduced_to_eight() -> None:
    grey = np.arange(0, 65536, 64, dtype=np.uint16).reshape(32, 32)
    picture = read(save(Image.fromarray(grey), "png"))
    assert np.array_equal(picture.pixels, grey >> 8)
    assert picture.notes == ("16 bits per channel were reduced to 8",)
    colors = (np.arange(12) * 5000).astype(">u2")
    picture = read(png(16, 2, [colors.tobytes()]))
    assert np.array_equal(picture.pixels.ravel(), colors >> 8)
    assert picture.notes == ("16 bits per channel were reduced to 8",)


def test_cmyk_without_a_profile_becomes_rgb() -> None:
    image = Image.fromarray(scene()).convert("CMYK")
    content = save(image, "jpeg", quality=100)
    picture = read(content)
    assert np.array_equal(picture.pixels, np.array(opened(content).convert("RGB")))
    assert picture.notes == ("CMYK was converted to RGB without a color profile",)
    assert read(encode(picture, picture.pixels)).pixels.shape == (24, 40, 3)


def test_cmyk_goes_through_its_profile() -> None:
    image = Image.new("CMYK", (16, 16), (200, 100, 0, 0))
    picture = read(save(image, "jpeg", quality=100, icc_profile=cmyk_profile()))
    # Lab (50, 0, 0) is the grey 119 in sRGB.
    assert np.abs(picture.pixels.astype(int) - 119).max() <= 2
    assert picture.notes == ("CMYK was converted to RGB through its color profile",)
    assert "icc_profile" not in opened(encode(picture, picture.pixels)).info


def test_cmyk_with_a_broken_profile_is_still_read() -> None:
    image = Image.new("CMYK", (16, 16), (200, 100, 0, 0))
    broken = cmyk_profile()[:140]
    picture = read(save(image, "jpeg", quality=100, icc_profile=broken))
    assert picture.notes == ("CMYK was converted to RGB without a color profile",)


@pytest.mark.parametrize("format", FORMATS)
def test_a_file_that_is_cut_anywhere_is_damaged(format: str) -> None:
    content = save(Image.fromarray(scene()), format)
    for length in range(12, len(content), 7):
        with pytest.raises(DamagedMedia):
            read(content[:length])


def test_pixel_data_that_ends_early_is_damaged() -> None:
    content = save(Image.fromarray(scene(90, 90)), "png")
    start = content.index(b"IDAT")
    (length,) = struct.unpack(">I", content[start - 4 : start])
    for kept in (0, 1, 100, length // 2, length - 10):
        data = chunk(b"IDAT", content[start + 4 : start + 4 + kept])
        with pytest.raises(DamagedMedia, match="cannot be decoded"):
            read(content[: start - 4] + data + chunk(b"IEND", b""))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_flipped_bytes_raise_our_errors_only(data: st.DataObject) -> None:
    format = data.draw(st.sampled_from(FORMATS))
    image = Image.fromarray(scene())
    content = bytearray(save(image, format, exif=exif(6), icc_profile=SRGB, xmp=XMP))
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places, min_size=1, max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    try:
        picture = read(bytes(content), max_pixels=1_000_000)
        encode(picture, picture.pixels, "png")
    except SynthmarkError:
        pass


def test_pillows_own_limit_neither_warns_nor_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 600)
    for format in FORMATS:
        assert read(save(Image.fromarray(scene()), format)).pixels.size == 2880
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    for format in ("jpeg", "png"):
        assert read(save(Image.fromarray(scene()), format)).pixels.size == 2880
    # Some versions of its WebP decoder refuse what goes beyond twice the limit.
    with suppress(MediaTooLarge):
        read(save(Image.fromarray(scene()), "webp"))


def test_headers_that_disagree_are_damaged() -> None:
    content = save(Image.fromarray(scene()), "webp", exif=exif(1))
    place = content.index(b"VP8X") + 12
    with pytest.raises(DamagedMedia):
        read(content[:place] + b"\x10" + content[place + 1 :])


# --- what a file says besides its pixels -------------------------------------------


@pytest.mark.parametrize("source", FORMATS)
@pytest.mark.parametrize("target", FORMATS)
def test_metadata_survives_encoding(source: str, target: str) -> None:
    content = save(
        Image.fromarray(scene()), source, exif=exif(6), icc_profile=SRGB, dpi=(300, 150)
    )
    picture = read(content)
    written = encode(picture, picture.pixels[::-1], target)
    image = opened(written)
    assert image.getexif()[0x0112] == 6
    assert image.getexif()[0x010E] == "a test picture"
    assert image.info["icc_profile"] == SRGB
    back = read(written)
    assert (back.orientation, back.carried.exif) == (6, picture.carried.exif)
    if "webp" not in (source, target):
        assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)


@pytest.mark.parametrize("dots", [0, 2_600_000, 0xFFFFFFFF])
def test_a_resolution_that_cannot_be_meant_is_left_out(dots: int) -> None:
    size = chunk(b"pHYs", struct.pack(">IIB", dots, dots, 1))
    picture = read(png(8, 2, [bytes(range(12))], size))
    assert "dpi" not in opened(encode(picture, picture.pixels)).info
    assert read(encode(picture, picture.pixels, "jpeg")).carried.dpi is None


@pytest.mark.parametrize("target", FORMATS)
def test_the_xmp_packet_survives_encoding(target: str) -> None:
    image = Image.fromarray(scene())
    compressed = PngImagePlugin.PngInfo()
    compressed.add_itxt("XML:com.adobe.xmp", XMP.decode(), zip=True)
    sources = [
        save(image, "jpeg", xmp=XMP),
        save(image, "webp", xmp=XMP),
        save(image, "png", pnginfo=compressed),
    ]
    for content in sources:
        picture = read(content)
        written = encode(picture, picture.pixels, target)
        assert XMP in written
        assert read(written).carried.xmp == XMP
        assert opened(written).info["xmp"] == XMP


def test_a_jpeg_keeps_its_other_segments() -> None:
    kept = (
        segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04" + bytes(20)),
        segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + bytes(60)),
        segment(0xFE, b"a comment"),
    )
    lost = (
        segment(0xEB, b"JP\0\0jumbc2pa" + bytes(20)),
        segment(0xE2, b"MPF\0MM\0*" + bytes(20)),
    )
    plain = save(Image.fromarray(scene()), "jpeg", exif=exif(3))
    place = plain.index(b"\xff\xdb")
    content = plain[:place] + b"".join(kept + lost) + plain[place:] + b"trailing"
    picture = read(content)
    written = encode(picture, picture.pixels)
    assert all(part in written for part in kept)
    assert not any(part in written for part in lost)
    assert written.index(b"Exif\0\0") < written.index(b"Photoshop")
    assert any("MPF" in note for note in picture.notes)
    assert encode(read(written), picture.pixels) == written


def test_a_png_keeps_its_other_chunks() -> None:
    kept = (
        chunk(b"gAMA", struct.pack(">I", 45455)),
        chunk(b"tEXt", b"parameters\0a cat, 4k"),
        chunk(b"zTXt", b"workflow\0\0" + zlib.compress(bytes(10**6))),
        chunk(b"iTXt", b"Title\0\0\0zh\0\0" + "图".encode()),
        chunk(b"prVt", b"private"),
    )
    lost = (chunk(b"caBX", b"jumbc2pa"), chunk(b"bKGD", b"\0\1"), chunk(b"tIME", b"7"))
    content = png(8, 2, [bytes(range(12))], *kept, *lost)
    picture = read(content)
    written = encode(picture, picture.pixels)
    assert all(part in written for part in kept)
    assert not any(part in written for part in lost)
    assert encode(read(written), picture.pixels) == written


def test_a_webp_drops_a_manifest_with_a_note() -> None:
    plain = save(Image.fromarray(scene()), "webp", xmp=XMP)
    body = plain[8:] + b"C2PA" + struct.pack("<I", 4) + b"jumb"
    picture = read(b"RIFF" + struct.pack("<I", len(body)) + body)
    assert b"C2PA" not in encode(picture, picture.pixels)


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"II",
        b"II*\0\xff\xff\xff\xff",
        b"MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 40,
        b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x63\0\0\0",
        bytes(100),
    ],
)
@pytest.mark.parametrize("format", FORMATS)
def test_broken_exif_stops_nothing(format: str, broken: bytes) -> None:
    image = Image.fromarray(scene())
    picture = read(save(image, format, exif=b"Exif\0\0" + broken))
    assert picture.orientation == 1
    assert read(encode(picture, picture.pixels)).carried.exif == (broken or None)


def test_a_broken_profile_is_left_out_with_a_note() -> None:
    row = bytes(range(12))
    for data in (b"name\0\0not zlib", b"name", zlib.compress(bytes(99))):
        picture = read(png(8, 2, [row], chunk(b"iCCP", data)))
        assert picture.carried.icc is None
        assert any("color profile" in note for note in picture.notes)


@pytest.mark.parametrize("name", [b"iCCP", b"iTXt"])
def test_a_compressed_bomb_in_metadata_is_left_out(name: bytes) -> None:
    bomb = zlib.compress(bytes(80 << 20), 9)
    start = b"name\0\0" if name == b"iCCP" else b"XML:com.adobe.xmp\0\1\0\0\0"
    picture = read(png(8, 2, [bytes(12)], chunk(name, start + bomb)))
    assert (picture.carried.icc, picture.carried.xmp) == (None, None)
    assert any("unreadable" in note for note in picture.notes)


def test_a_profile_for_other_channels_is_left_out() -> None:
    grey = SRGB[:16] + b"GRAY" + SRGB[20:]
    picture = read(save(Image.fromarray(scene()[:, :, 0]), "png", icc_profile=grey))
    assert opened(encode(picture, picture.pixels)).info["icc_profile"] == grey
    assert "icc_profile" not in opened(encode(picture, scene())).info
    assert "icc_profile" not in opened(encode(picture, picture.pixels, "webp")).info


# --- encoding ----------------------------------------------------------------------


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("quality", [30, 75, 98])
def test_a_jpeg_keeps_its_tables_and_subsampling(
    quality: int, subsampling: int
) -> None:
    content = save(
        Image.fromarray(scene()),
        "jpeg",
        quality=quality,
        subsampling=subsampling,
        progressive=quality == 30,
    )
    source = opened(content)
    picture = read(content)
    again = opened(encode(picture, picture.pixels))
    assert isinstance(source, JpegImagePlugin.JpegImageFile)
    assert isinstance(again, JpegImagePlugin.JpegImageFile)
    assert again.quantization == source.quantization
    assert JpegImagePlugin.get_sampling(again) == subsampling
    assert again.info.get("progressive") == source.info.get("progressive")
    # The same tables on nearly the same pixels change next to nothing.
    error = np.abs(np.array(again, float) - picture.pixels).mean()
    assert error < 3


def test_a_jpeg_with_a_table_for_each_channel_keeps_them() -> None:
    tables = [[value] * 64 for value in (3, 5, 7)]
    content = save(Image.fromarray(scene()), "jpeg", qtables=tables)
    picture = read(content)
    again = opened(encode(picture, picture.pixels))
    assert isinstance(again, JpegImagePlugin.JpegImageFile)
    assert [again.quantization[layer[3]][0] for layer in again.layer] == [3, 5, 7]


def test_a_grey_jpeg_takes_color() -> None:
    picture = read(save(Image.fromarray(scene()[:, :, 0]), "jpeg", quality=90))
    assert read(encode(picture, picture.pixels)).pixels.shape == (24, 40)
    assert read(encode(picture, scene())).pixels.shape == (24, 40, 3)


def test_noise_is_written_as_jpeg_at_any_quality() -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (300, 300, 3), dtype=np.uint8)
    smooth = Image.new("RGB", (300, 300))
    content = save(smooth, "jpeg", quality=100, subsampling=0, progressive=True)
    again = read(encode(read(content), pixels)).pixels
    assert np.abs(again.astype(int) - pixels).mean() < 1


def test_other_sources_become_a_good_jpeg() -> None:
    pixels = scene(64, 64)
    again = opened(encode(from_array(pixels), pixels, "jpeg"))
    assert JpegImagePlugin.get_sampling(again) == 0
    assert np.abs(np.array(again, float) - pixels).mean() < 4


def test_a_webp_stays_lossless_or_lossy() -> None:
    pixels = scene(64, 64)
    lossless = read(save(Image.fromarray(pixels), "webp", lossless=True))
    assert np.array_equal(read(encode(lossless, pixels)).pixels, pixels)
    lossy = read(save(Image.fromarray(pixels), "webp", quality=60))
    written = encode(lossy, lossy.pixels)
    assert b"VP8 " in written
    assert np.abs(read(written).pixels.astype(int) - lossy.pixels).mean() < 3


def test_colors_under_full_transparency_are_kept() -> None:
    pixels = np.dstack([scene(), np.zeros((24, 40), np.uint8)])
    for format in ("png", "webp"):
        written = encode(from_array(pixels), pixels, format)
        assert np.array_equal(read(written).pixels, pixels)


def test_transparency_does_not_go_into_a_jpeg() -> None:
    pixels = np.dstack([scene(), np.full((24, 40), 255, np.uint8)])
    assert read(encode(from_array(pixels), pixels, "jpeg")).pixels.shape == (24, 40, 3)
    pixels[3, 4, 3] = 254
    with pytest.raises(UsageError, match="transparent") as caught:
        encode(from_array(pixels), pixels, "jpeg")
    assert "PNG" in caught.value.hint


@pytest.mark.parametrize(("format", "side"), [("jpeg", 65_501), ("webp", 16_384)])
def test_a_side_that_the_format_cannot_hold_is_refused(format: str, side: int) -> None:
    pixels = np.zeros((1, side), np.uint8)
    with pytest.raises(UsageError, match="pixels a side"):
        encode(from_array(pixels), pixels, format)
    assert read(encode(from_array(pixels), pixels)).pixels.shape == (1, side)


def test_metadata_that_does_not_fit_into_a_jpeg_is_an_error() -> None:
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", "x" * 70_000)
    picture = read(save(Image.fromarray(scene()), "png", pnginfo=info))
    with pytest.raises(MediaError, match="XMP"):
        encode(picture, picture.pixels, "jpeg")
    assert read(encode(picture, picture.pixels, "webp")).carried.xmp == b"x" * 70_000


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="gif"):
        encode(from_array(scene()), scene(), "gif")


@pytest.mark.parametrize(
    ("name", "format"),
    [
        *(
            ("a.jpg", "jpeg"),
            ("b.JPEG", "jpeg"),
            ("c.x.png", "png"),
            ("d.WebP", "webp"),
        ),
        *(("e.tif", "tiff"), ("f.TIFF", "tiff"), ("g.avif", "avif")),
    ],
)
def test_the_suffix_chooses_the_format(name: str, format: str) -> None:
    assert format_of(name) == format
    assert format_of(Path("folder.gif") / name) == format


@pytest.mark.parametrize("name", ["a.gif", "b", "c.bmp", ".png", "d.png "])
def test_a_suffix_that_cannot_be_written_is_refused(name: str) -> None:
    with pytest.raises(UnsupportedFormat, match=r"\.webp"):
        format_of(name)


# --- pictures in memory ------------------------------------------------------------


def test_an_array_is_copied() -> None:
    pixels = scene()
    picture = from_array(pixels[:, ::-1])
    pixels[:] = 0
    assert np.array_equal(picture.pixels, scene()[:, ::-1])
    assert picture.pixels.flags.c_contiguous


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((4, 4), bool),
        np.zeros((4, 4), np.uint16),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((4, 4, 2), np.uint8),
        np.zeros((3, 4, 5), np.uint8),
        np.zeros((2, 4, 4, 3), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((0, 4), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
    ],
    ids=lambda pixels: f"{pixels.dtype}-{pixels.shape}",
)
def test_other_arrays_are_refused(pixels: Any) -> None:
    with pytest.raises(UsageError, match="pixels"):
        from_array(pixels)
    with pytest.raises(UsageError, match="pixels"):
        encode(from_array(scene()), pixels)


@pytest.mark.parametrize(
    ("mode", "shape"),
    [
        ("1", (24, 40)),
        ("L", (24, 40)),
        ("LA", (24, 40, 4)),
        ("P", (24, 40, 3)),
        ("PA", (24, 40, 4)),
        ("RGB", (24, 40, 3)),
        ("RGBA", (24, 40, 4)),
        ("RGBX", (24, 40, 3)),
        ("RGBa", (24, 40, 4)),
        ("CMYK", (24, 40, 3)),
        ("YCbCr", (24, 40, 3)),
        ("HSV", (24, 40, 3)),
        ("LAB", (24, 40, 3)),
    ],
)
def test_a_pillow_image_of_any_mode_is_taken(mode: str, shape: tuple[int, ...]) -> None:
    image = Image.fromarray(scene())
    image = (
        image.convert("RGBA").convert(mode) if mode == "RGBa" else image.convert(mode)
    )
    picture = from_pil(image)
    assert picture.pixels.shape == shape
    assert bool(picture.notes) == (mode not in ("L", "RGB", "RGBA"))
    if len(shape) == 3:
        expected = np.array(image.convert("RGB" if shape[2] == 3 else "RGBA"))
        assert np.array_equal(picture.pixels, expected)


@pytest.mark.parametrize("mode", ["I", "F", "La"])
def test_a_pillow_image_without_plain_colors_is_refused(mode: str) -> None:
    with pytest.raises(UsageError, match=mode):
        from_pil(Image.new(mode, (4, 4)))


def test_a_pillow_image_of_sixteen_bits_is_reduced() -> None:
    values = np.arange(0, 65536, 64, dtype=np.uint16).reshape(32, 32)
    assert np.array_equal(from_pil(Image.fromarray(values)).pixels, values >> 8)


def test_a_pillow_image_brings_its_metadata() -> None:
    content = save(
        Image.fromarray(scene()), "jpeg", exif=exif(8), icc_profile=SRGB, xmp=XMP
    )
    picture = from_pil(Image.open(BytesIO(content)))
    assert (picture.format, picture.orientation) == ("png", 8)
    image = opened(encode(picture, picture.pixels))
    assert image.getexif()[0x0112] == 8
    assert image.info["icc_profile"] == SRGB
    assert image.info["xmp"] == XMP


def test_a_pillow_image_of_a_broken_file_is_damaged() -> None:
    content = save(Image.fromarray(scene()), "png")
    with pytest.raises(DamagedMedia, match="cannot be decoded"):
        from_pil(Image.open(BytesIO(content[:-60])))


# --- orientation -------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    pixels=arrays.arrays(
        np.uint8,
        st.tuples(st.integers(1, 6), st.integers(1, 6)).flatmap(
            lambda size: st.sampled_from([size, (*size, 3), (*size, 4)])
        ),
    ),
    orientation=st.integers(1, 8),
)
def test_display_turns_as_exif_says_and_stored_undoes_it(
    pixels: Pixels, orientation: int
) -> None:
    image = Image.fromarray(pixels)
    image.getexif()[0x0112] = orientation
    shown = display(pixels, orientation)
    assert np.array_equal(shown, np.array(ImageOps.exif_transpose(image)))
    assert shown.flags.c_contiguous
    assert np.array_equal(stored(shown, orientation), pixels)


@pytest.mark.parametrize("orientation", [0, 9, -1])
def test_there_are_eight_orientations(orientation: int) -> None:
    for turn in (display, stored):
        with pytest.raises(UsageError, match="orientation"):
            turn(scene(), orientation)
