"""Slide a short row of code words over a long one, also somewhat faster or slower."""

from __future__ import annotations

import numpy as np

from ._jit import jit

__all__ = ["slide"]


@jit
def _ones(x):
    """Return how many of 16 bits are set."""
    x = x - ((x >> np.uint32(1)) & np.uint32(0x5555))
    x = (x & np.uint32(0x3333)) + ((x >> np.uint32(2)) & np.uint32(0x3333))
    x = (x + (x >> np.uint32(4))) & np.uint32(0x0F0F)
    return (x + (x >> np.uint32(8))) & np.uint32(0x1F)


@jit
def slide(words, track, steps, least):
    """Find where a row of words agrees best with a longer one.

    Parameters
    ----------
    words, track : ndarray of uint32, shape (n,) and (m,)
        16 bits each; a word of 0 says nothing, and does not count.
    steps : ndarray of int64, shape (tempos, n)
        Places in the track of the words at each tempo, from 0 up.
    least : int
        How many pairs of words must count.

    Returns
    -------
    tuple of (float, float)
        The best score, in deviations of what random bits give, and the share of bits
        that agree there. Both are 0 when nothing could be compared.
    """
    best = 0.0
    share = 0.0
    n = words.shape[0]
    for t in range(steps.shape[0]):
        for start in range(-(n // 2), track.shape[0] - n // 2):
            wrong = np.uint32(0)
            count = 0
            for i in range(n):
                j = start + steps[t, i]
                if 0 <= j < track.shape[0] and words[i] != 0 and track[j] != 0:
                    wrong += _ones(words[i] ^ track[j])
                    count += 1
            if count >= least:
                bits = 16.0 * count
                score = (bits - 2.0 * wrong) / np.sqrt(bits)
                if score > best:
                    best = score
                    share = 1.0 - wrong / bits
    return best, share
