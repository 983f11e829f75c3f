"""A stylized portrait: solids given by signed distances, marched, lit and painted.

Points and directions have the shape (3, n): x to the right, y up, z to the camera. The
head is about two units high; distances (n,) are negative inside. The distance formulas
and the soft minimum follow I. Quilez, "Distance functions" and "Smooth minimum".
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray
from brushes import (
    Array,
    Picture,
    bloom,
    color,
    develop,
    mix,
    paint,
    smooth,
    spectral,
    spread,
)

__all__ = ["portrait"]

WIDTH, HEIGHT = 768, 960
TOP, TALL = 1.75, 4.65  # the frame at z = 0, in units
CHUNK = 16384  # points at a time, so that they stay in the cache


def vector(x: float, y: float, z: float) -> Array:
    return np.array([[x], [y], [z]], np.float32)


def dot(a: Array, b: Array) -> Array:
    return (a * b).sum(0)


def length(p: Array) -> Array:
    return np.sqrt(dot(p, p))


def radius(a: Array, b: Array) -> Array:
    return np.sqrt(a * a + b * b)


def unit(p: Array) -> Array:
    return p / (length(p) + 1e-9)


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    a, b, c = np.radians([yaw, pitch, roll])
    y = [[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
    x = [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    z = [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]
    return (np.array(y) @ x @ z).astype(np.float32)


HEAD, BODY, PART = rotation(-16, 3, -5), rotation(10, 0, 2), rotation(0, 0, 6)
CROWN = unit(vector(0.06, 1, -0.12))
ACROSS = unit(np.cross(CROWN, vector(1, 0, 0), axis=0))
ALONG = np.cross(CROWN, ACROSS, axis=0)
LOCKS, FIBERS = (
    spectral((1, 65536), band, slope, np.random.default_rng(seed))[0]
    for seed, band, slope in ((3, (7, 44), 1.6), (5, (60, 360), 0.5))
)
CAMERA = vector(0, -0.45, 12)
KEY, RIM = unit(vector(-0.72, 0.60, 0.66)), unit(vector(0.85, 0.35, -0.62))


def ellipsoid(p: Array, center: tuple[float, ...], radii: tuple[float, ...]) -> Array:
    q = (p - vector(*center)) / vector(*radii)
    k = length(q)
    return k * (k - 1) / (length(q / vector(*radii)) + 1e-6)


def capsule(
    p: Array,
    a: tuple[float, float, float],
    b: tuple[float, float, float],
    radii: tuple[float, float],
) -> Array:
    start, axis = vector(*a), vector(*b) - vector(*a)
    h = np.clip(dot(p - start, axis) / dot(axis, axis), 0, 1)
    return length(p - start - axis * h) - mix(radii[0], radii[1], h)


def roll(p: Array, center: tuple[float, float, float], size: float) -> Array:
    x, y, z = p - vector(*center)
    return radius(radius(x, z) - size, y / 1.45) - 0.16


def join(a: Array, b: Array, soft: float) -> Array:
    h = np.maximum(soft - np.abs(a - b), 0) / soft
    return np.minimum(a, b) - h * h * (soft / 4)


def carve(a: Array, b: Array, soft: float) -> Array:
    return -join(-a, b, soft)


def mirrored(p: Array) -> Array:
    return np.stack([np.abs(p[0]), p[1], p[2]])


def skin(p: Array) -> Array:
    q = HEAD.T @ p
    m = mirrored(q)
    d = ellipsoid(q, (0, 0.27, -0.10), (0.78, 0.82, 0.88))
    d = join(d, ellipsoid(q, (0, -0.38, 0.14), (0.55, 0.58, 0.64)), 0.32)
    d = join(d, ellipsoid(m, (0.33, -0.24, 0.46), (0.28, 0.28, 0.30)), 0.25)  # cheeks
    d = join(d, ellipsoid(q, (0, -0.86, 0.52), (0.14, 0.11, 0.13)), 0.26)  # chin
    d = carve(d, ellipsoid(m, (0.33, 0.02, 1.02), (0.24, 0.16, 0.22)), 0.22)  # eyes
    d = join(d, capsule(q, (0, 0.06, 0.74), (0, -0.13, 0.87), (0.045, 0.075)), 0.14)
    d = join(d, ellipsoid(m, (0.08, -0.175, 0.82), (0.05, 0.045, 0.06)), 0.05)
    d = join(d, ellipsoid(m, (0.07, -0.475, 0.735), (0.12, 0.035, 0.06)), 0.05)  # lips
    d = join(d, ellipsoid(q, (0, -0.565, 0.715), (0.13, 0.045, 0.07)), 0.05)
    return join(d, capsule(p, (0, -0.6, -0.15), (0, -1.7, -0.28), (0.33, 0.37)), 0.14)


def strand(q: Array, table: Array) -> Array:
    """Read what a table says for the strand of hair that runs down through `q`."""
    r = q - vector(0.10, 0.2, -0.1)
    azimuth = np.arctan2(dot(r, ACROSS), dot(r, ALONG)) + 0.1 * np.sin(2.6 * q[1] + 0.5)
    return table[(azimuth * (table.size / 2 / np.pi)).astype(np.int32) & table.size - 1]


def hair(p: Array) -> Array:
    q = HEAD.T @ p
    x, y, z = q
    locks = strand(q, LOCKS) * 0.012
    d = join(
        ellipsoid(q, (0, 0.25, -0.14), (0.94, 0.96, 0.98)),
        ellipsoid(q, (0, -0.42, -0.12), (0.98, 0.86, 0.80)),
        0.40,
    )
    d = d - locks * smooth(0.02, 0.35, radius(x - 0.1, z + 0.1))
    u, v, _ = PART.T @ np.stack([x - 0.07, y + 0.66, z])
    window = (radius(u / 0.665, v / 1.23) - 1) * 0.66
    behind = -0.16 - z - 0.10 * smooth(-0.2, -0.9, y)
    d = carve(d, -join(-window, -behind, 0.12), 0.10)
    d = carve(d, y + 1.08 + 0.12 * z - locks, 0.16)
    return carve(d, ellipsoid(q, (0, -1.05, 0), (0.66, 0.55, 0.56)), 0.10)


def cloth(p: Array) -> Array:
    q = BODY.T @ p
    m = mirrored(q)
    d = capsule(m, (0, -1.95, -0.32), (0.98, -2.42, -0.36), (0.40, 0.40))
    d = join(d, ellipsoid(q, (0, -3.1, -0.25), (1.10, 1.30, 0.70)), 0.30)
    arm = capsule(m, (1.06, -2.50, -0.36), (1.34, -3.9, -0.2), (0.38, 0.33))
    d = join(d, arm, 0.25)
    wale, row = np.abs(np.sin(21 * q[0])), np.abs(np.cos(21 * q[0]))
    d = d - 0.016 * wale**0.7 * (0.6 + 0.4 * np.sin(44 * q[1] + 2.2 * row))
    neck = join(
        roll(q, (0, -1.40, -0.23), 0.37), roll(q, (0, -1.70, -0.24), 0.41), 0.06
    )
    ribs = np.cos(26 * np.arctan2(q[0], q[2] + 0.25))
    return join(d, neck - 0.010 * ribs, 0.10)


SOLIDS = (skin, hair, cloth)


def surface(p: Array) -> Array:
    """Return the distance to the nearest solid, a cacheful of points at a time."""
    distance = np.empty(p.shape[1], np.float32)
    for start in range(0, distance.size, CHUNK):
        some = p[:, start : start + CHUNK]
        nearest = np.minimum(skin(some), np.minimum(hair(some), cloth(some)))
        distance[start : start + CHUNK] = nearest
    return distance


def march(direction: Array) -> tuple[NDArray[np.bool_], Array]:
    """Walk from the camera to the surface; return which rays arrive, and how far."""
    far = np.full(direction.shape[1], 10, np.float32)
    hit = np.zeros(far.size, bool)
    alive = np.arange(far.size)
    for _ in range(60):
        step = surface(CAMERA + direction[:, alive] * far[alive])
        far[alive] += step * 0.85
        hit[alive[step < 0.0015]] = True
        alive = alive[(step >= 0.0015) & (far[alive] < 14.5)]
        if not alive.size:
            break
    return hit, far


def normals(p: Array) -> Array:
    corners = (vector(1, -1, -1), vector(-1, -1, 1), vector(-1, 1, -1), vector(1, 1, 1))
    slope = [k * surface(p + k * np.float32(0.004)) for k in corners]
    return unit(np.sum(slope, 0))


def openness(p: Array, n: Array) -> Array:
    """Estimate how much of the sky a point sees, 0..1."""
    shade = np.zeros(p.shape[1], np.float32)
    for k, h in enumerate((0.04, 0.10, 0.20, 0.36, 0.60)):
        shade += np.maximum(h - surface(p + n * np.float32(h)), 0) / h * 0.62**k
    return np.clip(1 - 0.52 * shade, 0, 1)


def sunlight(p: Array, direction: Array) -> Array:
    """Estimate how much of a wide lamp a point sees, 0..1."""
    seen = np.ones(p.shape[1], np.float32)
    t = np.full(p.shape[1], 0.05, np.float32)
    for _ in range(18):
        gap = surface(p + direction * t)
        seen = np.minimum(seen, 0.5 + 2.5 * gap / t)
        t += np.clip(gap, 0.03, 0.25)
    return smooth(0, 1, seen)


def hump(x: Array, middle: float, width: float) -> Array:
    return np.exp(-(((x - middle) / width) ** 2))


def line(distance: Array, half: ArrayLike, edge: float = 0.010) -> Array:
    return smooth(np.add(half, edge / 2), np.subtract(half, edge / 2), np.abs(distance))


def make_up(q: Array, base: Array) -> Array:
    """Paint cheeks, brows and mouth on the skin, seen from the front of the head."""
    x, (_, y, z) = np.abs(q[0]), q
    front = smooth(0.25, 0.5, z)
    flush = hump(x, 0.43, 0.17) * hump(y, -0.26, 0.13) + 0.6 * hump(x, 0, 0.11) * hump(
        y, -0.12, 0.10
    )
    base = paint(base, color("e2705c"), 0.5 * flush * front)
    u = (x - 0.305) / 0.18
    arch = y - 0.262 + 0.05 * u**2 + 0.004 * u
    hairs = line(arch, 0.026 * (1 - 0.55 * smooth(-0.4, 1, u)) * smooth(-1.5, -0.7, u))
    base = paint(
        base, color("3a221a"), 0.85 * hairs * smooth(1.1, 0.85, np.abs(u)) * front
    )
    bow = np.sqrt(np.clip(1 - (x / 0.228) ** 2, 0, 1))
    seam = y + 0.515 - 1.06 * x**2
    above = 0.060 * bow * (1 - 0.25 * hump(x, 0, 0.035))
    lips = smooth(-0.010, 0.010, above - seam) * smooth(
        -0.010, 0.012, seam + 0.095 * bow
    )
    corner = smooth(0.235, 0.20, x) * front
    base = paint(base, color("c65856"), 0.80 * lips * corner)
    return paint(
        base,
        color("5c1a1e"),
        0.85 * line(seam, 0.010) * smooth(0.250, 0.20, x) * front,
    )


def eyes(q: Array, base: Array) -> tuple[Array, Array, Array]:
    """Paint the eyes; return the colors, where an eye lies open, and its glints."""
    x, y, z = q
    front = smooth(0.25, 0.4, z)
    u = (np.abs(x) - 0.300) / 0.168  # -1 at the inner, 1 at the outer corner
    bow = np.clip(1 - u * u, 0, 1)
    tilt = y + 0.005 - 0.018 * u
    lid, brim = tilt - 0.118 * bow**0.62, tilt + 0.072 * bow**0.75
    opened = smooth(0.006, -0.006, lid) * smooth(-0.006, 0.006, brim) * front
    opened = opened * (np.abs(u) < 1)
    # Both irises lie off center the same way: she looks at the camera, not ahead.
    across, up = x - 0.300 * np.sign(x) - 0.022, y - 0.022
    r, angle = radius(across, up), np.arctan2(up, across)
    white = paint(color("eee4de"), color("c8968c"), 0.6 * smooth(0.7, 1.05, np.abs(u)))
    iris = paint(color("64402a"), color("2c1812"), smooth(-0.04, 0.06, up))
    iris *= 1 + 0.18 * (np.sin(angle * 23) * smooth(0.03, 0.07, r))[:, None]
    iris = paint(iris, color("180c0a"), smooth(0.080, 0.096, r))
    iris = paint(iris, color("080506"), smooth(0.050, 0.042, r))
    eye = paint(white, iris, smooth(0.101, 0.094, r))
    eye *= 1 - 0.55 * smooth(-0.055, 0, lid)[:, None]
    base = paint(base, eye, opened)
    thick = 0.020 + 0.010 * smooth(-0.6, 0.8, u)
    lash = line(
        lid - 0.03 * smooth(0.6, 1.15, u),
        thick * smooth(-1.1, -0.6, u) * smooth(1.22, 0.85, u),
    )
    base = paint(
        base,
        color("221210"),
        0.95 * lash * smooth(-1, -0.9, u) * smooth(1.2, 1.1, u) * front,
    )
    rest = smooth(1.1, 0.6, np.abs(u)) * front
    base = paint(base, color("783e34"), 0.5 * line(brim, 0.006) * rest)
    fold = y - 0.105 - 0.075 * bow - 0.01 * u
    base = paint(base, color("96523f"), 0.45 * line(fold, 0.006, 0.014) * rest)
    glint = smooth(0.026, 0.016, radius(across + 0.035, up - 0.038))
    glint += 0.5 * smooth(0.014, 0.006, radius(across - 0.035, up + 0.034))
    return base, opened, opened * np.minimum(glint, 1)


def shade(p: Array, view: Array) -> Array:
    """Return the light, shape (n, 3), that points of the surface send back."""
    part = np.argmin([solid(p) for solid in SOLIDS], 0)
    is_skin, is_hair = (part == 0)[:, None], (part == 1)[:, None]
    n, q = normals(p), HEAD.T @ p
    open_sky, seen = openness(p, n), sunlight(p + n * np.float32(0.02), KEY)
    facing = dot(n, KEY)
    painted, opened, glint = eyes(
        q, make_up(q, np.tile(color("e2a68c"), (part.size, 1)))
    )
    streak = 0.5 + 0.13 * strand(q, FIBERS) + 0.1 * strand(q, LOCKS)
    locks = paint(color("32180f"), color("7c4024"), 0.6 * streak)
    albedo = np.where(is_skin, painted, np.where(is_hair, locks, color("3a6a70")))

    # Light wanders under skin, red the farthest, and softens the edge of the shadow.
    plain = np.clip((facing + 0.08) / 1.08, 0, 1)[:, None]
    wrapped = np.clip((facing + 0.28) / 1.28, 0, 1)[:, None]
    bleed = smooth([-0.45, -0.20, -0.12], 0.9, facing[:, None])
    key = np.where(is_skin, 0.65 * wrapped + 0.35 * bleed, plain)
    key = 2.1 * color("fff0e4") * key * seen[:, None] ** np.float32([0.75, 1, 1.08])
    sky = paint(color("785448"), color("96aac8"), 0.5 + 0.5 * n[1])
    sky *= open_sky[:, None] ** np.float32([0.8, 1, 1.1])
    back = np.clip(dot(n, RIM), 0, 1) * smooth(0, 0.5, 1 + dot(n, view)) * open_sky**2
    light = albedo * (key + sky + 1.4 * color("ffbe8c") * back[:, None])

    half = unit(KEY - view)
    mirror = np.clip(dot(n, half), 0, 1)
    gloss = (0.10 * mirror**22 + 0.10 * mirror**70) * seen * (1 - opened)
    tangent = unit(CROWN - n * dot(n, CROWN))
    along = np.sqrt(np.clip(1 - dot(tangent, half) ** 2, 0, 1))
    sheen = (0.30 * along**90 + 0.10 * along**18) * (0.1 + 0.9 * streak)
    sheen *= (0.25 + 0.75 * seen) * smooth(-0.1, 0.5, facing)
    grazing = 0.18 * (1 - np.clip(-dot(n, view), 0, 1)) ** 4 * open_sky
    light += np.where(is_skin, (gloss + 1.1 * glint)[:, None], 0)
    light += np.where(is_hair, sheen[:, None] * color("ffcaa0"), 0)
    return light + grazing[:, None] * color("dcc8c8")


def trace(x: Array, y: Array) -> tuple[Array, Array]:
    """Follow rays through points of the frame; return light with coverage, and depth."""
    layer = np.zeros((x.size, 4), np.float32)
    views = unit(np.stack([x, y, np.zeros_like(x)]) - CAMERA)
    hit, depth = march(views)
    seen = np.flatnonzero(hit)
    for start in range(0, seen.size, CHUNK):
        piece = seen[start : start + CHUNK]
        view = views[:, piece]
        layer[piece, :3] = shade(CAMERA + view * depth[piece], view)
        layer[piece, 3] = 1
    return layer, depth


def figure() -> Array:
    """Render the figure, its edges four times; shape (height, width, 4)."""
    pixel = np.float32(TALL / HEIGHT)
    row, column = (a.ravel() for a in spread(HEIGHT, WIDTH))

    def frame(dx: float, dy: float, which: Any = ...) -> tuple[Array, Array]:
        x = (column[which] + np.float32(0.5 + dx - WIDTH / 2)) * pixel
        return x, TOP - (row[which] + np.float32(0.5 + dy)) * pixel

    layer, depth = trace(*frame(0, 0))
    light = np.sqrt(np.clip(layer[:, :3], 0, 1)).reshape(HEIGHT, WIDTH, 3)
    cell = np.ones((3, 3), np.uint8)
    contrast = cv2.morphologyEx(light, cv2.MORPH_GRADIENT, cell).max(2)
    jump = cv2.morphologyEx(depth.reshape(HEIGHT, WIDTH), cv2.MORPH_GRADIENT, cell)
    edge = np.flatnonzero((contrast > 0.13) | (jump > 0.06))
    around = ((-0.36, -0.12), (0.12, -0.36), (0.36, 0.12), (-0.12, 0.36))
    again = [np.minimum(trace(*frame(*shift, edge))[0], 1.5) for shift in around]
    layer[edge] = np.mean(again, 0)
    return layer.reshape(HEIGHT, WIDTH, 4)


def backdrop(rng: np.random.Generator) -> Array:
    """Paint an evening room far out of focus."""
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
    lamps = np.zeros_like(light)
    for _ in range(34):
        cx, cy = rng.random() * WIDTH, rng.random() ** 1.2 * HEIGHT * 0.8
        size, power = 18 + 34 * rng.random(), 0.05 + 0.22 * rng.random() ** 2
        ink = color(("ffc478", "ffe2b4", "96c8d2", "f08c5a")[rng.integers(4)])
        r = radius(x - cx, y - cy) / size
        disc = smooth(1.04, 0.96, r) * (0.55 + 0.45 * r**4) * power
        lamps += disc[..., None] * ink
    return light + cv2.GaussianBlur(lamps, (0, 0), 2.2)


def portrait(rng: np.random.Generator) -> Picture:
    """Draw a young woman in a knitted sweater before the lights of an evening."""
    layer = figure()
    light = backdrop(rng) * (1 - layer[..., 3:]) + layer[..., :3]
    return develop(bloom(light, 19, 0.08), 0.66, 0, rng)
