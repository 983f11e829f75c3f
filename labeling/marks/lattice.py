"""The keyed lattice: what writing and reading share, in pictures and in videos.

A tile of keyed carriers repeats over a picture at a canonical size. Seen through the
right lattice, the whitened picture folds into tiles whose sum holds the carriers'
amplitudes: some are known from the key and give orientation and position, the others
hold the coded payload.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels import dct, masking, spread
from ..errors import UsageError
from ..keys import Key, Purpose
from ..model import Transform
from ..payload import Payload
from .words import Hit, Words

__all__ = [
    "IMAGE",
    "MOST_LENGTH",
    "VIDEO",
    "Flat",
    "Layout",
    "Look",
    "Scheme",
    "View",
    "check",
    "flatten",
    "layout_of",
    "luma_of",
    "middle",
    "resize",
]

LEAST_SHARE = 0.66  # of a canonical side that a picture must have to be marked at it
SYNC_SHARE, SYNC_ENERGY = 0.15, 0.20
PEAKS = 4  # positions tried in each sum
# Pixels of the long side that are looked at: a strip repeats its mark.
MOST_LENGTH = 4096

UPRIGHT = np.eye(2)

Complex = NDArray[np.complex64]
Float = NDArray[np.float32]
Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Scheme:
    """One kind of tile, and the sizes at which it is laid.

    Parameters
    ----------
    name : str
    purpose : Purpose
        Of the keyed draws.
    carriers : Carriers
    band : float
        Highest frequency that is kept in whitening, in cycles per pixel; some more
        than the carriers' own, as the mark may come back smaller.
    sides : tuple of int
        Canonical short sides in pixels, longest first.
    levels : tuple of (int, float)
        Short sides at which a lattice is looked for, and the part of the tile's period
        around which it is; each sees the tile at 0.7 to 1.46 times that.
    """

    name: str
    purpose: Purpose
    carriers: spread.Carriers
    band: float
    sides: tuple[int, ...]
    levels: tuple[tuple[int, float], ...]

    def canonical_side(self, short: int) -> int:
        """Short side, in pixels, at which a picture is marked, from its own.

        Small pictures go part of the way: all the way would spread the mark over
        pixels that hold no more than they did.
        """
        return next(
            (side for side in self.sides if short >= LEAST_SHARE * side),
            self.sides[-1],
        )


IMAGE = Scheme(
    name="image-lattice/1",
    purpose=Purpose.IMAGE_LATTICE_1,
    carriers=spread.Carriers(tile=96, low=3, high=18),
    band=0.25,
    sides=(512, 362, 256),
    levels=((512, 1.0), (256, 1.0), (512, 0.5), (144, 1.0)),
)

# Codecs of video leave next to nothing of what is finer, and each of its repeats in a
# moving picture costs bits.
VIDEO = Scheme(
    name="video-lattice/1",
    purpose=Purpose.VIDEO_LATTICE_1,
    carriers=spread.Carriers(tile=128, low=4, high=15),
    band=0.16,
    sides=(362, 256),
    levels=((362, 1.0), (181, 1.0), (362, 0.5)),
)


class Layout:
    """What a key decides: phases, which carriers are known, where bits stand.

    Parameters
    ----------
    key : Key
    scheme : Scheme
    """

    def __init__(self, key: Key, scheme: Scheme) -> None:
        self.key_id = key.id
        self.scheme = scheme
        count = len(scheme.carriers.frequencies)
        known = round(SYNC_SHARE * count)
        slots = 2 * (count - known)
        draws = np.frombuffer(
            key.stream(scheme.purpose, 4 * (2 * count + 2 * slots)), "<u4"
        )
        order, phases, places, signs = np.split(draws, np.cumsum([count, count, slots]))
        order = np.argsort(order, kind="stable")
        self.sync, self.data = np.sort(order[:known]), np.sort(order[known:])
        self.phases = np.exp(2j * np.pi * phases / 2**32).astype(np.complex64)
        self.places = np.argsort(places, kind="stable")
        self.signs = (1.0 - 2.0 * (signs & 1)).astype(np.float32)
        self.words = Words(key, slots)

    def spectrum(self, payload: Payload) -> Complex:
        """Return the carriers' amplitudes for a payload, complex64, shape (n,)."""
        word = self.words.word(payload)
        values = np.empty_like(word)
        values[self.places] = word
        values *= self.signs
        spectrum = np.empty(len(self.phases), np.complex64)
        spectrum[self.sync] = math.sqrt(SYNC_ENERGY / SYNC_SHARE)
        spectrum[self.data] = values.view(np.complex64) * math.sqrt(
            (1 - SYNC_ENERGY) / (1 - SYNC_SHARE) / 2
        )
        return spectrum * self.phases

    def soft_values(self, spectrum: Complex) -> Float:
        """Return the evidence for each code bit, shape (slots,), positive for zero."""
        turned = spectrum[self.data] * np.conj(self.phases[self.data])
        values = turned.astype(np.complex64).view(np.float32) * self.signs
        return values[self.places]

    def decode(self, spectrum: Complex) -> Hit | None:
        """Return the codeword that agrees best with an aligned spectrum.

        None if no agreement could be evidence.
        """
        soft = self.soft_values(spectrum)
        payload = self.words.nearest(soft, float(soft @ soft))
        if payload is None:
            return None
        return Hit.of(payload, soft, float(self.words.word(payload) @ soft))


