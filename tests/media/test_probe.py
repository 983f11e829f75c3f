"""Probing: the content decides, and the header is enough."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    UnsupportedFormat,
)
from synthmark.labeling.media import probe as room
from synthmark.labeling.media.probe import probe

PNG = b"\x89PNG\r\n\x1a\n"


def save(image: Image.Image, format: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    body = name + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


def png_header(width: int, height: int, bits: int = 8, color_type: int = 2) -> bytes:
    """Build a file that claims a size and holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(64)))
    return PNG + chunk(b"IHDR", header) + pixels + chunk(b"IEND", b"")


def with_jpeg_size(content: bytes, width: int, height: int) -> bytes:
    place = content.index(b"\xff\xc0") + 5
    return content[:place] + struct.pack(">HH", height, width) + content[place + 4 :]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    body = b"WEBP" + b"".join(
        name + struct.pack("<I", len(data)) + data for name, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize(
    ("image", "format", "options", "mode", "bits"),
    [
        ("RGB", "jpeg", {}, "rgb", 8),
        ("RGB", "jpeg", {"progressive": True}, "rgb", 8),
        ("L", "jpeg", {}, "grey", 8),
        ("CMYK", "jpeg", {}, "cmyk", 8),
        ("1", "png", {}, "grey", 1),
        ("L", "png", {}, "grey", 8),
        ("I;16", "png", {}, "grey", 16),
        ("LA", "png", {}, "grey+alpha", 8),
        ("RGB", "png", {}, "rgb", 8),
        ("RGBA", "png", {}, "rgba", 8),
        ("RGB", "webp", {}, "rgb", 8),
        ("RGB", "webp", {"lossless": True}, "rgb", 8),
        ("RGBA", "webp", {}, "rgba", 8),
        ("RGBA", "webp", {"lossless": True}, "rgba", 8),
        ("RGB", "webp", {"exif": b"Exif\0\0II*\0"}, "rgb", 8),
    ],
)
def test_the_header_tells_everything(
    image: str, format: str, options: dict[str, Any], mode: str, bits: int
) -> None:
    found = probe(save(Image.new(image, (31, 17)), format, **options))
    assert (found.format, found.media_type) == (format, f"image/{format}")
    assert (found.width, found.height) == (31, 17)
    assert (found.mode, found.bits) == (mode, bits)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_is_told_with_its_depth(bits: int) -> None:
    found = probe(png_header(31, 17, bits=bits, color_type=3))
    assert (found.mode, found.bits) == ("palette", bits)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (save(Image.new("L", (9, 9)), "gif"), "GIF"),
        (save(Image.new("L", (9, 9)), "bmp"), "BMP"),
        (save(Image.new("L", (16, 16)), "ico"), "icon"),
        (b"8BPS\0\x01" + bytes(100), "Photoshop"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "MP4"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "QuickTime"),
        (b"\x1aE\xdf\xa3\x01\0\0\0", "Matroska"),
        (b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0", "WAV"),
        (b"RIFF\x24\0\0\0AVI LIST", "AVI"),
        (b"ID3\x04\0\0\0\0\0\0", "MP3"),
        (b"fLaC\0\0\0\x22", "FLAC"),
        (b"OggS\0\2", "Ogg"),
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PK\x03\x04\x14\0\0\0", "ZIP"),
        (b"\x1f\x8b\x08\0", "gzip"),
        (b"\n <!DOCTYPE html><html>", "HTML"),
        (b"\xef\xbb\xbf<html lang='zh'>", "HTML"),
        (b'<?xml version="1.0"?>\n<svg xmlns="x">', "SVG"),
        (b"<?xml version='1.0'?><rss>", "XML"),
        (b"just a note\n", "text"),
        (b"\x00\x01\x02\x03\xfe\xdc" * 30, "not a picture of a known kind"),
        (b"\x00", "not a picture of a known kind"),
    ],
)
def test_other_kinds_of_files_are_named(content: bytes, name: str) -> None:
    with pytest.raises(UnsupportedFormat, match=name) as caught:
        probe(content)
    assert caught.value.hint


