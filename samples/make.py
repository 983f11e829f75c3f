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

    def shape(points: Array, ink: str) -> None:
        draw.polygon([(x * fine, y * fine) for x, y in points.tolist()], fill=ink)

    def disc(x: float, y: float, r: float, ink: str) -> None:
        turn = np.linspace(0, 2 * np.pi, 240)
        shape(np.stack([x + r * np.cos(turn), y + r * np.sin(turn)], 1), ink)

    def arch(x: float, top: float, half: float, bottom: float, ink: str) -> None:
        turn = np.linspace(np.pi, 2 * np.pi, 120)
        bow = np.stack([x + half * np.cos(turn), top + half + half * np.sin(turn)], 1)
        shape(np.array([*bow, (x + half, bottom), (x - half, bottom)]), ink)

    def leaf(x: float, y: float, long: float, angle: float, ink: str) -> None:
        t = np.linspace(0, 1, 60)
        belly = 0.24 * np.sin(np.pi * t) * (1.15 - 0.5 * t)
        z = np.concatenate([t + 1j * belly, (t - 1j * belly)[::-1]])
        z = z * long * np.exp(-1j * np.radians(angle)) + (x + 1j * y)
        shape(np.stack([z.real, z.imag], 1), ink)

    def hill(base: float, rise: float, middle: float, wide: float, ink: str) -> None:
        x = np.linspace(352, 688, 120)
        y = base - rise * np.exp(-(((x - middle) / wide) ** 2))
        shape(np.array([*np.stack([x, y], 1), (688, 560), (352, 560)]), ink)

    arch(520, 88, 188, 572, "#fffaf0")
    arch(520, 108, 168, 560, "#a9d3cb")
    disc(586, 262, 62, "#f6bd60")
    hill(470, 110, 420, 130, "#5b9e94")
    hill(520, 100, 640, 150, "#3d7c78")
    draw.rectangle((0, 560 * fine, 800 * fine, 800 * fine), fill="#d1603d")
    draw.rectangle((0, 560 * fine, 800 * fine, 584 * fine), fill="#e07a52")
    for x, r in ((232, 120), (516, 74), (640, 56)):
        box = [(x - r) * fine, 676 * fine, (x + r + 70) * fine, 708 * fine]
        draw.ellipse(box, fill="#b64d2f")
    for angle, long, ink in (
        (128, 250, "#3a6b4c"),
        (64, 240, "#4f8a5b"),
        (97, 300, "#2f5d50"),
        (158, 190, "#6aa36b"),
        (32, 170, "#6aa36b"),
    ):
        leaf(250, 440, long, angle, ink)
    t = np.linspace(0, 1, 120)
    half = 40 + 92 * np.sin(np.pi * np.clip(t * 1.12 - 0.12, 0, 1)) ** 0.8 + 18 * t
    vase = np.stack([half, 420 + 272 * t], 1)
    side = [250, 0] + vase * [-1, 1]
    shape(np.concatenate([[250, 0] + vase, side[::-1]]), "#274b6d")
    band = (t > 0.44) & (t < 0.60)
    shape(np.concatenate([([250, 0] + vase)[band], side[band][::-1]]), "#f6bd60")
    disc(530, 620, 74, "#f28f3b")
    disc(650, 640, 54, "#f6bd60")
    leaf(530, 552, 62, 30, "#3a6b4c")
    leaf(650, 590, 44, 140, "#4f8a5b")
    return np.asarray(image.reduce(fine))


def night(rng: np.random.Generator) -> Picture:
    """Draw a city at night across the water, under the stars."""
    width, height, shore = 960, 640, 430
    y, x = spread(height, width)
    light = paint(color("04060e"), color("1a2236"), smooth(60, shore, y))
    warm = np.exp(-(((x - 560) / 420) ** 2) - ((y - shore) / 120) ** 2)
    light = light + 0.11 * warm[..., None] * color("ffb070")
    band = np.exp(-(((y - 150 + 0.32 * (x - 480)) / 90) ** 2))
    dust = np.clip(fractal((height, width), 7, rng, 7, 0.6) - 0.42, 0, 1)
    light += 0.11 * (band * dust)[..., None] * color("b4c4ff")
    for _ in range(900):
        at = int(rng.random() ** 1.3 * (shore - 40)), int(rng.random() * width)
        hue = color(("cfdcff", "ffffff", "ffe6c8")[rng.integers(3)])
        light[at] += hue * 0.04 * min(rng.pareto(1.1) + 0.3, 30)
    moon = np.hypot(x - 210, y - 110)
    shadow = np.hypot(x - 198, y - 104)
    crescent = smooth(24, 22.6, moon) * smooth(21.5, 24.5, shadow)
    light += (1.3 * crescent + 0.02 * np.exp(-moon / 60))[..., None] * color("fff2d8")
    for row in range(3):
        light = skyline(light, row, shore, rng)
    lamps = (
        np.arange(24, width, 37) + rng.integers(-6, 7, 26)[: len(range(24, width, 37))]
    )
    light[shore - 5 : shore - 2, lamps] = 5 * color("ffc078")
    light[shore:] = reflection(light[:shore], y[shore:], x[shore:], rng)
    glow = bloom(bloom(light, 2, 0.25), 9, 0.14)
    return develop(bloom(glow, 40, 0.10), 1.5, 1.0, rng)


