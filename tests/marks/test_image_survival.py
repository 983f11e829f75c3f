from __future__ import annotations

import io
import math
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from synthmark.labeling.keys import Key
from synthmark.labeling.marks import image
from synthmark.labeling.marks.image import embed_image
from synthmark.labeling.model import Detection
from synthmark.labeling.payload import Payload

Pixels = NDArray[np.uint8]
Maker = Callable[..., Pixels]
Finder = Callable[..., Detection]


# --- what may happen to a picture -----------------------------------------------------


def coded(kind: str, quality: int) -> Callable[[Pixels], Pixels]:
    def attack(pixels: Pixels) -> Pixels:
        file = io.BytesIO()
        Image.fromarray(pixels).save(file, kind, quality=quality)
        return np.asarray(Image.open(file).convert("RGB"))

    return attack


def half_size(pixels: Pixels) -> Pixels:
    return cv2.resize(pixels, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


def half_of_the_area(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    rows, columns = round(height * 0.5**0.5), round(width * 0.5**0.5)
    top, left = (height - rows) // 3, (width - columns) // 2 + 5
    return pixels[top : top + rows, left : left + columns]


def rotated(degrees: float, *, inscribed: bool) -> Callable[[Pixels], Pixels]:
    def attack(pixels: Pixels) -> Pixels:
        height, width = pixels.shape[:2]
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
        out = cv2.warpAffine(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC)
        if not inscribed:
            return out
        angle, aspect = math.radians(abs(degrees)), max(width / height, height / width)
        share = 1 / (math.cos(angle) + aspect * math.sin(angle))
        rows, columns = int(height * share), int(width * share)
        top, left = (height - rows) // 2, (width - columns) // 2
        return out[top : top + rows, left : left + columns]

    return attack


def gamma_two(pixels: Pixels) -> Pixels:
    return np.rint(255 * (pixels / 255.0) ** 2).astype(np.uint8)


def noise_ten(pixels: Pixels) -> Pixels:
    noise = np.random.default_rng(2).normal(0, 10, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


# --- what an eye would see ------------------------------------------------------------


def psnr(a: Pixels, b: Pixels) -> float:
    error = np.mean((a.astype(np.float64) - b) ** 2)
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize(("size", "floor"), [((480, 640), 46), ((128, 128), 43)])
def test_pictures_keep_their_quality(
    picture: Maker, key: Key, payload: Payload, size: tuple[int, int], floor: float
) -> None:
    pixels = picture(*size)
    assert psnr(pixels, embed_image(pixels, payload, key)) > floor


@pytest.mark.parametrize("side", [96, 256, 512, 900])
def test_flat_areas_stay_below_the_ceiling(
    scene: Maker, key: Key, payload: Payload, side: int
) -> None:
    pixels = np.full((side, 2 * side), 180, np.uint8)
    pixels[:, side:] = scene(side, side)[..., 0]
    change = embed_image(pixels, payload, key).astype(float) - pixels
    flat = change[:, : side - side // 8]
    small = math.sqrt(image.CANONICAL_SIDES[0] / image.CANONICAL_SIDES[-1])
    most = image.STRENGTHS[1] * (small if side < 512 else 1)
    rounding = 1 / 12
    assert flat.var() <= (1.05 * most) ** 2 + rounding
    assert np.abs(flat).max() <= 6 * most
    assert abs(flat.mean()) < 0.05


def test_texture_carries_more_than_flat_areas(key: Key, payload: Payload) -> None:
    pixels = np.full((480, 640), 128, np.uint8)
    pixels[:, 320:] = np.clip(
        128 + np.random.default_rng(5).normal(0, 25, (480, 320)), 0, 255
    )
    change = embed_image(pixels, payload, key).astype(float) - pixels
    assert change[:, 340:].std() > 2 * change[:, :300].std()


def test_strength_scales_the_change(scene: Maker, key: Key, payload: Payload) -> None:
    pixels = scene(480, 640)
    change = [
        (embed_image(pixels, payload, key, strength=s).astype(float) - pixels).std()
        for s in (1, 2, 4)
    ]
    assert change[1] == pytest.approx(2 * change[0], rel=0.1)
    assert change[2] == pytest.approx(4 * change[0], rel=0.1)


# --- reading --------------------------------------------------------------------------


def test_tiles_that_fit_the_others_weigh_more() -> None:
    rng = np.random.default_rng(6)
    shape = (36, len(image.CARRIERS.frequencies))
    noise = rng.normal(size=shape) + 1j * rng.normal(size=shape)
    # Twelve tiles share the mark; the louder rest comes from another picture.
    shared = np.exp(2j * np.pi * rng.random(shape[1]))
    spectra = np.concatenate([0.7 * shared + noise[:12], 1.5 * noise[12:]])
    equal, fitted = image._View(spectra.astype(np.complex64), np.eye(2)).weights()
    assert (equal == 1).all()
    assert fitted.max() == pytest.approx(1)
    assert fitted.min() >= 0
    assert fitted[:12].mean() > 3 * fitted[12:].mean()


@given(top=st.floats(-0.5, 0.5), bend=st.floats(0.1, 100), height=st.floats(-9, 9))
def test_vertex_is_where_a_parabola_peaks(
    top: float, bend: float, height: float
) -> None:
    samples = [height - bend * (t - top) ** 2 for t in (-1, 0, 1)]
    assert image._vertex(*samples) == pytest.approx(top, abs=1e-6)


def test_vertex_of_a_plateau_is_in_its_middle() -> None:
    assert image._vertex(2.0, 2.0, 2.0) == 0


# --- robustness -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "attack",
    [
        half_size,
        half_of_the_area,
        np.rot90,
        rotated(5, inscribed=True),
        rotated(20, inscribed=False),
        np.fliplr,
        gamma_two,
        noise_ten,
        coded("JPEG", 80),
    ],
    ids=lambda attack: attack.__qualname__.split(".")[0],
)
def test_the_mark_survives(
    marked: Pixels, found: Finder, attack: Callable[[Pixels], Pixels]
) -> None:
    found(attack(marked))


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_the_mark_survives_strong_compression(
    marked_scene: Pixels, found: Finder, kind: str
) -> None:
    found(coded(kind, 50)(marked_scene))


def test_the_mark_survives_a_chain(marked_scene: Pixels, found: Finder) -> None:
    out = coded("JPEG", 85)(marked_scene)
    out = half_of_the_area(out)
    out = cv2.resize(out, (500, 375), interpolation=cv2.INTER_AREA)
    found(coded("JPEG", 75)(gamma_two(out)))


def test_the_mark_is_found_inside_a_larger_picture(
    marked_scene: Pixels, scene: Maker, found: Finder
) -> None:
    out = scene(800, 1000, seed=9)
    out[150:630, 230:870] = marked_scene
    found(out)


# --- geometry -------------------------------------------------------------------------


def difference(a: float, b: float) -> float:
    return abs((a - b + 180) % 360 - 180)


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("angle", [0, 5, -33, 90, 101, 180])
def test_transform_tells_rotation_and_mirror(
    marked_scene: Pixels, found: Finder, angle: float, mirrored: bool
) -> None:
    pixels = np.fliplr(marked_scene) if mirrored else marked_scene
    transform = found(rotated(angle, inscribed=False)(pixels)).transform
    assert transform is not None
    assert difference(transform.rotation_deg, angle) < 0.5
    assert transform.flipped == mirrored
    a, b, c, d = transform.matrix
    assert (a * d - b * c < 0) == mirrored


@pytest.mark.parametrize(("across", "down"), [(0.5, 0.5), (1.2, 1.0), (0.7, 0.9)])
def test_transform_tells_the_scale(
    marked_scene: Pixels, found: Finder, across: float, down: float
) -> None:
    before = found(marked_scene).transform
    out = cv2.resize(
        marked_scene, None, fx=across, fy=down, interpolation=cv2.INTER_AREA
    )
    after = found(out).transform
    assert before is not None
    assert after is not None
    assert after.scale_x / before.scale_x == pytest.approx(across, rel=0.01)
    assert after.scale_y / before.scale_y == pytest.approx(down, rel=0.01)
    assert difference(after.rotation_deg, 0) < 0.5


def test_transform_of_a_crop_keeps_the_scale(
    marked_scene: Pixels, found: Finder
) -> None:
    before = found(marked_scene).transform
    after = found(half_of_the_area(marked_scene)).transform
    assert before is not None
    assert after is not None
    assert after.scale_x == pytest.approx(before.scale_x, rel=0.01)
    assert after.scale_y == pytest.approx(before.scale_y, rel=0.01)
