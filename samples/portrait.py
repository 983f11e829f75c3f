"""A stylized portrait: a head, hair and a sweater, painted and lit.

The figure is a union of soft solids; the face is painted on it as seen from its front.
Points, directions and distances are those of `solids`; `q` is a point as the head sees
it, turned so that the face looks along z.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from brushes import (
    Array,
    Picture,
    bloom,
    color,
    develop,
    over,
    paint,
    smooth,
    spectral,
    spread,
)
from numpy.typing import ArrayLike
from solids import (
    CHUNK,
    capsule,
    carve,
    dot,
    ellipsoid,
    join,
    march,
    mirrored,
    normals,
    openness,
    radius,
    ring,
    rotation,
    sunlight,
    union,
    unit,
    vector,
)

__all__ = ["portrait"]

WIDTH, HEIGHT = 768, 960
TOP, TALL = 1.75, 4.65  # the frame at z = 0
EYE = vector(0, -0.45, 12)
LAMP, BACK_LAMP = unit(vector(-0.72, 0.60, 0.66)), unit(vector(0.85, 0.35, -0.62))
HEAD, BODY, PARTING = rotation(-16, 3, -5), rotation(10, 0, 2), rotation(0, 0, 6)

# Hair falls from the crown; tables over the angle around it tell strands apart.
CROWN = unit(vector(0.06, 1, -0.12))
ACROSS = unit(np.cross(CROWN, vector(1, 0, 0), axis=0))
ALONG = np.cross(CROWN, ACROSS, axis=0)
LOCKS = spectral((1, 65536), (7, 44), 1.6, np.random.default_rng(3))[0]
FIBERS = spectral((1, 65536), (60, 360), 0.5, np.random.default_rng(5))[0]


def skin(p: Array) -> Array:
    """Model head, face and neck."""
    q = HEAD.T @ p
    m = mirrored(q)
    d = ellipsoid(q, (0, 0.27, -0.10), (0.78, 0.82, 0.88))
    d = join(d, ellipsoid(q, (0, -0.38, 0.14), (0.55, 0.58, 0.64)), 0.32)  # jaw
    d = join(d, ellipsoid(m, (0.33, -0.24, 0.46), (0.28, 0.28, 0.30)), 0.25)  # cheeks
    d = join(d, ellipsoid(q, (0, -0.86, 0.52), (0.14, 0.11, 0.13)), 0.26)  # chin
    d = carve(d, ellipsoid(m, (0.33, 0.02, 1.02), (0.24, 0.16, 0.22)), 0.22)  # eyes
    d = join(d, capsule(q, (0, 0.06, 0.74), (0, -0.13, 0.87), (0.045, 0.075)), 0.14)
    d = join(d, ellipsoid(m, (0.08, -0.175, 0.82), (0.05, 0.045, 0.06)), 0.05)  # nose
    d = join(d, ellipsoid(m, (0.07, -0.475, 0.735), (0.12, 0.035, 0.06)), 0.05)  # lips
    d = join(d, ellipsoid(q, (0, -0.565, 0.715), (0.13, 0.045, 0.07)), 0.05)
    return join(d, capsule(p, (0, -0.6, -0.15), (0, -1.7, -0.28), (0.33, 0.37)), 0.14)


def strand(q: Array, table: Array) -> Array:
    """Read what a table says for the strand of hair that runs down through `q`."""
    r = q - vector(0.10, 0.2, -0.1)
    angle = np.arctan2(dot(r, ACROSS), dot(r, ALONG)) + 0.1 * np.sin(2.6 * q[1] + 0.5)
    entry = (angle * (table.size / 2 / np.pi)).astype(np.int32) & table.size - 1
    return np.asarray(table[entry])


def hair(p: Array) -> Array:
    """Model a bob: a full shape, open before the face and hollow around the neck."""
    q = HEAD.T @ p
    x, y, z = q
    locks = strand(q, LOCKS) * 0.012
    d = ellipsoid(q, (0, 0.25, -0.14), (0.94, 0.96, 0.98))
    d = join(d, ellipsoid(q, (0, -0.42, -0.12), (0.98, 0.86, 0.80)), 0.40)
    d = d - locks * smooth(0.02, 0.35, radius(x - 0.1, z + 0.1))
    u, v, _ = PARTING.T @ np.stack([x - 0.07, y + 0.66, z])
    around = (1 - radius(u / 0.665, v / 1.23)) * 0.66
    behind = z + 0.16 + 0.10 * smooth(-0.2, -0.9, y)
    d = carve(d, -join(around, behind, 0.12), 0.10)
    d = carve(d, y + 1.08 + 0.12 * z - locks, 0.16)
    return carve(d, ellipsoid(q, (0, -1.05, 0), (0.66, 0.55, 0.56)), 0.10)


def cloth(p: Array) -> Array:
    """Model a knitted sweater with a rolled collar."""
    q = BODY.T @ p
    m = mirrored(q)
    d = capsule(m, (0, -1.95, -0.32), (0.98, -2.42, -0.36), (0.40, 0.40))
    d = join(d, ellipsoid(q, (0, -3.1, -0.25), (1.10, 1.30, 0.70)), 0.30)
    arm = capsule(m, (1.06, -2.50, -0.36), (1.34, -3.9, -0.2), (0.38, 0.33))
    d = join(d, arm, 0.25)
    wale, row = np.abs(np.sin(21 * q[0])), np.abs(np.cos(21 * q[0]))
    d = d - 0.016 * wale**0.7 * (0.6 + 0.4 * np.sin(44 * q[1] + 2.2 * row))
    high, low = ring(q, (0, -1.40, -0.23), 0.37), ring(q, (0, -1.70, -0.24), 0.41)
    ribs = np.cos(26 * np.arctan2(q[0], q[2] + 0.25))
    return join(d, join(high, low, 0.06) - 0.010 * ribs, 0.10)


FIGURE = union(skin, hair, cloth)


def hump(x: ArrayLike, middle: float, width: float) -> Array:
    """Rise to 1 in the middle, as a bell does."""
    return np.asarray(np.exp(-((np.subtract(x, middle) / width) ** 2)))


def line(distance: Array, half: ArrayLike, edge: float = 0.010) -> Array:
    """Draw a line of half that width where the distance is 0; 0..1."""
    return smooth(np.add(half, edge / 2), np.subtract(half, edge / 2), np.abs(distance))


def make_up(q: Array, base: Array) -> Array:
    """Paint cheeks, brows and mouth on the skin."""
    x, y = np.abs(q[0]), q[1]
    front = smooth(0.25, 0.5, q[2])
    flush = hump(x, 0.43, 0.17) * hump(y, -0.26, 0.13)
    flush = flush + 0.6 * hump(x, 0, 0.11) * hump(y, -0.12, 0.10)
    base = paint(base, color("e2705c"), 0.5 * flush * front)

    u = (x - 0.305) / 0.18  # -1 at the inner, 1 at the outer end of a brow
    half = 0.026 * (1 - 0.55 * smooth(-0.4, 1, u)) * smooth(-1.5, -0.7, u)
    brow = line(y - 0.262 + 0.05 * u**2 + 0.004 * u, half)
    brow *= smooth(1.1, 0.85, np.abs(u)) * front
    base = paint(base, color("3a221a"), 0.85 * brow)

    seam = y + 0.515 - 1.06 * x**2
    bow = np.sqrt(np.clip(1 - (x / 0.228) ** 2, 0, 1))
    upper = smooth(-0.010, 0.010, 0.060 * bow * (1 - 0.25 * hump(x, 0, 0.035)) - seam)
    lips = upper * smooth(-0.010, 0.012, seam + 0.095 * bow) * smooth(0.235, 0.20, x)
    base = paint(base, color("c65856"), 0.80 * lips * front)
    smile = line(seam, 0.010) * smooth(0.250, 0.20, x)
    return paint(base, color("5c1a1e"), 0.85 * smile * front)


def iris(across: Array, up: Array) -> Array:
    """Color an iris and its pupil around their center."""
    r, angle = radius(across, up), np.arctan2(up, across)
    ink = paint(color("64402a"), color("2c1812"), smooth(-0.04, 0.06, up))
    ink = ink * (1 + 0.18 * np.sin(angle * 23) * smooth(0.03, 0.07, r))[:, None]
    ink = paint(ink, color("180c0a"), smooth(0.080, 0.096, r))
    return paint(ink, color("080506"), smooth(0.050, 0.042, r))


def eyes(q: Array, base: Array) -> tuple[Array, Array, Array]:
    """Paint the eyes; return the colors, where an eye lies open, and its glints."""
    x, y, z = q
    front = smooth(0.25, 0.4, z)
    u = (np.abs(x) - 0.300) / 0.168  # -1 at the inner, 1 at the outer corner
    bow, tilt = np.clip(1 - u * u, 0, 1), y + 0.005 - 0.018 * u
    lid, brim = tilt - 0.118 * bow**0.62, tilt + 0.072 * bow**0.75
    opened = smooth(0.006, -0.006, lid) * smooth(-0.006, 0.006, brim)
    opened *= front * (np.abs(u) < 1)
    # Both irises lie off center the same way: she looks at the camera, not ahead.
    across, up = x - 0.300 * np.sign(x) - 0.022, y - 0.022
    eye = paint(color("eee4de"), color("c8968c"), 0.6 * smooth(0.7, 1.05, np.abs(u)))
    eye = paint(eye, iris(across, up), smooth(0.101, 0.094, radius(across, up)))
    eye *= 1 - 0.55 * smooth(-0.055, 0, lid)[:, None]
    base = paint(base, eye, opened)

    half = (0.020 + 0.010 * smooth(-0.6, 0.8, u)) * smooth(-1.1, -0.6, u)
    lash = line(lid - 0.03 * smooth(0.6, 1.15, u), half * smooth(1.22, 0.85, u))
    lash *= smooth(-1, -0.9, u) * smooth(1.2, 1.1, u) * front
    base = paint(base, color("221210"), 0.95 * lash)
    inner = smooth(1.1, 0.6, np.abs(u)) * front
    base = paint(base, color("783e34"), 0.5 * line(brim, 0.006) * inner)
    fold = line(y - 0.105 - 0.075 * bow - 0.01 * u, 0.006, 0.014)
    base = paint(base, color("96523f"), 0.45 * fold * inner)
    glint = smooth(0.026, 0.016, radius(across + 0.035, up - 0.038))
    glint += 0.5 * smooth(0.014, 0.006, radius(across - 0.035, up + 0.034))
    return base, opened, opened * np.minimum(glint, 1)


def shade(p: Array, view: Array) -> Array:
    """Return the light, shape (n, 3), that points of the figure send back."""
    part = np.argmin([skin(p), hair(p), cloth(p)], axis=0)[:, None]
    is_skin, is_hair = part == 0, part == 1
    q, normal = HEAD.T @ p, normals(FIGURE, p)
    sky_seen = openness(FIGURE, p, normal)
    lamp_seen = sunlight(FIGURE, p + normal * np.float32(0.02), LAMP)
    facing = dot(normal, LAMP)
    ink, opened, glint = eyes(q, make_up(q, np.tile(color("e2a68c"), (len(part), 1))))
    streak = 0.5 + 0.13 * strand(q, FIBERS) + 0.1 * strand(q, LOCKS)
    locks = paint(color("32180f"), color("7c4024"), 0.6 * streak)
    ink = np.where(is_skin, ink, np.where(is_hair, locks, color("3a6a70")))

    # Light wanders under skin, red the farthest, and softens the edge of the shadow.
    plain = np.clip((facing + 0.08) / 1.08, 0, 1)[:, None]
    wrapped = np.clip((facing + 0.28) / 1.28, 0, 1)[:, None]
    bleeding = smooth([-0.45, -0.20, -0.12], 0.9, facing[:, None])
    lamp = np.where(is_skin, 0.65 * wrapped + 0.35 * bleeding, plain)
    lamp = lamp * 2.1 * color("fff0e4") * np.power.outer(lamp_seen, [0.75, 1, 1.08])
    sky = paint(color("785448"), color("96aac8"), 0.5 + 0.5 * normal[1])
    sky = sky * np.power.outer(sky_seen, [0.8, 1, 1.1])
    back = np.clip(dot(normal, BACK_LAMP), 0, 1) * sky_seen**2
    back = back * smooth(0, 0.5, 1 + dot(normal, view))
    light = ink * (lamp + sky + 1.4 * back[:, None] * color("ffbe8c"))

    half = unit(LAMP - view)
    mirror = np.clip(dot(normal, half), 0, 1)
    gloss = 0.10 * (mirror**22 + mirror**70) * lamp_seen * (1 - opened)
    tangent = unit(CROWN - normal * dot(normal, CROWN))
    level = np.sqrt(np.clip(1 - dot(tangent, half) ** 2, 0, 1))
    sheen = (0.30 * level**90 + 0.10 * level**18) * (0.1 + 0.9 * streak)
    sheen = sheen * (0.25 + 0.75 * lamp_seen) * smooth(-0.1, 0.5, facing)
    grazing = 0.18 * (1 - np.clip(-dot(normal, view), 0, 1)) ** 4 * sky_seen
    light += is_skin * (gloss + 1.1 * glint)[:, None]
    light += is_hair * sheen[:, None] * color("ffcaa0")
    return np.asarray(light + grazing[:, None] * color("dcc8c8"))


def trace(x: Array, y: Array, start: Array) -> tuple[Array, Array]:
    """Look through points of the frame; return light with coverage, and depth."""
    layer = np.zeros((x.size, 4), np.float32)
    views = unit(np.stack([x, y, np.zeros_like(x)]) - EYE)
    hit, depth = march(FIGURE, EYE, views, start)
    seen = np.flatnonzero(hit)
    for k in range(0, seen.size, CHUNK):
        part = seen[k : k + CHUNK]
        view = views[:, part]
        layer[part, :3] = shade(EYE + view * depth[part], view)
        layer[part, 3] = 1
    return layer, depth


def figure() -> Array:
    """Render the figure, its edges four times; shape (height, width, 4)."""
    pixel = np.float32(TALL / HEIGHT)
    row, column = (a.ravel() for a in spread(HEIGHT, WIDTH))

    def frame(right: float, down: float, which: Any = ...) -> tuple[Array, Array]:
        x = (column[which] + np.float32(0.5 + right - WIDTH / 2)) * pixel
        return x, TOP - (row[which] + np.float32(0.5 + down)) * pixel

    def contrast(a: Array) -> Array:
        cell = np.ones((3, 3), np.uint8)
        wide = a.reshape(HEIGHT, WIDTH, -1)
        steps = cv2.morphologyEx(wide, cv2.MORPH_GRADIENT, cell)
        return np.asarray(steps.reshape(a.shape), np.float32)

    layer, depth = trace(*frame(0, 0), np.full(row.size, 10))
    tone = np.sqrt(np.clip(layer[:, :3], 0, 1))
    edge = np.flatnonzero((contrast(tone).max(1) > 0.13) | (contrast(depth) > 0.06))
    around = ((-0.36, -0.12), (0.12, -0.36), (0.36, 0.12), (-0.12, 0.36))
    start = cv2.erode(depth.reshape(HEIGHT, WIDTH), np.ones((3, 3))).ravel() - 0.05
    again = [trace(*frame(*shift, edge), start[edge])[0] for shift in around]
    layer[edge] = np.mean(np.minimum(again, 1.5), axis=0)
    return layer.reshape(HEIGHT, WIDTH, 4)


def backdrop(rng: np.random.Generator) -> Array:
    """Paint an evening far out of focus."""
    y, x = spread(HEIGHT, WIDTH)
    u, v = x / WIDTH, y / HEIGHT
    light = paint(color("463e42"), color("42302c"), v)
    for cx, cy, rx, ry, ink, share in (
        (0.08, 0.18, 0.38, 0.34, "face96", 0.8),
        (0.95, 0.55, 0.30, 0.50, "965438", 0.6),
        (0.90, 0.05, 0.40, 0.22, "182c3a", 0.8),
        (0.10, 0.95, 0.40, 0.30, "1e323c", 0.8),
    ):
        light = paint(light, color(ink), share * hump(u, cx, rx) * hump(v, cy, ry))
    lights = np.zeros_like(light)
    for _ in range(34):
        cx, cy = rng.random() * WIDTH, rng.random() ** 1.2 * HEIGHT * 0.8
        size, power = 18 + 34 * rng.random(), 0.05 + 0.22 * rng.random() ** 2
        ink = ("ffc478", "ffe2b4", "96c8d2", "f08c5a")[rng.integers(4)]
        r = radius(x - cx, y - cy) / size
        disc = smooth(1.04, 0.96, r) * (0.55 + 0.45 * r**4) * power
        lights += disc[..., None] * color(ink)
    return np.asarray(light + cv2.GaussianBlur(lights, (0, 0), 2.2))


def portrait(rng: np.random.Generator) -> Picture:
    """Draw a young woman in a knitted sweater before the lights of an evening."""
    light = over(backdrop(rng), figure())
    return develop(bloom(light, 19, 0.08), 0.66, 0, rng)
