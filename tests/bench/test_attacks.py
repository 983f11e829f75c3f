"""Attacks: the same for the same seed, and what their names say."""

from __future__ import annotations

import re
from itertools import pairwise
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

DRAWN = {
    "perspective_mild",
    "splice_quarter",
    "collage_half",
    "screenshot",
    "jpeg40_dark_crop50",
}
DRAWN_PREFIXES = ("crop", "noise", "salt_pepper", "overlay")
DRAWN_PARTS = {"crop60", "noise8", "bright"}


def scene(height: int = 150, width: int = 220) -> Pixels:
    """Draw a picture with smooth, busy and colored parts, and no symmetry."""
    y, x = np.mgrid[:height, :width]
    busy = np.random.default_rng(1).normal(0, 20, (height, width)) * (x > width // 2)
    planes = [
        40 + 180 * x / width,
        30 + 160 * y / height + busy,
        90 + 70 * np.sin(y / 9),
    ]
    levels: Pixels = np.clip(np.dstack(planes), 0, 255).astype(np.uint8)
    return levels


@pytest.mark.parametrize("size", [(90, 120), (67, 51), (48, 48)])
def test_every_attack_returns_a_picture_and_repeats_itself(
    attacks: ModuleType, size: tuple[int, int]
) -> None:
    picture = scene(*size)
    before = picture.copy()
    for name in attacks.ATTACKS:
        once = attacks.apply(name, picture, 7)
        again = attacks.apply(name, picture, 7)
        assert once.dtype == np.uint8, name
        assert once.ndim == 3, name
        assert once.shape[2] == 3, name
        assert min(once.shape[:2]) >= 8, name
        assert once.flags.c_contiguous, name
        assert np.array_equal(once, again), name
        assert np.array_equal(picture, before), name
        assert np.array_equal(once, picture) == (name == "identity"), name


def test_the_seed_moves_what_is_random_and_nothing_else(attacks: ModuleType) -> None:
    picture = scene(60, 80)
    for name in attacks.ATTACKS:
        seeds = range(12 if "bright" in name else 4)
        seen = {attacks.apply(name, picture, seed).tobytes() for seed in seeds}
        drawn = (
            name in DRAWN
            or name.startswith(DRAWN_PREFIXES)
            or bool(DRAWN_PARTS & set(name.split("+")))
        )
        assert (len(seen) > 1) == drawn, name


def test_random_attacks_do_not_share_their_draws(attacks: ModuleType) -> None:
    picture = np.full((64, 64, 3), 128, np.uint8)
    weak, strong = (
        attacks.apply(name, picture, 0).astype(int).ravel() - 128
        for name in ("noise_s10", "noise_s20")
    )
    assert abs(np.corrcoef(weak, strong)[0, 1]) < 0.1


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("resize_0.5", (100, 150)),
        ("resize_2.0", (400, 600)),
        ("aspect_1.2x", (200, 360)),
        ("crop_keep25", (100, 150)),
        ("crop50_resize_back", (200, 300)),
        ("rot10_black", (200, 300)),
        ("rot90", (300, 200)),
        ("letterbox_20pct", (240, 300)),
        ("meme_top_20pct", (240, 300)),
        ("splice_quarter", (400, 600)),
        ("collage_half", (200, 600)),
        ("social", (160, 240)),
    ],
)
def test_sizes_are_what_the_names_say(
    attacks: ModuleType, name: str, size: tuple[int, int]
) -> None:
    assert attacks.apply(name, scene(200, 300), 3).shape[:2] == size


@pytest.mark.parametrize("name", ["letterbox_20pct", "meme_top_20pct", "collage_half"])
def test_the_picture_is_whole_in_what_is_put_around_it(
    attacks: ModuleType, name: str
) -> None:
    picture = scene()
    around = attacks.apply(name, picture, 3)
    views = np.lib.stride_tricks.sliding_window_view(around, picture.shape)
    assert any(
        np.array_equal(view, picture) for view in views.reshape(-1, *picture.shape)
    )


def test_a_crop_is_a_part_of_the_picture(attacks: ModuleType) -> None:
    picture = np.arange(80 * 120, dtype=np.uint32).view(np.uint8).reshape(80, 120, 4)
    part = attacks.apply("crop_keep25", np.ascontiguousarray(picture[..., :3]), 11)
    y, x = divmod(int(part[0, 0, 0]) + 256 * int(part[0, 0, 1]), 120)
    assert np.array_equal(part, picture[y : y + 40, x : x + 60, :3])


