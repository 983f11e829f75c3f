"""The invisible mark in pictures: embed and detect.

A keyed tile, repeated over the picture at a canonical size, is added to the luma under
a visibility mask, where the picture itself speaks for it and as strong as it takes to
be read again after hard compression. Reading is blind: upright first, then through
the lattices on which a tile seems to repeat.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ...kernels import correlation, masking, spread, sync
from ...kernels.threads import single_threaded
from ..errors import TooSmallForMark, UsageError
from ..keys import Key
from ..model import Detection
from ..payload import Payload
from .lattice import (
    BAND,
    CANONICAL_SIDES,
    CARRIERS,
    MOST_LENGTH,
    SCHEME,
    Flat,
    Layout,
    Look,
    View,
    canonical_side,
    check,
    flatten,
    layout_of,
    luma_of,
    middle,
    resize,
)
from .strength import compressed, earlier, limit, survey

__all__ = ["SCHEME", "detect_image", "embed_image"]

P_VALUE_LIMIT = 1e-9

LEAST_SIDE = 96
LEAST_SEEN = 16
INTACT = 0.6  # score of a mark that need not be made again
MOST_CANONICAL = 1 << 24  # pixels

# Short sides at which the lattice is looked for, and the part of the tile's period
# around which it is; each sees the tile at 0.7 to 1.46 times that.
LEVELS = ((512, 1.0), (256, 1.0), (512, 0.5), (144, 1.0))
MOST_ENLARGED = 5.4
LATTICES = 12  # looked at on each level
FEW_TILES, UPRIGHT_LATTICES = 256, 16
DECODES = 16  # tried on each level for each key
LEAST_PEAK = 4.0  # of the known carriers, in deviations
REACH = 3.4  # periods

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
    scale = canonical_side(short) / short
    rows, columns = round(height * scale), round(width * scale)
    if rows * columns > MOST_CANONICAL:
        raise TooSmallForMark(
            f"a strip of {width} x {height} pixels is too long for its short side",
            hint="Cut it into pieces and label each.",
        )
    luma = luma_of(pixels)
    small = resize(luma, rows, columns)
    layout = layout_of(key)
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
    placed = CARRIERS.shifted(spectrum, *found.shift)
    mark = mask * spread.place(CARRIERS.synthesize(placed), rows, columns)
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
    layouts = [layout_of(one) for one in keys]
    reads = 0
    for looks in _batches(luma_of(pixels), layouts):
        for look in looks:
            reads += 1
            hit = look.decode()
            if hit is None:
                continue
            # Shares of 1 / (k (k + 1)) for the k-th read add up to one.
            p_value = min(1.0, hit.p_value * reads * (reads + 1))
            if p_value <= P_VALUE_LIMIT:
                return Detection(
                    found=True,
                    payload=hit.payload,
                    p_value=p_value,
                    score=hit.score,
                    scheme=SCHEME,
                    key_id=look.layout.key_id,
                    transform=look.transform(),
                )
    return Detection(found=False, payload=None, p_value=1.0, score=0.0, scheme=SCHEME)


def _batches(luma: Float, layouts: Sequence[Layout]) -> Iterator[list[Look]]:
    """Yield what is worth decoding, through ever less likely lattices."""
    upright = []
    for views, is_upright in _views(luma):
        looks = [look for view in views for look in view.looks(layouts)]
        looks.sort(key=lambda look: -look.peak)
        best = looks[: DECODES * len(layouts)]
        yield [look for look in best if look.peak >= LEAST_PEAK]
        if is_upright:
            upright += views
    yield [look for view in upright for look in view.looks_without_known(layouts)]


def _views(luma: Float) -> Iterator[tuple[list[View], bool]]:
    """Yield the picture through sets of lattices, and whether they are upright."""
    short = min(luma.shape)
    if short < LEAST_SEEN:
        return
    tile = CARRIERS.tile
    upright: dict[int, Flat] = {}
    for side in CANONICAL_SIDES:
        if side <= MOST_ENLARGED * short:
            upright[side] = _flatten(luma, side)
            yield [View.through(upright[side])], True
    for side, share in LEVELS:
        if side > MOST_ENLARGED * short:
            continue
        period = share * tile
        if share == 1 and side in upright:
            flat = upright[side]
        else:
            flat = _flatten(luma, side, min(0.45, 1.3 * CARRIERS.high / period))
        band = CARRIERS.high / period / sync.SCALES[0]
        found = correlation.autocorrelation(
            flat.values, period, band, round(REACH * period)
        )
        lattices = sync.search(found, period, LATTICES)
        if side <= FEW_TILES:
            few = sync.upright(found, period, UPRIGHT_LATTICES)
            lattices = np.concatenate([lattices, few])
        matrices = (row[1:].reshape(2, 2).T / tile for row in lattices)
        yield [View.through(flat, matrix) for matrix in matrices], False


def _flatten(luma: Float, side: int, band: float = BAND) -> Flat:
    """Whiten a picture, of a strip its middle."""
    part, corner = middle(luma, round(MOST_LENGTH * min(luma.shape) / side))
    flat = flatten(part, side, band)
    flat.placement[:, 2] += corner
    return flat
