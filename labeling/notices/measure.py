"""What can be measured of a notice that was found: its place and its contrast."""

from __future__ import annotations

import cv2
import numpy as np

from ..model import Box
from .plate import luminance
from .typeset import Pixels

__all__ = ["INSIDE", "contrast_of", "place_of"]

INSIDE = "inside"
"""The place of a notice that is at no edge."""

# A text is at an edge when it is that near: by shorter side, by the side that leads
# there, or by its height.
_NEAR = 0.16
_NEAR_ALONG = 0.15
_NEAR_HEIGHTS = 1.5
# And it is at one side when the other one is that much farther.
_FARTHER = 2


def place_of(box: Box, ink_height_px: float, width: int, height: int) -> str:
    """Return at which edge or corner a text stands.

    Parameters
    ----------
    box : Box
        The text, without its plate.
    ink_height_px : float
        Height of its characters.
    width, height : int
        Of the picture.

    Returns
    -------
    str
        One of `PLACES` but not "auto", or `INSIDE`.
    """
    right, bottom = width - box.left - box.width, height - box.top - box.height
    near = max(_NEAR * min(width, height), _NEAR_HEIGHTS * ink_height_px)
    aside = min(box.left, right) > max(near, _NEAR_ALONG * width)
    if aside and min(box.top, bottom) > max(near, _NEAR_ALONG * height):
        return INSIDE
    across = _side(box.left, right, "left", "right")
    down = _side(box.top, bottom, "top", "bottom")
    return "-".join(filter(None, (down, across))) or INSIDE


def _side(before: int, after: int, first: str, last: str) -> str:
    if _FARTHER * before < after:
        return first
    return last if _FARTHER * after < before else ""


def contrast_of(grey: Pixels) -> float:
    """Return the contrast of a text to its ground, 1 to 21 (WCAG 2.2).

    The two are told apart by their luma (Otsu's threshold). Of the text its clearer
    half counts: strokes of a small or compressed one are blurred.

    Parameters
    ----------
    grey : ndarray of uint8, shape (height, width)
        The part of the picture that the text fills.
    """
    if grey.size == 0:
        return 1.0
    threshold, _ = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    dark, light = grey[grey <= threshold], grey[grey > threshold]
    if not (dark.size and light.size):
        return 1.0
    # There is less of the text than of what it stands on.
    shares = (25, 50) if dark.size < light.size else (50, 75)
    levels = np.array([np.percentile(dark, shares[0]), np.percentile(light, shares[1])])
    low, high = luminance(levels[:, None])
    return float((high + 0.05) / (low + 0.05))
