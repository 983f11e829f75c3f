"""Distances between many short codes and a few: exclusive or, then count the ones."""

from __future__ import annotations

import numpy as np

from ._jit import jit

__all__ = ["nearest_codes"]


@jit
def _ones(x):
    """Return how many bits of a 64-bit word are set (Warren 2003, section 5-1).

    The compiler knows the pattern, and uses the instruction where there is one.
    """
    x = x - ((x >> np.uint64(1)) & np.uint64(0x5555555555555555))
    x = (x & np.uint64(0x3333333333333333)) + (
        (x >> np.uint64(2)) & np.uint64(0x3333333333333333)
    )
    x = (x + (x >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> np.uint64(56)


@jit
def nearest_codes(codes, queries, limit, distances):
    """Find for every code how far the nearest query is.

    Parameters
    ----------
    codes : ndarray of uint64, shape (n, 4)
    queries : ndarray of uint64, shape (m, 4)
    limit : int
        Distance that is of interest.
    distances : ndarray of uint16, shape (n,)
        Receives the least distance to any query, 0 to 256.

    Returns
    -------
    int
        How many codes are within the limit.
    """
    within = 0
    for i in range(codes.shape[0]):
        a = codes[i, 0]
        b = codes[i, 1]
        c = codes[i, 2]
        d = codes[i, 3]
        least = np.uint64(257)
        for j in range(queries.shape[0]):
            count = (
                _ones(a ^ queries[j, 0])
                + _ones(b ^ queries[j, 1])
                + _ones(c ^ queries[j, 2])
                + _ones(d ^ queries[j, 3])
            )
            least = min(least, count)
        distances[i] = least
        within += least <= limit
    return within