@pytest.mark.parametrize("size", [(120, 240), (240, 120), (160, 160)])
def test_a_rotation_cut_inside_leaves_no_black_corner(
    attacks: ModuleType, size: tuple[int, int]
) -> None:
    white = np.full((*size, 3), 255, np.uint8)
    for degrees in (1, 2, 5, 10, 20, 45):
        inside = attacks.apply(f"rot{degrees}_inside", white, 0)
        assert inside.min() > 250, degrees
        assert attacks.apply(f"rot{degrees}_black", white, 0).min() == 0, degrees


@pytest.mark.parametrize("percent", [10, 25])
def test_an_overlay_covers_the_share_that_it_names(
    attacks: ModuleType, percent: int
) -> None:
    gray = np.full((300, 400, 3), 128, np.uint8)
    shares = [
        np.mean((attacks.apply(f"overlay_{percent}pct", gray, seed) != gray).any(2))
        for seed in range(8)
    ]
    assert max(shares) <= percent / 100
    assert max(shares) >= 0.93 * percent / 100


def test_pairs_are_all_ordered_pairs_of_seven_and_all_different(
    attacks: ModuleType,
) -> None:
    assert len(attacks.EVERYDAY) == 7
    assert len(attacks.PAIRS) == len(set(attacks.PAIRS)) == 42
    picture = scene(60, 90)
    parts = [name.split("+") for name in attacks.PAIRS]
    assert all(first != second for first, second in parts)
    assert (
        len({attacks.apply(name, picture, 3).tobytes() for name in attacks.PAIRS}) == 42
    )


def test_a_pair_is_its_parts_one_after_the_other(attacks: ModuleType) -> None:
    picture = scene(60, 90)
    rng = np.random.default_rng(0)
    blurred = attacks.EVERYDAY["blur1"](picture, rng)
    both = attacks.EVERYDAY["jpeg60"](blurred, rng)
    assert np.array_equal(attacks.apply("blur1+jpeg60", picture, 0), both)


def test_curves_rise_in_their_number_and_name_it(attacks: ModuleType) -> None:
    assert {curve.axis for curve in attacks.CURVES} >= {
        "JPEG quality",
        "scale",
        "rotation, degrees",
        "area kept, %",
        "noise, levels",
    }
    for curve in attacks.CURVES:
        assert list(curve.points) == sorted(curve.points), curve.axis
        for number, name in curve.points.items():
            assert name in attacks.ATTACKS
            digits = re.findall(r"[\d.]+", name)
            assert name == "identity" or float(digits[0]) == number, name


@pytest.mark.parametrize(
    ("axis", "harder"),
    [
        ("JPEG quality", "lower"),
        ("WebP quality", "lower"),
        ("AVIF quality", "lower"),
        ("noise, levels", "higher"),
        ("blur, pixels", "higher"),
    ],
)
def test_the_hard_end_of_a_curve_does_more_harm(
    attacks: ModuleType, axis: str, harder: str
) -> None:
    curve = next((one for one in attacks.CURVES if one.axis == axis), None)
    if curve is None:
        pytest.skip("Pillow cannot write AVIF here")
    errors = [harm(attacks, name) for name in curve.points.values()]
    if harder == "lower":
        errors.reverse()
    assert errors[-1] > 1.2 * errors[0]
    # Encoders come out even at neighboring qualities.
    assert all(more > 0.98 * less for less, more in pairwise(errors))


def test_noise_is_as_strong_as_its_name_says(attacks: ModuleType) -> None:
    assert harm(attacks, "noise_s10") == pytest.approx(10, rel=0.1)
    assert harm(attacks, "salt_pepper_1pct") < harm(attacks, "salt_pepper_3pct")


def harm(attacks: ModuleType, name: str) -> float:
    picture = scene()
    change = attacks.apply(name, picture, 2).astype(float) - picture
    return float(np.sqrt(np.mean(change**2)))


def test_published_tables_name_attacks(
    attacks: ModuleType, published: ModuleType
) -> None:
    assert set(published.ATTACKS) <= set(attacks.ATTACKS)
    assert all(
        len(cells) == len(published.MARKS) for _, cells in published.STEPS.values()
    )
