from __future__ import annotations

import io
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

import synthmark
from synthmark.labeling.keys import Key
from synthmark.labeling.marks.image import detect_image, embed_image
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

    attack.__name__ = f"{kind}_{quality}"
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


def change_of_flat_places(before: Pixels, after: Pixels) -> float:
    """Mean change of L* in the flattest quarter, blurred as the eye blurs it."""
    lightness = [
        cv2.cvtColor(pixels.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[..., 0]
        for pixels in (before, after)
    ]
    change = cv2.GaussianBlur(lightness[1] - lightness[0], (0, 0), 1.5)
    grey = before.mean(axis=2)
    variance = cv2.blur(grey * grey, (15, 15)) - cv2.blur(grey, (15, 15)) ** 2
    return float(np.abs(change)[variance <= np.quantile(variance, 0.25)].mean())


def sample(name: str) -> Pixels:
    with Image.open(Path(synthmark.__file__).parent / "samples" / name) as picture:
        return np.asarray(picture.convert("RGB"))


@cache
def marked_sample(name: str) -> Pixels:
    key, payload = Key.from_bytes(bytes(range(32))), Payload(issuer=7, serial=123456)
    return embed_image(sample(name), payload, key)


@pytest.mark.parametrize(("size", "floor"), [((480, 640), 43), ((128, 128), 40)])
def test_pictures_keep_their_quality(
    picture: Maker, key: Key, payload: Payload, size: tuple[int, int], floor: float
) -> None:
    pixels = picture(*size)
    out = embed_image(pixels, payload, key)
    assert psnr(pixels, out) > floor
    assert change_of_flat_places(pixels, out) <= 0.17


@pytest.mark.parametrize(
    ("name", "floor"),
    [
        ("document.png", 38),
        ("flat.png", 47),
        ("gradient.png", 44),
        ("night.jpg", 43),
        ("portrait.png", 46),
        ("scene.jpg", 43),
        ("small.png", 40),
    ],
)
def test_samples_keep_their_quality(name: str, floor: float) -> None:
    before, after = sample(name), marked_sample(name)
    assert psnr(before, after) > floor
    assert change_of_flat_places(before, after) <= 0.17
    # Nor is any place of them changed loudly.
    change = np.abs(after.astype(int) - before)
    assert np.quantile(change, 0.99) <= 16
    assert change.max() <= 40


def test_white_paper_stays_white() -> None:
    before, after = sample("document.png"), marked_sample("document.png")
    white = (before == 255).all(axis=2)
    paper = cv2.erode(white.astype(np.uint8), np.ones((21, 21)), borderValue=1) > 0
    assert paper.mean() > 0.4
    change = (255 - after[paper].astype(float)).max(axis=1)
    assert change.max() <= 3
    assert change.mean() < 0.25


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_pictures_stay_practically_so(
    key: Key, payload: Payload, level: int
) -> None:
    pixels = np.full((300, 400, 3), level, np.uint8)
    change = np.abs(embed_image(pixels, payload, key).astype(int) - level)
    assert change.max() <= 6
    assert change.mean() < 1


@pytest.mark.parametrize("side", [96, 256, 512, 900])
def test_flat_areas_beside_texture_stay_flat(
    scene: Maker, key: Key, payload: Payload, side: int
) -> None:
    pixels = np.full((side, 2 * side, 3), 180, np.uint8)
    pixels[:, side:] = scene(side, side)
    out = embed_image(pixels, payload, key)
    assert change_of_flat_places(pixels, out) <= 0.17
    flat = (out.astype(float) - pixels)[:, : side - side // 8]
    assert np.abs(flat).max() <= 9
    assert abs(flat.mean()) < 0.05


@pytest.mark.parametrize("name", ["scene.jpg", "portrait.png"])
def test_another_payload_of_the_key_takes_the_place_of_the_first(
    key: Key, name: str
) -> None:
    original, second = sample(name).astype(float), Payload(issuer=7, serial=654321)
    out = embed_image(marked_sample(name), second, key)
    hit = detect_image(out, key)
    assert hit.payload == second
    # The first one went: side by side they would be 1.4 times as loud as one.
    fresh = embed_image(sample(name), second, key)
    assert (out - original).std() < 1.2 * (fresh - original).std()
    assert hit.score > 0.9 * detect_image(fresh, key).score


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


def page_of_repeated_text(height: int, width: int) -> Pixels:
    page = np.full((height, width, 3), 255, np.uint8)
    for line, y in enumerate(range(24, height + 24, 26)):
        for x in range(10 if line % 2 else 4, width, 118):
            where = (cv2.FONT_HERSHEY_SIMPLEX, 0.6, (20, 20, 20), 1, cv2.LINE_AA)
            cv2.putText(page, "same words", (x, y), *where)
    return page


@pytest.mark.parametrize("shrink", [1.0, 0.83])
def test_the_mark_is_found_inside_a_page_of_repeated_text(
    marked_scene: Pixels, found: Finder, shrink: float
) -> None:
    part = cv2.resize(
        marked_scene, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA
    )
    out = page_of_repeated_text(900, 1200)
    out[181 : 181 + part.shape[0], 333 : 333 + part.shape[1]] = part
    found(out)


def a_tenth(pixels: Pixels) -> Pixels:
    height, width = (round(size * 0.1**0.5) for size in pixels.shape[:2])
    top, left = (
        (size - part) * 2 // 5
        for size, part in zip(pixels.shape, (height, width), strict=False)
    )
    return pixels[top : top + height, left : left + width]


def a_quarter_of_the_size(pixels: Pixels) -> Pixels:
    return cv2.resize(pixels, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize(
    ("attack", "name"),
    [
        (attack, name)
        for attack, names in (
            (coded("JPEG", 10), ("scene.jpg", "portrait.png")),
            (coded("WEBP", 20), ("scene.jpg", "portrait.png", "night.jpg")),
            (a_tenth, ("portrait.png", "flat.png", "gradient.png")),
            (
                a_quarter_of_the_size,
                ("scene.jpg", "portrait.png", "night.jpg", "flat.png", "document.png"),
            ),
        )
        for name in names
    ],
    ids=lambda value: value if isinstance(value, str) else value.__name__,
)
def test_samples_survive_the_hardest(
    found: Finder, attack: Callable[[Pixels], Pixels], name: str
) -> None:
    found(attack(marked_sample(name)))


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.23])
def test_a_scaled_scrap_of_few_tiles_is_read(found: Finder, scale: float) -> None:
    part = marked_sample("portrait.png")[20:170, 30:180]
    found(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))


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
