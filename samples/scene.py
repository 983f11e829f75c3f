"""A landscape: an eroded height map seen in perspective, with forest, lake and grass.

The terrain is a square map, one unit wide, read along one fan of sight lines per column
of the picture: depth goes down the rows of the arrays `(depth, column)`. Of all that
lies along a sight line, the running minimum of the projected height is what shows.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from brushes import (
    Array,
    Picture,
    color,
    develop,
    fractal,
    lookup,
    mix,
    octave,
    over,
    paint,
    smooth,
    spectral,
    spread,
)
from numpy.typing import NDArray

__all__ = ["scene"]

WIDTH, HEIGHT, HORIZON, SHORE = 1024, 768, 400, 520
FINE = 2  # samples a pixel, each way
SIZE = 1536  # of the map
EYE = 0.012  # height of the camera over the water
SUN = np.array([-0.77, 0.37, -0.52], np.float32)  # on the map: right, up, away
SUN_X = 0.18  # where it stands over the picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """The land from above: heights, slopes and what the sun reaches."""

    height: Array
    right: Array
    away: Array
    sun: Array
    rock: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What each pixel below the sky shows; every array (rows, columns)."""

    land: NDArray[np.bool_]
    depth: Array
    u: Array
    v: Array
    height: Array
    tree: Array
    wood: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Grass:
    """Blades, one a row, the first the farthest; lengths in pixels."""

    roots: Array
    heights: Array
    widths: Array
    inks: Array
    seeds: float  # share of blades that bear seeds


def eroded(cells: float, rng: np.random.Generator) -> Array:
    """Sum noise whose detail fades on slopes, which leaves ridges and gullies."""
    height, right, down = np.zeros((3, SIZE, SIZE), np.float32)
    for k in range(9):
        layer = octave((SIZE, SIZE), cells * 2**k, rng) * np.float32(0.5**k)
        right += cv2.Sobel(layer, cv2.CV_32F, 1, 0, scale=SIZE / cells / 8)
        down += cv2.Sobel(layer, cv2.CV_32F, 0, 1, scale=SIZE / cells / 8)
        height += layer / (1 + 0.9 * (right**2 + down**2))
    height -= height.min()
    return np.asarray(height / height.max())


def terrain(rng: np.random.Generator) -> Map:
    """Raise mountains on both sides of a valley with a lake before it."""
    away, right = (v / np.float32(SIZE) for v in spread(SIZE, SIZE))
    height = eroded(5, rng) ** 1.15 * (0.11 + 0.27 * smooth(0.05, 0.8, away))
    valley = smooth(0.02, 0.34, np.abs(right - 0.53) + 0.06 * np.sin(away * 9))
    height *= 0.35 + 0.65 * valley + 0.25 * smooth(0.7, 0.95, away)
    height *= smooth(1.0, 0.82, right)
    bays = 0.020 * np.sin(right * 31) + 0.015 * np.sin(right * 67 + 1)
    dry = smooth(0.15, 0.25, away + 0.44 * (right - 0.5) ** 2 + bays)
    height = height * dry - 0.004 * (1 - dry)
    to_away, to_right = np.gradient(height * SIZE)
    facing = SUN[1] - SUN[0] * to_right - SUN[2] * to_away
    facing = np.clip(facing / np.sqrt(1 + to_right**2 + to_away**2), 0, 1)
    # The sun stands on the left: a place is lit when no ray along its row is cut off.
    ray = height + np.float32(0.30 / SIZE) * np.arange(SIZE, dtype=np.float32)
    cut = cv2.GaussianBlur(ray - np.maximum.accumulate(ray, axis=1), (0, 0), 1.2)
    return Map(
        height=height,
        right=to_right,
        away=to_away,
        sun=facing * smooth(-0.006, 0, cut),
        rock=fractal((SIZE, SIZE), 40, rng),
    )


def spires(u: Array, v: Array, rng: np.random.Generator) -> Array:
    """Plant one cone in each cell of the map, at random; heights 0..1."""
    column, row = np.floor(u).astype(np.int32), np.floor(v).astype(np.int32)
    place, tall = rng.random((2, 64, 64), np.float32)
    highest = np.zeros_like(u)
    for neighbor in (-1, 0, 1):
        cell = (column + neighbor) & 63, row & 63
        offset = np.abs(u - column - neighbor - place[cell])
        cone = (0.55 + 0.45 * tall[cell]) * np.clip(1 - offset / 0.75, 0, 1)
        highest = np.maximum(highest, cone)
    return highest


