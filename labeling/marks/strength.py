"""How strong a picture is marked, place by place, and where its tile begins.

As much as it takes and no more: a trial tells what a strongly compressed picture and a
small part of it need, and a limit says what the eye would notice.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from ...kernels import spread
from .lattice import (
    IMAGE,
    MOST_LENGTH,
    Layout,
    View,
    flatten,
    middle,
    resize,
)
from .words import Hit

__all__ = ["Survey", "compressed", "earlier", "limit", "survey"]

LEAST = 0.04
TRIAL = 0.18

# A tenth of a picture is to be read by itself. Of its correlation with the tile about
# 1 / 2.7 is left after noise outside of the carriers' band and the known carriers.
PART = 0.1
PART_CORRELATION = 36.0
PART_MOST = 4 * TRIAL
PART_PIXELS = 393_216  # of 512 x 768; larger parts need no more

# A mark of the same key that is beyond doubt.
CLEAR_PEAK, CLEAR_P_VALUE = 6.0, 1e-12

JPEG_QUALITY = 10
JPEG_SIDE = 1024
JPEG_SNR = 0.24  # the decoder needs 0.17

VISIBLE = 0.136  # mean change of L* in the flattest quarter, blurred by 1.5 pixels
HIDDEN = 0.45  # deviation of the mark that texture hides, in levels for each of mask
FLATTEST = 0.25

Complex = NDArray[np.complex64]
Float = NDArray[np.float32]

_GREYS = np.repeat(np.linspace(0, 1, 256, dtype=np.float32), 3).reshape(256, 1, 3)
LIGHTNESS_PER_LEVEL = np.gradient(cv2.cvtColor(_GREYS, cv2.COLOR_RGB2Lab)[:, 0, 0])
"""Change of CIELAB L* for each level of a grey."""


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """What a picture tells about a mark that is to be hidden in it.

    Parameters
    ----------
    shift : tuple of int
        Pixels to move the tile by, x and y: the one that the picture itself speaks for.
    amplitude : ndarray of float32, shape (rows, columns)
        In levels, at which a tenth of the picture around each place can be read.
    rest : ndarray of complex64, shape (n,)
        What the picture's tiles hold by themselves.
    """

    shift: tuple[int, int]
    amplitude: Float
    rest: Complex


def survey(small: Float, mask: Float, spectrum: Complex) -> Survey:
    """Try a mark on a picture.

    Parameters
    ----------
    small : ndarray of float32, shape (rows, columns)
        Luma at the canonical size.
    mask : ndarray of float32, same shape
        Relative strength.
    spectrum : ndarray of complex64, shape (n,)
        Of the tile to hide.

    Notes
    -----
    A picture agrees with some of the 9,216 positions of a tile by chance. Choosing the
    best is worth about two deviations of the picture's own noise, of the eleven that a
    reading needs.
    """
    tile = spread.place(IMAGE.carriers.synthesize(spectrum), *small.shape)
    flat = flatten(small + TRIAL * mask * tile, min(small.shape), IMAGE.band)
    total = View.through(flat, IMAGE.carriers).total()
    # Take the trial itself out again, ring by ring.
    own = np.bincount(IMAGE.carriers.rings, (total * np.conj(spectrum)).real)
    all_own = np.bincount(IMAGE.carriers.rings, np.abs(spectrum) ** 2)
    part = own / np.maximum(all_own, 1e-9)
    rest = total - part[IMAGE.carriers.rings].astype(np.float32) * spectrum
    every = np.arange(len(spectrum))
    plane = IMAGE.carriers.shifts((rest * np.conj(spectrum))[None], every)[0]
    y, x = np.unravel_index(np.argmax(plane), plane.shape)
    side = 2 * round(math.sqrt(PART * min(small.size, PART_PIXELS)) / 2) + 1
    together, alone = (
        _box(plane, side) for plane in (flat.values * tile, flat.values**2)
    )
    correlation = side * together / np.sqrt(alone + 1e-6)
    least = PART_CORRELATION * TRIAL / PART_MOST
    amplitude = TRIAL * PART_CORRELATION / np.maximum(correlation, least)
    return Survey((-int(x), -int(y)), np.maximum(amplitude, LEAST), rest)


def earlier(
    small: Float, mask: Float, layout: Layout, rest: Complex
) -> tuple[Hit, Float] | None:
    """Return the mark that a picture holds of the same key already, or None.

    Parameters
    ----------
    small, mask : ndarray of float32, shape (rows, columns)
    layout : Layout
    rest : ndarray of complex64, shape (n,)
        From `survey`.

    Returns
    -------
    hit : Hit
    mark : ndarray of float32, shape (rows, columns)
        In levels: what to take away, before another mark of the key takes its place.
    """
    known = rest[layout.sync] * np.conj(layout.phases[layout.sync])
    planes = IMAGE.carriers.shifts(known[None], layout.sync)
    _, [(x, y, peak)] = spread.peaks(planes, 1)
    hit = (
        layout.decode(IMAGE.carriers.shifted(rest, x, y)) if peak > CLEAR_PEAK else None
    )
    if hit is None or hit.p_value > CLEAR_P_VALUE:
        return None
    placed = IMAGE.carriers.shifted(layout.spectrum(hit.payload), -x, -y)
    mark = mask * spread.place(IMAGE.carriers.synthesize(placed), *small.shape)
    # Its amplitude by least squares, over windows of a tile.
    fine, fine_mark = (p - cv2.GaussianBlur(p, (0, 0), 3) for p in (small, mark))
    weight = 1 / mask**2
    together = _box(weight * fine * fine_mark, IMAGE.carriers.tile)
    alone = _box(weight * fine_mark * fine_mark, IMAGE.carriers.tile)
    return hit, mark * np.clip(together / (alone + 1e-6), 0, PART_MOST)


def _box(plane: Float, side: int) -> Float:
    mean = cv2.blur(plane, (side, side), borderType=cv2.BORDER_REFLECT)
    return np.asarray(mean, np.float32)


def compressed(luma: Float, mark: Float, layout: Layout, spectrum: Complex) -> float:
    """Return the amplitude at which a mark survives a hard compression.

    Parameters
    ----------
    luma : ndarray of float32, shape (height, width)
        At the picture's own size.
    mark : ndarray of float32, shape (rows, columns)
        At the canonical size, for an amplitude of one level.
    layout : Layout
    spectrum : ndarray of complex64, shape (n,)
        Of the tile as it is placed.

    Returns
    -------
    float
        In levels; unbounded where next to nothing survives.

    Notes
    -----
    A trial is compressed to JPEG 10 and read where it stands; the power of the soft
    values' signal over their noise grows with the square of the amplitude.
    """
    part, (left, top) = middle(mark, MOST_LENGTH, IMAGE.carriers.tile)
    y, x = np.divide(luma.shape, mark.shape)
    rows, columns = part.shape
    luma = luma[
        round(top * y) : round((top + rows) * y),
        round(left * x) : round((left + columns) * x),
    ]
    scale = min(1, JPEG_SIDE / min(luma.shape))
    height, width = (round(size * scale) for size in luma.shape)
    trial = TRIAL * resize(part, height, width)
    trial += resize(luma, height, width)
    levels = np.clip(np.rint(trial), 0, 255).astype(np.uint8)
    _, encoded = cv2.imencode(".jpg", levels, (cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY))
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.float32)
    flat = flatten(decoded, min(part.shape), IMAGE.band)
    soft = layout.soft_values(View.through(flat, IMAGE.carriers).total())
    word = np.sign(layout.soft_values(spectrum))
    signal, power = max(0.0, float(word @ soft)), float(soft @ soft)
    share = signal**2 / (power * len(soft)) if power else 0.0
    return TRIAL * math.sqrt(JPEG_SNR * (1 - share) / max(share, 1e-6))


def limit(small: Float, mask: Float, scale: float) -> Float:
    """Return the amplitude that the eye does not notice.

    Parameters
    ----------
    small : ndarray of float32, shape (rows, columns)
        Luma at the canonical size.
    mask : ndarray of float32, same shape
    scale : float
        Canonical size over the picture's own.

    Returns
    -------
    ndarray of float32, shape (rows, columns)
        In levels. The same all over the flattest quarter of the picture, more where
        there is more texture than that, up to what any texture hides.
    """
    reach = 2 * round(7.5 * scale) + 1
    mean = cv2.blur(small, (reach, reach))
    variance = cv2.blur(small * small, (reach, reach)) - mean * mean
    sample = np.s_[::4, ::4]
    bound = np.quantile(variance[sample], FLATTEST)
    flattest = variance[sample] <= bound
    levels = np.clip(small[sample][flattest], 0, 255).astype(np.uint8)
    lightness = (LIGHTNESS_PER_LEVEL[levels] * mask[sample][flattest]).mean()
    # What a blur of 1.5 pixels leaves of a tile of unit deviation.
    radius = np.hypot(*IMAGE.carriers.frequencies.T) / IMAGE.carriers.tile * scale
    left = math.sqrt(float(np.exp(-((2 * np.pi * 1.5 * radius) ** 2)).mean()))
    mean_change = lightness * math.sqrt(2 / math.pi) * left
    growth = np.maximum(variance / (bound + 1e-6), 1)
    flat = VISIBLE / mean_change
    bounds = np.minimum(flat * growth, (flat + HIDDEN * (mask - 1)) / mask)
    return np.asarray(bounds, np.float32)
