"""Draw the notice that people see on a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from ..errors import TooSmallForNotice, UsageError
from ..model import Box
from .block import Block
from .calm import busyness, calmest
from .logo import Logo
from .place import (
    AUTO,
    CORNERS,
    GUIDE_HEIGHT_PX,
    MIN_HEIGHT_FRACTION,
    PLACES,
    SAFE_AREAS,
    check_place,
    choose,
    least_height,
    rooms,
)
from .plate import (
    BRIGHT,
    DARK,
    LIGHT,
    Floats,
    around,
    frost,
    glaze,
    least_contrast,
    lighter,
    luminance,
)
from .typeset import Pixels
from .wording import check_wording

__all__ = [
    "CORNERS",
    "MIN_HEIGHT_FRACTION",
    "PLACES",
    "SAFE_AREAS",
    "Notice",
    "TooSmallForNotice",
    "check_picture",
    "draw",
    "grey_of",
]

# Dimensions and channels.
_SHAPES = {(2,), (3, 3), (3, 4)}


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
    corner : str
        The place: one of `PLACES`, but not "auto".
    logo : bool
        Whether a logo stands beside the text.
    """

    text: str
    box: Box
    ink_height_px: int
    contrast: float
    corner: str
    logo: bool


def draw(
    pixels: Pixels,
    text: str,
    *,
    corner: str = CORNERS[0],
    height_fraction: float = MIN_HEIGHT_FRACTION,
    safe_area: str = "none",
    vertical: bool = False,
    logo: Logo | None = None,
) -> tuple[Pixels, Notice]:
    """Draw a notice at an edge or in a corner of a picture.

    The shortest character of the required elements gets at least `height_fraction`
    of the picture's shorter side, and 20 px on a smaller picture that has room for
    them. A wording that is too wide is set on up to three lines; if that does not
    fit, "AI生成" takes its place, on two lines if need be.

    Of a picture with transparency, what is visible counts: the shorter side is that of
    the rectangle around it, and the notice stands on pixels that are visible, if they
    have room for it.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        Grey, RGB or RGBA. It is not changed.
    text : str
        The wording. What follows " · " is set smaller when what stands before it is
        legal by itself.
    corner : str, optional
        One of `PLACES`. "auto" is "bottom-right", or a corner where the picture is
        much calmer.
    height_fraction : float, optional
        Text height by shorter side of the picture, 0.05 to 0.2.
    safe_area : str, optional
        What is kept free at the sides: one of `SAFE_AREAS`.
    vertical : bool, optional
        Whether the wording is set in a column, in a corner or along a side; its
        translation is turned clockwise.
    logo : Logo, optional
        Stands beside the text where there is room.

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
    check_place(corner, height_fraction, safe_area=safe_area, vertical=vertical)
    check_wording(text, vertical=vertical)
    height, width = pixels.shape[:2]
    space = rooms(pixels)
    seen = space[0].box
    least = least_height(seen.width, seen.height, height_fraction)
    block, spots = choose(
        text,
        space,
        least,
        max(least, GUIDE_HEIGHT_PX),
        corners=CORNERS if corner == AUTO else (corner,),
        safe_area=safe_area,
        vertical=vertical,
        logo=logo,
    )
    if corner == AUTO:
        corner = calmest(
            [busyness(grey_of(pixels), (width, height))], spots, (width, height)
        )
    box = spots[corner]
    drawn = pixels.copy()
    return drawn, Notice(
        text=block.text,
        box=box,
        ink_height_px=block.ink_height_px,
        contrast=_paint(drawn, block, box),
        corner=corner,
        logo=block.logo is not None,
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


def grey_of(pixels: Pixels) -> Pixels:
    """Return the luma; a transparent picture is seen on mid-grey."""
    if pixels.ndim == 2:
        return np.ascontiguousarray(pixels)
    grey = cv2.cvtColor(np.ascontiguousarray(pixels[..., :3]), cv2.COLOR_RGB2GRAY)
    if pixels.shape[2] == 4:
        alpha = np.ascontiguousarray(pixels[..., 3])
        seen = cv2.multiply(grey, alpha, scale=1 / 255)
        through = cv2.multiply(
            cv2.bitwise_not(alpha), np.full_like(alpha, 128), scale=1 / 255
        )
        grey = cv2.add(seen, through)
    return np.asarray(grey, np.uint8)


def _paint(pixels: Pixels, block: Block, box: Box) -> float:
    """Paint plate and text over a picture and return the contrast."""
    colors = 1 if pixels.ndim == 2 else 3

    def encode(color: Any) -> Floats:
        values = np.asarray(color, np.float32)
        return _luma(values) if colors == 1 else values

    part, inside = around(box, pixels.shape, block.size_px)
    ground = frost(_opaque(_cut(pixels, part)), inside, block.size_px)
    ground = ground.reshape(box.height, box.width, colors)
    light = lighter(block)
    if light is None:
        light = bool(_luma(ground).mean() >= BRIGHT)
    style = LIGHT if light else DARK
    glass = glaze(block, style, encode)
    toned = ground * glass.through[..., None] + glass.color

    target = _cut(pixels, box)
    old = target.reshape(box.height, box.width, -1).astype(np.float32)
    share: Floats = glass.shape[..., None]
    if old.shape[2] == 4:
        opaque = 255 * share + old[..., 3:] * (1 - share)
        share = np.divide(255 * share, np.maximum(opaque, 1), dtype=np.float32)
        old[..., 3:] = opaque
    old[..., :colors] += (toned - old[..., :colors]) * share
    drawn = np.rint(old).astype(np.uint8)
    target[...] = drawn.reshape(target.shape)
    bare = drawn[glass.bare][:, :colors].astype(np.float32)
    translated = block.translation is not None
    return least_contrast(bare, style, encode, luminance, translated=translated)


def _cut(pixels: Pixels, box: Box) -> Pixels:
    """Return a part of a picture as a view."""
    return pixels[box.top : box.top + box.height, box.left : box.left + box.width]


def _opaque(pixels: Pixels) -> Pixels:
    """Return the picture without alpha.

    What a transparent one will be shown on is unknown: mid-grey stands for it.
    """
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels
    alpha = pixels[..., 3:].astype(np.float32) / 255
    flat = pixels[..., :3] * alpha + 128 * (1 - alpha)
    return np.rint(flat).astype(np.uint8)


def _luma(colors: Floats) -> Floats:
    """Return the luma of colors (ITU-R BT.601), with a last axis of length 1."""
    if colors.shape[-1] == 1:
        return colors
    return np.asarray(colors @ np.array([[0.299], [0.587], [0.114]], np.float32))