@lru_cache(maxsize=64)
def layout_of(key: Key, scheme: Scheme) -> Layout:
    """Return the layout of a key, remembered for the keys used last."""
    return Layout(key, scheme)


@dataclass(frozen=True, eq=False)
class Flat:
    """A whitened picture.

    Parameters
    ----------
    values : ndarray of float32, shape (height, width)
        Weighted by how likely a mark has survived at each place.
    placement : ndarray, shape (2, 3)
        Affine map from its pixels to those of the picture.
    """

    values: Float
    placement: Matrix


@dataclass(frozen=True, eq=False)
class View:
    """A whitened picture seen through one lattice.

    Parameters
    ----------
    carriers : Carriers
    spectra : ndarray of complex64, shape (k, n)
        Spectra of the tiles.
    corners : ndarray, shape (k, 2)
        Tile coordinates x and y of the tiles' first pixels.
    placement : ndarray, shape (2, 3)
        Affine map from tile coordinates to pixels of the picture.
    """

    carriers: spread.Carriers
    spectra: Complex
    corners: Matrix
    placement: Matrix

    @classmethod
    def through(
        cls, flat: Flat, carriers: spread.Carriers, matrix: Matrix = UPRIGHT
    ) -> View:
        """Look at a whitened picture through a lattice.

        Parameters
        ----------
        flat : Flat
        carriers : Carriers
        matrix : ndarray, shape (2, 2)
            From tile coordinates to pixels of `flat`.
        """
        tiles, corners = spread.fold(flat.values, carriers.tile, matrix)
        placement = np.column_stack(
            [flat.placement[:, :2] @ matrix, flat.placement[:, 2]]
        )
        return cls(carriers, carriers.analyze(tiles), corners, placement)

    def total(self) -> Complex:
        """Return the sum of the tiles, shape (n,), carriers weighted by trust."""
        return self._sum(np.ones(len(self.spectra), np.float32))

    def _sums(self) -> Iterator[Complex]:
        """Yield the sum of all tiles, then of those that fit each other."""
        yield self.total()
        if len(self.spectra) >= 4:
            yield self._sum(spread.fitness(self.spectra))

    def _sum(self, weights: Float) -> Complex:
        spectrum, trust = spread.coherence(self.spectra, weights, self.carriers.rings)
        return spectrum * trust

    def looks(self, layouts: Sequence[Layout]) -> Iterator[Look]:
        """Find likely orientations and positions by the known carriers of each key."""
        for spectrum in self._sums():
            turned = self.carriers.turn(spectrum)
            for layout in layouts:
                known = turned[:, layout.sync] * np.conj(layout.phases[layout.sync])
                planes = self.carriers.shifts(known, layout.sync)
                for which, (x, y, peak) in zip(
                    *spread.peaks(planes, PEAKS), strict=True
                ):
                    yield Look(
                        view=self,
                        layout=layout,
                        peak=float(peak),
                        spectrum=turned[which],
                        shift=(float(x), float(y)),
                        turn=spread.ORIENTATIONS[which],
                    )

    def looks_without_known(self, layouts: Sequence[Layout]) -> Iterator[Look]:
        """Find likely positions without the known carriers, should they be gone.

        The fourth power of a carrier that holds two signs does not depend on them. It
        tells the position within a quarter of the tile; all sixteen quarters are given.
        """
        spectrum = self.total()
        for layout in layouts:
            data = spectrum[layout.data] * np.conj(layout.phases[layout.data])
            plain = -(data**4) / (np.abs(data) ** 3 + np.float32(1e-9))
            planes = self.carriers.shifts(plain[None], layout.data)
            for _, (x, y, peak) in zip(*spread.peaks(planes, PEAKS), strict=True):
                for corner in np.ndindex(4, 4):
                    right, down = self.carriers.tile / 4 * np.array(corner)
                    yield Look(
                        view=self,
                        layout=layout,
                        peak=float(peak),
                        spectrum=spectrum,
                        shift=(float(x) / 4 + right, float(y) / 4 + down),
                        turn=spread.ORIENTATIONS[0],
                    )


