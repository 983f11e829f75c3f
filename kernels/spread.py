"""Keyed carriers on a periodic tile: spread, fold, correlate.

A tile of T x T pixels is a sum of sinusoids with whole numbers of cycles per tile, so
that it repeats without a seam. Its carriers are the frequencies (u, v) of the half
plane u > 0 in a ring around zero; axes are left out, since edges and codec blocks
live there. A spectrum is the vector of the carriers' complex amplitudes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ._jit import jit

__all__ = [
    "ORIENTATIONS",
    "Carriers",
    "add",
    "add_scaled",
    "coherence",
    "fitness",
    "fold",
    "peaks",
    "place",
]

LEAST_COVERAGE = 0.08
BLOCK = 8
ROUNDS = 24

Complex = NDArray[np.complex64]
Float = NDArray[np.float32]

ORIENTATIONS: NDArray[np.int64] = np.array(
    [
        [[c, -s], [s, c]] @ np.diag([m, 1])
        for m in (1, -1)
        for c, s in ((1, 0), (0, 1), (-1, 0), (0, -1))
    ]
)
"""The eight maps of a square lattice onto itself, shape (8, 2, 2)."""


@dataclass(frozen=True)
class Carriers:
    """The frequencies of a tile.

    Parameters
    ----------
    tile : int
        Side of the tile in pixels.
    low, high : int
        Inner and outer radius of the ring, in cycles per tile.
    """

    tile: int
    low: int
    high: int

    @cached_property
    def frequencies(self) -> NDArray[np.int64]:
        """Cycles per tile along x and y, shape (n, 2)."""
        u, v = np.meshgrid(
            np.arange(1, self.high + 1), np.arange(-self.high, self.high + 1)
        )
        radius = np.hypot(u, v)
        ring = (radius >= self.low) & (radius <= self.high) & (v != 0)
        return np.stack([u[ring], v[ring]], axis=1)

    @cached_property
    def rings(self) -> NDArray[np.int64]:
        """Radius of each carrier in whole cycles per tile, shape (n,)."""
        return np.hypot(*self.frequencies.T).astype(np.int64)

    @cached_property
    def turned(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Where each carrier stands after each orientation, shape (8, n) each.

        The index of its partner, and whether the partner is its conjugate.
        """
        index = {tuple(f): i for i, f in enumerate(self.frequencies.tolist())}
        places = np.empty((8, len(index)), np.int64)
        mirrored = np.empty((8, len(index)), np.bool_)
        for o, turn in enumerate(ORIENTATIONS):
            for i, (u, v) in enumerate((self.frequencies @ turn).tolist()):
                places[o, i] = index[(abs(u), v if u > 0 else -v)]
                mirrored[o, i] = u < 0
        return places, mirrored

    def synthesize(self, spectrum: Complex) -> Float:
        """Return the tile with the given spectrum, with unit deviation.

        Returns
        -------
        ndarray of float32, shape (tile, tile)
        """
        full = np.zeros((self.tile, self.tile), np.complex128)
        u, v = self.frequencies.T
        full[v, u] = spectrum
        full[-v, -u] = np.conj(spectrum)
        tile = np.fft.ifft2(full).real
        return (tile / tile.std()).astype(np.float32)

    def analyze(self, tiles: Float) -> Complex:
        """Return the spectra of tiles.

        Parameters
        ----------
        tiles : ndarray of float32, shape (k, tile, tile)

        Returns
        -------
        ndarray of complex64, shape (k, n)
        """
        along_x, along_y = _fourier(self.tile, self.high)
        lines = tiles.reshape(-1, self.tile) @ along_x.view(np.float32)
        columns = lines.view(np.complex64).reshape(len(tiles), self.tile, self.high)
        spectra = np.matmul(along_y, columns)
        u, v = self.frequencies.T
        return np.ascontiguousarray(spectra[:, v + self.high, u - 1])

    def turn(self, spectrum: Complex) -> Complex:
        """Return the spectrum in each orientation, shape (8, n)."""
        places, mirrored = self.turned
        values = spectrum[places]
        return np.where(mirrored, np.conj(values), values)

    def shifts(self, products: Complex, chosen: NDArray[np.int64]) -> Float:
        """Correlate at every shift of the tile.

        Parameters
        ----------
        products : ndarray of complex64, shape (k, len(chosen))
            Spectrum times conjugate reference at the chosen carriers.
        chosen : ndarray of int
            Which carriers these are.

        Returns
        -------
        ndarray of float32, shape (k, tile, tile)
            Real part of the sum at shift (y, x).
        """
        along_x, along_y = _fourier(self.tile, self.high)
        u, v = self.frequencies[chosen].T
        grid = np.zeros((len(products), 2 * self.high + 1, self.high), np.complex64)
        grid[:, v + self.high, u - 1] = products
        return np.ascontiguousarray((along_y.T @ grid @ along_x.T).real)

    def shifted(self, spectrum: Complex, x: float, y: float) -> Complex:
        """Return the spectrum of a tile moved by (x, y) pixels."""
        phase = self.frequencies @ np.array([x, y]) * (-2j * np.pi / self.tile)
        return (spectrum * np.exp(phase)).astype(np.complex64)


