"""Draw the notice that people see on a picture.

White text on a dark plate, or dark text on a light plate where the picture is bright.
The plate is like frosted glass: the picture shows through blurred and toned, so that
nothing under the text competes with it, and a hairline sets it off from a ground of
the same tone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ..errors import TooSmallForNotice, UsageError
from ..model import Box
from .block import Block, set_block, settings
from .typeset import Mask, Pixels
from .wording import CORE, check_wording

__all__ = [
    "CORNERS",
    "MIN_HEIGHT_FRACTION",
    "Notice",
    "TooSmallForNotice",
    "check_picture",
    "draw",
]

Floats = NDArray[np.float32]

CORNERS = ("bottom-right", "bottom-left", "top-right", "top-left")

MIN_HEIGHT_FRACTION = 0.05
"""Least text height by shorter side of the picture (GB 45438-2025, 5.2)."""

_MAX_HEIGHT_FRACTION = 0.2
# TC260-PG-20233A, which asks for more than 5 % on pictures below 400 px.
_GUIDE_HEIGHT_PX = 20
# Below this the strokes of 生 and 成 run together.
_LEGIBLE_HEIGHT_PX = 9
# A plate shall not take more of a tiny picture than this.
_MAX_AREA = 0.4

# Dimensions and channels.
_SHAPES = {(2,), (3, 3), (3, 4)}

# By text height.
_MARGIN = 0.5
_RADIUS = 0.5
_HAIRLINE = 1 / 44
_BLUR = 0.3

# Exponent of the corner's curve: a circle is 2; this one runs into the sides softly.
_CORNER_EXPONENT = 2.4


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A notice as drawn.

    Parameters
    ----------
    text : str
        The wording, which is "AI生成" where the one asked for has no room.
    box : Box
        The plate. No pixel outside it was changed.
    ink_height_px : int
        Height of the shortest character of the required elements, measured on the
        drawn ink.
    contrast : float
        Least contrast ratio (WCAG 2.2) of any part of the text to any pixel of the
        plate.
    """

    text: str
    box: Box
    ink_height_px: int
    contrast: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Style:
    """A plate: its color and opacity, the text's color, the hairline's opacity."""

    plate: tuple[int, int, int]
    plate_opacity: float
    ink: tuple[int, int, int]
    translation_opacity: float
    hairline: tuple[int, int, int]
    hairline_opacity: float


# Opacities keep the contrast of the translation above 4.5 whatever lies under it.
_DARK = _Style(
    plate=(16, 17, 20),
    plate_opacity=0.66,
    ink=(255, 255, 255),
    translation_opacity=0.84,
    hairline=(255, 255, 255),
    hairline_opacity=0.22,
)
_LIGHT = _Style(
    plate=(248, 248, 250),
    plate_opacity=0.76,
    ink=(20, 21, 24),
    translation_opacity=0.84,
    hairline=(0, 0, 0),
    hairline_opacity=0.2,
)
_BRIGHT = 150
"""Mean luma of the ground from which on the plate is light."""


