"""The plate under a notice: its tones, and what it is made of.

White text on a dark plate, or dark text on a light plate where the picture is bright.
The plate is like frosted glass: the picture shows through blurred and toned, so that
nothing under the text competes with it, and a hairline sets it off from a ground of
the same tone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from ..model import Box
from .block import Block
from .typeset import Mask

__all__ = [
    "BRIGHT",
    "DARK",
    "LIGHT",
    "Color",
    "Encode",
    "Floats",
    "Glass",
    "Style",
    "around",
    "frost",
    "glaze",
    "least_contrast",
    "lighter",
    "luminance",
]

Floats = NDArray[np.float32]
Color = tuple[int, int, int]
"""sRGB, 0 to 255."""

Encode = Callable[[Any], Floats]
"""Turns sRGB colors, shape (..., 3), into the values of a picture."""

BRIGHT = 150
"""Mean luma of the ground, 0 to 255, from which on the plate is light."""

# By text height.
_RADIUS = 0.5
_HAIRLINE = 1 / 44
_BLUR = 0.3

# A logo that stands out less from one plate gets the other one.
_LOGO_CONTRAST = 2.0
_MIDDLE = 128

# Exponent of the corner's curve: a circle is 2; this one runs into the sides softly.
_CORNER_EXPONENT = 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A plate: its color and opacity, the text's color, the hairline's opacity."""

    plate: Color
    plate_opacity: float
    ink: Color
    translation_opacity: float
    hairline: Color
    hairline_opacity: float