@lru_cache(maxsize=4)
def _fourier(tile: int, high: int) -> tuple[Complex, Complex]:
    """Return the rows of the Fourier matrix that the carriers need."""
    position = np.arange(tile)
    x = np.exp(-2j * np.pi * np.outer(position, np.arange(1, high + 1)) / tile)
    y = np.exp(-2j * np.pi * np.outer(np.arange(-high, high + 1), position) / tile)
    return x.astype(np.complex64), y.astype(np.complex64)


def place(tile: Float, height: int, width: int) -> Float:
    """Repeat a tile over a picture, shape (height, width)."""
    side = tile.shape[0]
    return np.tile(tile, (-(-height // side), -(-width // side)))[:height, :width]


def add(pixels: NDArray[np.uint8], change: Float) -> None:
    """Add a change to every color of a picture in place, in whole levels.

    Changes below half a level are kept: the error of rounding is diffused.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, channels)
        Grey or RGB levels.
    change : ndarray of float32, shape (height, width)
        In levels.
    """
    _add(pixels, change)


def add_scaled(
    luma: NDArray[np.uint8] | NDArray[np.uint16], mark: Float, scale: Float, most: int
) -> None:
    """Add a mark to a plane of luma in place, rounded to whole codes.

    Parameters
    ----------
    luma : ndarray of uint8 or uint16, shape (height, width)
    mark : ndarray of float32, shape (height, width)
        Of unit deviation.
    scale : ndarray of float32, shape (height, width)
        Deviation of the mark in codes.
    most : int
        The highest code.
    """
    _add_scaled(luma, mark, scale, np.float32(most))


def fold(
    flat: Float, side: int, matrix: NDArray[np.float64]
) -> tuple[Float, NDArray[np.float64]]:
    """Undo an affine map and cut the result into tiles.

    Parameters
    ----------
    flat : ndarray of float32, shape (height, width)
        Whitened picture.
    side : int
        Side of the tile in pixels.
    matrix : ndarray, shape (2, 2)
        From tile coordinates to pixels of the picture.

    Returns
    -------
    tiles : ndarray of float32, shape (k, side, side)
        Those that lie in the picture at least in part, zero outside of it.
    corners : ndarray of float64, shape (k, 2)
        Tile coordinates x and y of the first pixel of each.
    """
    height, width = flat.shape
    origin = np.zeros(2)
    if np.array_equal(matrix, np.eye(2)):
        rows, columns = -(-height // side), -(-width // side)
        canvas = np.zeros((rows * side, columns * side), np.float32)
        canvas[:height, :width] = flat
    else:
        corners = np.array([[0, 0], [width, 0], [0, height], [width, height]]) - 0.5
        found = corners @ np.linalg.inv(matrix).T
        origin = np.floor(found.min(axis=0))
        extent = np.ceil((found.max(axis=0) - origin) / side).astype(int)
        rows, columns = int(extent[1]), int(extent[0])
        canvas = cv2.warpAffine(
            flat,
            np.column_stack([matrix, matrix @ origin]),
            (columns * side, rows * side),
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        )
    blocks = canvas.reshape(rows, side, columns, side).swapaxes(1, 2)
    tiles = blocks.reshape(-1, side, side)
    covered = np.count_nonzero(tiles[:, ::4, ::4], axis=(1, 2)) * 16
    kept = np.flatnonzero(covered > LEAST_COVERAGE * side * side)
    row, column = np.divmod(kept, columns)
    return tiles[kept], origin + side * np.stack([column, row], axis=1)


def coherence(
    spectra: Complex, weights: Float, rings: NDArray[np.int64]
) -> tuple[Complex, Float]:
    """Add the tiles' spectra and say how far each carrier can be trusted.

    Parameters
    ----------
    spectra : ndarray of complex64, shape (k, n)
        One row for each tile.
    weights : ndarray of float32, shape (k,)
        Weight of each tile.
    rings : ndarray of int, shape (n,)
        Ring of each carrier.

    Returns
    -------
    total : ndarray of complex64, shape (n,)
        Sum with unit noise deviation in each ring.
    trust : ndarray of float32, shape (n,)
        Weight for a coherent sum: amplitude over noise variance, from the share of
        the power that the tiles have in common, averaged over three rings.
    """
    spectra = spectra * weights[:, None]
    total = spectra.sum(axis=0)
    together = _over_three(rings, total.real**2 + total.imag**2)
    alone = _over_three(rings, (spectra.real**2 + spectra.imag**2).sum(axis=0))
    count = _over_three(rings, np.ones(len(rings)))
    common = np.clip(1 - alone / np.maximum(together, 1e-9), 0.02, 0.95)
    weight = np.sqrt(common / (1 - common))
    noise = np.sqrt(together * (1 - common) / np.maximum(count, 1)) + 1e-9
    return (
        (total / noise[rings]).astype(np.complex64),
        weight[rings].astype(np.float32),
    )


def fitness(spectra: Complex) -> Float:
    """Say how well each tile fits the others, at most 1.

    Parameters
    ----------
    spectra : ndarray of complex64, shape (k, n)
        One row for each tile.

    Returns
    -------
    ndarray of float32, shape (k,)
        Leading eigenvector of the tiles' likeness, its negative part cut off.
    """
    rows = spectra.view(np.float32)
    likeness = rows @ rows.T
    np.fill_diagonal(likeness, 0)
    # Power iteration finds the eigenvalue of largest size; shifted, the largest.
    likeness += np.eye(len(rows), dtype=np.float32) * np.abs(likeness).sum(1).mean()
    leading: Float = np.ones(len(rows), np.float32)
    for _ in range(ROUNDS):
        leading = np.asarray(likeness @ leading, np.float32)
        leading = np.asarray(leading / (np.abs(leading).max() + 1e-9), np.float32)
    positive = np.maximum(leading * np.sign(leading.sum()), 0)
    return np.asarray(positive / (positive.max() + 1e-9), np.float32)


def peaks(planes: Float, count: int) -> tuple[NDArray[np.int64], Float]:
    """Find the highest points of correlation planes.

    Parameters
    ----------
    planes : ndarray of float32, shape (k, tile, tile)
    count : int
        Most points to return, each from another block of 8 x 8 values.

    Returns
    -------
    orientations : ndarray of int, shape (n,)
        Which plane each point is in, highest point first.
    points : ndarray of float32, shape (n, 3)
        x and y, by a parabola through the neighbors, and the height in deviations.
    """
    tops, deviation = _tops(planes)
    tops = tops[np.isfinite(tops[:, 3])]
    chosen = np.argsort(-tops[:, 3])[:count]
    orientations = tops[chosen, 0].astype(np.int64)
    points = tops[chosen, 1:].astype(np.float32)
    points[:, 2] /= deviation + 1e-9
    for orientation, point in zip(orientations, points, strict=True):
        plane = planes[orientation]
        x, y = int(point[0]), int(point[1])
        side = plane.shape[0]
        point[0] += _vertex(plane[y, x - 1], plane[y, x], plane[y, (x + 1) % side])
        point[1] += _vertex(plane[y - 1, x], plane[y, x], plane[(y + 1) % side, x])
    return orientations, points


def _vertex(before: float, at: float, after: float) -> float:
    """Return where the parabola through three samples peaks, -0.5 to 0.5."""
    bend = before - 2 * at + after
    return float(0.5 * (before - after) / bend) if bend < 0 else 0.0


def _over_three(
    rings: NDArray[np.int64], values: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Add the values of each ring and its two neighbors."""
    return np.convolve(np.bincount(rings, values), np.ones(3), "same")


@jit
def _tops(planes):
    """Return plane, x, y and height of each block's maximum, and the deviation.

    A maximum that is on the slope of one in a neighboring block has no height.
    """
    count, side, _ = planes.shape
    blocks = -(-side // BLOCK)
    tops = np.empty((count * blocks * blocks, 4))
    power = 0.0
    for p in range(count):
        for i in range(blocks):
            for j in range(blocks):
                best = -np.inf
                at = (0, 0)
                for y in range(i * BLOCK, min((i + 1) * BLOCK, side)):
                    for x in range(j * BLOCK, min((j + 1) * BLOCK, side)):
                        value = planes[p, y, x]
                        power += value * value
                        if value > best:
                            best = value
                            at = (x, y)
                around = best
                for y in range(at[1] - 1, at[1] + 2):
                    for x in range(at[0] - 1, at[0] + 2):
                        around = max(around, planes[p, y % side, x % side])
                height = best if best == around else -np.inf
                row = tops[(p * blocks + i) * blocks + j]
                row[0], row[1], row[2], row[3] = p, at[0], at[1], height
    return tops, np.sqrt(power / planes.size)


@jit
def _add_scaled(luma, mark, scale, most):
    height, width = luma.shape
    for y in range(height):
        for x in range(width):
            value = np.float32(luma[y, x]) + mark[y, x] * scale[y, x] + np.float32(0.5)
            luma[y, x] = min(max(value, np.float32(0)), most)


@jit
def _add(pixels, change):
    """Floyd and Steinberg's weights (1976): what rounding takes goes to neighbors."""
    height, width, channels = pixels.shape
    below = np.zeros(width + 2, np.float32)
    for y in range(height):
        here = below
        below = np.zeros(width + 2, np.float32)
        ahead = np.float32(0)
        for x in range(width):
            wanted = change[y, x] + here[x + 1] + ahead
            step = np.floor(wanted + np.float32(0.5))
            left = wanted - step
            ahead = left * np.float32(7 / 16)
            below[x] += left * np.float32(3 / 16)
            below[x + 1] += left * np.float32(5 / 16)
            below[x + 2] += left * np.float32(1 / 16)
            for c in range(channels):
                level = pixels[y, x, c] + step
                pixels[y, x, c] = np.uint8(
                    min(max(level, np.float32(0)), np.float32(255))
                )
