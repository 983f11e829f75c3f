"""The logo of a brand, to stand beside the wording."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image

from ..errors import (
    DamagedMedia,
    MediaError,
    MediaTooLarge,
    SynthmarkError,
    UnsupportedFormat,
    UsageError,
)
from .typeset import Pixels

__all__ = ["MAX_ASPECT", "Logo", "read_logo"]

MAX_ASPECT = 8
"""Longest side of a logo by its shortest."""

_MAX_BYTES = 4_000_000
_MAX_SIDE = 4096
# More than any notice shows.
_KEPT_SIDE = 1024
_PNG = b"\x89PNG\r\n\x1a\n"
# Pixels that are fainter than this, 0 to 255, are not taken for part of it.
_FAINT = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Logo:
    """A logo as it was read, by `read_logo`.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width, 4)
        RGBA, cut to what is visible of it.
    """

    pixels: Pixels

    def fit(self, width: int, height: int) -> Pixels:
        """Return it as large as it can be within so many pixels."""
        rows, columns = self.pixels.shape[:2]
        scale = min(width / columns, height / rows)
        size = (max(1, round(columns * scale)), max(1, round(rows * scale)))
        # Pillow weights the colors by alpha: those of transparent pixels do not bleed.
        resized = Image.fromarray(self.pixels).resize(size, Image.Resampling.HAMMING)
        return np.asarray(resized)


def read_logo(source: str | Path | Pixels) -> Logo:
    """Read a logo.

    Parameters
    ----------
    source : str, Path or ndarray of uint8
        A PNG file of at most 4 MB, or pixels of shape (height, width) or (height,
        width, 3 or 4). No side is longer than 4096 pixels, or than 8 times the other.

    Returns
    -------
    Logo
        What is visible of it.

    Raises
    ------
    MediaError
        The file cannot be read, is no PNG, is damaged, or goes beyond the limits.
    UsageError
        The pixels are no picture, nothing of them is visible, or their form does not
        go beside a line of text.
    """
    if isinstance(source, np.ndarray):
        return _logo(source)
    path = Path(source)
    try:
        return _logo(_decode(_content(path)))
    except SynthmarkError as error:
        error.path = path
        raise


def _content(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise MediaError("the logo is a folder or device, not a file")
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except MediaError:
        raise
    except (OSError, ValueError) as error:
        reason = (getattr(error, "strerror", None) or str(error)).lower()
        raise MediaError(f"the logo cannot be read: {reason}") from error
    if len(content) > _MAX_BYTES:
        raise MediaTooLarge(
            f"the logo has more than {_MAX_BYTES:,} bytes", hint="Reduce it."
        )
    if not content.startswith(_PNG):
        raise UnsupportedFormat("the logo is no PNG file", hint="Save it as PNG.")
    return content


def _decode(content: bytes) -> Pixels:
    head = content[16:24].ljust(8, b"\0")
    width, height = (int.from_bytes(part) for part in (head[:4], head[4:]))
    if max(width, height) > _MAX_SIDE:
        raise _too_large(width, height)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(content), formats=["PNG"]) as image:
                if image.mode.startswith("I"):
                    return (np.asarray(image) >> 8).astype(np.uint8)
                return np.asarray(image.convert("RGBA"))
    # Pillow raises what it likes on files that were made to harm.
    except Exception as error:
        raise DamagedMedia("the logo is damaged", hint="Save it again.") from error


def _logo(pixels: Pixels) -> Logo:
    shape = (pixels.ndim, *pixels.shape[2:])
    if pixels.dtype != np.uint8 or shape not in {(2,), (3, 3), (3, 4)}:
        raise UsageError(
            f"an array of {pixels.dtype} and shape {pixels.shape} is not a logo",
            hint="Give uint8 pixels: grey, RGB or RGBA.",
        )
    if max(pixels.shape[:2]) > _MAX_SIDE:
        raise _too_large(pixels.shape[1], pixels.shape[0])
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[..., None], 3, axis=2)
    if pixels.shape[2] == 3:
        pixels = np.dstack([pixels, np.full(pixels.shape[:2], 255, np.uint8)])
    seen = pixels[..., 3] >= _FAINT
    rows, columns = (np.flatnonzero(seen.any(axis=axis)) for axis in (1, 0))
    if not rows.size:
        raise UsageError("the logo shows nothing", hint="Its pixels are transparent.")
    cut = pixels[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    short, long = sorted(cut.shape[:2])
    if long > MAX_ASPECT * short:
        raise UsageError(
            f"the logo has {cut.shape[1]} x {cut.shape[0]} visible pixels, which does "
            "not go beside a line of text",
            hint=f"Its sides may differ by a factor of {MAX_ASPECT} at most.",
        )
    logo = Logo(pixels=np.array(cut))
    return Logo(pixels=logo.fit(_KEPT_SIDE, _KEPT_SIDE)) if long > _KEPT_SIDE else logo


def _too_large(width: int, height: int) -> MediaTooLarge:
    return MediaTooLarge(
        f"the logo has {width} x {height} pixels",
        hint=f"No side may have more than {_MAX_SIDE}.",
    )
