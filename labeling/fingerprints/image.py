"""Fingerprints of pictures: a hash to look up by, and a map to compare by.

The hash holds the signs of the 256 lowest frequencies of the picture's local contrast,
stretched to a square. The map holds its sign at some 4,096 places; see `registration`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels.threads import single_threaded
from ..errors import UsageError
from .fingerprint import IMAGE, Fingerprint

__all__ = [
    "HASH_BYTES",
    "Hash",
    "Portrait",
    "fingerprint_image",
    "is_busy",
    "mirrored",
    "pack_map",
    "packed_size",
    "portray",
    "unpack_map",
]

WORK_SIDE = 256  # root of the area, in pixels, that everything is taken from
MAP_SIDE = 64
MAX_ASPECT = 16
HASH_SIDE, HASH_BITS = 64, 256
HASH_BYTES = HASH_BITS // 8
HEAD_BYTES = 2 * HASH_BYTES + 4
HASH_SIGMA, MAP_SIGMA = 8.0, 3.0
LEAST_CONTRAST = 0.03  # mean square of the contrast, 1 where all is busy
NOISE = 1.5  # levels below which contrast is not content
DEAD_ZONE = 0.4  # deviations of contrast that count as none
LEAST_PLACES = 200  # with contrast, that a map must have to be compared
BORDER_SPREAD = 12.0  # levels within which a row or column is plain
LEAST_INSIDE = 0.3  # share of a side that borders leave

_POWERS = np.array([1, 3, 9, 27, 81], np.uint8)

Float = NDArray[np.float32]
Hash = NDArray[np.uint8]


@dataclass(frozen=True, eq=False, slots=True)
class Portrait:
    """What a picture's fingerprint holds.

    Parameters
    ----------
    whole, inside : ndarray of uint8, shape (32,)
        Hash of the picture, and of what is inside its plain borders.
    map : ndarray of float32, shape (height, width)
        -1, 0, 1.
    """

    whole: Hash
    inside: Hash
    map: Float

    def pack(self) -> bytes:
        """Return the bytes: both hashes, width and height of the map, its signs."""
        height, width = self.map.shape
        size = width.to_bytes(2, "big") + height.to_bytes(2, "big")
        hashes = self.whole.tobytes() + self.inside.tobytes()
        return b"".join([hashes, size, pack_map(self.map)])

    @staticmethod
    def whole_of(content: bytes) -> Hash:
        """Read the hash of the whole picture only."""
        if len(content) <= HEAD_BYTES:
            raise UsageError("the fingerprint is not one of a picture")
        return np.frombuffer(content, np.uint8, HASH_BYTES)

    @classmethod
    def unpack(cls, content: bytes) -> Portrait:
        """Read what `pack` gives.

        Raises
        ------
        UsageError
            It is something else.
        """
        malformed = UsageError("the fingerprint is not one of a picture")
        if len(content) <= HEAD_BYTES:
            raise malformed
        width = int.from_bytes(content[HEAD_BYTES - 4 : HEAD_BYTES - 2], "big")
        height = int.from_bytes(content[HEAD_BYTES - 2 : HEAD_BYTES], "big")
        most = MAP_SIDE * math.isqrt(MAX_ASPECT)
        if not (0 < width <= most and 0 < height <= most):
            raise malformed
        hashes = np.frombuffer(content, np.uint8, 2 * HASH_BYTES)
        return cls(
            whole=hashes[:HASH_BYTES],
            inside=hashes[HASH_BYTES:],
            map=unpack_map(content[HEAD_BYTES:], width, height),
        )


def pack_map(plane: Float) -> bytes:
    """Return the signs of a map, five to a byte."""
    signs = np.zeros(packed_size(*plane.shape) * 5, np.uint8)
    signs[: plane.size] = plane.ravel() + 1
    return (signs.reshape(-1, 5) @ _POWERS).tobytes()


def unpack_map(content: bytes, width: int, height: int) -> Float:
    """Read what `pack_map` gives.

    Raises
    ------
    UsageError
        It is something else.
    """
    packed = np.frombuffer(content, np.uint8)
    if packed.size != packed_size(height, width) or packed.max() >= 3**5:
        raise UsageError("the fingerprint holds a malformed map")
    signs = (packed[:, None] // _POWERS % 3).ravel()[: width * height]
    return signs.reshape(height, width).astype(np.float32) - 1


def is_busy(plane: Float) -> bool:
    """Tell whether a map holds enough to be compared."""
    return int(np.count_nonzero(plane)) >= LEAST_PLACES


def packed_size(height: int, width: int) -> int:
    """Return how many bytes a map takes."""
    return -(-height * width // 5)


def fingerprint_image(pixels: NDArray[np.uint8]) -> Fingerprint:
    """Fingerprint a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, channels)
        Levels: gray, RGB, or RGB with alpha, which is left aside. Any size from one
        pixel up.

    Returns
    -------
    Fingerprint
        Less than 900 bytes.

    Raises
    ------
    UsageError
        These are no such pixels.
    """
    return Fingerprint(algorithm=IMAGE, value=portray(pixels).pack())


@single_threaded
def portray(
    pixels: NDArray[np.uint8],
    side: int = MAP_SIDE,
    size: tuple[int, int] | None = None,
) -> Portrait:
    """Return what the fingerprint of a picture holds.

    The map has the area of a square of that side, or that width and height.
    """
    luma = _working(_luma(pixels))
    inside = _inside(luma)
    whole = _hash(luma)
    height, width = luma.shape
    plane = _resize(luma, size or _size(width, height, side))
    contrast = _contrast(plane, MAP_SIGMA)
    signs = np.sign(contrast) * (np.abs(contrast) > DEAD_ZONE)
    return Portrait(
        whole=whole,
        inside=whole if inside.shape == luma.shape else _hash(inside),
        map=signs.astype(np.float32),
    )


def _hash(luma: Float) -> Hash:
    """Return the 256 signs of a picture's lowest frequencies, shape (32,).

    They are all 0 where there is no contrast.
    """
    plane = _contrast(_resize(luma, (HASH_SIDE, HASH_SIDE)), HASH_SIGMA)
    waves, rows, columns = _waves()
    spectrum = (waves @ plane @ waves.T)[rows, columns]
    if float(np.square(plane).mean()) < LEAST_CONTRAST:
        return np.zeros(HASH_BYTES, np.uint8)
    return np.packbits(spectrum > 0)


def mirrored(hash_: Hash) -> NDArray[np.uint8]:
    """Return a hash as it is under the 8 symmetries of a square, shape (8, 32).

    Mirroring changes the sign of every odd frequency along an axis; transposing
    swaps the axes. So no pixels are needed.
    """
    _, rows, columns = _waves()
    signs = np.unpackbits(hash_).astype(bool)
    place = {pair: i for i, pair in enumerate(zip(rows, columns, strict=True))}
    swapped = np.array([place[c, r] for r, c in zip(rows, columns, strict=True)])
    out = []
    for turned in (signs, signs[swapped]):
        for flip in (0 * rows, rows, columns, rows + columns):
            out.append(np.packbits(turned ^ (flip % 2).astype(bool)))
    return np.array(out)


@lru_cache(maxsize=1)
def _waves() -> tuple[Float, NDArray[np.int64], NDArray[np.int64]]:
    """Return cosines by frequency, and the rows and columns of the lowest 256."""
    top = 20
    k, x = np.arange(top)[:, None], np.arange(HASH_SIDE)
    waves = np.cos(np.pi * k * (2 * x + 1) / (2 * HASH_SIDE)).astype(np.float32)
    pairs = sorted(
        ((r, c) for r in range(top) for c in range(top) if r + c),
        key=lambda pair: (pair[0] ** 2 + pair[1] ** 2, max(pair), pair),
    )
    # The disc ends between two distances, so that every transposed pair is in it.
    rows, columns = np.array(_closed(pairs)).T
    return waves, rows, columns


def _closed(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return 256 pairs, in order, of which each has its transposed one."""
    chosen: list[tuple[int, int]] = []
    for pair in pairs:
        wanted = {pair, pair[::-1]} - set(chosen)
        if len(chosen) + len(wanted) <= HASH_BITS:
            chosen += sorted(wanted)
    return chosen


