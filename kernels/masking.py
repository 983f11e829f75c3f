"""How much change the eye does not notice, place by place."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["texture"]

REACH = 7
EROSION = 9  # wider than the blur, or thin lines would count as texture
SLOPE = 0.45
CEILING = 20.0

Float = NDArray[np.float32]


def texture(luma: Float, exponent: float) -> Float:
    """Return the relative strength a picture hides at each pixel, 1 where it is flat.

    Parameters
    ----------
    luma : ndarray of float32, shape (height, width)
        Levels, 0 to 255.
    exponent : float
        0 for the same strength everywhere, 1 for strength along with the texture.

    Returns
    -------
    ndarray of float32, shape (height, width)

    Notes
    -----
    The local deviation is eroded, so that the flat side of an edge counts as flat.
    """
    mean = cv2.blur(luma, (REACH, REACH))
    variance = cv2.blur(luma * luma, (REACH, REACH)) - mean * mean
    deviation = np.sqrt(np.maximum(variance, 0))
    deviation = cv2.erode(deviation, np.ones((EROSION, EROSION), np.uint8))
    strength = 1 + SLOPE * np.minimum(deviation, CEILING)
    return np.power(strength, np.float32(exponent))
