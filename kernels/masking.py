"""What the eye does not notice, and what is left of a mark, place by place."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["deviation", "reliability", "texture"]

REACH = 7
EROSION = 9  # wider than the blur, or thin lines would count as texture
TENSOR_REACH, TENSOR_EROSION = 7, 5
# For each level a pixel of slope. What is steeper counts no more: a few strokes of ink
# would make texture of the blank paper around them.
TEXTURE_STRENGTH, STEEPEST = 5.0, 6.0
RELIABILITY_SLOPE, RELIABILITY_CEILING = 2.0, 2.0

Float = NDArray[np.float32]


def deviation(luma: Float) -> Float:
    """Return the local deviation, eroded: the flat side of an edge counts as flat.

    Parameters
    ----------
    luma : ndarray of float32, shape (height, width)
        Levels, 0 to 255.

    Returns
    -------
    ndarray of float32, shape (height, width)
        In levels.
    """
    mean = cv2.blur(luma, (REACH, REACH))
    variance = cv2.blur(luma * luma, (REACH, REACH)) - mean * mean
    local = np.sqrt(np.maximum(variance, 0))
    return np.asarray(
        cv2.erode(local, np.ones((EROSION, EROSION), np.uint8)), np.float32
    )


def texture(luma: Float) -> Float:
    """Return the relative strength a picture hides at each pixel, 1 where it is flat.

    Parameters
    ----------
    luma : ndarray of float32, shape (height, width)
        Levels, 0 to 255.

    Returns
    -------
    ndarray of float32, shape (height, width)

    Notes
    -----
    Only what changes in both directions hides a pattern that does: the lesser
    eigenvalue of the structure tensor (Foerstner 1986; Harris and Stephens 1988) is
    large in texture, and nothing at edges, between parallel lines and in smooth shades.
    """
    across = cv2.Sobel(luma, cv2.CV_32F, 1, 0, ksize=3, scale=1 / 8)
    down = cv2.Sobel(luma, cv2.CV_32F, 0, 1, ksize=3, scale=1 / 8)
    excess = np.maximum(np.hypot(across, down) / np.float32(STEEPEST), 1)
    across, down = across / excess, down / excess
    xx, yy, xy = (
        cv2.blur(plane, (TENSOR_REACH, TENSOR_REACH))
        for plane in (across * across, down * down, across * down)
    )
    lesser = (xx + yy - np.sqrt((xx - yy) ** 2 + 4 * xy * xy)) / 2
    slope = np.sqrt(np.maximum(lesser, 0))
    rim = np.ones((TENSOR_EROSION, TENSOR_EROSION), np.uint8)
    return np.asarray(1 + TEXTURE_STRENGTH * cv2.erode(slope, rim), np.float32)


def reliability(luma: Float) -> Float:
    """Return how much of a mark to expect at each pixel, relative to a dead place.

    A lossy codec takes a weak mark out of flat places altogether and leaves them
    flatter than any picture is by itself.

    Parameters
    ----------
    luma : ndarray of float32, shape (height, width)
        Levels of the received picture, 0 to 255.

    Returns
    -------
    ndarray of float32, shape (height, width)
    """
    alive = np.minimum(deviation(luma), np.float32(RELIABILITY_CEILING))
    return np.float32(1) + np.float32(RELIABILITY_SLOPE) * alive
