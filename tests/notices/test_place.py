"""Places of the notice: at an edge, outside safe areas, on what is visible."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.labeling.errors import TooSmallForNotice, UsageError
from synthmark.labeling.model import Box
from synthmark.labeling.notices.image import Notice, draw
from synthmark.labeling.notices.logo import read_logo
from synthmark.labeling.notices.place import (
    CORNERS,
    EDGES,
    PLACES,
    SAFE_AREAS,
    check_place,
    visible_box,
)
from synthmark.labeling.notices.wording import WORDINGS

Pixels = NDArray[np.uint8]

LOGO = read_logo(np.full((40, 60, 3), (255, 120, 0), np.uint8))


def distances(box: Box, width: int, height: int) -> dict[str, int]:
    return {
        "left": box.left,
        "top": box.top,
        "right": width - box.left - box.width,
        "bottom": height - box.top - box.height,
    }


def alpha(shape: NDArray[np.bool_], tone: int = 120) -> Pixels:
    picture = np.full((*shape.shape, 4), tone, np.uint8)
    picture[..., 3] = 255 * shape
    return picture


def disk(side: int, radius: float) -> NDArray[np.bool_]:
    y, x = np.indices((side, side)) - (side - 1) / 2
    return np.asarray(np.hypot(x, y) <= radius)


@settings(deadline=None, max_examples=60)
@given(
    width=st.integers(40, 700),
    height=st.integers(40, 700),
    corner=st.sampled_from(PLACES),
    safe_area=st.sampled_from(list(SAFE_AREAS)),
    vertical=st.booleans(),
    logo=st.sampled_from([None, LOGO]),
    text=st.sampled_from(list(WORDINGS.values())),
)
def test_the_notice_is_legal_in_every_place_and_style(
    width: int,
    height: int,
    corner: str,
    safe_area: str,
    vertical: bool,
    logo: object,
    text: str,
) -> None:
    picture = np.full((height, width), 90, np.uint8)
    short = min(width, height)
    try:
        drawn, notice = draw(
            picture,
            text,
            corner=corner,
            safe_area=safe_area,
            vertical=vertical,
            logo=logo,  # type: ignore[arg-type]
        )
    except TooSmallForNotice:
        assert short < 48
        return
    except UsageError:
        assert corner in ("top", "bottom")
        assert vertical or safe_area == "feed"
        return
    assert notice.ink_height_px >= math.ceil(0.05 * short)
    assert notice.ink_height_px >= 20 or short < 128
    assert notice.contrast >= 4.5
    sides = distances(notice.box, width, height)
    assert min(sides.values()) >= 1
    place = "bottom-right" if corner == "auto" else corner
    assert notice.corner == place
    for side in place.split("-"):
        share = getattr(SAFE_AREAS[safe_area], side)
        length = width if side in ("left", "right") else height
        assert sides[side] <= max(20, 0.1 * short) / 2 + share * length
    if corner in EDGES:
        across = ("left", "right") if corner in ("top", "bottom") else ("top", "bottom")
        assert abs(sides[across[0]] - sides[across[1]]) <= 1
    changed = drawn != picture
    box = notice.box
    changed[box.top : box.top + box.height, box.left : box.left + box.width] = False
    assert not changed.any()


@pytest.mark.parametrize("safe_area", SAFE_AREAS)
@pytest.mark.parametrize("corner", CORNERS)
def test_what_a_safe_area_keeps_free_stays_free(corner: str, safe_area: str) -> None:
    picture = np.zeros((1920, 1080), np.uint8)
    _, notice = draw(picture, WORDINGS["en"], corner=corner, safe_area=safe_area)
    sides = distances(notice.box, 1080, 1920)
    for side in corner.split("-"):
        length = 1080 if side in ("left", "right") else 1920
        free = getattr(SAFE_AREAS[safe_area], side) * length
        assert sides[side] == max(27, round(free))
    assert min(sides["left"] / 1080, sides["right"] / 1080) <= 0.125


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"corner": "center"}, "GB 45438-2025, 5.2 and 5.4, ask for an edge"),
        ({"corner": "middle"}, "no corner 'middle'"),
        ({"safe_area": "moon"}, "no safe area 'moon'"),
        ({"corner": "bottom", "safe_area": "feed"}, "no longer at an edge"),
        ({"corner": "top", "safe_area": "feed"}, "no longer at an edge"),
        ({"corner": "top", "vertical": True}, "vertical text does not go to the top"),
    ],
)
def test_places_that_are_refused_are_refused_with_the_reason(
    arguments: dict[str, str], reason: str
) -> None:
    usual = {"corner": "top-left", "height_fraction": 0.05}
    with pytest.raises(UsageError, match=reason) as caught:
        check_place(**usual | arguments)  # type: ignore[arg-type]
    assert caught.value.hint


def covered(picture: Pixels, notice: Notice) -> NDArray[np.bool_]:
    box = notice.box
    part = picture[box.top : box.top + box.height, box.left : box.left + box.width]
    return np.asarray(part[..., 3] >= 128)


@pytest.mark.parametrize("corner", [*CORNERS, *EDGES])
@pytest.mark.parametrize("text", [*WORDINGS.values(), "本图片由人工智能生成合成"])
def test_on_a_circle_the_notice_is_inside_it_and_not_in_its_center(
    corner: str, text: str
) -> None:
    picture = alpha(disk(500, 180))
    drawn, notice = draw(picture, text, corner=corner)
    assert covered(picture, notice).all()
    # 5 % of the 360 pixels around the circle are less than the 20 that are asked for.
    assert notice.ink_height_px == 20
    box = notice.box
    x, y = box.left + box.width / 2 - 250, box.top + box.height / 2 - 250
    assert abs(x) > 45 + box.width / 2 - 1 or abs(y) > 45 + box.height / 2 - 1
    if text not in WORDINGS.values():
        return
    assert (x < -5) == ("left" in corner) or "right" in corner
    assert (y < -5) == ("top" in corner) or "bottom" in corner
    assert (drawn[..., 3] == picture[..., 3]).all()


def test_the_rectangle_around_what_is_visible_counts() -> None:
    picture = alpha(np.pad(np.ones((600, 900), bool), ((700, 100), (50, 450))))
    _, notice = draw(picture, "AI生成")
    assert notice.ink_height_px == 30
    sides = distances(notice.box, 950, 1300)
    assert sides["right"] == sides["bottom"] == 15


@settings(deadline=None, max_examples=25)
@given(
    st.lists(
        st.tuples(*[st.integers(0, 299)] * 2, st.integers(20, 160)),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from([*CORNERS, *EDGES]),
)
def test_on_any_shape_the_notice_is_legal_and_on_the_shape_if_it_can_be(
    blobs: list[tuple[int, int, int]], corner: str
) -> None:
    canvas = np.zeros((300, 300), np.uint8)
    for x, y, radius in blobs:
        cv2.circle(canvas, (x, y), radius, 1, -1)
    picture = alpha(canvas > 0)
    box = visible_box(picture)
    drawn, notice = draw(picture, "AI生成", corner=corner)
    assert notice.ink_height_px >= math.ceil(0.05 * min(box.width, box.height))
    assert notice.contrast >= 4.5
    inside = covered(picture, notice)
    if max(radius for _, _, radius in blobs) >= 150:
        assert inside.all()
    # Where it is not, its plate makes the pixels opaque.
    assert covered(drawn, notice).mean() > 0.95


def test_a_shape_without_room_gets_an_opaque_plate_in_its_rectangle() -> None:
    ring = disk(400, 180) & ~disk(400, 160)
    drawn, notice = draw(alpha(ring), "AI生成")
    assert distances(notice.box, 400, 400)["right"] == 30
    middle = notice.box.top + notice.box.height // 2
    plate = drawn[middle, notice.box.left : notice.box.left + notice.box.width, 3]
    assert (plate == 255).all()


def test_shadows_and_nothing_at_all_are_no_shape() -> None:
    picture = alpha(np.ones((300, 300), bool))
    picture[:, 200:, 3] = 60
    assert visible_box(picture) == Box(left=0, top=0, width=200, height=300)
    picture[..., 3] = 60
    assert visible_box(picture) == Box(left=0, top=0, width=300, height=300)