def _luma(pixels: Any) -> NDArray[np.uint8]:
    plane = np.asarray(pixels)
    if plane.dtype != np.uint8 or plane.ndim not in (2, 3) or 0 in plane.shape:
        raise UsageError(
            "a picture to fingerprint is an array of uint8, (height, width[, channels])"
        )
    if plane.ndim == 2:
        return plane
    channels = plane.shape[2]
    if channels == 1:
        return plane[:, :, 0]
    if channels not in (3, 4):
        raise UsageError("a picture to fingerprint has 1, 3 or 4 channels")
    kind = cv2.COLOR_RGB2GRAY if channels == 3 else cv2.COLOR_RGBA2GRAY
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(plane), kind), np.uint8)


def _size(width: int, height: int, side: int) -> tuple[int, int]:
    """Return a size of the same shape, and of the area of a square of that side."""
    root = math.sqrt(min(max(width / height, 1 / MAX_ASPECT), MAX_ASPECT))
    return max(1, math.floor(side * root)), max(1, math.floor(side / root))


def _resize(plane: NDArray[Any], size: tuple[int, int]) -> Float:
    shrinks = size[0] <= plane.shape[1] and size[1] <= plane.shape[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size, interpolation=how), np.float32)


def _working(luma: NDArray[np.uint8]) -> Float:
    height, width = luma.shape
    return _resize(luma, _size(width, height, WORK_SIDE))


def _contrast(plane: Float, sigma: float) -> Float:
    """Return the local contrast in its local deviations."""
    rough = plane - _blur(plane, sigma)
    level = np.sqrt(_blur(rough * rough, sigma) + np.float32(NOISE**2))
    return np.asarray(rough / level, np.float32)


def _blur(plane: Float, sigma: float) -> Float:
    blurred = cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
    return np.asarray(blurred, np.float32)


def _inside(luma: Float) -> Float:
    """Return what plain borders leave of a picture."""
    out = luma
    for axis in (0, 1):
        spread = out.max(axis=1 - axis) - out.min(axis=1 - axis)
        busy = np.flatnonzero(spread > BORDER_SPREAD)
        if len(busy) and busy[-1] + 1 - busy[0] >= LEAST_INSIDE * len(spread):
            kept = slice(busy[0], busy[-1] + 1)
            out = out[kept] if axis == 0 else out[:, kept]
    return out
