"""Draw the notice that people see on a picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import TooSmallForNotice, UsageError
from ..model import Box
from .block import Block
from .plate import (
    BRIGHT,
    CORNERS,
    DARK,
    GUIDE_HEIGHT_PX,
    LIGHT,
    MIN_HEIGHT_FRACTION,
    Color,
    Floats,
    around,
    check_place,
    choose,
    frost,
    glaze,
    least_contrast,
    least_height,
    luminance,
    place,
)
from .typeset import Pixels
from .wording import check_wording

__all__ = [
    "CORNERS",
    "MIN_HEIGHT_FRACTION",
    "Notice",
    "TooSmallForNotice",
    "check_picture",
    "draw",
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
    """

    text: str
    box: Box
    ink_height_px: int
    contrast: float


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
    check_place(corner, height_fraction)
    check_wording(text)
    height, width = pixels.shape[:2]
    least = least_height(width, height, height_fraction)
    block = choose(text, width, height, least, max(least, GUIDE_HEIGHT_PX))
    box = place(block, width, height, corner)
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


def _paint(pixels: Pixels, block: Block, box: Box) -> float:
    """Paint plate and text over a picture and return the contrast."""
    colors = 1 if pixels.ndim == 2 else 3

    def encode(color: Color) -> Floats:
        values = np.array(color, np.float32)
        return _luma(values) if colors == 1 else values

    part, inside = around(box, pixels.shape, block.size_px)
    ground = frost(_opaque(_cut(pixels, part)), inside, block.size_px)
    ground = ground.reshape(box.height, box.width, colors)
    style = LIGHT if _luma(ground).mean() >= BRIGHT else DARK
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
