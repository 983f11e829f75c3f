"""Geometry search: find the lattice on which a tile repeats.

A periodic tile shows in the autocorrelation of the whitened picture as a lattice of
peaks, whatever affine map the picture went through. No key and no phase is needed to
see it, so the search runs over lattices alone: a grid of rotations and scales, a grid
of independent axis scales, and pairs of strong peaks for any other affine map.

A lattice is a row (ax, ay, bx, by): the two vectors, in pixels, that one period along
the tile's own axes has become.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from ._jit import jit
from .correlation import Autocorrelation

__all__ = ["search", "upright"]

VALUE_CLIP = 5.0
ROTATION_STEP_DEG = 0.7
SCALE_STEP = 1.012
UPRIGHT_STEP = 1.006
SCALES = (0.70, 1.46)
PEAKS = 70
LEAST_OVERLAP = 0.06

Float = NDArray[np.float32]


def search(found: Autocorrelation, period: float, best: int) -> NDArray[np.float64]:
    """Return the most likely lattices, most likely first.

    Parameters
    ----------
    found : Autocorrelation
        Of the whitened picture.
    period : float
        Period of the tile before any scaling, in pixels.
    best : int
        Number of lattices to return at most.

    Returns
    -------
    ndarray of float64, shape (n, 5)
        Score in deviations, then ax, ay, bx, by.
    """
    height, width = found.size
    values = found.values
    # Repeated text or windows outshine a mark at single lags, not at all of them.
    dimmed = np.minimum(values, np.float32(VALUE_CLIP))
    angles = np.deg2rad(np.arange(0, 90, ROTATION_STEP_DEG))
    scales = _scales(SCALE_STEP)
    grids = _rotations(dimmed, height, width, period, angles, scales)
    stretched = _stretches(dimmed, height, width, period, scales)
    paired = _pairs(dimmed, height, width, _peaks(dimmed, period), period)
    candidates = np.concatenate([grids, stretched, paired])
    order = np.argsort(-candidates[:, 0])
    refined = _refine(
        values,
        dimmed,
        height,
        width,
        candidates[order[: 4 * best]],
        best,
        LEAST_OVERLAP,
    )
    return refined[np.argsort(-refined[:, 0])][:best]


def upright(found: Autocorrelation, period: float, best: int) -> NDArray[np.float64]:
    """Return the most likely lattices that are scaled only, most likely first.

    Where few tiles are left, too few to tell any lattice from chance, these are few
    enough to try.

    Parameters and returns are those of `search`.
    """
    height, width = found.size
    values = np.minimum(found.values, np.float32(VALUE_CLIP))
    sides = period * _scales(UPRIGHT_STEP)
    rows = np.zeros((sides.size, 5))
    rows[:, 1] = rows[:, 4] = sides
    _rate(values, height, width, rows)
    return rows[np.argsort(-rows[:, 0])][:best]


def _scales(step: float) -> NDArray[np.float64]:
    count = int(np.log(SCALES[1] / SCALES[0]) / np.log(step)) + 1
    return SCALES[0] * step ** np.arange(count, dtype=np.float64)


def _peaks(values: Float, period: float) -> NDArray[np.float64]:
    """Return (x, y) of local maxima, strongest line of multiples first."""
    grown = cv2.dilate(values, np.ones((5, 5), np.uint8))
    y, x = np.nonzero((values == grown) & (values > 2.0))
    x = x - values.shape[1] // 2
    length = np.hypot(x, y)
    good = (length > SCALES[0] * period * 0.9) & (length < SCALES[1] * period * 1.1)
    x, y = x[good], y[good]
    strength = _lines(values, x.astype(np.float64), y.astype(np.float64))
    order = np.argsort(-strength)[:PEAKS]
    return np.stack([x[order], y[order]], axis=1).astype(np.float64)


@jit
def _at(values, x, y):
    """Value at a fractional lag, bilinear; zero outside."""
    if y < 0:
        x = -x
        y = -y
    reach = values.shape[0] - 1
    x += reach
    ix = int(np.floor(x))
    iy = int(np.floor(y))
    if ix < 0 or iy >= reach or ix >= 2 * reach:
        return 0.0
    fx = x - ix
    fy = y - iy
    return (1 - fy) * ((1 - fx) * values[iy, ix] + fx * values[iy, ix + 1]) + fy * (
        (1 - fx) * values[iy + 1, ix] + fx * values[iy + 1, ix + 1]
    )


@jit
def _score(values, height, width, ax, ay, bx, by, far, least, smooth):
    """Sum the lags of a lattice, each weighted by the root of its overlap."""
    total = 0.0
    weight = 0.0
    area = float(height * width)
    for m in range(far + 1):
        for n in range(-far, far + 1):
            if m == 0 and n <= 0:
                continue
            x = m * ax + n * bx
            y = m * ay + n * by
            if abs(x) >= width or abs(y) >= height:
                continue
            overlap = (width - abs(x)) * (height - abs(y)) / area
            if overlap < least or max(abs(x), abs(y)) >= values.shape[0] - 1:
                continue
            value = _cubic(values, x, y) if smooth else _at(values, x, y)
            total += np.sqrt(overlap) * value
            weight += overlap
    if weight == 0.0:
        return 0.0
    return total / np.sqrt(weight)


@jit
def _rate(values, height, width, rows):
    for row in rows:
        row[0] = _score(
            values, height, width, row[1], row[2], row[3], row[4], 8, 0.02, False
        )


@jit
def _lines(values, x, y):
    out = np.zeros(x.size)
    for i in range(x.size):
        for m in range(1, 5):
            out[i] += _at(values, m * x[i], m * y[i])
    return out


@jit
def _keep(kept, row):
    """Insert a row into a table that is sorted by falling score."""
    last = kept.shape[0] - 1
    if row[0] <= kept[last, 0]:
        return
    i = last
    while i > 0 and kept[i - 1, 0] < row[0]:
        kept[i] = kept[i - 1]
        i -= 1
    kept[i] = row


@jit
def _rotations(values, height, width, period, angles, scales):
    kept = np.zeros((40, 5))
    row = np.empty(5)
    for angle in angles:
        for scale in scales:
            row[1] = period * scale * np.cos(angle)
            row[2] = period * scale * np.sin(angle)
            row[3] = -row[2]
            row[4] = row[1]
            row[0] = _score(
                values, height, width, row[1], row[2], row[3], row[4], 3, 0.02, False
            )
            _keep(kept, row)
    return kept


@jit
def _stretches(values, height, width, period, scales):
    kept = np.zeros((20, 5))
    row = np.zeros(5)
    for sx in scales:
        for sy in scales:
            if sx > 1.6 * sy or sy > 1.6 * sx:
                continue
            row[1] = period * sx
            row[4] = period * sy
            row[0] = _score(
                values, height, width, row[1], 0.0, 0.0, row[4], 3, 0.02, False
            )
            _keep(kept, row)
    return kept


@jit
def _pairs(values, height, width, peaks, period):
    """Pair peaks that could be the two sides of a mildly distorted square."""
    kept = np.zeros((40, 5))
    row = np.empty(5)
    for i in range(peaks.shape[0]):
        for j in range(i):
            ax, ay = peaks[i, 0], peaks[i, 1]
            bx, by = peaks[j, 0], peaks[j, 1]
            la = np.hypot(ax, ay)
            lb = np.hypot(bx, by)
            if la > 1.6 * lb or lb > 1.6 * la:
                continue
            if abs(ax * bx + ay * by) > 0.53 * la * lb:  # 58 to 122 degrees apart
                continue
            row[1], row[2], row[3], row[4] = ax, ay, bx, by
            row[0] = _score(values, height, width, ax, ay, bx, by, 3, 0.02, False)
            _keep(kept, row)
    return kept


@jit
def _cubic(values, x, y):
    """Value at a fractional lag by Catmull-Rom splines; zero outside.

    Bilinear values are largest on the pixels, which would pull the fit towards
    whole numbers.
    """
    if y < 0:
        x = -x
        y = -y
    reach = values.shape[0] - 1
    x += reach
    ix = int(np.floor(x))
    iy = int(np.floor(y))
    if ix < 1 or iy >= reach - 1 or ix >= 2 * reach - 1:
        return 0.0
    fx = x - ix
    fy = y - iy
    total = 0.0
    for j in range(-1, 3):
        # The row above lag zero is the mirror image of the one below.
        row = iy + j
        column = ix
        side = 1
        if row < 0:
            row = 1
            column = 2 * reach - ix
            side = -1
        line = 0.0
        for i in range(-1, 3):
            line += _catmull_rom(fx - i) * values[row, column + side * i]
        total += _catmull_rom(fy - j) * line
    return total


@jit
def _catmull_rom(t):
    t = abs(t)
    if t < 1:
        return (1.5 * t - 2.5) * t * t + 1
    if t < 2:
        return ((-0.5 * t + 2.5) * t - 4) * t + 2
    return 0.0


@jit
def _canonical(row):
    """Choose one of the equal bases of a lattice: short, upright, not mirrored."""
    ax, ay, bx, by = row[1], row[2], row[3], row[4]
    for _ in range(8):  # Lagrange-Gauss reduction
        if ax * ax + ay * ay < bx * bx + by * by:
            ax, ay, bx, by = bx, by, ax, ay
        times = np.round((ax * bx + ay * by) / (bx * bx + by * by))
        if times == 0:
            break
        ax -= times * bx
        ay -= times * by
    if abs(ay) * np.hypot(bx, by) > abs(by) * np.hypot(ax, ay):
        ax, ay, bx, by = bx, by, ax, ay
    if ax < 0:
        ax, ay = -ax, -ay
    if ax * by - ay * bx < 0:
        bx, by = -bx, -by
    row[1], row[2], row[3], row[4] = ax, ay, bx, by


@jit
def _known(rows, count, row, near):
    for k in range(count):
        d = 0.0
        for i in range(1, 5):
            d = max(d, abs(rows[k, i] - row[i]))
        if d < near:
            return True
    return False


@jit
def _refine(values, dimmed, height, width, rows, best, least):
    """Climb from each candidate by coordinate steps; drop those that meet."""
    out = np.zeros((2 * best, 5))
    starts = np.zeros((rows.shape[0], 5))
    count = 0
    tried = 0
    v = np.empty(5)
    for r in range(rows.shape[0]):
        if rows[r, 0] <= 0.0 or count >= 2 * best:
            break
        v[:] = rows[r]
        _canonical(v)
        if _known(starts, tried, v, 2.0):
            continue
        starts[tried] = v
        tried += 1
        # First the near lags, whose fit is forgiving, then all of them.
        for far in (2, 4, 8):
            v[0] = _score(
                values, height, width, v[1], v[2], v[3], v[4], far, least, True
            )
            step = 2.0 / far
            while step > 0.02:
                moved = False
                for i in range(1, 5):
                    for sign in (-1.0, 1.0):
                        v[i] += sign * step
                        score = _score(
                            values,
                            height,
                            width,
                            v[1],
                            v[2],
                            v[3],
                            v[4],
                            far,
                            least,
                            True,
                        )
                        if score > v[0]:
                            v[0] = score
                            moved = True
                        else:
                            v[i] -= sign * step
                if not moved:
                    step *= 0.5
        v[0] = _score(dimmed, height, width, v[1], v[2], v[3], v[4], 8, least, True)
        _canonical(v)
        if not _known(out, count, v, 1.0):
            out[count] = v
            count += 1
    return out[:count]
