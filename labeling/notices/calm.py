"""How busy a picture is in places, so that a notice covers what matters least.

Faces, text and other subjects have edges; sky, walls and water have few. Nothing here
knows what a face is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..model import Box
from .plate import Floats

__all__ = ["busyness", "calmest"]

# Shorter side of the reduced picture.
_SIDE = 160
_LONGEST = 2048
# Edges that are this strong, in levels of 255 a pixel, are as busy as can be.
_STRONG = 48.0
# A mouth beside the plate counts as well as the cheek under it: by the plate's shorter
# side.
_REACH = 0.25
# A corner is left when another one has less than this share of what it holds, and it
# holds this much.
_CALMER = 0.6
_BUSY = 0.06


def busyness(grey: NDArray[Any], size: tuple[int, int], peak: float = 255) -> Floats:
    """Return how busy a picture is, reduced to about 160 pixels.

    Parameters
    ----------
    grey : ndarray, shape (height, width)
        Its luma.
    size : tuple of int
        Width and height as it is shown.
    peak : float, optional
        White.

    Returns
    -------
    ndarray of float32
        0 to 1, in the form of the picture as it is shown.
    """
    scale = min(_SIDE / min(size), _LONGEST / max(size))
    shape = tuple(max(2, round(n * scale)) for n in size)
    small = cv2.resize(np.ascontiguousarray(grey), shape, interpolation=cv2.INTER_AREA)
    soft = cv2.GaussianBlur(small.astype(np.float32) * (255 / peak), (0, 0), 0.8)
    x, y = (cv2.Sobel(soft, cv2.CV_32F, *way, scale=1 / 4) for way in ((1, 0), (0, 1)))
    return np.asarray(np.minimum(cv2.magnitude(x, y) / _STRONG, 1), np.float32)


def calmest(
    maps: Iterable[Floats], spots: Mapping[str, Box], size: tuple[int, int]
) -> str:
    """Return the place for a notice.

    Parameters
    ----------
    maps : iterable of ndarray
        `busyness` of one picture, or of frames.
    spots : mapping of str to Box
        The plate in every place, the usual one first.
    size : tuple of int
        Width and height of the picture as it is shown.

    Returns
    -------
    str
        The usual place, or the calmest one where that is much calmer.
    """
    totals = dict.fromkeys(spots, 0.0)
    frames = 0
    for one in maps:
        frames += 1
        across, down = one.shape[1] / size[0], one.shape[0] / size[1]
        for place, box in spots.items():
            reach = _REACH * min(box.width, box.height)
            rows = _span(box.top - reach, box.top + box.height + reach, down)
            columns = _span(box.left - reach, box.left + box.width + reach, across)
            totals[place] += float(one[rows, columns].mean())
    usual = next(iter(totals))
    best = min(totals, key=lambda place: totals[place])
    much = totals[usual] >= _BUSY * frames
    return best if much and totals[best] < _CALMER * totals[usual] else usual


def _span(start: float, end: float, scale: float) -> slice:
    first = max(int(start * scale), 0)
    return slice(first, max(math.ceil(end * scale), first + 1))
