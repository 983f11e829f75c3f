"""Polar code with a short checksum and a list decoder, to compare others with.

Arikan's code (2009) of the next power of two, its first positions punctured (Niu et
al. 2013), frozen by Gaussian approximation (Trifonov 2012), and decoded with a list
of paths by min-sum (Tal and Vardy 2015; Balatsoukas-Stimming et al. 2015). The
checksum, CRC-6 of 3GPP TS 38.212, only has to choose among the paths: longer ones
cost more than they gain.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from synthmark.kernels._jit import jit

__all__ = ["PolarCode"]

CRC = (1, 1, 0, 0, 0, 0, 1)
DESIGN_EBN0_DB = 2.0

Bits = NDArray[np.uint8]
Float = NDArray[np.float32]


class PolarCode:
    """A code from `message_bits` to `slots` bits, decoded with `paths` paths."""

    def __init__(self, message_bits: int, slots: int, paths: int) -> None:
        self.message_bits = message_bits
        self.slots = slots
        self.paths = paths
        self._checks = np.array([_remainder(row) for row in np.eye(message_bits)])
        inside = message_bits + len(CRC) - 1
        self._length = 1 << math.ceil(math.log2(slots))
        self._places = _places(inside, slots, self._length)
        self._frozen = np.ones(self._length, np.bool_)
        self._frozen[self._places] = False

    def encode(self, message: Bits) -> Bits:
        """Return the codeword."""
        word = np.zeros(self._length, np.uint8)
        word[self._places] = np.r_[message, message @ self._checks % 2]
        _transform(word)
        return word[self._length - self.slots :]

    def decode(self, soft: Float) -> Bits | None:
        """Return the message of the likeliest path whose checksum holds, or None."""
        full = np.zeros(self._length, np.float32)
        full[self._length - self.slots :] = soft
        words, penalties = _decode(full, self._frozen, self.paths)
        for path in np.argsort(penalties):
            word = words[path]
            _transform(word)
            message, check = np.split(word[self._places], [self.message_bits])
            if np.array_equal(message @ self._checks % 2, check):
                return np.asarray(message, np.uint8)
        return None


def _remainder(message: NDArray[np.float64]) -> Bits:
    """Divide by the checksum's polynomial."""
    left = np.zeros(len(message) + len(CRC) - 1, np.uint8)
    left[: len(message)] = message
    for start in range(len(message)):
        if left[start]:
            left[start : start + len(CRC)] ^= np.array(CRC, np.uint8)
    return left[len(message) :]


def _transform(word: Bits) -> None:
    """Multiply by the Kronecker power of [[1, 0], [1, 1]], in place."""
    half = 1
    while half < word.size:
        pairs = word.reshape(-1, 2, half)
        pairs[:, 0] ^= pairs[:, 1]
        half *= 2


def _places(inside: int, slots: int, length: int) -> NDArray[np.int64]:
    """Return the most reliable positions, by the mean of their evidence."""
    mean = np.zeros(length)
    mean[length - slots :] = 4 * 10 ** (DESIGN_EBN0_DB / 10) * inside / slots
    half = length // 2
    while half >= 1:
        pairs = mean.reshape(-1, 2, half)
        a, b = pairs[:, 0].copy(), pairs[:, 1].copy()
        pairs[:, 0] = _phi_inverse(1 - (1 - _phi(a)) * (1 - _phi(b)))
        pairs[:, 1] = a + b
        half //= 2
    return np.sort(np.argsort(mean, kind="stable")[length - inside :])


def _phi(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Approximate the function of Chung et al. (2001), 1 at a mean of zero."""
    small = np.exp(-0.4527 * x**0.86 + 0.0218)
    safe = np.maximum(x, 1e-9)
    large = np.sqrt(np.pi / safe) * np.exp(-safe / 4) * (1 - 10 / (7 * safe))
    return np.where(x <= 0, 1.0, np.minimum(np.where(x < 10, small, large), 1.0))


def _phi_inverse(y: NDArray[np.float64]) -> NDArray[np.float64]:
    low, high = np.zeros_like(y), np.full_like(y, 1000.0)
    for _ in range(60):
        middle = (low + high) / 2
        above = _phi(middle) > y
        low = np.where(above, middle, low)
        high = np.where(above, high, middle)
    return np.where(y >= 1, 0.0, (low + high) / 2)


@jit
def _decode(llr, frozen, list_size):  # type: ignore[no-untyped-def]
    """Return the codewords of the last paths and their penalties.

    Layer s of a row holds 2^s values and starts at 2^s. A path that is doubled copies
    no values, but only which row of each layer is its own.
    """
    n = llr.size
    stages = 0
    while 1 << stages < n:
        stages += 1
    beliefs = np.zeros((list_size, 2 * n), np.float32)
    beliefs[0, n:] = llr
    left = np.zeros((list_size, 2 * n), np.uint8)
    word = np.zeros((list_size, n), np.uint8)
    scratch = np.zeros(n, np.uint8)
    rows = np.zeros((2, stages + 1, list_size), np.int64)
    penalty = np.zeros(1, np.float32)
    paths = 1
    for phase in range(n):
        top = stages
        if phase:
            top = 1
            while (phase >> (top - 1)) & 1 == 0:
                top += 1
        for stage in range(top - 1, -1, -1):
            size = 1 << stage
            right = stage == top - 1 and phase > 0
            for p in range(paths):
                above = beliefs[rows[0, stage + 1, p], 2 * size : 4 * size]
                below = beliefs[p, size : 2 * size]
                bits = left[rows[1, stage, p], size : 2 * size]
                for i in range(size):
                    a, b = above[i], above[size + i]
                    if right:
                        below[i] = b - a if bits[i] else b + a
                    else:
                        least = min(abs(a), abs(b))
                        below[i] = least if (a < 0) == (b < 0) else -least
            for p in range(paths):
                rows[0, stage, p] = p

        belief = beliefs[:paths, 1]
        zero = penalty + np.maximum(-belief, np.float32(0))
        if frozen[phase]:
            penalty = zero
            word[:paths, 0] = 0
        else:
            both = np.concatenate((zero, penalty + np.maximum(belief, np.float32(0))))
            order = np.argsort(both)[:list_size]
            penalty = both[order]
            rows[:, :, : order.size] = rows[:, :, order % paths]
            word[: order.size, 0] = order >= paths
            paths = order.size

        # Combine finished halves upward.
        for p in range(paths):
            size, stage = 1, 0
            while (phase >> stage) & 1:
                bits = left[rows[1, stage, p], size : 2 * size]
                scratch[:size] = word[p, :size]
                word[p, :size] ^= bits
                word[p, size : 2 * size] = scratch[:size]
                size *= 2
                stage += 1
            if size < n:
                left[p, size : 2 * size] = word[p, :size]
                rows[1, stage, p] = p
    return word[:paths], penalty
