"""Solids as signed distances, and the rays that find them and their light.

Points and directions have the shape (3, n): x to the right, y up, z to the camera.
Distances have the shape (n,) and are negative inside; the unit of length is about half
a head. The formulas of the ellipsoid, the soft union and the shadow follow I. Quilez,
"Distance functions", "Smooth minimum" and "Soft shadows in raymarched SDFs".
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from brushes import Array, mix, smooth
from numpy.typing import NDArray

__all__ = [
    "CHUNK",
    "Solid",
    "capsule",
    "carve",
    "dot",
    "ellipsoid",
    "join",
    "march",
    "mirrored",
    "normals",
    "openness",
    "radius",
    "ring",
    "rotation",
    "sunlight",
    "union",
    "unit",
    "vector",
]

Solid = Callable[[Array], Array]
Triple = tuple[float, float, float]

CHUNK = 16384  # points at a time, so that they stay in the cache
FAR = 14.5  # where rays give up


def vector(x: float, y: float, z: float) -> Array:
    """Return one point, shape (3, 1)."""
    return np.array([[x], [y], [z]], np.float32)


def dot(a: Array, b: Array) -> Array:
    """Multiply vectors pairwise; shape (n,)."""
    return np.asarray((a * b).sum(0))


def radius(a: Array, b: Array) -> Array:
    """Return the hypotenuse; much faster than `np.hypot`."""
    return np.sqrt(a * a + b * b)


def length(p: Array) -> Array:
    """Return the lengths of vectors; shape (n,)."""
    return np.sqrt(dot(p, p))


def unit(p: Array) -> Array:
    """Scale vectors to length 1."""
    return p / (length(p) + 1e-9)


def rotation(yaw: float, pitch: float, roll: float) -> Array:
    """Return the matrix of a turn by three angles in degrees."""
    a, b, c = np.radians([yaw, pitch, roll])
    y = [[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]]
    x = [[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]]
    z = [[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]]
    return np.asarray(np.array(y) @ x @ z, np.float32)


def mirrored(p: Array) -> Array:
    """Fold points onto the right, so that what stands there stands on both sides."""
    return np.stack([np.abs(p[0]), p[1], p[2]])


def ellipsoid(p: Array, center: Triple, radii: Triple) -> Array:
    """Measure to an ellipsoid along the axes; exact only near its surface."""
    q = (p - vector(*center)) / vector(*radii)
    k = length(q)
    return k * (k - 1) / (length(q / vector(*radii)) + 1e-6)


def capsule(p: Array, start: Triple, end: Triple, radii: tuple[float, float]) -> Array:
    """Measure to a rod with round ends of two radii."""
    foot, axis = vector(*start), vector(*end) - vector(*start)
    along = np.clip(dot(p - foot, axis) / dot(axis, axis), 0, 1)
    return length(p - foot - axis * along) - mix(radii[0], radii[1], along)


def ring(p: Array, center: Triple, size: float) -> Array:
    """Measure to a lying ring, somewhat higher than thick."""
    x, y, z = p - vector(*center)
    return radius(radius(x, z) - size, y / 1.45) - 0.16


def join(a: Array, b: Array, soft: float) -> Array:
    """Unite two solids with a seam rounded over the width `soft`."""
    h = np.maximum(soft - np.abs(a - b), 0) / soft
    return np.minimum(a, b) - h * h * (soft / 4)


def carve(a: Array, b: Array, soft: float) -> Array:
    """Cut `b` out of `a`, with a rounded edge."""
    return -join(-a, b, soft)


def union(*solids: Solid) -> Solid:
    """Make one solid of several; it measures a cacheful of points at a time."""

    def nearest(p: Array) -> Array:
        distance = np.empty(p.shape[1], np.float32)
        for start in range(0, distance.size, CHUNK):
            part = slice(start, start + CHUNK)
            distance[part] = solids[0](p[:, part])
            for solid in solids[1:]:
                np.minimum(distance[part], solid(p[:, part]), out=distance[part])
        return distance

    return nearest


def march(
    solid: Solid, eye: Array, view: Array, start: Array
) -> tuple[NDArray[np.bool_], Array]:
    """Walk along rays from a start to a solid; return which arrive, and how deep."""
    depth = start.astype(np.float32)
    hit = np.zeros(depth.size, bool)
    alive = np.arange(depth.size)
    for _ in range(60):
        step = solid(eye + view[:, alive] * depth[alive])
        depth[alive] += step * 0.85
        hit[alive[step < 0.0015]] = True
        alive = alive[(step >= 0.0015) & (depth[alive] < FAR)]
        if not alive.size:
            break
    return hit, np.where(hit, depth, FAR)


def normals(solid: Solid, p: Array) -> Array:
    """Return the directions away from a solid at points of its surface."""
    corners = (vector(1, -1, -1), vector(-1, -1, 1), vector(-1, 1, -1), vector(1, 1, 1))
    slopes = [k * solid(p + k * np.float32(0.004)) for k in corners]
    return unit(np.sum(slopes, axis=0))


def openness(solid: Solid, p: Array, normal: Array) -> Array:
    """Estimate how much of the sky points see, 0..1."""
    hidden = np.zeros(p.shape[1], np.float32)
    for k, h in enumerate((0.04, 0.10, 0.20, 0.36, 0.60)):
        gap = solid(p + normal * np.float32(h))
        hidden += np.maximum(h - gap, 0) / h * 0.62**k
    return np.asarray(np.clip(1 - 0.52 * hidden, 0, 1))


def sunlight(solid: Solid, p: Array, direction: Array) -> Array:
    """Estimate how much of a wide lamp points see, 0..1."""
    seen = np.ones(p.shape[1], np.float32)
    t = np.full(p.shape[1], 0.05, np.float32)
    for _ in range(12):
        gap = solid(p + direction * t)
        seen = np.minimum(seen, 0.5 + 2.5 * gap / t)
        t += np.clip(gap, 0.04, 0.35)
    return smooth(0, 1, seen)