def view(land: Map, rng: np.random.Generator) -> Ground:
    """Look over the land from the near shore."""
    columns, horizon = WIDTH * FINE, HORIZON * FINE
    focal = np.float32(1.12 * columns)
    depth = np.geomspace(0.10, 1.30, 1800).astype(np.float32)[:, None]
    slope = (np.arange(columns, dtype=np.float32) + 0.5 - columns / 2) / focal
    u, v = 0.5 + depth * slope, np.broadcast_to(depth * 0.72 - 0.02, (1800, columns))
    inside = np.clip(u, 0, 0.999), np.clip(v, 0, 0.999)
    height = lookup(land.height, *inside)
    steep = lookup(np.hypot(land.right, land.away), *inside)
    patches = lookup(fractal((SIZE, SIZE), 24, rng, 5), *inside)
    wood = smooth(0.11, 0.05, height + 0.16 * (patches - 0.42))
    wood *= smooth(1.2, 0.7, steep) * smooth(0.0002, 0.0012, height)
    tree = spires(depth * slope * 700 + 500, v * 535, rng)
    height = height + tree * wood * np.float32(0.0042)
    top = np.minimum.accumulate(horizon - focal * (height - EYE) / depth, axis=0)
    rows = np.arange(SHORE * FINE, dtype=np.float32) + 0.5
    first = np.stack([np.searchsorted(-c, -rows) for c in top.T], 1)
    found = np.minimum(first, len(depth) - 1), np.arange(columns)[None]
    return Ground(
        land=(first < len(depth)) & (height[found] > 0),
        depth=np.broadcast_to(depth, u.shape)[found],
        u=inside[0][found],
        v=inside[1][found],
        height=height[found],
        tree=tree[found],
        wood=wood[found],
    )


def sky(rng: np.random.Generator) -> Array:
    """Paint a morning sky with clouds, down to the far shore."""
    y, x = spread(SHORE * FINE, WIDTH * FINE)
    up, x = 1 - y / (HORIZON * FINE), x / (WIDTH * FINE)
    light = paint(color("fad6b2"), color("b0c4d8"), smooth(0, 0.38, up))
    light = paint(light, color("3f72b0"), smooth(0.25, 1.15, up))
    far = np.hypot((x - SUN_X) * 1.4, 0.18 - 0.52 * up)
    glow = 0.55 * np.exp(-far / 0.16) + 0.18 * np.exp(-far / 0.5)
    light += glow[..., None] * color("ffce8c")
    # Clouds lie on a plane above, so they shrink toward the horizon.
    away = 1 / (0.12 + 0.9 * np.maximum(up, 0))
    puffs = fractal((2048, 2048), 9, rng, 8, 0.54)
    u, v = (x - 0.5) * away * 0.34 + 0.5, away * 0.14
    thick, sunward = lookup(puffs, u, v), lookup(puffs, u + 0.013, v + 0.005)
    bright = np.clip(0.62 + 3.2 * (thick - sunward), 0, 1.2)
    cloud = paint(color("80849a"), color("ffeed8") * 1.15, bright)
    cloud = paint(cloud, light, 0.75 * smooth(0.30, 0.02, up))
    return paint(light, cloud, 0.92 * smooth(0.5, 0.72, thick) * smooth(0, 0.18, up))


def landscape(rng: np.random.Generator) -> tuple[Array, Array]:
    """Color the land under the sky; return the light and the share of land."""
    land = terrain(rng)
    seen = view(land, rng)
    at = seen.u, seen.v
    sun, rock = lookup(land.sun, *at), lookup(land.rock, *at) - 0.5
    steep = lookup(np.hypot(land.right, land.away), *at)
    ink = paint(color("4e4c50"), color("8c8680"), rock + 0.5)
    turf = paint(color("3e4a22"), color("86783c"), smooth(-0.2, 0.2, rock))
    low = smooth(0.19, 0.11, seen.height + 0.1 * rock)
    ink = paint(ink, turf, low * smooth(1.5, 0.85, steep + 1.2 * rock))
    high = smooth(0.13, 0.17, seen.height + 0.1 * rock)
    ink = paint(ink, color("ecf0f6"), high * smooth(1.7, 1.0, steep + 1.2 * rock))
    firs = paint(color("18221a"), color("42522c"), seen.tree**1.5)
    ink = paint(ink, firs, seen.wood)
    sun *= mix(1, 0.5 + 0.5 * seen.tree, seen.wood)
    flat = 1 / np.sqrt(1 + steep**2)
    warm = color("ffdeb4") * 2.6 * sun[..., None]
    light: Array = ink * (warm + color("8ca8cc") * (0.38 + 0.27 * flat)[..., None])
    # Haze lies thickest over the water and takes the color of the sky behind it.
    veil = 0.75 + 1.6 * np.exp(-np.maximum(seen.height, 0) / 0.03)
    x = np.linspace(0, 1, WIDTH * FINE, dtype=np.float32)
    air = paint(color("90aed2"), color("fcd0a4"), np.exp(-(((x - SUN_X) / 0.38) ** 2)))
    light = paint(air * 0.9, light, np.exp(-((seen.depth * 0.74) ** 1.8) * veil))
    whole = np.where(seen.land[..., None], light, sky(rng))
    return shrunk(whole), shrunk(seen.land.astype(np.float32))


