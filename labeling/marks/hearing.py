"""How much louder or softer a sound may get, unnoticed.

The ear hears a steady tone flutter by a few tenths of a decibel, but hardly that
a level which varies by itself varies a little more. So the mark may change a band as
much as the band's own level leaves its course from tile to tile, before and after,
unless it beats: that is to vary, but as expected. Where noise would bury most of a
sound, what stands out may change by more.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from ...kernels import bands

__all__ = ["REACH_TILES", "gains", "need", "power"]

SPAN = 8  # tiles looked at on each side, this one included
SHARE = 2.15  # of the host's own variation
LEAST, MOST = 0.36, 2.75  # dB
PHONE_BANDS, BEYOND = 24, 0.87  # what telephones do not pass, over 3.4 kHz, gets less
# Of the mean square root of what a level leaves its course by, in deviations of noise.
TYPICAL = 1.45

ORDER = 4  # tiles on each side from which a level is expected
RIDGE = 0.3  # dB^2
FREE = 1.2  # how far noise is from what is expected, over how far it leaves its course
SMALL = 1e-3  # dB

NOISE = 0.1  # pink noise that a mark should stand, over the power of the sound
ENOUGH = 0.14  # of what the mark changes should stand out from such noise
MOST_NEEDED = 1.5
NEED_TILES = 83  # 2 s looked at on each side
REACH_TILES = NEED_TILES + 1

Float = NDArray[np.float32]
HERTZ = np.diff(bands.EDGES)


def gains(levels: Float, needed: Float) -> Float:
    """Return by how much each tile may become louder or softer.

    Parameters
    ----------
    levels : ndarray of float32, shape (tiles, bands)
        In dB.
    needed : ndarray of float32, shape (tiles,)
        See `need`.

    Returns
    -------
    ndarray of float32, shape (tiles, bands)
        In dB. What is expected of a band is fitted to all of the tiles.
    """
    padded = np.pad(levels, ((1, 1), (0, 0)), mode="edge")
    course = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    # The mean of square roots: a single beginning of a tone does not count for much.
    rough = np.sqrt(np.abs(levels - course))
    past, future = _means(rough, SPAN - 1, 0), _means(rough, 0, SPAN - 1)
    own = TYPICAL * np.minimum(past, future) ** 2
    free = _unexpected(levels) / (FREE * rough.mean(axis=0) ** 2 + SMALL)
    own *= np.minimum(free, 1) ** 2
    weight = np.where(np.arange(levels.shape[1]) < PHONE_BANDS, 1.0, BEYOND)
    allowed: Float = (
        weight * np.clip(SHARE * own, LEAST, MOST * needed[:, None])
    ).astype(np.float32)
    return allowed


def power(levels: Float) -> Float:
    """Return the power of each tile, shape (tiles,)."""
    total: Float = np.asarray(10 ** (levels / 10) @ HERTZ, np.float32)
    return total


def need(levels: Float, usual: float) -> Float:
    """Return how much stronger than usual a mark must be, to stand noise.

    Parameters
    ----------
    levels : ndarray of float32, shape (tiles, bands)
        In dB.
    usual : float
        Mean power of the sound; see `power`.

    Returns
    -------
    ndarray of float32, shape (tiles,)
        1 to `MOST_NEEDED`; depends on `REACH_TILES` before and after.
    """
    # As much power in every octave.
    noise = NOISE * usual / bands.EDGES[:-1] / (HERTZ / bands.EDGES[:-1]).sum()
    heard = 10 ** (levels / 10)
    clear = ((heard / (heard + noise + 1e-30)) ** 2).mean(axis=1, keepdims=True)
    share = _means(clear, NEED_TILES, NEED_TILES)[:, 0]
    wanted = ENOUGH / np.maximum(share, SMALL)
    needed: Float = np.clip(wanted, 1, MOST_NEEDED).astype(np.float32)
    return needed


def _means(values: Float, before: int, after: int) -> NDArray[np.float64]:
    """Return means over some tiles before and after each, fewer at the ends."""
    sums = np.cumsum(values, axis=0, dtype=np.float64)
    sums = np.concatenate([np.zeros((1, values.shape[1])), sums])
    here = np.arange(len(values))
    first = np.maximum(here - before, 0)
    last = np.minimum(here + after + 1, len(values))
    means: NDArray[np.float64] = (sums[last] - sums[first]) / (last - first)[:, None]
    return means


def _unexpected(levels: Float) -> NDArray[np.float64]:
    """Return how far the levels of each band are from what the tiles around tell.

    Each band is fitted by itself, so that a beat or a vibrato is what it repeats.
    """
    size = 2 * ORDER + 1
    if len(levels) < 2 * size:
        return np.full(levels.shape[1], np.inf)
    around = sliding_window_view(levels - levels.mean(axis=0), size, axis=0)
    around = around.transpose(1, 0, 2).astype(np.float64)
    moments = around.transpose(0, 2, 1) @ around / around.shape[1]
    others = np.delete(np.arange(size), ORDER)
    inner = moments[:, others[:, None], others] + RIDGE * np.eye(size - 1)
    weights = np.linalg.solve(inner, moments[:, others, ORDER, None])
    rest = around[:, :, ORDER] - (around[:, :, others] @ weights)[:, :, 0]
    found: NDArray[np.float64] = np.sqrt(np.abs(rest)).mean(axis=1) ** 2
    return found
