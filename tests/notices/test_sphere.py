"""The notice in a 360-degree picture, and what a viewer sees of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from synthmark.labeling.errors import TooSmallForNotice, UsageError
from synthmark.labeling.notices.frame import FrameForm
from synthmark.labeling.notices.sphere import (
    SPHERE_PLACES,
    SpherePainter,
    draw_sphere,
)
from synthmark.labeling.notices.view import View, find_in_view, look

Pixels = NDArray[np.uint8]

ENGLISH = "AI生成 · AI-generated"
WIDTH, HEIGHT = 2048, 1024


@pytest.fixture(scope="module")
def world(make_scene: Callable[..., Pixels]) -> Pixels:
    """A sphere with structure everywhere that joins at its sides."""
    rng = np.random.default_rng(5)
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    across, down = x / WIDTH * math.tau, y / HEIGHT * math.pi
    waves = [90 + 50 * np.sin(k * across + k) * np.sin(down * k) for k in (2, 3, 5)]
    picture = np.stack(waves, axis=-1) + rng.normal(0, 6, (HEIGHT, WIDTH, 1))
    return np.clip(picture, 0, 255).astype(np.uint8)


def direction(longitude: float, latitude: float) -> NDArray[np.float64]:
    a, b = math.radians(longitude), math.radians(latitude)
    return np.array([math.cos(b) * math.sin(a), math.sin(b), math.cos(b) * math.cos(a)])


# What a viewer sees


@pytest.mark.parametrize(
    ("view", "ahead"),
    [
        (View(), (0, 0)),
        (View(yaw_deg=90), (90, 0)),
        (View(yaw_deg=-170, pitch_deg=40), (-170, 40)),
        (View(pitch_deg=90), (0, 90)),
    ],
)
def test_a_view_looks_where_it_says(view: View, ahead: tuple[float, float]) -> None:
    right, up, front = view.axes()
    np.testing.assert_allclose(front, direction(*ahead), atol=1e-12)
    np.testing.assert_allclose(view.axes() @ view.axes().T, np.eye(3), atol=1e-12)
    assert right[1] == pytest.approx(0, abs=1e-12)
    assert up[1] >= -1e-12


def test_a_roll_turns_the_horizon_counter_clockwise() -> None:
    sky = np.zeros((200, 400), np.uint8)
    sky[:100] = 255
    seen = look(sky, View(roll_deg=20), width=100, height=100)
    # The horizon is higher on the right: there the ground reaches farther up.
    left, right = (int((seen[:, x] < 128).sum()) for x in (5, 95))
    assert right - left == pytest.approx(90 * math.tan(math.radians(20)), abs=3)


def test_a_point_is_seen_where_the_projection_puts_it() -> None:
    dark = np.zeros((512, 1024), np.uint8)
    # About 30 degrees to the right and 20 up, across the seam.
    view = View(yaw_deg=165)
    column, row = 43, 199
    dark[row - 2 : row + 3, column - 2 : column + 3] = 255
    right = math.radians((column + 0.5) / 1024 * 360 - 180 + 360 - 165)
    up = math.radians(90 - (row + 0.5) / 512 * 180)
    seen = look(dark, view, width=1280, height=720)
    y, x = np.argwhere(seen > 128).mean(axis=0)
    wanted_x = 640 + 640 * math.tan(right)
    wanted_y = 360 - 640 * math.tan(up) / math.cos(right)
    assert (x, y) == (pytest.approx(wanted_x, abs=3), pytest.approx(wanted_y, abs=3))


@pytest.mark.parametrize(
    "values",
    [
        {"pitch_deg": 91.0},
        {"yaw_deg": math.nan},
        {"roll_deg": -181.0},
        {"fov_deg": 20.0},
        {"fov_deg": math.inf},
    ],
)
def test_a_view_that_cannot_be_meant_is_refused(values: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="view"):
        View(**values)


# The notice in it


VIEWS = {
    "middle": View(),
    "seam": View(yaw_deg=179, pitch_deg=-15, roll_deg=-8),
    "behind": View(yaw_deg=-180, pitch_deg=30),
    "ground": View(yaw_deg=40, pitch_deg=-90),
    "sky": View(pitch_deg=70, roll_deg=30),
    "wide": View(fov_deg=120),
    "narrow": View(yaw_deg=300, fov_deg=60),
}


@pytest.mark.parametrize("place", ["bottom", "top-left"])
@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_it_is_found_in_the_first_view_upright_and_of_legal_height(
    view: View, place: str, world: Pixels
) -> None:
    before = world.copy()
    drawn, notice = draw_sphere(world, ENGLISH, view=view, place=place)
    assert (world == before).all()
    assert notice.text == ENGLISH
    assert 0.05 <= notice.height_fraction < 0.056
    assert notice.contrast >= 4.5
    assert find_in_view(world, view) == ()
    (found,) = find_in_view(drawn, view)
    assert found.text == ENGLISH
    assert found.height_fraction == pytest.approx(notice.height_fraction, rel=0.05)
    assert found.tall_enough


@pytest.mark.parametrize("place", SPHERE_PLACES)
def test_it_is_in_sight_on_wide_and_on_tall_screens(place: str, world: Pixels) -> None:
    drawn, _ = draw_sphere(world, ENGLISH, place=place)
    for width, height in ((960, 540), (540, 960)):
        changed = look(drawn, width=width, height=height) != look(
            world, width=width, height=height
        )
        rows, columns = (np.flatnonzero(changed.any(axis=(2, axis))) for axis in (1, 0))
        assert 0 < rows[0] < rows[-1] < height - 1
        assert 0 < columns[0] < columns[-1] < width - 1
        middle = (rows[0] + rows[-1]) / 2, (columns[0] + columns[-1]) / 2
        # 540 pixels are what both screens show; at their middle the plate is not.
        for name, at, size in zip("yx", middle, (height, width), strict=True):
            before, after = {"y": ("top", "bottom"), "x": ("left", "right")}[name]
            side = (after in place) - (before in place)
            assert np.sign(round((at - size / 2) / 540 * 10)) == side


def test_it_is_a_rectangle_for_the_viewer(world: Pixels) -> None:
    view = View(yaw_deg=120, pitch_deg=-35)
    drawn, _ = draw_sphere(world, ENGLISH, view=view, place="bottom-right")
    size = {"width": 800, "height": 800}
    changed = (look(drawn, view, **size) != look(world, view, **size)).any(axis=2)
    rows, columns = (np.flatnonzero(changed.any(axis=axis)) for axis in (1, 0))
    inside = changed[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert inside.mean() > 0.95
    assert 1.4 < inside.shape[1] / inside.shape[0] < 2.2


def test_nothing_else_is_touched(world: Pixels) -> None:
    drawn, _ = draw_sphere(world, ENGLISH)
    changed = (drawn != world).any(axis=2)
    rows, columns = np.nonzero(changed)
    assert changed.mean() < 0.02
    assert HEIGHT / 2 < rows.min() < rows.max() < HEIGHT * 0.7
    assert abs(columns.mean() - WIDTH / 2) < 20


@pytest.mark.parametrize("ground", [0, 255])
def test_plates_are_dark_on_dark_and_light_on_light(ground: int) -> None:
    flat = np.full((600, 1200), ground, np.uint8)
    drawn, notice = draw_sphere(flat, "AI生成")
    plate = int(np.median(drawn[drawn != ground]))
    assert (plate > 128) == (ground > 128)
    assert notice.contrast >= 4.5
    (found,) = find_in_view(drawn)
    assert found.text == "AI生成"


def test_transparent_pictures_become_opaque_under_it() -> None:
    clear = np.zeros((600, 1200, 4), np.uint8)
    drawn, _ = draw_sphere(clear, "AI生成")
    assert set(np.unique(drawn[..., 3])) == {0, 255}
    assert (drawn[..., 3] == 255).sum() > 500


def test_more_height_is_given_on_demand(world: Pixels) -> None:
    drawn, notice = draw_sphere(world, "AI生成", height_fraction=0.08)
    assert notice.height_fraction >= 0.08
    (found,) = find_in_view(drawn)
    assert found.height_fraction == pytest.approx(0.08, rel=0.05)


@pytest.mark.parametrize("shape", [(512, 1000), (512, 512), (1, 2), (900, 1600, 3)])
def test_what_is_not_a_whole_sphere_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="equirectangular"):
        draw_sphere(np.zeros(shape, np.uint8), "AI生成")
    with pytest.raises(UsageError, match="equirectangular"):
        find_in_view(np.zeros(shape, np.uint8))


def test_a_small_sphere_has_no_room() -> None:
    with pytest.raises(TooSmallForNotice, match="360-degree"):
        draw_sphere(np.zeros((256, 512, 3), np.uint8), "AI生成")


@pytest.mark.parametrize(
    "values",
    [{"place": "auto"}, {"place": "center"}, {"height_fraction": 0.04}],
)
def test_what_cannot_be_meant_is_refused(values: dict[str, Any]) -> None:
    with pytest.raises(UsageError):
        draw_sphere(np.zeros((600, 1200), np.uint8), "AI生成", **values)
    with pytest.raises(UsageError, match="generation element"):
        draw_sphere(np.zeros((600, 1200), np.uint8), "AI")


@settings(max_examples=25, deadline=None)
@given(
    yaw=st.floats(-360, 360),
    pitch=st.floats(-90, 90),
    roll=st.floats(-180, 180),
    place=st.sampled_from(SPHERE_PLACES),
)
def test_any_view_has_its_notice(
    yaw: float, pitch: float, roll: float, place: str
) -> None:
    view = View(yaw_deg=yaw, pitch_deg=pitch, roll_deg=roll)
    flat = np.full((512, 1024), 90, np.uint8)
    drawn, _ = draw_sphere(flat, "AI生成", view=view, place=place)
    size = {"width": 400, "height": 400}
    changed = look(drawn, view, **size).astype(int) - 90
    upright, _ = draw_sphere(flat, "AI生成", place=place)
    wanted = look(upright, **size).astype(int) - 90
    # The same picture of the plate, but for how it was sampled.
    assert np.abs(changed - wanted).mean() < 1.5
    assert np.corrcoef(changed.ravel(), wanted.ravel())[0, 1] > 0.95


# Frames


@pytest.mark.parametrize(
    ("form", "shapes"),
    [
        (FrameForm(width=1024, height=512), [(512, 1024), (256, 512), (256, 512)]),
        (FrameForm(width=1026, height=513, bits=10), [(513, 1026)] * 3),
        (FrameForm(width=512, height=1024, rotation_deg=90), [(1024, 512), (512, 256)]),
        (
            FrameForm(width=512, height=512, pixel_aspect=Fraction(2)),
            [(512, 512), (256, 256)],
        ),
    ],
)
def test_frames_show_it_where_pictures_do(
    form: FrameForm, shapes: list[tuple[int, int]]
) -> None:
    kind = np.uint8 if form.bits == 8 else np.uint16
    step = 2 ** (form.bits - 8)
    shapes = [*shapes, *shapes[-1:] * (3 - len(shapes))]
    planes = [np.full(shape, 128 * step, kind) for shape in shapes]
    painter = SpherePainter(form, "AI生成", view=View(yaw_deg=-175))
    painter.paint(planes)
    assert painter.notice.text == "AI生成"
    shown = form.upright(planes[0]) // step
    import cv2

    luma = cv2.resize(shown.astype(np.uint8), form.shown_size)
    (found,) = find_in_view(luma, View(yaw_deg=-175))
    assert found.text == "AI生成"
    assert found.tall_enough
    # The plate is all but without color.
    assert all(np.ptp(plane) <= 6 * step for plane in planes[1:])


def test_the_second_frame_is_drawn_like_the_first_and_fades() -> None:
    form = FrameForm(width=1024, height=512)
    painter = SpherePainter(form, "AI生成")
    first, second, half, none = (np.full((512, 1024), 100, np.uint8) for _ in range(4))
    painter.paint([first])
    painter.paint([second])
    painter.paint([half], opacity=0.5)
    painter.paint([none], opacity=0.0)
    assert (first == second).all()
    assert (none == 100).all()
    middle = (first.astype(int) + 100) / 2
    assert np.abs(half - middle).max() <= 1


def test_frames_of_another_form_are_refused() -> None:
    with pytest.raises(UsageError, match="equirectangular"):
        SpherePainter(FrameForm(width=1920, height=1080), "AI生成")