def skyline(light: Array, row: int, shore: int, rng: np.random.Generator) -> Array:
    """Build a row of houses, the first the farthest, with a few windows lit."""
    light = light.copy()
    wall = color(("121828", "0b101c", "06090f")[row])
    left = -10
    while left < light.shape[1]:
        wide = int(rng.integers(26, 64) * (0.8 + 0.2 * row))
        center = np.exp(-(((left + wide / 2 - 560) / 230) ** 2))
        tall = int(
            (50 + 60 * rng.random() + center * rng.random() * 190) * (1.15 - 0.3 * row)
        )
        house = light[shore - tall : shore, max(left, 0) : max(left + wide, 0)]
        house[:] = wall
        gap = 4 + row
        lit = (
            rng.random((tall // gap + 1, wide // gap + 1))
            < 0.08 + 0.24 * rng.random() ** 2
        )
        inks = np.stack([color(c) for c in ("ffbe70", "ffe0b0", "bcd4ff")])
        panes = inks[rng.choice(3, lit.shape, p=(0.6, 0.3, 0.1))]
        panes = panes * (lit * rng.uniform(0.2, 1.3, lit.shape))[..., None]
        for i, j in np.argwhere(lit):
            house[i * gap + 4 :, j * gap + 3 :][: 2 + row // 2, :2] = panes[i, j]
        if tall > 190:
            light[shore - tall - 26 : shore - tall, left + wide // 2] = wall
            light[shore - tall - 28 : shore - tall - 26, left + wide // 2] = (
                color("ff3020") * 4
            )
        left += wide + int(rng.integers(-4, 10))
    return light


def reflection(above: Array, y: Array, x: Array, rng: np.random.Generator) -> Array:
    """Mirror what stands above the shore in dark, restless water."""
    shore = above.shape[0]
    near = (y - shore) / y.shape[0]
    waves = spectral((512, 512), (8, 256), 1.0, rng)
    away = 1 / (0.06 + near)
    wave = lookup(waves, x * away * 0.00035, away * 0.35)
    from_y = 2 * shore - 1 - y + wave * near * 46
    from_x = x + wave * near * 7
    long = cv2.GaussianBlur(above, (0, 0), 0.8, None, 9)
    mirror = cv2.remap(long, from_x, np.clip(from_y, 0, shore - 1), cv2.INTER_LINEAR)
    return mirror * (0.62 - 0.3 * near)[..., None] + 0.25 * color("0a1420")


def small(rng: np.random.Generator) -> Picture:
    """Draw wet pebbles from above."""
    size, fine = 256, 3
    n = size * fine
    y, x = spread(n, n)
    bend = (
        5 * spectral((n, n), (2, 14), 1.2, rng),
        5 * spectral((n, n), (2, 14), 1.2, rng),
    )
    steps = np.arange(-1, 11) * (n / 10) + n / 20
    at_y, at_x = np.meshgrid(steps, steps, indexing="ij")
    seeds = np.stack([at_y, at_x], -1).reshape(-1, 2) + rng.normal(0, 20, (144, 2))
    first, second = np.full((2, n, n), 1e9, np.float32)
    stone = np.zeros((n, n), np.int32)
    for k, (sy, sx) in enumerate(seeds):
        d = np.hypot(y + bend[0] - sy, (x + bend[1] - sx)).astype(np.float32)
        closer = d < first
        second = np.where(closer, first, np.minimum(second, d))
        stone[closer] = k
        first = np.minimum(first, d)
    edge = np.clip((second - first) / 46, 0, 1)
    grain = fractal((n, n), 90, rng, 5, 0.65)
    height = 30 * np.sqrt(1 - (1 - edge) ** 2) + 2.2 * grain
    height = cv2.GaussianBlur(height.astype(np.float32), (0, 0), 1.6)
    slope_y, slope_x = np.gradient(height)
    normal = np.stack([-slope_x, -slope_y, np.ones_like(height)], -1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    sun = np.array([-0.5, -0.55, 0.67], np.float32)
    inks = np.stack(
        [color(c) for c in ("70757c", "a2988c", "84604f", "565c62", "c0b8aa", "78735f")]
    )
    inks = inks[rng.integers(0, 6, 144)] * rng.uniform(0.7, 1.2, (144, 1))
    ink = inks[stone] * (0.6 + 0.8 * grain)[..., None]
    deep = smooth(0.0, 0.35, edge)
    facing = np.clip(normal @ sun, 0, 1)
    half = (sun + [0, 0, 1]) / np.linalg.norm(sun + [0, 0, 1])
    gloss = np.clip(normal @ half, 0, 1) ** 60
    light = ink * (0.25 + 1.5 * facing)[..., None] * (0.12 + 0.88 * deep)[..., None]
    light += (0.55 * gloss * deep)[..., None]
    light = cv2.resize(
        light.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA
    )
    return develop(light, 0.9, 0, rng)


def gradient(rng: np.random.Generator) -> Picture:
    """Draw one smooth sweep of colors, without any grain to hide in."""
    y, x = spread(360, 640) / np.float32(360)
    light = paint(color("2b3a67"), color("e8c7a6"), smooth(-0.2, 1.1, y))
    for cx, cy, reach, ink in (
        (0.30, 0.95, 0.75, "f2a07b"),
        (1.55, 0.15, 0.80, "6f7fc0"),
        (0.95, 0.45, 0.60, "c98bb0"),
        (1.70, 1.00, 0.60, "f7d9a0"),
    ):
        near = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / reach**2)
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
