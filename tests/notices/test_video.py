"""The notice on a video: height, place, time, contrast and calm."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.labeling.errors import TooSmallForNotice, UsageError
from synthmark.labeling.model import Box
from synthmark.labeling.notices.frame import FrameForm
from synthmark.labeling.notices.image import draw as draw_picture
from synthmark.labeling.notices.logo import read_logo
from synthmark.labeling.notices.place import CORNERS, EDGES, SAFE_AREAS
from synthmark.labeling.notices.video import VideoNotice, VideoOverlay

Planes = list[NDArray[Any]]

ENGLISH = "AI生成 · AI-generated"


def frame(form: FrameForm, luma: int = 16, step: tuple[int, int] = (2, 2)) -> Planes:
    """A plain grey frame; the code is that of 8 bits."""
    dtype, unit = (np.uint8, 1) if form.bits == 8 else (np.uint16, 2 ** (form.bits - 8))
    small = (-(-form.height // step[1]), -(-form.width // step[0]))
    return [
        np.full((form.height, form.width), luma * unit, dtype),
        np.full(small, 128 * unit, dtype),
        np.full(small, 128 * unit, dtype),
    ]


def inside(plane: NDArray[Any], box: Box) -> NDArray[Any]:
    return plane[box.top : box.top + box.height, box.left : box.left + box.width]


def draw(
    form: FrameForm, notice: VideoNotice, tones: list[int], fps: float = 10
) -> tuple[list[NDArray[Any]], VideoOverlay]:
    """Luma of a clip of plain frames with a notice."""
    overlay = VideoOverlay(notice, form)
    shown = []
    for number, tone in enumerate(tones):
        luma, *chroma = frame(form, tone)
        overlay.draw(luma, chroma, number / fps)
        shown.append(form.upright(luma))
    return shown, overlay


def glyph_heights(ink: NDArray[np.bool_]) -> list[int]:
    """Height of every group of columns that hold ink."""
    columns = np.flatnonzero(np.diff(np.pad(ink.any(axis=0), 1).astype(int)))
    heights = []
    for left, right in columns.reshape(-1, 2):
        rows = np.flatnonzero(ink[:, left:right].any(axis=1))
        heights.append(int(rows[-1] - rows[0]) + 1)
    return heights


@settings(deadline=None, max_examples=80)
@given(
    width=st.integers(48, 700),
    height=st.integers(48, 700),
    rotation_deg=st.sampled_from([0, 90, 180, 270]),
    flipped=st.booleans(),
    pixel_aspect=st.sampled_from([Fraction(1), Fraction(16, 15), Fraction(8, 9)]),
    step=st.sampled_from([(1, 1), (2, 1), (2, 2), (4, 1)]),
    bits=st.sampled_from([8, 10]),
    corner=st.sampled_from(CORNERS),
)
def test_notice_is_legal_on_the_frame_as_shown(
    width: int,
    height: int,
    rotation_deg: int,
    flipped: bool,
    pixel_aspect: Fraction,
    step: tuple[int, int],
    bits: int,
    corner: str,
) -> None:
    form = FrameForm(
        width=width,
        height=height,
        rotation_deg=rotation_deg,
        flipped=flipped,
        pixel_aspect=pixel_aspect,
        bits=bits,
    )
    size = form.shown_size
    try:
        overlay = VideoOverlay(VideoNotice(corner=corner), form)
    except TooSmallForNotice:
        assert min(size) < 48
        return
    planes = frame(form, 40, step)
    overlay.draw(planes[0], planes[1:], 0)
    placed = overlay.placed()
    least = math.ceil(0.05 * min(size))
    box = placed.box
    assert placed.ink_height_px >= max(least, 9)
    assert placed.ink_height_px <= max(least + 1, 10, min(20, 0.1 * min(size)))
    assert placed.contrast >= 4.5
    share = box.width * box.height / (size[0] * size[1])
    assert share <= (0.15 if min(size) > 96 else 0.4)
    right, bottom = size[0] - box.left - box.width, size[1] - box.top - box.height
    edge_x, edge_y = (
        box.left if "left" in corner else right,
        box.top if "top" in corner else bottom,
    )
    assert 0 <= edge_x <= max(least, 20) / 2 + 1
    assert 0 <= edge_y <= (0.1 * size[1] if "bottom" in corner else 10) + least

    # On the frame as a player shows it, in square pixels.
    shown = cv2.resize(form.upright(planes[0]), size, interpolation=cv2.INTER_LINEAR)
    rim = 0 if pixel_aspect == 1 else 3
    around = Box(
        left=max(box.left - rim, 0),
        top=max(box.top - rim, 0),
        width=box.width + 2 * rim,
        height=box.height + 2 * rim,
    )
    text = inside(shown, box)[3:-3, 3:-3].astype(int)
    ink = text > (235 * 2 ** (bits - 8) + int(np.median(text))) / 2
    if pixel_aspect == 1:
        assert min(glyph_heights(ink)) == placed.ink_height_px
    else:
        rows = np.flatnonzero(ink.any(axis=1))
        assert rows[-1] - rows[0] + 1 >= least
    shown = cv2.absdiff(shown, np.full_like(shown, 40 * 2 ** (bits - 8)))
    inside(shown, around)[...] = 0
    assert not shown.any()


@pytest.mark.parametrize("transfer", ["sdr", "pq"])
@pytest.mark.parametrize("vertical", [False, True])
@pytest.mark.parametrize("corner", [*CORNERS, *EDGES])
def test_every_place_and_style_is_that_of_pictures(
    corner: str, vertical: bool, transfer: str
) -> None:
    if vertical and corner in ("top", "bottom"):
        return
    logo = read_logo(np.full((30, 30, 3), (255, 90, 0), np.uint8))
    notice = VideoNotice(
        corner=corner, text=ENGLISH, vertical=vertical, logo=logo, safe_area="none"
    )
    form = FrameForm(width=480, height=360, transfer=transfer, bits=10)
    overlay = VideoOverlay(notice, form)
    luma, *chroma = frame(form, 60)
    overlay.draw(luma, chroma, 0)
    placed = overlay.placed()
    _, still = draw_picture(
        np.zeros((360, 480), np.uint8),
        ENGLISH,
        corner=corner,
        vertical=vertical,
        logo=logo,
    )
    assert placed.box == still.box
    assert placed.logo
    assert placed.corner == corner
    assert placed.contrast >= 4.45
    # Orange: more red than grey, less blue.
    box = placed.box
    half = np.s_[
        box.top // 2 : (box.top + box.height) // 2,
        box.left // 2 : (box.left + box.width) // 2,
    ]
    assert (chroma[1][half] > 560).sum() > 40
    assert (chroma[0][half] < 460).sum() > 40


@pytest.mark.parametrize("safe_area", SAFE_AREAS)
def test_what_a_safe_area_keeps_free_stays_free(safe_area: str) -> None:
    form = FrameForm(width=720, height=1280)
    for corner in CORNERS:
        notice = VideoNotice(corner=corner, safe_area=safe_area)
        overlay = VideoOverlay(notice, form)
        luma, *chroma = frame(form, 60)
        overlay.draw(luma, chroma, 0)
        left, top, width, height = overlay.placed().area
        area = SAFE_AREAS[safe_area]
        half = 0.5 / 720
        assert left >= area.left - half or "right" in corner
        assert top >= area.top - half or "bottom" in corner
        assert 1 - left - width >= area.right - half or "left" in corner
        assert 1 - top - height >= area.bottom - half or "top" in corner


def test_a_corner_that_is_left_open_must_be_settled_first() -> None:
    notice = VideoNotice(corner="auto")
    with pytest.raises(UsageError, match="not settled"):
        VideoOverlay(notice, FrameForm(width=320, height=240))


@pytest.mark.parametrize("step", [(1, 1), (2, 1), (2, 2), (4, 1), (4, 4)])
def test_colors_change_under_the_plate_only(step: tuple[int, int]) -> None:
    form = FrameForm(width=321, height=241)
    luma, *chroma = frame(form, 60, step)
    chroma[0][...], chroma[1][...] = 90, 190
    overlay = VideoOverlay(VideoNotice(corner="top-right"), form)
    overlay.draw(luma, chroma, 0)
    box = overlay.placed().box
    x, y = box.left // step[0], box.top // step[1]
    cells = Box(
        left=x,
        top=y,
        width=-(-(box.left + box.width) // step[0]) - x,
        height=-(-(box.top + box.height) // step[1]) - y,
    )
    for plane, old in zip(chroma, (90, 190), strict=True):
        middle = inside(plane, cells)[4 // step[1] + 1, cells.width // 3]
        assert abs(int(middle) - 128) < 0.5 * abs(old - 128)
        inside(plane, cells)[...] = old
        assert (plane == old).all()


@pytest.mark.parametrize("rotation_deg", [90, 180, 270])
@pytest.mark.parametrize("flipped", [False, True])
def test_a_turned_clip_looks_like_an_upright_one(
    rotation_deg: int, flipped: bool
) -> None:
    rng = np.random.default_rng(1)
    coarse = rng.integers(30, 220, (5, 7), dtype=np.uint8)
    upright = FrameForm(width=320, height=200)
    size = (200, 320) if rotation_deg != 180 else (320, 200)
    turned = FrameForm(
        width=size[0], height=size[1], rotation_deg=rotation_deg, flipped=flipped
    )
    picture = np.asarray(cv2.resize(coarse, (320, 200)), np.uint8)
    stored = np.zeros(size[::-1], np.uint8)
    turned.upright(stored)[...] = picture
    notice = VideoNotice(corner="bottom-left", text=ENGLISH)
    for form, luma in ((upright, picture), (turned, stored)):
        VideoOverlay(notice, form).draw(luma, [], 0)
    assert (turned.upright(stored) == picture).all()


GROUNDS = ("black", "white", "middle", "halves", "noise", "blobs", "green")


@pytest.mark.parametrize("transfer", ["sdr", "pq", "hlg"])
@pytest.mark.parametrize("bits", [8, 10, 12])
@pytest.mark.parametrize("full_range", [False, True])
def test_contrast_holds_on_any_ground(
    transfer: str, bits: int, full_range: bool
) -> None:
    form = FrameForm(
        width=320,
        height=240,
        bits=bits,
        transfer=transfer,
        full_range=full_range,
        matrix="bt2020",
    )
    rng = np.random.default_rng(4)
    top = 2**bits - 1
    least = math.inf
    for name in GROUNDS:
        planes = frame(form, 128, (1, 1))
        if name == "black":
            planes[0][...] = 0
        elif name == "white":
            planes[0][...] = top
        elif name == "halves":
            planes[0][:, :65] = 0
            planes[0][:, 65:] = top
        elif name == "noise":
            planes[0][...] = rng.integers(0, top + 1, planes[0].shape)
        elif name == "blobs":
            coarse = rng.integers(0, top + 1, (8, 11)).astype(planes[0].dtype)
            planes[0][...] = cv2.resize(coarse, (320, 240))
        elif name == "green":
            # BT.2020 at the peak: its luma, and what blue and red lack of it.
            low, span = (0, top) if full_range else (top // 16, 219 * top // 255)
            luma = 0.678
            for plane, value in zip(
                planes,
                (low + span * luma, -luma / 1.8814 * span, -luma / 1.4746 * span),
                strict=True,
            ):
                plane[...] = round(value + (0 if value > 0 else (top + 1) / 2))
        # The plate that the first frame chose stays when another ground comes at once.
        for text in ("AI生成", ENGLISH):
            overlay = VideoOverlay(VideoNotice(corner="top-left", text=text), form)
            overlay.draw(planes[0].copy(), [p.copy() for p in planes[1:]], 0)
            for time_s, luma in ((1.0, 0), (2.0, top), (2.5, 0), (3.0, top // 2)):
                after = [np.full_like(planes[0], luma), *map(np.copy, planes[1:])]
                if name == "green":
                    after[0][...] = planes[0]
                overlay.draw(after[0], after[1:], time_s)
            placed = overlay.placed()
            assert placed.first_contrast >= placed.contrast
            least = min(least, placed.contrast)
    assert least >= 4.45


def test_the_measured_contrast_is_that_of_the_pixels() -> None:
    form = FrameForm(width=320, height=240, full_range=True)
    luma, *chroma = frame(form, 120)
    overlay = VideoOverlay(VideoNotice(corner="top-left"), form)
    overlay.draw(luma, chroma, 0)
    part = inside(luma, overlay.placed().box)[3:-3, 3:-3]
    light = []
    for tone in (np.median(part), part.max()):
        light.append(((tone / 255 + 0.055) / 1.055) ** 2.4 + 0.05)
    assert overlay.placed().contrast == pytest.approx(light[1] / light[0], rel=0.05)


@pytest.mark.parametrize("fps", [8, 25, 29.97, 120])
@pytest.mark.parametrize("start_s", [0.0, 3.2])
def test_two_seconds_are_full_and_then_it_fades(fps: float, start_s: float) -> None:
    form = FrameForm(width=160, height=120)
    notice = VideoNotice(corner="top-left", seconds=2)
    overlay = VideoOverlay(notice, form)
    tops = []
    times = [start_s + number / fps for number in range(int(3 * fps))]
    for time_s in times:
        luma, *chroma = frame(form, 60)
        overlay.draw(luma, chroma, time_s)
        tops.append(int(luma.max()))
    placed = overlay.placed()
    full = [time_s for time_s, top in zip(times, tops, strict=True) if top == tops[0]]
    gone = [time_s for time_s, top in zip(times, tops, strict=True) if top == 60]
    assert full[0] == placed.start_s == start_s
    assert full == times[: len(full)]
    assert placed.end_s == times[len(full)]
    assert 2 <= placed.end_s - start_s < 2 + 1.01 / fps
    assert gone[0] - placed.end_s <= 0.41 + 1 / fps
    assert tops == sorted(tops, reverse=True)
    assert len(set(tops)) >= min(4, 0.3 * fps)


def test_a_notice_for_the_whole_clip_stays() -> None:
    form = FrameForm(width=160, height=120)
    shown, overlay = draw(form, VideoNotice(corner="top-left"), [60] * 50)
    assert all((luma == shown[0]).all() for luma in shown)
    assert overlay.placed().end_s == pytest.approx(5)


def test_a_frame_is_drawn_however_long_it_is_shown() -> None:
    overlay = VideoOverlay(
        VideoNotice(corner="top-left", seconds=2), FrameForm(width=160, height=120)
    )
    for time_s in (0, 0.1, 1.999, 9):
        luma, *chroma = frame(overlay.form, 60)
        overlay.draw(luma, chroma, time_s)
        assert (luma != 60).any() == (time_s < 9)
    assert overlay.placed().end_s == 9


@pytest.mark.parametrize(("seconds", "end_s"), [(None, 4.5), (2, 2.5)])
def test_the_last_frame_stands_until_the_clip_ends(
    seconds: float | None, end_s: float
) -> None:
    overlay = VideoOverlay(
        VideoNotice(corner="top-left", seconds=seconds),
        FrameForm(width=160, height=120),
    )
    for time_s in (0, 0.5, 1, 1.5, 2.5):
        luma, *chroma = frame(overlay.form, 60)
        overlay.draw(luma, chroma, time_s)
    assert overlay.placed(4.5).end_s == end_s
    assert overlay.placed().end_s == min(end_s, 3.5)


def plates(tones: list[int], fps: float = 10) -> list[bool]:
    """Whether the plate is light on frames of some tones."""
    form = FrameForm(width=160, height=120, full_range=True)
    shown, overlay = draw(form, VideoNotice(corner="top-left"), tones, fps)
    box = overlay.placed().box
    # Between the hairline and the text.
    return [bool(luma[box.top + 3, box.left + box.width // 2] > 140) for luma in shown]


def changes(light: list[bool]) -> list[int]:
    return [n for n in range(1, len(light)) if light[n] != light[n - 1]]


@pytest.mark.parametrize("first", [132, 168])
def test_the_plate_is_calm_where_the_ground_is_on_the_edge(first: int) -> None:
    rng = np.random.default_rng(7)
    tones = [first, *rng.integers(132, 169, 200).tolist()]
    light = plates(tones)
    assert light[0] == (first == 168)
    assert not changes(light)


def test_a_flash_does_not_turn_the_plate() -> None:
    tones = [40] * 100
    for number in (5, 12, 60, 61, 90):
        tones[number] = 255
    assert not any(plates(tones, fps=30))


def test_a_cut_turns_the_plate_at_once_and_a_slow_change_late() -> None:
    cut = plates([40] * 40 + [230] * 40)
    assert cut[0] is False
    assert len(changes(cut)) == 1
    assert 40 <= changes(cut)[0] <= 42
    slow = plates([*range(230, 30, -4), *[30] * 60])
    assert slow[0] is True
    (change,) = changes(slow)
    assert change >= 44


def test_cuts_in_quick_order_do_not_make_it_flicker() -> None:
    light = plates(([40] * 5 + [230] * 5) * 12)
    turns = changes(light)
    assert all(b - a >= 20 for a, b in itertools.pairwise(turns))


def test_grain_is_not_seen_through_the_plate() -> None:
    form = FrameForm(width=320, height=240)
    rng = np.random.default_rng(2)
    overlay = VideoOverlay(VideoNotice(corner="top-left"), form)
    plate = []
    for number in range(8):
        luma, *chroma = frame(form)
        luma[...] = np.clip(rng.normal(90, 12, luma.shape), 16, 235)
        overlay.draw(luma, chroma, number / 25)
        plate.append(inside(luma, overlay.placed().box)[3:-3, 3:-3].astype(float))
    assert np.std(plate, axis=0).max() < 1


def test_padded_planes_are_drawn_in_place() -> None:
    form = FrameForm(width=160, height=120)
    alone, padded = frame(form, 60), frame(FrameForm(width=192, height=120), 60)
    views = [padded[0][:, :160], padded[1][:, :80], padded[2][:, :80]]
    for planes in (alone, views):
        VideoOverlay(VideoNotice(corner="top-right"), form).draw(
            planes[0], planes[1:], 0
        )
    for view, plane in zip(views, alone, strict=True):
        assert (view == plane).all()
    assert (padded[0][:, 160:] == 60).all()


def test_little_room_gets_the_shortest_legal_wording() -> None:
    notice = VideoNotice(
        corner="top-left", text="本视频由人工智能生成，请注意甄别 · AI"
    )
    for size, text in (
        ((1280, 720), notice.text),
        ((128, 96), "AI生成"),
        ((64, 64), "AI生成"),
    ):
        form = FrameForm(width=size[0], height=size[1])
        assert draw(form, notice, [60])[1].placed().text == text
    english = VideoNotice(corner="top-left", text=ENGLISH)
    form = FrameForm(width=128, height=96)
    assert draw(form, english, [60])[1].placed().text == "AI生成"


@pytest.mark.parametrize("size", [(1, 1), (40, 40), (20, 2000)])
def test_no_room_is_said(size: tuple[int, int]) -> None:
    form = FrameForm(width=size[0], height=size[1])
    with pytest.raises(TooSmallForNotice, match=f"{size[0]} x {size[1]}"):
        VideoOverlay(VideoNotice(corner="top-left"), form)


@pytest.mark.parametrize(
    "arguments",
    [
        {"corner": "middle"},
        {"text": "AI"},
        {"height_fraction": 0.04},
        {"seconds": 1.99},
        {"seconds": math.nan},
        {"seconds": math.inf},
    ],
)
def test_notices_that_cannot_be_meant_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        VideoNotice(**{"corner": "top-left"} | arguments)


def other_planes() -> dict[str, Planes]:
    planes = frame(FrameForm(width=160, height=120))
    read_only = [plane.copy() for plane in planes]
    read_only[0].flags.writeable = False
    return {
        "size": frame(FrameForm(width=120, height=160)),
        "bits": frame(FrameForm(width=160, height=120, bits=10)),
        "one difference": planes[:2],
        "unlike differences": [planes[0], planes[1], planes[2][:-1]],
        "read-only": read_only,
        "too little chroma": [planes[0], planes[1][:3, :3], planes[2][:3, :3]],
        "no chroma": [planes[0], planes[1][:0], planes[2][:0]],
        "not planes": [np.dstack(planes[:1])],
    }


@pytest.mark.parametrize("name", other_planes())
def test_planes_of_another_form_are_refused(name: str) -> None:
    overlay = VideoOverlay(
        VideoNotice(corner="top-left"), FrameForm(width=160, height=120)
    )
    luma, *chroma = other_planes()[name]
    with pytest.raises(UsageError, match="not a frame of 160 x 120"):
        overlay.draw(luma, chroma, 0)


def test_the_form_of_planes_does_not_change_in_a_clip() -> None:
    form = FrameForm(width=160, height=120)
    overlay = VideoOverlay(VideoNotice(corner="top-left"), form)
    for step, fails in (((2, 2), False), ((1, 1), True)):
        luma, *chroma = frame(form, 60, step)
        if fails:
            with pytest.raises(UsageError):
                overlay.draw(luma, chroma, 0)
        else:
            overlay.draw(luma, chroma, 0)


def test_nothing_drawn_is_said() -> None:
    overlay = VideoOverlay(
        VideoNotice(corner="top-left"), FrameForm(width=160, height=120)
    )
    with pytest.raises(UsageError, match="no frame"):
        overlay.placed()
