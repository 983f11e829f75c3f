"""Depths and color models that become grey, RGB or RGBA of 8 bits."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

from ..errors import UsageError

__all__ = ["DEPTH_NOTE", "Pixels", "eight_bit", "hide_color"]

Pixels = NDArray[np.uint8]

DEPTH_NOTE = "16 bits per channel were reduced to 8"
_MODE_NAMES = {
    "L": "grey with a transparent color",
    "LA": "grey with transparency",
    "P": "the color palette",
    "RGB": "RGB with a transparent color",
}


def eight_bit(image: Image.Image, icc: bytes | None) -> tuple[Pixels, list[str]]:
    """Convert an image to grey, RGB or RGBA of 8 bits.

    Parameters
    ----------
    image : PIL.Image.Image
        Decoded, of any mode.
    icc : bytes or None
        Its color profile, through which CMYK is converted.

    Returns
    -------
    pixels : ndarray of uint8, shape (height, width), (height, width, 3 or 4)
        The picture.
    notes : list of str
        What was converted, in plain words.

    Raises
    ------
    UsageError
        The mode has no plain meaning as colors.
    """
    mode = image.mode
    if mode.startswith("I;16"):
        return (np.asarray(image) >> 8).astype(np.uint8), [DEPTH_NOTE]
    if mode in ("I", "F"):
        raise UsageError(
            f"an image of mode {mode} has no fixed range of values",
            hint="Scale it to 0..255 and convert it to mode L first.",
        )
    if mode == "CMYK":
        image, note = _from_cmyk(image, icc)
        return np.array(image), [note]
    if mode == "1":
        return np.array(image.convert("L")), ["black and white was converted to grey"]
    target = "RGBA" if image.has_transparency_data else "RGB"
    if mode == target or (mode == "L" and target == "RGB"):
        return np.array(image), []
    try:
        pixels = np.array(image.convert(target))
    except ValueError as error:
        raise UsageError(
            f"an image of mode {mode} cannot be converted to {target}",
            hint="Convert it to mode RGB first.",
        ) from error
    return pixels, [f"{_MODE_NAMES.get(mode, mode)} was converted to {target}"]


def hide_color(pixels: Pixels, color: NDArray[Any], bits: int) -> Pixels:
    """Add an alpha channel that hides one color.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3)
        Grey or RGB.
    color : ndarray of int, shape (1,) or (3,)
        The color as the PNG chunk tRNS tells it.
    bits : int
        Depth of the source, in which `color` is given.

    Returns
    -------
    ndarray of uint8, shape (height, width, 4)
        RGBA.
    """
    if bits == 16:
        color = color >> 8
    elif bits in (2, 4):
        color = color * (255 // ((1 << bits) - 1))
    channels = np.atleast_3d(pixels)
    hidden = (channels == color).all(axis=2)
    alpha = np.where(hidden, 0, 255).astype(np.uint8)
    return np.dstack([np.broadcast_to(channels, (*hidden.shape, 3)), alpha])


def _from_cmyk(image: Image.Image, icc: bytes | None) -> tuple[Image.Image, str]:
    if icc and icc[16:20] == b"CMYK":
        try:
            converted = ImageCms.profileToProfile(
                image,
                ImageCms.ImageCmsProfile(BytesIO(icc)),
                ImageCms.createProfile("sRGB"),
                renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
                outputMode="RGB",
                flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
            )
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            return converted, "CMYK was converted to RGB through its color profile"
    return image.convert("RGB"), "CMYK was converted to RGB without a color profile"
