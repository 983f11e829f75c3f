"""The calm corner: away from what is busy, and stable."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.labeling.notices.calm import busyness
from synthmark.labeling.notices.frame import FrameForm
from synthmark.labeling.notices.image import draw
from synthmark.labeling.notices.place import CORNERS
from synthmark.labeling.notices.typeset import set_line
from synthmark.labeling.notices.video import VideoNotice, settle

Pixels = NDArray[np.uint8]


def with_text(tone: int, *corners: str) -> Pixels:
    """A plain picture with lines of writing in some corners."""
    picture = np.full((480, 640), tone, np.uint8)
    mask = set_line("Nothing of this may be hidden", 14).mask
    ink = 255 - tone if abs(tone - 128) > 40 else 20
    for corner in corners:
        for line in range(6):
            top = 30 * line + 20 if "top" in corner else 440 - 30 * line
            left = 20 if "left" in corner else 620 - mask.shape[1]
            part = picture[top : top + mask.shape[0], left : left + mask.shape[1]]
            part[...] = part * (1 - mask) + ink * mask
    return picture


@pytest.mark.parametrize("tone", [10, 128, 245])
@pytest.mark.parametrize("free", CORNERS)
def test_writing_is_left_alone(free: str, tone: int) -> None:
    picture = with_text(tone, *(corner for corner in CORNERS if corner != free))
    for pixels in (picture, np.dstack([picture] * 3)):
        _, notice = draw(pixels, "AI生成", corner="auto")
        assert notice.corner == free


def test_the_usual_corner_stays_where_none_is_much_calmer() -> None:
    rng = np.random.default_rng(3)
    pictures = [
        np.full((480, 640), 90, np.uint8),
        with_text(20, *CORNERS),
        with_text(20, "top-left", "top-right", "bottom-left"),
        rng.integers(0, 256, (480, 640), dtype=np.uint8),
        # A little grain is nothing to avoid.
        (np.full((480, 640), 90) + rng.normal(0, 4, (480, 640))).astype(np.uint8),
    ]
    for picture in pictures:
        _, notice = draw(picture, "AI生成", corner="auto")
        assert notice.corner == "bottom-right"


def test_size_and_quality_of_a_picture_do_not_change_the_corner() -> None:
    picture = with_text(200, "bottom-right", "top-right")
    for scale in (0.6, 1.7, 3):
        size = (round(640 * scale), round(480 * scale))
        seen = np.asarray(cv2.resize(picture, size), np.uint8)
        seen = np.asarray(cv2.GaussianBlur(seen, (0, 0), 0.7 * scale), np.uint8)
        _, notice = draw(seen, "AI生成", corner="auto")
        assert notice.corner == "bottom-left"


def test_extreme_sizes_are_bounded() -> None:
    for size in ((1, 9000), (9000, 1), (2, 2), (5000, 4000)):
        found = busyness(np.zeros(size[::-1], np.uint8), size)
        assert max(found.shape) <= 2048


@pytest.mark.parametrize("rotation_deg", [0, 90, 180, 270])
@pytest.mark.parametrize("bits", [8, 10])
def test_the_corner_of_a_video_is_settled_once(rotation_deg: int, bits: int) -> None:
    upright = with_text(60, "top-left", "bottom-left", "bottom-right")
    size = (640, 480) if rotation_deg % 180 == 0 else (480, 640)
    form = FrameForm(
        width=size[0], height=size[1], rotation_deg=rotation_deg, bits=bits
    )
    lumas = []
    for _ in range(3):
        luma = np.zeros(size[::-1], np.uint8 if bits == 8 else np.uint16)
        form.upright(luma)[...] = upright.astype(luma.dtype) * 2 ** (bits - 8)
        lumas.append(luma)
    notice = VideoNotice(corner="auto")
    assert settle(notice, form, lumas).corner == "top-right"
    # A busy frame among calm ones does not count for much.
    lumas[1:] = [np.full_like(lumas[0], 60)] * 9
    lumas += [np.full_like(lumas[0], 60)] * 9
    assert settle(notice, form, lumas).corner == "top-left"
    assert settle(notice, form, []).corner == "top-left"
    fixed = VideoNotice(corner="bottom")
    assert settle(fixed, form, lumas) is fixed