def draw(
    pixels: Pixels,
    text: str,
    *,
    corner: str = "bottom-right",
    height_fraction: float = MIN_HEIGHT_FRACTION,
) -> tuple[Pixels, Notice]:
    """Draw a notice in a corner of a picture.

    The shortest character of the required elements gets at least `height_fraction`
    of the picture's shorter side, and 20 px on a smaller picture that has room for
    them. A wording that is too wide is set on up to three lines; if that does not
    fit, "AI生成" takes its place, on two lines if need be.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        Grey, RGB or RGBA. It is not changed.
    text : str
        The wording. What follows " · " is set smaller when what stands before it is
        legal by itself.
    corner : str, optional
        One of `CORNERS`.
    height_fraction : float, optional
        Text height by shorter side of the picture, 0.05 to 0.2.

    Returns
    -------
    ndarray of uint8
        A new array of the same shape, opaque inside the plate.
    Notice
        What was drawn, and where.

    Raises
    ------
    UsageError
        The wording is refused by `check_wording`, or another argument cannot be
        meant.
    TooSmallForNotice
        No legal wording fits at a height that is legal and legible (9 px).
    """
    check_picture(pixels)
    if corner not in CORNERS:
        raise UsageError(
            f"there is no corner {corner!r}", hint=f"Use one of {', '.join(CORNERS)}."
        )
    if not MIN_HEIGHT_FRACTION <= height_fraction <= _MAX_HEIGHT_FRACTION:
        raise UsageError(
            f"the text height cannot be {height_fraction:g} of the shorter side",
            hint=f"Use {MIN_HEIGHT_FRACTION:g}, the legal minimum, to "
            f"{_MAX_HEIGHT_FRACTION:g}.",
        )
    check_wording(text)
    height, width = pixels.shape[:2]
    block = _choose(text, width, height, height_fraction)
    box = _place(block, width, height, corner)
    drawn = pixels.copy()
    return drawn, Notice(
        text=block.text,
        box=box,
        ink_height_px=block.ink_height_px,
        contrast=_paint(drawn, block, box),
    )


def check_picture(pixels: Pixels) -> None:
    """Refuse an array that is not a picture.

    Raises
    ------
    UsageError
        It is not of uint8 and of shape (height, width) or (height, width, 3 or 4).
    """
    if pixels.dtype != np.uint8 or (pixels.ndim, *pixels.shape[2:]) not in _SHAPES:
        raise UsageError(
            f"an array of {pixels.dtype} and shape {pixels.shape} is not a picture",
            hint="Give uint8 pixels: grey, RGB or RGBA.",
        )


def _choose(text: str, width: int, height: int, height_fraction: float) -> Block:
    """Return the fullest wording that fits, at the full size if any does."""
    # The subtraction takes back rounding errors, as in 0.07 * 100.
    legal = math.ceil(height_fraction * min(width, height) - 1e-6)
    least = max(legal, _LEGIBLE_HEIGHT_PX)
    wanted = max(legal, _GUIDE_HEIGHT_PX)

    def fits(block: Block) -> bool:
        room = block.width + 2 <= width and block.height + 2 <= height
        return room and block.width * block.height <= _MAX_AREA * width * height

    for setting in (*settings(text), *settings(CORE)):
        # No character is narrower than a fifth of the height: spare setting those.
        if max(map(len, setting.lines)) * wanted / 5 < width:
            block = set_block(setting, wanted)
            if fits(block):
                return block
    for size in range(wanted - 1, least - 1, -1):
        for setting in settings(CORE):
            block = set_block(setting, size)
            if fits(block):
                return block
    raise TooSmallForNotice(
        f"a picture of {width} x {height} pixels has no room for a notice with "
        f"characters of {least} pixels",
        hint="Show the notice beside the picture.",
    )


