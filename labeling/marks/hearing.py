"""How much louder or softer a sound may get, unnoticed.

The ear hears a steady tone flutter by a few tenths of a decibel, but hardly that
a level which varies by itself varies a little more. So the mark may change a band as
much as the band's own level leaves its course from tile to tile, before and after.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["REACH_TILES", "gains"]

SPAN = 8  # tiles looked at on each side, this one included
REACH_TILES = SPAN + 1
SHARE = 2.15  # of the host's own variation
LEAST, MOST = 0.36, 2.75  # dB
PHONE_BANDS, BEYOND = 24, 0.87  # what telephones do not pass, over 3.4 kHz, gets less
# Of the mean square root of what a level leaves its course by, in deviations of noise.
TYPICAL = 1.45

Float = NDArray[np.float32]


def gains(levels: Float) -> Float:
    """Return by how much each tile may become louder or softer.

    Parameters
    ----------
    levels : ndarray of float32, shape (tiles, bands)
        In dB.

    Returns
    -------
    ndarray of float32, shape (tiles, bands)
        In dB. Values within `REACH_TILES` of the ends depend on what lies beyond.
    """
    padded = np.pad(levels, ((1, 1), (0, 0)), mode="edge")
    course = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    # The mean of square roots: a single beginning of a tone does not count for much.
    rough = np.sqrt(np.abs(levels - course))
    sums = np.concatenate([np.zeros((1, rough.shape[1])), np.cumsum(rough, axis=0)])
    here = np.arange(len(levels))
    before = np.maximum(here + 1 - SPAN, 0)
    after = np.minimum(here + SPAN, len(levels))
    past = (sums[here + 1] - sums[before]) / (here + 1 - before)[:, None]
    future = (sums[after] - sums[here]) / (after - here)[:, None]
    own = TYPICAL * np.minimum(past, future) ** 2
    weight = np.where(np.arange(levels.shape[1]) < PHONE_BANDS, 1.0, BEYOND)
    allowed: Float = (weight * np.clip(SHARE * own, LEAST, MOST)).astype(np.float32)
    return allowed
