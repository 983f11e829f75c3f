"""Where in a picture a decoded mark is present, and where it is missing.

Once payload and geometry are known, so is the mark itself. How much of it each place
holds is estimated by least squares: over a window that is as small as its evidence
allows, with every pixel weighted by what pixels like it hold elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels import masking
from ...kernels.threads import single_threaded
from ..errors import UsageError
from ..keys import Key
from ..model import Detection
from ..payload import Payload
from .lattice import IMAGE, Layout, check, flatten, layout_of, luma_of, resize

__all__ = ["MISSING", "MarkMap", "locate_image", "overlay_image"]

SIDES = (64, 1024)  # short side at which is looked
MOST_PIXELS = 1 << 23
MISSING = 0.5
"""Presence below which a place counts as one without the mark."""

CELL = 4  # canonical pixels that are taken together
# Deviations of the windows, in cells, and the error that is good enough.
WINDOWS = (3, 6, 12, 24)
GOOD_ERROR = 0.2
CLASSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # of local deviation, in levels
ROUNDS = 4
CHANCE = 3.0  # deviations below which a class is taken to hold nothing
# Places of one class differ; less is expected of each than it holds on average.
EXPECTED = 0.8
# Pixels that a whitened picture's correlation with the mark reaches over.
NOISE_AREA = 5.0

Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MarkMap:
    """Where in a picture a mark is present.

    Parameters
    ----------
    detection : Detection
    presence : ndarray of float32, shape (height, width)
        See `locate_image`.
    overlay : ndarray of uint8, shape (height, width, 3)
        See `overlay_image`.
    """

    detection: Detection
    presence: NDArray[np.float32]
    overlay: NDArray[np.uint8]

    @property
    def missing(self) -> float:
        """Share of the picture's area in which the mark is missing."""
        return float(np.mean(self.presence < MISSING))

    def png(self) -> bytes:
        """Return the overlay as a PNG file."""
        _, content = cv2.imencode(".png", self.overlay[..., ::-1])
        return content.tobytes()


@single_threaded
def locate_image(
    pixels: NDArray[np.uint8], key: Key, detection: Detection
) -> NDArray[np.float32]:
    """Estimate how much of a decoded mark each place of a picture holds.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        The picture in which the mark was found.
    key : Key
        The key that found it.
    detection : Detection
        What `detect_image` returned for the two.

    Returns
    -------
    ndarray of float32, shape (height, width)
        0 where the mark is missing, as in a part that was pasted in, to 1 where it is
        present. Values around 0.5 are undecided.

    Raises
    ------
    UsageError
        The array is not a picture, or the detection has no payload or another key.
    """
    check(pixels)
    if detection.payload is None or detection.transform is None:
        raise UsageError("a mark without a payload cannot be located")
    if detection.key_id != key.id:
        raise UsageError(
            f"the mark was found by key {detection.key_id}, not {key.id}",
            hint="Give the key that found it.",
        )
    luma = luma_of(pixels)
    height, width = luma.shape
    short = min(height, width)
    matrix = np.array(detection.transform.matrix).reshape(2, 2)
    scale = 1 / math.sqrt(abs(np.linalg.det(matrix)))
    scale = min(scale, math.sqrt(MOST_PIXELS / luma.size), SIDES[1] / short)
    side = round(max(scale * short, SIDES[0]))
    flat = flatten(luma, side, IMAGE.band)
    from_flat = np.linalg.solve(
        matrix, flat.placement - [[0, 0, v] for v in detection.transform.offset]
    )
    expected = _expected(
        layout_of(key, IMAGE), detection.payload, from_flat, flat.values
    )
    small = resize(luma, *flat.values.shape)
    share = _share(flat.values * expected, masking.deviation(small))
    return np.clip(resize(share, height, width), 0, 1)


def overlay_image(
    pixels: NDArray[np.uint8], presence: NDArray[np.float32]
) -> NDArray[np.uint8]:
    """Show where a mark is missing: those places are red, all others grey.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
    presence : ndarray of float32, shape (height, width)
        From `locate_image`.

    Returns
    -------
    ndarray of uint8, shape (height, width, 3)

    Raises
    ------
    UsageError
        The array is not a picture, or the other one is not of its size.
    """
    check(pixels)
    if presence.shape != pixels.shape[:2]:
        raise UsageError(
            f"a map of shape {presence.shape} does not fit a picture of shape "
            f"{pixels.shape[:2]}"
        )
    grey = luma_of(pixels)[..., None]
    missing = np.clip(2 * (0.75 - presence), 0, 1)[..., None]
    red = 0.35 * grey + 0.65 * np.array([230, 30, 40])
    shown: NDArray[np.float64] = np.rint(grey + missing * (red - grey))
    return shown.astype(np.uint8)


def _expected(
    layout: Layout, payload: Payload, to_tile: NDArray[np.float64], like: Float
) -> Float:
    """Return the mark as it should lie in a whitened picture, unit deviation."""
    tile = IMAGE.carriers.synthesize(layout.spectrum(payload))
    y, x = np.mgrid[: like.shape[0], : like.shape[1]].astype(np.float32)
    columns, rows = (a * x + b * y + c for a, b, c in to_tile.astype(np.float32))
    mark = cv2.remap(
        np.pad(tile, ((0, 2), (0, 2)), "wrap"),
        columns % IMAGE.carriers.tile,
        rows % IMAGE.carriers.tile,
        cv2.INTER_LINEAR,
    )
    return np.asarray(mark, np.float32)


def _share(product: Float, deviation: Float) -> Float:
    """Return the local share of the mark in cells, from mark times picture."""
    classes = np.digitize(deviation, CLASSES)
    share = np.ones_like(product)
    for _ in range(ROUNDS):
        # What a pixel of each class holds where the mark is.
        held, power, count = (
            np.bincount(classes.ravel(), plane.ravel(), len(CLASSES) + 1)
            for plane in (share * product, (share * product) ** 2, share)
        )
        chance = CHANCE * np.sqrt(NOISE_AREA * power)
        expected = np.where(held > chance, EXPECTED * held / np.maximum(count, 1), 0)
        weight = expected[classes].astype(np.float32)
        cells = _fit(product, weight)
        share = np.where(
            resize(cells, *product.shape) > 0.5, np.float32(1), np.float32(0.02)
        )
    return cells


def _fit(product: Float, weight: Float) -> Float:
    """Fit product = share * weight over the smallest window that is good enough."""
    rows, columns = (-(-size // CELL) for size in product.shape)
    top, norm, noise = (
        resize(plane, rows, columns)
        for plane in (weight * product, weight * weight, (weight * product) ** 2)
    )
    result = np.full((rows, columns), np.nan, np.float32)
    for sigma in WINDOWS:
        there, most, spread = (
            cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REFLECT)
            for plane in (top, norm, noise)
        )
        error = (
            np.sqrt(spread * NOISE_AREA / (4 * math.pi))
            / (sigma * CELL)
            / (most + 1e-9)
        )
        good = np.isnan(result) & ((error < GOOD_ERROR) | (sigma == WINDOWS[-1]))
        result[good] = (there / (most + 1e-9))[good]
    return result
