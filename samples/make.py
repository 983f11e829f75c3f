"""Draw the sample pictures: `python samples/make.py [folder]`.

Every picture is a function of one seeded generator, so it comes out the same each time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from brushes import (
    Array,
    Picture,
    bloom,
    color,
    develop,
    fractal,
    lookup,
    paint,
    smooth,
    spectral,
    spread,
)
from document import document
from PIL import Image, ImageDraw
from portrait import portrait
from scene import scene

__all__ = ["SAMPLES", "main"]

SEED = 8


def flat(rng: np.random.Generator) -> Picture:
    """Draw a still life of large plain areas: a window, a vase, fruit on a table."""
    del rng
    fine = 4
    image = Image.new("RGB", (800 * fine, 800 * fine), "#f4e4cf")
    draw = ImageDraw.Draw(image)
    turn = np.linspace(0, 2 * np.pi, 240)

    def shape(x: Array, y: Array, ink: str) -> None:
        points = np.stack([x, y], axis=1) * fine
        draw.polygon([(px, py) for px, py in points.tolist()], fill=ink)

    def disc(x: float, y: float, wide: float, high: float, ink: str) -> None:
        shape(x + wide * np.cos(turn), y + high * np.sin(turn), ink)

    def box(left: float, top: float, right: float, bottom: float, ink: str) -> None:
        draw.rectangle([fine * v for v in (left, top, right, bottom)], fill=ink)

    def hill(base: float, rise: float, peak: float, wide: float, ink: str) -> None:
        x = np.linspace(352, 688, 120)
        y = base - rise * np.exp(-(((x - peak) / wide) ** 2))
        shape(np.append(x, [688, 352]), np.append(y, [560, 560]), ink)

    def leaf(x: float, y: float, long: float, angle: float, ink: str) -> None:
        t = np.linspace(0, 1, 60)
        belly = 0.24j * np.sin(np.pi * t) * (1.15 - 0.5 * t)
        outline = np.concatenate([t + belly, (t - belly)[::-1]])
        outline = outline * long * np.exp(-1j * np.radians(angle))
        shape(x + outline.real, y + outline.imag, ink)

    for half, ink in ((188, "#fffaf0"), (168, "#a9d3cb")):
        disc(520, 276, half, half, ink)
        box(520 - half, 276, 520 + half, 560, ink)
    disc(586, 262, 62, 62, "#f6bd60")
    hill(470, 110, 420, 130, "#5b9e94")
    hill(520, 100, 640, 150, "#3d7c78")
    box(0, 560, 800, 800, "#d1603d")
    box(0, 560, 800, 584, "#e07a52")
    for x, half in ((267, 155), (551, 109), (675, 91)):
        disc(x, 692, half, 16, "#b64d2f")
    for angle, long, ink in (
        (128, 250, "#3a6b4c"),
        (64, 240, "#4f8a5b"),
        (97, 300, "#2f5d50"),
        (158, 190, "#6aa36b"),
        (32, 170, "#6aa36b"),
    ):
        leaf(250, 440, long, angle, ink)
    t = np.linspace(0, 1, 120)
    half_vase = 40 + 92 * np.sin(np.pi * np.clip(t * 1.12 - 0.12, 0, 1)) ** 0.8 + 18 * t
    for part, ink in ((t >= 0, "#274b6d"), ((t > 0.44) & (t < 0.60), "#f6bd60")):
        side, level = half_vase[part], 420 + 272 * t[part]
        outline = np.append(250 + side, 250 - side[::-1])
        shape(outline, np.append(level, level[::-1]), ink)
    disc(530, 620, 74, 74, "#f28f3b")
    leaf(530, 552, 62, 30, "#3a6b4c")
    disc(650, 640, 54, 54, "#f6bd60")
    leaf(650, 590, 44, 140, "#4f8a5b")
    return np.asarray(image.reduce(fine))


def night(rng: np.random.Generator) -> Picture:
    """Draw a city at night across the water, under the stars."""
    width, height, shore = 960, 640, 430
    y, x = spread(height, width)
    light = paint(color("04060e"), color("1a2236"), smooth(60, shore, y))
    haze = np.exp(-(((x - 560) / 420) ** 2) - ((y - shore) / 120) ** 2)
    light += 0.11 * haze[..., None] * color("ffb070")
    band = np.exp(-(((y - 150 + 0.32 * (x - 480)) / 90) ** 2))
    dust = np.clip(fractal((height, width), 7, rng, 7, 0.6) - 0.42, 0, 1)
    light += 0.11 * (band * dust)[..., None] * color("b4c4ff")
    for _ in range(900):
        at = int(rng.random() ** 1.3 * (shore - 40)), int(rng.random() * width)
        ink = ("cfdcff", "ffffff", "ffe6c8")[rng.integers(3)]
        light[at] += 0.04 * min(rng.pareto(1.1) + 0.3, 30) * color(ink)
    moon = np.hypot(x - 210, y - 110)
    crescent = smooth(24, 22.6, moon) * smooth(21.5, 24.5, np.hypot(x - 198, y - 104))
    light += (1.3 * crescent + 0.02 * np.exp(-moon / 60))[..., None] * color("fff2d8")
    for row in range(3):
        build(light[:shore], row, rng)
    lamps = np.arange(24, width, 37)
    lamps += rng.integers(-6, 7, lamps.size)
    light[shore - 5 : shore - 2, lamps] = 5 * color("ffc078")
    light[shore:] = reflection(light[:shore], height - shore, rng)
    for sigma, share in ((2, 0.25), (9, 0.14), (40, 0.10)):
        light = bloom(light, sigma, share)
    return develop(light, 1.5, 1.0, rng)


def build(light: Array, row: int, rng: np.random.Generator) -> None:
    """Put a row of houses, the first the farthest, on the lower edge; light windows."""
    wall = color(("121828", "0b101c", "06090f")[row])
    panes = np.stack([color(c) for c in ("ffbe70", "ffe0b0", "bcd4ff")])
    left, floor = 0, 4 + row
    while left < light.shape[1]:
        wide = int(rng.integers(26, 64) * (0.8 + 0.2 * row))
        middle = left + wide // 2
        downtown = np.exp(-(((middle - 560) / 230) ** 2))
        tall = 50 + 60 * rng.random() + 190 * downtown * rng.random()
        tall = int(tall * (1.15 - 0.3 * row))
        house = light[-tall:, left : left + wide]
        house[:] = wall
        share = 0.08 + 0.24 * rng.random() ** 2
        for y in range(4, tall - 3, floor):
            for x in range(3, wide - 3, floor):
                if rng.random() < share:
                    ink = panes[rng.choice(3, p=(0.6, 0.3, 0.1))]
                    house[y : y + 2 + row // 2, x : x + 2] = ink * rng.uniform(0.2, 1.3)
        if tall > 190 and middle < light.shape[1]:
            light[-tall - 26 : -tall, middle] = wall
            light[-tall - 28 : -tall - 26, middle] = 4 * color("ff3020")
        left += wide + int(rng.integers(-4, 10))


def reflection(above: Array, height: int, rng: np.random.Generator) -> Array:
    """Mirror what stands above the shore in dark, restless water."""
    y, x = spread(height, above.shape[1])
    near = y / height
    away = 1 / (0.06 + near)
    waves = spectral((512, 512), (8, 256), 1.0, rng)
    wave = near * lookup(waves, x * away * 0.00035, away * 0.35)
    from_y = np.clip(above.shape[0] - 1 - y + 46 * wave, 0, above.shape[0] - 1)
    streaks = cv2.GaussianBlur(above, (0, 0), 0.8, None, 9)
    mirror = cv2.remap(streaks, x + 7 * wave, from_y, cv2.INTER_LINEAR)
    return np.asarray(mirror * (0.62 - 0.3 * near)[..., None] + color("0a1420") / 4)


def small(rng: np.random.Generator) -> Picture:
    """Draw wet pebbles from above: cells around jittered seeds, domed and lit."""
    size, stones = 512, 12
    y, x = spread(size, size)
    y, x = (v + 3.3 * spectral((size, size), (2, 14), 1.2, rng) for v in (y, x))
    steps = (np.arange(stones) - 0.5) * size / (stones - 2)
    places = np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    places += rng.normal(0, 13, places.shape)
    first, second = np.full((2, size, size), np.inf, np.float32)
    stone = np.zeros((size, size), np.int64)
    for k, (at_x, at_y) in enumerate(places.astype(np.float32)):
        distance = np.sqrt((x - at_x) ** 2 + (y - at_y) ** 2)
        stone[distance < first] = k
        second = np.minimum(second, np.maximum(first, distance))
        first = np.minimum(first, distance)
    edge = np.clip((second - first) / 31, 0, 1)
    grain = fractal((size, size), 90, rng, 5, 0.65)
    dome = cv2.GaussianBlur(20 * np.sqrt(edge * (2 - edge)) + 1.5 * grain, (0, 0), 1.1)
    down, right = np.gradient(dome)
    normal = np.stack([-right, -down, np.ones_like(dome)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    sun = np.array([-0.5, -0.55, 0.67], np.float32)
    half = np.array([-0.274, -0.301, 0.914], np.float32)  # between the sun and the eye
    codes = ("70757c", "a2988c", "84604f", "565c62", "c0b8aa", "78735f")
    inks = np.stack([color(code) for code in codes])[rng.integers(0, 6, len(places))]
    inks *= rng.uniform(0.7, 1.2, (len(places), 1))
    light = inks[stone] * (0.6 + 0.8 * grain)[..., None]
    light *= (0.25 + 1.5 * np.clip(normal @ sun, 0, 1))[..., None]
    wet = smooth(0, 0.35, edge)
    gloss = 0.55 * np.clip(normal @ half, 0, 1) ** 60
    light = light * (0.12 + 0.88 * wet)[..., None] + (gloss * wet)[..., None]
    light = cv2.resize(light, (256, 256), interpolation=cv2.INTER_AREA)
    return develop(np.asarray(light, np.float32), 0.9, 0, rng)


def gradient(rng: np.random.Generator) -> Picture:
    """Draw one smooth sweep of colors, without any grain to hide in."""
    del rng
    y, x = (v / np.float32(360) for v in spread(360, 640))
    light = paint(color("2b3a67"), color("e8c7a6"), smooth(-0.2, 1.1, y))
    for at_x, at_y, reach, ink in (
        (0.30, 0.95, 0.75, "f2a07b"),
        (1.55, 0.15, 0.80, "6f7fc0"),
        (0.95, 0.45, 0.60, "c98bb0"),
        (1.70, 1.00, 0.60, "f7d9a0"),
    ):
        near = np.exp(-((x - at_x) ** 2 + (y - at_y) ** 2) / reach**2)
        light = paint(light, color(ink), 0.85 * near)
    return np.round(255 * light ** (1 / 2.2)).astype(np.uint8)


SAMPLES: dict[str, Callable[[np.random.Generator], Picture]] = {
    "scene.jpg": scene,
    "portrait.png": portrait,
    "flat.png": flat,
    "night.jpg": night,
    "document.png": document,
    "small.png": small,
    "gradient.png": gradient,
}


def main(folder: Path) -> None:
    """Draw every sample into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in SAMPLES.items():
        picture = Image.fromarray(draw(np.random.default_rng(SEED)))
        picture.save(folder / name, quality=92, optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