def lake(far: Array, land: Array, rng: np.random.Generator) -> Array:
    """Fill the picture below the shore with rippled water that mirrors the rest."""
    y, x = spread(HEIGHT, WIDTH)
    shore = np.where(land > 0.5, y[:SHORE], HORIZON).max(0)[None]
    shore = cv2.GaussianBlur(shore, (0, 0), 3)
    near = np.clip((y - HORIZON) / (HEIGHT - HORIZON), 0, 1)
    away = 1 / (0.03 + near)
    waves = spectral((1024, 1024), (24, 512), 1.25, rng) * np.float32(0.16)
    wave = lookup(waves, (x - WIDTH / 2) * away * 0.00014, away * 0.41) * near
    breeze = cv2.resize(fractal((96, 32), 3, rng, 3), (WIDTH, HEIGHT))
    from_y = 2 * shore - y + wave * (60 + 160 * smooth(0.42, 0.62, breeze))
    from_y = np.abs(np.minimum(from_y, shore - 3))
    mirror = cv2.remap(
        far, x + wave * 14, from_y, cv2.INTER_LINEAR, None, cv2.BORDER_REFLECT
    )
    tinted = np.asarray(mirror * np.array([0.92, 0.97, 1]), np.float32)
    light = paint(color("18343e"), tinted, mix(0.92, 0.42, smooth(0, 0.9, near)))
    light[:SHORE] = paint(light[:SHORE], far, np.maximum(land, y[:SHORE] < shore - 1))
    return light


def shrunk(picture: Array) -> Array:
    """Bring a finely sampled picture to its final width."""
    height = picture.shape[0] // FINE
    small = cv2.resize(picture, (WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)


def grown(grass: Grass, rng: np.random.Generator) -> Array:
    """Draw tapered, bending blades, the first the farthest, and some seed heads."""
    layer = np.zeros((HEIGHT * FINE, WIDTH * FINE, 4), np.float32)
    unit = 16 * FINE  # OpenCV takes points in sixteenths of a pixel
    t = np.linspace(0, 1, 7)
    drop = np.linspace(10, -10, 10)
    for (x, y), h, w, ink in zip(
        grass.roots, grass.heights, grass.widths, grass.inks, strict=True
    ):
        lean = rng.normal(0.2, 0.28)
        bend = np.stack([lean * t**2, -t * (1 - 0.25 * abs(lean) * t)], axis=1)
        spine = [x, y] + h * bend
        half = np.stack([w * (1 - t**1.5) + 0.2, 0 * t], axis=1)
        outline = np.concatenate([spine - half, (spine + half)[::-1]])
        points = [np.round(outline * unit).astype(np.int32)]
        cv2.fillPoly(layer, points, (*ink.tolist(), 1.0), cv2.LINE_AA, 4)
        if rng.random() < grass.seeds:
            head = (color("ecbe78") * (0.5 + 0.7 * rng.random())).tolist()
            ear = spine[-1] + np.stack([lean * drop, -drop], axis=1)
            ear += rng.normal(0, 0.8, ear.shape)
            for at in np.round(ear * unit).astype(int).tolist():
                cv2.circle(layer, at, 20 * FINE, (*head, 1.0), -1, cv2.LINE_AA, 4)
    return shrunk(layer)


def bank(light: Array, rng: np.random.Generator) -> Array:
    """Grow a meadow along the lower edge, its nearest blades out of focus."""
    y, x = spread(HEIGHT, WIDTH)

    def edge(x: Array) -> Array:
        left, right = smooth(0.5, 0, x / WIDTH), smooth(0.72, 1, x / WIDTH)
        return HEIGHT - 8 - 70 * left - 34 * right

    light = paint(light, color("10160a"), smooth(-10, 30, y - edge(x)))
    a, b, c, d, e, f = rng.random((6, 3200), np.float32)
    at_x = c * (WIDTH + 80) - 40
    at_y = mix(edge(at_x), HEIGHT + 60, d**0.7)
    near = np.clip((at_y - HEIGHT + 110) / 150, 0, 1)
    green = paint(color("0c1608"), color("55662a"), a**1.3)
    order = np.argsort(at_y)
    meadow = Grass(
        roots=np.stack([at_x, at_y], axis=1)[order],
        heights=(60 * (0.5 + 0.7 * e) * (0.55 + 0.7 * near))[order],
        widths=(0.8 + 1.5 * near * f)[order],
        inks=paint(green, color("c8a456"), b**5)[order],
        seeds=0.04,
    )
    a, b, c, d, e = rng.random((5, 80), np.float32)
    at_x = np.where(b < 0.65, c * 190 - 30, WIDTH + 20 - c * 130)
    close = Grass(
        roots=np.stack([at_x, np.full_like(at_x, HEIGHT + 40)], axis=1),
        heights=90 + 190 * d,
        widths=2.5 + 4 * e,
        inks=paint(color("10180a"), color("66702c"), a**2),
        seeds=0,
    )
    light = over(light, grown(meadow, rng))
    blurred = cv2.GaussianBlur(grown(close, rng), (0, 0), 5.5)
    return over(light, np.asarray(blurred))


def scene(rng: np.random.Generator) -> Picture:
    """Draw a mountain lake on a hazy morning."""
    light = bank(lake(*landscape(rng), rng), rng)
    return develop(light, 0.95, 1.2, rng)
