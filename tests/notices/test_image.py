"""The drawn notice: legal height and contrast, measured on the pixels."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import ImageFont

from synthmark.labeling import notices
from synthmark.labeling.errors import TooSmallForNotice, UsageError
from synthmark.labeling.model import Box
from synthmark.labeling.notices import typeset
from synthmark.labeling.notices.image import CORNERS, draw
from synthmark.labeling.notices.wording import WORDINGS

Pixels = NDArray[np.uint8]

TEXTS = (*WORDINGS.values(), "人工智能生成", "本图片由AI合成", "人工智能生成 · 合成 AI")


def inside(pixels: Pixels, box: Box) -> Pixels:
    return pixels[box.top : box.top + box.height, box.left : box.left + box.width]


def luminance(pixels: Pixels) -> NDArray[np.float64]:
    part = pixels.astype(float) / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    if linear.ndim == 2:
        return linear
    return np.asarray(linear[..., :3] @ np.array([0.2126, 0.7152, 0.0722]))


def glyph_heights(ink: NDArray[np.bool_]) -> list[int]:
    """Height of every group of columns that hold ink."""
    columns = np.flatnonzero(np.diff(np.pad(ink.any(axis=0), 1).astype(int)))
    heights = []
    for left, right in columns.reshape(-1, 2):
        rows = np.flatnonzero(ink[:, left:right].any(axis=1))
        heights.append(int(rows[-1] - rows[0]) + 1)
    return heights


def grounds(height: int, width: int) -> dict[str, Pixels]:
    rng = np.random.default_rng(5)
    y, x = np.indices((height, width))

    def rgb(grey: NDArray[np.generic]) -> Pixels:
        return np.repeat(grey[..., None], 3, axis=2).astype(np.uint8)

    color = rng.integers(0, 256, (9, 9, 3), dtype=np.uint8)
    return {
        "white": rgb(np.full_like(x, 255)),
        "black": rgb(np.zeros_like(x)),
        "middle": rgb(np.full_like(x, 149)),
        "checkerboard": rgb((x + y) % 2 * 255),
        "stripes": rgb(x // 40 % 2 * 255),
        "halves": rgb((x > width - 55) * 255),
        "noise": rng.integers(0, 256, (height, width, 3), dtype=np.uint8),
        "blobs": np.asarray(cv2.resize(color, (width, height)), np.uint8),
        "blue": np.full((height, width, 3), (0, 0, 255), np.uint8),
        "yellow": np.full((height, width, 3), (255, 255, 0), np.uint8),
    }


@settings(deadline=None, max_examples=60)
@given(
    width=st.integers(1, 900),
    height=st.integers(1, 900),
    text=st.sampled_from(TEXTS),
    corner=st.sampled_from(CORNERS),
    tone=st.sampled_from([0, 90, 255]),
)
def test_notice_is_legal_at_every_size(
    width: int, height: int, text: str, corner: str, tone: int
) -> None:
    picture = np.full((height, width), tone, np.uint8)
    short = min(width, height)
    try:
        drawn, notice = draw(picture, text, corner=corner)
    except TooSmallForNotice:
        assert short < 48
        return
    box = notice.box
    assert 0 <= box.left <= box.left + box.width <= width
    assert 0 <= box.top <= box.top + box.height <= height
    edge_x = box.left if "left" in corner else width - box.left - box.width
    edge_y = box.top if "top" in corner else height - box.top - box.height
    assert max(edge_x, edge_y) <= math.ceil(max(20, 0.05 * short) / 2)
    assert notice.ink_height_px >= math.ceil(0.05 * short)
    if short >= 128:
        assert notice.ink_height_px >= 20
        assert notice.text == text or width < 400
    assert notice.contrast >= 4.5
    changed = drawn != picture
    inside(changed, box)[...] = False
    assert not changed.any()


@pytest.mark.parametrize("text", ["AI生成", "人工智能生成", "人工智能合成", "AI合成"])
@pytest.mark.parametrize(
    "shape", [(60, 60), (128, 128), (300, 400), (401, 401), (720, 1280), (1440, 1081)]
)
def test_every_character_reaches_the_legal_height(
    text: str, shape: tuple[int, int]
) -> None:
    drawn, notice = draw(np.zeros(shape, np.uint8), text)
    plate = inside(drawn, notice.box)
    middle = plate[3:-3, 3:-3]
    ink = middle.astype(int) > (255 + int(np.median(plate))) / 2
    least = min(glyph_heights(ink))
    assert least >= math.ceil(0.05 * min(shape))
    assert least == notice.ink_height_px


@pytest.mark.parametrize("name", grounds(1, 1))
def test_contrast_holds_on_any_ground(name: str) -> None:
    picture = grounds(420, 560)[name]
    for text in WORDINGS.values():
        drawn, notice = draw(picture, text)
        light = luminance(inside(drawn, notice.box))[4:-4, 4:-4]
        dark_plate = np.median(light) < 0.25
        text_like = light > 0.4 if dark_plate else light < 0.25
        near = cv2.dilate(text_like.astype(np.uint8), np.ones((5, 5))) > 0
        plate = light[~near]
        lines = np.flatnonzero(text_like.any(axis=1))
        below = lines[-1] - 4
        for rows in (slice(lines[0], lines[0] + 16), slice(below, lines[-1])):
            inked = light[rows][text_like[rows]]
            ink = np.quantile(inked, 0.95 if dark_plate else 0.05)
            worst = plate.max() if dark_plate else plate.min()
            high, low = max(ink, worst), min(ink, worst)
            assert (high + 0.05) / (low + 0.05) >= 4.5
            assert (high + 0.05) / (low + 0.05) >= notice.contrast * 0.9


@pytest.mark.parametrize("tone", [0, 24, 128, 232, 255])
def test_plate_stands_out_on_its_own_tone(tone: int) -> None:
    picture = np.full((400, 400, 3), tone, np.uint8)
    drawn, notice = draw(picture, "AI生成")
    row = inside(drawn, notice.box)[notice.box.height // 2, :3].astype(int)
    assert np.abs(row - tone).max() >= 20


@pytest.mark.parametrize("shape", [(300, 300), (300, 300, 3), (300, 300, 4)])
def test_input_stays_and_shape_is_kept(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    before = picture.copy()
    drawn, _ = draw(picture, "AI生成")
    assert (picture == before).all()
    assert drawn.shape == shape
    assert drawn.dtype == np.uint8
    again, _ = draw(picture[::-1][::-1], "AI生成")
    assert (again == drawn).all()


def test_notice_is_opaque_on_a_transparent_picture() -> None:
    picture = np.zeros((400, 400, 4), np.uint8)
    picture[..., :3] = 255
    drawn, notice = draw(picture, WORDINGS["en"])
    plate = inside(drawn, notice.box)
    assert (plate[12:-12, :, 3] == 255).all()
    assert plate[0, 0, 3] == 0
    assert notice.contrast >= 4.5
    changed = (drawn != picture).any(axis=2)
    inside(changed, notice.box)[...] = False
    assert not changed.any()


def test_an_opaque_alpha_channel_changes_nothing() -> None:
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 256, (300, 420, 3), dtype=np.uint8)
    with_alpha = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    drawn, notice = draw(picture, "AI生成")
    other, same = draw(with_alpha, "AI生成")
    assert notice == same
    assert (other[..., 3] == 255).all()
    assert (other[..., :3] == drawn).all()


@pytest.mark.parametrize("shape", [(0, 0), (1, 1), (16, 16), (40, 40), (2000, 20)])
def test_no_room_is_said(shape: tuple[int, int]) -> None:
    with pytest.raises(TooSmallForNotice, match=f"{shape[1]} x {shape[0]}"):
        draw(np.zeros(shape, np.uint8), "AI生成")


@pytest.mark.parametrize("shape", [(64, 64), (48, 480), (480, 48)])
def test_little_room_gets_the_shortest_legal_wording(shape: tuple[int, int]) -> None:
    _, notice = draw(np.zeros(shape, np.uint8), "本图片由人工智能生成合成，请注意甄别")
    assert notice.text == "AI生成"
    assert notice.ink_height_px >= 9


def test_a_wide_wording_is_set_on_several_lines() -> None:
    text = "本图片由人工智能生成合成，请注意甄别"
    _, one = draw(np.zeros((400, 800), np.uint8), text)
    _, more = draw(np.zeros((800, 400), np.uint8), text)
    assert one.text == more.text == text
    assert more.box.height > 1.5 * one.box.height
    assert more.box.width < one.box.width


def test_height_fraction_is_followed() -> None:
    _, notice = draw(np.zeros((600, 600), np.uint8), "AI生成", height_fraction=0.1)
    assert notice.ink_height_px >= 60


@settings(deadline=None, max_examples=25)
@given(st.text("ÀÅÇgjy|[]{}þ本图片由工（）《》，。…—AI ", max_size=12))
def test_ink_stays_inside_the_plate(extra: str) -> None:
    picture = np.zeros((900, 1400), np.uint8)
    drawn, notice = draw(picture, f"{extra}人工智能生成 · {extra}AI")
    plate = inside(drawn, notice.box)
    rim = np.ones_like(plate, bool)
    rim[4:-4, 4:-4] = False
    assert plate[rim].max() < 128


@pytest.mark.parametrize(
    "arguments",
    [
        {"corner": "middle"},
        {"corner": ""},
        {"height_fraction": 0.049},
        {"height_fraction": 0.5},
        {"height_fraction": math.nan},
        {"text": "AI"},
        {"pixels": np.zeros((99, 99), np.float32)},
        {"pixels": np.zeros((99, 99, 2), np.uint8)},
        {"pixels": np.zeros((9, 99, 99, 3), np.uint8)},
        {"pixels": np.zeros(99, np.uint8)},
    ],
)
def test_arguments_that_cannot_be_meant_are_refused(
    arguments: dict[str, Any],
) -> None:
    usual: dict[str, Any] = {"pixels": np.zeros((400, 400), np.uint8), "text": "AI生成"}
    with pytest.raises(UsageError) as caught:
        draw(**usual | arguments)
    assert not isinstance(caught.value, TooSmallForNotice)


def test_only_the_shipped_font_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = Path(notices.__file__).parent / "fonts" / "synthmark-notice.otf"
    opened = []
    real = ImageFont.truetype

    def truetype(source: io.BytesIO, *args: Any, **options: Any) -> Any:
        assert isinstance(source, io.BytesIO)
        opened.append(source.getvalue())
        return real(source, *args, **options)

    typeset.face.cache_clear()
    monkeypatch.setattr(ImageFont, "truetype", truetype)
    draw(np.zeros((333, 333), np.uint8), WORDINGS["en"])
    assert set(opened) == {shipped.read_bytes()}
