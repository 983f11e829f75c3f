"""The invisible mark in pictures: embed and detect.

A keyed tile, repeated over the picture at a canonical size, is added to the luma under
a visibility mask, where the picture itself speaks for it and as strong as it takes to
be read again after hard compression. Reading is blind: upright first, then through
the lattices on which a tile seems to repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ...kernels import masking, spread
from ...kernels.threads import single_threaded
from ..errors import TooSmallForMark, UsageError
from ..keys import Key
from ..model import Detection
from ..payload import Payload
from .lattice import (
    IMAGE,
    MOST_LENGTH,
    Flat,
    check,
    flatten,
    layout_of,
    luma_of,
    middle,
    resize,
)
from .search import Reads, batches
from .strength import compressed, earlier, limit, survey

__all__ = ["SCHEME", "detect_image", "embed_image"]

SCHEME = IMAGE.name

LEAST_SIDE = 96
INTACT = 0.6  # score of a mark that need not be made again
MOST_CANONICAL = 1 << 24  # pixels

Pixels = NDArray[np.uint8]
Float = NDArray[np.float32]


@single_threaded
def embed_image(
    pixels: Pixels, payload: Payload, key: Key, *, strength: float = 1.0
) -> Pixels:
    """Hide a payload in a picture.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        Grey, RGB or RGBA levels. Fully transparent pixels are left as they are. An
        earlier mark of the same key is replaced; if it says the same already, the
        picture stays as it is. Marks of other keys stay readable.
    payload : Payload
        What to hide.
    key : Key
        Who can find it again.
    strength : float, optional
        Amplitude relative to the default, 0.25 to 4.

    Returns
    -------
    ndarray of uint8
        The marked picture, of the same shape.

    Raises
    ------
    TooSmallForMark
        The short side is below 96 pixels, or the picture is an extremely long strip.
    UsageError
        The array is not a picture, or the strength is out of range.
    """
    check(pixels)
    if not 0.25 <= strength <= 4:
        raise UsageError(f"strength {strength} is outside 0.25..4")
    height, width = pixels.shape[:2]
    short = min(height, width)
    if short < LEAST_SIDE:
        raise TooSmallForMark(
            f"{width} x {height} pixels have no room for the mark: it needs a short "
            f"side of {LEAST_SIDE} pixels",
            hint="Label the picture at a larger size.",
        )
    scale = IMAGE.canonical_side(short) / short
    rows, columns = round(height * scale), round(width * scale)
    if rows * columns > MOST_CANONICAL:
        raise TooSmallForMark(
            f"a strip of {width} x {height} pixels is too long for its short side",
            hint="Cut it into pieces and label each.",
        )
    luma = luma_of(pixels)
    small = resize(luma, rows, columns)
    layout = layout_of(key, IMAGE)
    spectrum = layout.spectrum(payload)
    mask = masking.texture(small)
    found = survey(small, mask, spectrum)
    old = np.zeros_like(small)
    if before := earlier(small, mask, layout, found.rest):
        hit, old = before
        if hit.payload == payload and hit.score > INTACT and strength <= 1:
            return pixels.copy()
        small -= old
        luma -= resize(old, height, width)
        found = survey(small, mask, spectrum)
    placed = IMAGE.carriers.shifted(spectrum, *found.shift)
    mark = mask * spread.place(IMAGE.carriers.synthesize(placed), rows, columns)
    amplitude = np.maximum(found.amplitude, compressed(luma, mark, layout, placed))
    np.minimum(amplitude, limit(small, mask, scale), out=amplitude)
    mark = resize(strength * amplitude * mark - old, height, width)
    out = pixels.copy()
    spread.add(out[..., None] if out.ndim == 2 else out[..., :3], mark)
    if out.ndim == 3 and out.shape[2] == 4:
        hidden = pixels[..., 3] == 0
        out[hidden] = pixels[hidden]
    return out


@single_threaded
def detect_image(pixels: Pixels, key: Key | Sequence[Key]) -> Detection:
    """Look for a mark of one of the keys.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (height, width) or (height, width, 3 or 4)
        A picture of any size, which may have been re-encoded, scaled, cropped,
        rotated, mirrored or placed inside a larger picture.
    key : Key or sequence of Key
        Whose marks to look for.

    Returns
    -------
    Detection
        With ``found`` false when there is no mark: that is a result, not an error.

    Raises
    ------
    UsageError
        The array is not a picture, or there is no key.
    """
    check(pixels)
    keys = [key] if isinstance(key, Key) else list(key)
    if not keys:
        raise UsageError("no key to look for", hint="Give at least one key.")
    layouts = [layout_of(one, IMAGE) for one in keys]
    luma = luma_of(pixels)
    reads = Reads()
    for looks in batches(IMAGE, min(luma.shape), partial(_flatten, luma), layouts):
        if found := reads.read(looks):
            return Detection(
                found=True,
                payload=found.hit.payload,
                p_value=found.p_value,
                score=found.hit.score,
                scheme=SCHEME,
                key_id=found.look.layout.key_id,
                transform=found.look.transform(),
            )
    return Detection(found=False, payload=None, p_value=1.0, score=0.0, scheme=SCHEME)


def _flatten(luma: Float, side: int, band: float) -> Flat:
    """Whiten a picture, of a strip its middle."""
    most = round(MOST_LENGTH * min(luma.shape) / side)
    part, corner = middle(luma, most, IMAGE.carriers.tile)
    flat = flatten(part, side, band)
    flat.placement[:, 2] += corner
    return flat
