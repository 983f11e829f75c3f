"""Logos: what is taken, what is refused, and how they look beside the text."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from synthmark.labeling.errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    SynthmarkError,
    UnsupportedFormat,
    UsageError,
)
from synthmark.labeling.notices.image import draw
from synthmark.labeling.notices.logo import read_logo
from synthmark.labeling.notices.wording import WORDINGS

Pixels = NDArray[np.uint8]


def sign(color: tuple[int, int, int] = (220, 30, 60), side: int = 64) -> Pixels:
    """A disk of a color on nothing."""
    y, x = np.indices((side, side)) - (side - 1) / 2
    pixels = np.zeros((side, side, 4), np.uint8)
    pixels[..., :3] = color
    pixels[..., 3] = 255 * (np.hypot(x, y) <= side / 2)
    return pixels


def png(pixels: Pixels, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", **options)  # type: ignore[arg-type]
    return buffer.getvalue()


def saved(folder: Path, content: bytes) -> Path:
    path = folder / "logo.png"
    path.write_bytes(content)
    return path


def chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)


def huge_png(width: int, height: int) -> bytes:
    """A header that promises more than the file holds."""
    head = struct.pack(">IIBBBBB", width, height, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") * 2


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "L", "LA", "P", "1", "I;16"])
def test_png_of_every_kind_is_read(tmp_path: Path, mode: str) -> None:
    if mode == "I;16":
        image = Image.fromarray(np.full((30, 50), 40_000, np.uint16))
    else:
        image = Image.new("RGB", (50, 30), (200, 200, 200)).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    logo = read_logo(saved(tmp_path, buffer.getvalue()))
    assert logo.pixels.shape == (30, 50, 4)
    assert logo.pixels.dtype == np.uint8
    assert (logo.pixels[..., 3] == 255).all()
    assert int(np.median(logo.pixels[..., 0])) >= 140 or mode == "1"


def test_pixels_and_file_are_the_same_logo(tmp_path: Path) -> None:
    one = read_logo(sign())
    other = read_logo(saved(tmp_path, png(sign())))
    assert (one.pixels == other.pixels).all()


def test_what_is_transparent_around_it_is_cut_off() -> None:
    logo = read_logo(np.pad(sign(), ((90, 5), (30, 70), (0, 0))))
    assert (logo.pixels == sign()).all()


def test_large_ones_are_reduced_and_keep_their_colors() -> None:
    logo = read_logo(sign(side=3000))
    assert logo.pixels.shape == (1024, 1024, 4)
    edge = logo.pixels[(logo.pixels[..., 3] > 20) & (logo.pixels[..., 3] < 235)]
    assert np.abs(edge[:, :3].astype(int) - (220, 30, 60)).max() <= 16


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"", UnsupportedFormat),
        (b"GIF89a" + bytes(50), UnsupportedFormat),
        (b"<svg/>", UnsupportedFormat),
        (b"\x89PNG\r\n\x1a\n", DamagedMedia),
        (png(sign())[:-100], DamagedMedia),
        (huge_png(50_000, 50_000), MediaTooLarge),
        (huge_png(2**31 - 1, 1), MediaTooLarge),
        (huge_png(64, 64), DamagedMedia),
        (bytes(4_000_001), MediaTooLarge),
    ],
)
def test_hostile_files_are_refused(
    tmp_path: Path, content: bytes, error: type[MediaError]
) -> None:
    path = saved(tmp_path, content)
    with pytest.raises(error, match="the logo") as caught:
        read_logo(path)
    assert caught.value.path == path


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_a_broken_file_gives_a_logo_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = bytearray(png(sign(side=24)))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(8, len(content) - 1))] = data.draw(
            st.integers(0, 255)
        )
    path = saved(tmp_path_factory.getbasetemp(), bytes(content))
    try:
        logo = read_logo(path)
    except SynthmarkError:
        return
    assert max(logo.pixels.shape) <= 1024


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "none.png", tmp_path / "pipe", "a\0b"):
        with pytest.raises(MediaError, match="the logo"):
            read_logo(path)


@pytest.mark.parametrize(
    ("pixels", "reason"),
    [
        (np.zeros((20, 20), np.float32), "not a logo"),
        (np.zeros((20, 20, 2), np.uint8), "not a logo"),
        (np.zeros((20, 20, 4), np.uint8), "shows nothing"),
        (np.zeros((0, 0, 3), np.uint8), "shows nothing"),
        (np.zeros((10, 81, 3), np.uint8), "81 x 10 visible pixels"),
        (np.zeros((81, 10, 3), np.uint8), "10 x 81 visible pixels"),
    ],
)
def test_pixels_that_do_not_do_are_refused(pixels: Pixels, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        read_logo(pixels)


@pytest.mark.parametrize("vertical", [False, True])
@pytest.mark.parametrize("text", WORDINGS.values())
def test_it_stands_before_the_text_at_its_height(text: str, vertical: bool) -> None:
    picture = np.full((800, 800, 3), 128, np.uint8)
    drawn, notice = draw(picture, text, logo=read_logo(sign()), vertical=vertical)
    _, bare = draw(picture, text, vertical=vertical)
    assert notice.logo
    assert not bare.logo
    assert notice.ink_height_px == bare.ink_height_px
    box = notice.box
    plate = drawn[box.top : box.top + box.height, box.left : box.left + box.width]
    rows, columns = np.nonzero((np.abs(plate.astype(int) - (220, 30, 60)) < 40).all(2))
    white = np.argwhere(plate.min(axis=2) > 230)
    if vertical:
        assert rows.max() < white[:, 0].min()
    else:
        assert columns.max() < white[:, 1].min()
        middle = (rows.min() + rows.max()) / 2
        assert middle == pytest.approx((box.height - 1) / 2, abs=2.5)
    assert 1.2 <= (np.ptp(rows) + 1) / notice.ink_height_px <= 2
    assert np.ptp(rows) == pytest.approx(np.ptp(columns), abs=1)


def test_the_wording_comes_before_the_logo() -> None:
    wide = read_logo(np.full((10, 60, 3), 90, np.uint8))
    text = "本图片由人工智能生成合成"
    _, notice = draw(np.zeros((200, 280), np.uint8), text, logo=wide)
    assert notice.text == text
    assert not notice.logo


def test_where_it_has_no_room_the_text_stands_alone() -> None:
    _, notice = draw(np.zeros((64, 64), np.uint8), "AI生成", logo=read_logo(sign()))
    assert not notice.logo
    assert notice.text == "AI生成"


@pytest.mark.parametrize("tone", [0, 128, 255])
@pytest.mark.parametrize(
    ("color", "light"), [((20, 20, 40), True), ((250, 240, 220), False)]
)
def test_the_plate_is_one_on_which_the_logo_is_seen(
    color: tuple[int, int, int], light: bool, tone: int
) -> None:
    picture = np.full((500, 500, 3), tone, np.uint8)
    drawn, notice = draw(picture, "AI生成", logo=read_logo(sign(color)))
    box = notice.box
    plate = drawn[box.top + box.height // 2, box.left + 4].astype(int).mean()
    assert (plate > 128) == light
    assert notice.contrast >= 4.5
