"""The notice on 360-degree videos, drawn and found again."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from synthmark.labeling.errors import TooSmallForNotice, UsageError
from synthmark.labeling.notices.frame import FrameForm
from synthmark.labeling.notices.sphere_video import SphereOverlay, find_in_views
from synthmark.labeling.notices.video import VideoNotice
from synthmark.labeling.notices.view import View

Frames = list[tuple[float, NDArray[np.uint8]]]

FORM = FrameForm(width=1280, height=640, full_range=True)
VIEW = View(yaw_deg=100, pitch_deg=15)


def shown(overlay: SphereOverlay, seconds: float) -> Frames:
    """Return frames of noise, four a second, with the notice."""
    rng = np.random.default_rng(2)
    frames = []
    for index in range(round(4 * seconds)):
        luma = rng.integers(60, 190, (640, 1280), np.uint8)
        overlay.draw(luma, (), index / 4)
        frames.append((index / 4, np.dstack([luma] * 3)))
    return frames


@pytest.mark.parametrize("corner", ["auto", "top-left", "right"])
def test_it_is_found_where_it_was_drawn(corner: str) -> None:
    overlay = SphereOverlay(VideoNotice(corner=corner), FORM, VIEW)
    (found,) = find_in_views(shown(overlay, 3), VIEW, clip_end_s=3)
    placed = overlay.placed(3)
    assert found.place == placed.corner == ("bottom" if corner == "auto" else corner)
    assert found.text == placed.text
    assert found.height_fraction == pytest.approx(placed.height_fraction, abs=0.003)
    assert (found.start_s, found.end_s) == (placed.start_s, placed.end_s) == (0, 3)
    assert found.faults == ()


def test_it_is_not_found_in_another_view() -> None:
    overlay = SphereOverlay(VideoNotice(corner="bottom"), FORM, VIEW)
    assert not find_in_views(shown(overlay, 1), View(yaw_deg=-80))
    assert not find_in_views([], VIEW)


def test_one_inside_the_view_stands_at_no_edge() -> None:
    overlay = SphereOverlay(VideoNotice(corner="bottom"), FORM, VIEW)
    frames = shown(overlay, 2)
    lower = View(yaw_deg=VIEW.yaw_deg, pitch_deg=VIEW.pitch_deg - 20)
    (found,) = find_in_views(frames, lower)
    assert "off_edge" in found.faults


def test_it_fades_after_its_seconds() -> None:
    overlay = SphereOverlay(VideoNotice(corner="top", seconds=2), FORM, VIEW)
    (found,) = find_in_views(shown(overlay, 4), VIEW)
    placed = overlay.placed(4)
    assert placed.start_s == 0
    assert 2 <= placed.end_s < 2.5
    assert 2 <= found.end_s < 3


def test_small_frames_have_no_room() -> None:
    form = FrameForm(width=480, height=240)
    with pytest.raises(TooSmallForNotice, match="no room"):
        SphereOverlay(VideoNotice(corner="top"), form, VIEW)


def test_nothing_drawn_is_nothing_placed() -> None:
    with pytest.raises(UsageError, match="no frame"):
        SphereOverlay(VideoNotice(corner="top"), FORM, VIEW).placed()