@pytest.mark.parametrize("format", ["jpeg", "png", "webp"])
def test_a_file_that_is_cut_anywhere_is_damaged(format: str) -> None:
    image = Image.fromarray(np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3))
    content = save(image, format, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0")
    for length in range(len(content)):
        with pytest.raises(MediaError) as caught:
            probe(content[:length])
        if length not in (1, 2, 3):
            assert isinstance(caught.value, DamagedMedia), length


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (png_header(20_000, 20_000), "20000 x 20000"),
        (png_header(4_000_000_000, 4_000_000_000), "4000000000 x 4000000000"),
        (
            with_jpeg_size(save(Image.new("RGB", (8, 8)), "jpeg"), 65_500, 65_500),
            "65500 x 65500",
        ),
        (
            riff((b"VP8X", bytes(4) + (19_999).to_bytes(3, "little") * 2)),
            "20000 x 20000",
        ),
        (riff((b"VP8L", b"\x2f" + b"\xff\xff\xff\x0f" + bytes(9))), "16384 x 16384"),
        (
            riff((b"VP8 ", bytes(3) + b"\x9d\x01\x2a" + b"\xff\x3f" * 2)),
            "16383 x 16383",
        ),
    ],
    ids=["png", "huge png", "jpeg", "webp canvas", "webp lossless", "webp lossy"],
)
def test_a_bomb_is_refused_by_its_header(content: bytes, size: str) -> None:
    with pytest.raises(MediaTooLarge, match=size):
        probe(content)


def test_the_limit_is_what_the_caller_says() -> None:
    content = save(Image.new("L", (40, 30)), "png")
    assert probe(content, max_pixels=1200).width == 40
    with pytest.raises(MediaTooLarge):
        probe(content, max_pixels=1199)


def test_a_file_above_the_size_limit_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    content = save(Image.new("L", (40, 30)), "png")
    monkeypatch.setattr(room, "MAX_BYTES", len(content) - 1)
    with pytest.raises(MediaTooLarge, match="bytes"):
        probe(content)


@pytest.mark.parametrize("format", ["png", "webp"])
def test_animated_pictures_are_refused(format: str) -> None:
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "green", "blue")]
    content = save(frames[0], format, save_all=True, append_images=frames[1:])
    with pytest.raises(UnsupportedFormat, match="animated pictures are not handled"):
        probe(content)


def test_a_single_frame_is_no_animation() -> None:
    still = save(Image.new("RGB", (20, 20), "red"), "png")
    control = chunk(b"acTL", struct.pack(">II", 1, 0))
    assert probe(still[:33] + control + still[33:]).width == 20


@pytest.mark.parametrize(
    "content",
    [
        png_header(0, 5),
        png_header(5, 5, bits=3),
        png_header(5, 5, color_type=5),
        PNG + chunk(b"IEND", b""),
        PNG + png_header(5, 5)[8:33] * 2 + png_header(5, 5)[33:],
        PNG + png_header(5, 5)[8:33] + chunk(b"IEND", b""),
        b"\xff\xd8\xff\xe0\0\x04JF\xff\xd9",
        b"\xff\xd8\xff\xda\0\x04\0\0\xff\xd9",
        b"\xff\xd8\xff\xc0\0\x04\x08\0\xff\xd9",
        riff((b"VP8X", bytes(3))),
        riff((b"ALPH", bytes(30))),
        riff(),
    ],
)
def test_a_header_that_makes_no_sense_is_damaged(content: bytes) -> None:
    with pytest.raises(DamagedMedia):
        probe(content)


def test_rare_codings_of_jpeg_are_named() -> None:
    content = save(Image.new("RGB", (8, 8)), "jpeg")
    for marker in (b"\xff\xc3", b"\xff\xc5", b"\xff\xcb"):
        with pytest.raises(UnsupportedFormat, match="rare coding"):
            probe(content.replace(b"\xff\xc0", marker))
    with pytest.raises(UnsupportedFormat, match="12 bits"):
        probe(content.replace(b"\xff\xc0\0\x11\x08", b"\xff\xc0\0\x11\x0c"))


def test_a_jpeg_with_endless_scans_is_refused() -> None:
    content = save(Image.new("RGB", (8, 8)), "jpeg", progressive=True)
    scans = content.index(b"\xff\xda")
    again = content[:scans] + content[scans:-2] * 20 + b"\xff\xd9"
    with pytest.raises(DamagedMedia, match="scans"):
        probe(again)


def test_a_file_of_endless_pieces_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthmark.labeling.media.container.MAX_PIECES", 1000)
    still = save(Image.new("RGB", (20, 20)), "png")
    with pytest.raises(DamagedMedia, match="pieces"):
        probe(still[:33] + chunk(b"tEXt", b"") * 1000 + still[33:])