def _place(block: Block, width: int, height: int, corner: str) -> Box:
    """Return where the plate goes: half a text height from the corner, or nearer."""
    spare = (width - block.width, height - block.height)
    margin = min(round(_MARGIN * block.size_px), *(room // 2 for room in spare))
    return Box(
        left=margin if "left" in corner else spare[0] - margin,
        top=margin if "top" in corner else spare[1] - margin,
        width=block.width,
        height=block.height,
    )


def _paint(pixels: Pixels, block: Block, box: Box) -> float:
    """Paint plate and text over a picture and return the contrast."""
    area = np.s_[box.top : box.top + box.height, box.left : box.left + box.width]
    ground = _blurred(pixels, box, _BLUR * block.size_px)
    style = _LIGHT if _luma(ground).mean() >= _BRIGHT else _DARK
    plate = _mix(ground, style.plate, style.plate_opacity)
    line = max(1, round(_HAIRLINE * block.size_px))
    outer = _rounded(plate.shape[:2], _RADIUS * block.size_px, 0)
    inner = _rounded(plate.shape[:2], _RADIUS * block.size_px - line, line)
    toned = _mix(plate, style.hairline, (outer - inner) * style.hairline_opacity)
    small = block.coverage(block.translation)
    large = block.coverage(*block.lines)
    toned = _mix(toned, style.ink, small * style.translation_opacity)
    toned = _mix(toned, style.ink, large)

    target = pixels[area]
    colors = 1 if pixels.ndim == 2 else 3
    old = target.reshape(*outer.shape, -1).astype(np.float32)
    share: Floats = outer[..., None]
    if old.shape[2] == 4:
        opaque = 255 * share + old[..., 3:] * (1 - share)
        share = np.divide(255 * share, np.maximum(opaque, 1), dtype=np.float32)
        old[..., 3:] = opaque
    old[..., :colors] += (toned - old[..., :colors]) * share
    target[...] = np.rint(old).astype(np.uint8).reshape(target.shape)

    around = target.reshape(*outer.shape, -1)[(inner == 1) & (small + large == 0)]
    return _contrast(around[:, :colors], style, translated=bool(block.translation))


def _blurred(pixels: Pixels, box: Box, sigma: float) -> Floats:
    """Return the ground of a plate, blurred; shape (height, width, 1 or 3)."""
    reach = math.ceil(3 * sigma)
    top, left = max(box.top - reach, 0), max(box.left - reach, 0)
    around = pixels[
        top : box.top + box.height + reach, left : box.left + box.width + reach
    ]
    if around.ndim == 3 and around.shape[2] == 4:
        # What a transparent picture will be shown on is unknown: take mid-grey.
        alpha = around[..., 3:].astype(np.float32) / 255
        flat = around[..., :3] * alpha + 128 * (1 - alpha)
        around = np.rint(flat).astype(np.uint8)
    # A strong blur leaves nothing that a reduced picture does not hold.
    reduction = max(1, sigma / 4)
    small = cv2.resize(
        np.ascontiguousarray(around),
        tuple(math.ceil(n / reduction) for n in around.shape[1::-1]),
        interpolation=cv2.INTER_AREA,
    )
    small = cv2.GaussianBlur(small, (0, 0), sigma / reduction).astype(np.float32)
    smooth = cv2.resize(small, around.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    y, x = box.top - top, box.left - left
    ground = smooth[y : y + box.height, x : x + box.width]
    return np.asarray(ground.reshape(box.height, box.width, -1), np.float32)


def _rounded(shape: tuple[int, ...], radius: float, inset: int) -> Mask:
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


def _mix(under: Floats, color: tuple[int, int, int], opacity: Mask | float) -> Floats:
    """Lay a color over pixels; in a grey picture, its luma."""
    over = np.array(color, np.float32)
    if under.shape[2] == 1:
        over = _luma(over)
    share = np.asarray(opacity, np.float32)[..., None]
    return under + (over - under) * share


def _luma(colors: Floats) -> Floats:
    """Return the luma of colors (ITU-R BT.601), with a last axis of length 1."""
    if colors.shape[-1] == 1:
        return colors
    return np.asarray(colors @ np.array([[0.299], [0.587], [0.114]], np.float32))


def _contrast(around: Pixels, style: _Style, *, translated: bool) -> float:
    """Return the least contrast between text and the pixels of its plate.

    References
    ----------
    WCAG 2.2, definitions "contrast ratio" and "relative luminance".
    """
    lights = _luminance(around.astype(np.float32))
    ink = np.array([style.ink], np.float32)
    worst = int(lights.argmax() if style is _DARK else lights.argmin())
    if translated:
        ink = _mix(
            around[None, worst : worst + 1].astype(np.float32),
            style.ink,
            style.translation_opacity,
        )[0]
    low, high = sorted((float(lights[worst]), float(_luminance(ink)[0])))
    return (high + 0.05) / (low + 0.05)


def _luminance(colors: Floats) -> Floats:
    """Return the relative luminance, 0 to 1, of sRGB or grey colors 0 to 255."""
    part = colors / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    if linear.shape[-1] == 1:
        return linear[..., 0]
    return np.asarray(linear @ np.array([0.2126, 0.7152, 0.0722], np.float32))