@dataclass(frozen=True, eq=False)
class Look:
    """A view under one key, turned and shifted to where its known carriers agree.

    Parameters
    ----------
    view : View
    layout : Layout
    peak : float
        Correlation with the known carriers, in deviations over all positions.
    spectrum : ndarray of complex64, shape (n,)
        Turned, weighted by trust.
    shift : tuple of float
        Pixels of the tile to move by, x and y.
    turn : ndarray of int, shape (2, 2)
        Orientation on the lattice.
    """

    view: View
    layout: Layout
    peak: float
    spectrum: Complex
    shift: tuple[float, float]
    turn: NDArray[np.int64]

    def decode(self) -> Hit | None:
        """See `Layout.decode`."""
        return self.layout.decode(
            self.view.carriers.shifted(self.spectrum, *self.shift)
        )

    def transform(self) -> Transform:
        """Describe the geometry that was undone."""
        upright = self.view.placement[:, :2]
        matrix = upright @ self.turn.T
        offset = self.view.placement[:, 2] + upright @ self.view.corners[0]
        # Of the many corners, the one in the tile that holds the picture's origin.
        corner = np.linalg.solve(matrix, offset) - self.shift
        offset = matrix @ (corner % self.view.carriers.tile)
        flipped = bool(np.linalg.det(matrix) < 0)
        turned = matrix @ np.diag([-1, 1]) if flipped else matrix
        angle = math.degrees(math.atan2(-turned[1, 0], turned[0, 0]))
        scale_x, scale_y = np.hypot(*matrix)
        a, b, c, d = (round(float(value), 6) for value in matrix.ravel())
        return Transform(
            rotation_deg=round(angle, 3) + 0.0,  # never minus zero
            scale_x=round(float(scale_x), 5),
            scale_y=round(float(scale_y), 5),
            flipped=flipped,
            matrix=(a, b, c, d),
            offset=(round(float(offset[0]), 3), round(float(offset[1]), 3)),
        )


def flatten(luma: Float, side: int, band: float) -> Flat:
    """Whiten a picture at a given short side, within the band it still has.

    Parameters
    ----------
    luma : ndarray of float32, shape (height, width)
        Levels, 0 to 255.
    side : int
        Short side of the result, in pixels.
    band : float
        Highest frequency to keep, in cycles per pixel of the result, up to 0.45.
    """
    scale = side / min(luma.shape)
    height, width = luma.shape
    small = resize(luma, round(height * scale), round(width * scale))
    x, y = width / small.shape[1], height / small.shape[0]
    values = dct.whiten(small, min(band, 0.5 / scale))
    values *= masking.reliability(small)
    # Pixels are as large as they are far apart: their centers do not coincide.
    return Flat(values, np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2]]))


def check(pixels: object) -> None:
    """Refuse what is not a picture: uint8, (height, width) or (height, width, 3 or 4).

    Raises
    ------
    UsageError
    """
    if (
        not isinstance(pixels, np.ndarray)
        or pixels.dtype != np.uint8
        or not (pixels.ndim == 2 or (pixels.ndim == 3 and pixels.shape[2] in (3, 4)))
        or 0 in pixels.shape
    ):
        kind = getattr(pixels, "dtype", type(pixels).__name__)
        shape = getattr(pixels, "shape", "")
        raise UsageError(
            f"a picture is an array of uint8, (height, width) or (height, width, 3 or "
            f"4), not {kind} {shape}",
            hint="Convert it first, for example with numpy.asarray(image).",
        )


def luma_of(pixels: NDArray[np.uint8]) -> Float:
    """ITU-R BT.601 luma, 0 to 255, of a picture that was checked.

    Returns
    -------
    ndarray of float32, shape (height, width)
        In memory of its own.
    """
    if pixels.ndim == 2:
        return pixels.astype(np.float32)
    return cv2.cvtColor(pixels[..., :3], cv2.COLOR_RGB2GRAY).astype(np.float32)


def middle(plane: Float, most: int, tile: int) -> tuple[Float, tuple[int, int]]:
    """Cut what is longer than `most` pixels, at whole tiles from its start.

    Parameters
    ----------
    plane : ndarray of float32, shape (height, width)
    most : int
        Pixels that are kept along each axis, at most.
    tile : int

    Returns
    -------
    part : ndarray of float32
    corner : tuple of int
        Of the part in the plane, x and y.
    """
    top, left = (max(0, size - most) // (2 * tile) * tile for size in plane.shape)
    return plane[top : top + most, left : left + most], (left, top)


def resize(plane: Float, height: int, width: int) -> Float:
    """Scale a plane to `height` x `width` pixels: by area down, by cubic splines up."""
    shrinks = height * width < plane.shape[0] * plane.shape[1]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(plane, (width, height), interpolation=how), np.float32)
