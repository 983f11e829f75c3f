"""Attacks: the same for the same seed, and what their names say."""

from __future__ import annotations

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
DRAWN_PREFIXES = ("crop", "noise", "salt_pepper", "overlay", "random_pair")


def scene(height: int = 150, width: int = 220) -> Pixels:
    """Draw a picture with smooth, busy and colored parts, and no symmetry."""
    y, x = np.mgrid[:height, :width]
    busy = np.random.default_rng(1).normal(0, 20, (height, width)) * (x > width // 2)
    planes = [
        40 + 180 * x / width,
        30 + 160 * y / height + busy,
        90 + 70 * np.sin(y / 9),
    ]
    return np.clip(np.dstack(planes), 0, 255).astype(np.uint8)


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
        seen = {attacks.apply(name, picture, seed).tobytes() for seed in range(4)}
        drawn = name in DRAWN or name.startswith(DRAWN_PREFIXES)
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


def test_lower_qualities_and_stronger_noise_do_more_harm(attacks: ModuleType) -> None:
    picture = scene()

    def harm(name: str) -> float:
        change = attacks.apply(name, picture, 2).astype(float) - picture
        return float(np.sqrt(np.mean(change**2)))

    for series in (
        ["jpeg_q90", "jpeg_q50", "jpeg_q20", "jpeg_q10"],
        ["webp_q80", "webp_q50", "webp_q20"],
        ["blur_s1", "blur_s2", "blur_s3"],
        ["noise_s5", "noise_s10", "noise_s20", "noise_s30"],
        ["salt_pepper_1pct", "salt_pepper_3pct"],
    ):
        errors = [harm(name) for name in series]
        assert errors == sorted(errors), series
    assert harm("noise_s10") == pytest.approx(10, rel=0.1)