# Opacities keep the contrast of the translation above 4.5 whatever lies under it.
DARK = Style(
    plate=(16, 17, 20),
    plate_opacity=0.66,
    ink=(255, 255, 255),
    translation_opacity=0.84,
    hairline=(255, 255, 255),
    hairline_opacity=0.22,
)
LIGHT = Style(
    plate=(248, 248, 250),
    plate_opacity=0.76,
    ink=(20, 21, 24),
    translation_opacity=0.84,
    hairline=(0, 0, 0),
    hairline_opacity=0.2,
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Glass:
    """What a plate with its text makes of the blurred ground under it.

    Inside its shape a pixel becomes ``through * ground + color``.

    Parameters
    ----------
    shape : ndarray of float32, shape (height, width)
        Coverage of the plate, 0 to 1: less than 1 at its corners.
    through : ndarray of float32, shape (height, width)
        Share of the ground.
    color : ndarray of float32, shape (height, width, channels)
        What is added to it.
    bare : ndarray of bool, shape (height, width)
        Where the plate has neither text nor logo nor hairline.
    """

    shape: Mask
    through: Mask
    color: Floats
    bare: NDArray[np.bool_]


def lighter(block: Block) -> bool | None:
    """Return whether a plate must be light for its logo, or None where both will do."""
    if block.logo is None:
        return None
    pixels = block.logo.pixels.reshape(-1, 4)
    weights = pixels[:, 3].astype(np.float64)
    light = float(luminance(pixels[:, :3].astype(np.float32)) @ weights / weights.sum())
    ratios = {}
    for style in (DARK, LIGHT):
        # The plate as it is on a ground of middle tone.
        tone = np.array(style.plate, np.float32)
        tone += (_MIDDLE - tone) * (1 - style.plate_opacity)
        low, high = sorted((light, float(luminance(tone[None])[0])))
        ratios[style is LIGHT] = (high + 0.05) / (low + 0.05)
    best = max(ratios, key=lambda one: ratios[one])
    return best if ratios[not best] < _LOGO_CONTRAST else None


def glaze(block: Block, style: Style, encode: Encode) -> Glass:
    """Return the plate of a block with its text.

    Parameters
    ----------
    block : Block
        The text as set.
    style : Style
        Colors and opacities.
    encode : callable
        Turns sRGB colors into values of the picture.
    """
    size = (block.height, block.width)
    line = max(1, round(_HAIRLINE * block.size_px))
    outer = _rounded(size, _RADIUS * block.size_px, 0)
    inner = _rounded(size, _RADIUS * block.size_px - line, line)
    small = block.coverage(block.translation)
    large = block.coverage(*block.lines)
    through = np.ones(size, np.float32)
    color = np.zeros((*size, len(encode(style.ink))), np.float32)
    sign = np.zeros((*size, 4), np.uint8)
    if block.logo is not None:
        rows, columns = block.logo.pixels.shape[:2]
        left, top = block.logo.left, block.logo.top
        sign[top : top + rows, left : left + columns] = block.logo.pixels
    cover = np.divide(sign[..., 3], 255, dtype=np.float32)
    layers: tuple[tuple[Any, Mask], ...] = (
        (style.plate, np.full(size, style.plate_opacity, np.float32)),
        (style.hairline, (outer - inner) * style.hairline_opacity),
        (sign[..., :3], cover),
        (style.ink, small * style.translation_opacity),
        (style.ink, large),
    )
    for paint, share in layers:
        through *= 1 - share
        color += (encode(paint) - color) * share[..., None]
    bare = (inner == 1) & (small + large + cover == 0)
    return Glass(shape=outer, through=through, color=color, bare=bare)


def around(box: Box, shape: tuple[int, ...], size_px: float) -> tuple[Box, Box]:
    """Return the part of a picture that a plate's ground is made of.

    Parameters
    ----------
    box : Box
        The plate.
    shape : tuple of int
        Shape of the picture.
    size_px : float
        Text height.

    Returns
    -------
    tuple of Box
        The part in the picture, and the plate in that part.
    """
    reach = math.ceil(3 * _BLUR * size_px)
    top, left = max(box.top - reach, 0), max(box.left - reach, 0)
    bottom = min(box.top + box.height + reach, shape[0])
    right = min(box.left + box.width + reach, shape[1])
    part = Box(left=left, top=top, width=right - left, height=bottom - top)
    inner = Box(
        left=box.left - left, top=box.top - top, width=box.width, height=box.height
    )
    return part, inner


def frost(part: NDArray[Any], box: Box, size_px: float) -> Floats:
    """Return the blurred ground of a plate.

    Parameters
    ----------
    part : ndarray of uint8 or uint16, shape (height, width) or (height, width, 3)
        The picture `around` the plate.
    box : Box
        The plate in it.
    size_px : float
        Text height.

    Returns
    -------
    ndarray of float32
        The ground, of the size of the box.
    """
    sigma = _BLUR * size_px
    # A strong blur leaves nothing that a reduced picture does not hold.
    reduction = max(1, sigma / 4)
    size = part.shape[1::-1]
    small = cv2.resize(
        np.ascontiguousarray(part),
        tuple(math.ceil(n / reduction) for n in size),
        interpolation=cv2.INTER_AREA,
    )
    soft = cv2.GaussianBlur(small.astype(np.float32), (0, 0), sigma / reduction)
    smooth = cv2.resize(soft, size, interpolation=cv2.INTER_LINEAR)
    inside = smooth[box.top : box.top + box.height, box.left : box.left + box.width]
    return np.asarray(inside, np.float32)


def least_contrast(
    plate: Floats,
    style: Style,
    encode: Encode,
    light: Callable[[Floats], Floats],
    *,
    translated: bool,
) -> float:
    """Return the least contrast between text and the pixels of its plate.

    Parameters
    ----------
    plate : ndarray of float32, shape (pixels, channels)
        The bare plate.
    style : Style
        Of the plate.
    encode : callable
        Turns an sRGB color into the values of the picture.
    light : callable
        Turns values of the picture into relative luminance.
    translated : bool
        Whether a translation, which lets the plate through, counts.

    References
    ----------
    WCAG 2.2, definition "contrast ratio".
    """
    lights = light(plate)
    worst = int(lights.argmax() if style.ink > style.plate else lights.argmin())
    share = style.translation_opacity if translated else 1.0
    ink = plate[worst] + (encode(style.ink) - plate[worst]) * np.float32(share)
    low, high = sorted((float(lights[worst]), float(light(ink[None])[0])))
    return (high + 0.05) / (low + 0.05)


def luminance(colors: Floats) -> Floats:
    """Return the relative luminance, 0 to 1, of sRGB or grey colors 0 to 255.

    References
    ----------
    WCAG 2.2, definition "relative luminance".
    """
    part = colors / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    if linear.shape[-1] == 1:
        return np.asarray(linear[..., 0], np.float32)
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722]), np.float32)


def _rounded(shape: tuple[int, int], radius: float, inset: int) -> Mask:
    """Return the coverage of a rectangle with soft corners, `inset` from all sides."""
    y, x = (
        np.maximum(
            np.abs(np.arange(n, dtype=np.float32) + 0.5 - n / 2)
            - (n / 2 - inset - radius),
            0,
        )
        ** _CORNER_EXPONENT
        for n in shape
    )
    distance = (y[:, None] + x[None, :]) ** (1 / _CORNER_EXPONENT) - radius
    return np.asarray(np.clip(0.5 - distance, 0, 1), np.float32)
