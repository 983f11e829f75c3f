"""Polar code with CRC-aided list decoding.

A polar code (Arikan 2009) is decoded by successive cancellation with a list of paths
(Tal and Vardy 2015), here in the log-likelihood-ratio form of Balatsoukas-Stimming
et al. (2015). A cyclic redundancy check picks the path. The mother code's length is
a power of two; the first positions are punctured to fit any number of slots (Niu et
al. 2013), and the frozen bits are chosen for the punctured code by Gaussian
approximation (Trifonov 2012).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ._jit import jit

__all__ = ["CRC_BITS", "PolarCode", "crc16"]

CRC_BITS = 16
CRC_POLYNOMIAL = 0x1021
DESIGN_EBN0_DB = 2.0
LIST_SIZE = 16


def crc16(bits: NDArray[np.uint8]) -> int:
    """Return the CRC-16/CCITT-FALSE of a sequence of bits, most significant first.

    Parameters
    ----------
    bits : ndarray of uint8, shape (n,)
        Zeros and ones.
    """
    return int(_crc16(np.ascontiguousarray(bits, dtype=np.uint8)))


class PolarCode:
    """A code from `message_bits` to `slots` bits, with a CRC inside.

    Parameters
    ----------
    message_bits : int
        Number of bits to carry, without the CRC.
    slots : int
        Length of the codeword; at least `message_bits` + 16.
    """

    def __init__(self, message_bits: int, slots: int) -> None:
        self.message_bits = message_bits
        self.slots = slots
        self.length = 1 << math.ceil(math.log2(slots))
        self._frozen = _frozen(message_bits + CRC_BITS, slots, self.length)
        self._places = np.flatnonzero(self._frozen == 0)

    def encode(self, message: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the codeword.

        Parameters
        ----------
        message : ndarray of uint8, shape (message_bits,)

        Returns
        -------
        ndarray of uint8, shape (slots,)
        """
        crc = crc16(message)
        check = [crc >> (CRC_BITS - 1 - i) & 1 for i in range(CRC_BITS)]
        word = np.zeros(self.length, np.uint8)
        word[self._places] = np.concatenate([message, np.array(check, np.uint8)])
        _transform(word)
        return word[self.length - self.slots :].copy()

    def decode(self, llr: NDArray[np.float32]) -> NDArray[np.uint8] | None:
        """Return the most likely message whose CRC holds, or None.

        Parameters
        ----------
        llr : ndarray of float32, shape (slots,)
            Log-likelihood ratios, positive for a zero bit.

        Returns
        -------
        ndarray of uint8, shape (message_bits,), or None
        """
        full = np.zeros(self.length, np.float32)
        full[self.length - self.slots :] = llr
        decoded, found = _decode(full, self._frozen, self._places, LIST_SIZE)
        return decoded[: self.message_bits] if found else None


@lru_cache(maxsize=8)
def _frozen(info_bits: int, slots: int, length: int) -> NDArray[np.uint8]:
    """Return a mask of the frozen positions, by Gaussian approximation.

    The mean of each synthetic channel's log-likelihood ratio is tracked through the
    butterfly with the approximation of phi by Chung et al. (2001); punctured
    positions enter with mean zero.
    """
    ebn0 = 10 ** (DESIGN_EBN0_DB / 10)
    mean = np.zeros(length)
    mean[length - slots :] = 4 * ebn0 * info_bits / slots
    half = length // 2
    # Natural order: the first stage pairs positions half a length apart.
    while half >= 1:
        blocks = mean.reshape(-1, 2, half)
        a, b = blocks[:, 0].copy(), blocks[:, 1].copy()
        blocks[:, 0] = _phi_inverse(1 - (1 - _phi(a)) * (1 - _phi(b)))
        blocks[:, 1] = a + b
        half //= 2
    order = np.argsort(mean, kind="stable")
    mask = np.ones(length, np.uint8)
    mask[order[length - info_bits :]] = 0
    return mask


def _phi(x: NDArray[np.float64]) -> NDArray[np.float64]:
    small = np.exp(-0.4527 * np.maximum(x, 0) ** 0.86 + 0.0218)
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
def _crc16(bits):
    crc = 0xFFFF
    for bit in bits:
        top = (crc >> 15) & 1
        crc = (crc << 1) & 0xFFFF
        if top ^ bit:
            crc ^= CRC_POLYNOMIAL
    return crc


@jit
def _transform(word):
    """Multiply by the n-fold Kronecker power of [[1, 0], [1, 1]], in place."""
    n = word.size
    half = 1
    while half < n:
        for start in range(0, n, 2 * half):
            for i in range(start, start + half):
                word[i] ^= word[i + half]
        half *= 2


@jit
def _decode(llr, frozen, places, list_size):
    """Decode; return the information bits with their CRC, and whether it holds.

    Layer s of `beliefs[path]` holds 2^s values and starts at 2^s; `left` keeps the
    partial sums of each layer's left child likewise, until the right one is done.
    """
    n = llr.size
    stages = 0
    while 1 << stages < n:
        stages += 1
    beliefs = np.zeros((list_size, 2 * n), np.float32)
    left = np.zeros((list_size, n), np.uint8)
    word = np.zeros((list_size, n), np.uint8)
    partial = np.zeros((list_size, 2 * n), np.uint8)
    penalty = np.zeros(list_size, np.float32)
    beliefs[0, n:] = llr
    paths = 1
    costs = np.empty(2 * list_size, np.float32)
    source = np.empty(list_size, np.int64)
    bit_of = np.empty(list_size, np.uint8)
    used = np.empty(list_size, np.int64)
    scratch_order = np.empty(2 * list_size, np.int64)

    for phase in range(n):
        # The layers below the lowest changed bit of the phase are recomputed.
        top = stages
        if phase:
            top = 0
            while (phase >> top) & 1 == 0:
                top += 1
            top += 1
        for p in range(paths):
            for stage in range(top - 1, -1, -1):
                size = 1 << stage
                above = 2 * size
                right = stage == top - 1 and phase > 0
                for i in range(size):
                    a = beliefs[p, above + i]
                    b = beliefs[p, above + size + i]
                    if right:
                        if left[p, size + i]:
                            beliefs[p, size + i] = b - a
                        else:
                            beliefs[p, size + i] = b + a
                    else:
                        small = min(abs(a), abs(b))
                        if (a < 0) != (b < 0):
                            small = -small
                        beliefs[p, size + i] = small

        if frozen[phase]:
            for p in range(paths):
                belief = beliefs[p, 1]
                if belief < 0:
                    penalty[p] -= belief
                word[p, phase] = 0
        else:
            for p in range(paths):
                belief = beliefs[p, 1]
                costs[2 * p] = penalty[p] + (-belief if belief < 0 else 0.0)
                costs[2 * p + 1] = penalty[p] + (belief if belief > 0 else 0.0)
            if 2 * paths <= list_size:
                for p in range(paths):
                    q = paths + p
                    beliefs[q] = beliefs[p]
                    left[q] = left[p]
                    word[q] = word[p]
                    word[p, phase] = 0
                    word[q, phase] = 1
                    penalty[p] = costs[2 * p]
                    penalty[q] = costs[2 * p + 1]
                paths *= 2
            else:
                scratch_order[: 2 * paths] = np.argsort(costs[: 2 * paths])
                # Survivors keep their place; doubled paths move to freed places.
                used[:] = 0
                for k in range(list_size):
                    used[scratch_order[k] // 2] += 1
                free = 0
                bit_of[:] = 255
                source[:] = -1
                for k in range(list_size):
                    p = scratch_order[k] // 2
                    bit = scratch_order[k] % 2
                    if bit_of[p] == 255:
                        bit_of[p] = bit
                        source[p] = k
                    else:
                        while used[free] > 0:
                            free += 1
                        used[free] = 1
                        beliefs[free] = beliefs[p]
                        left[free] = left[p]
                        word[free] = word[p]
                        bit_of[free] = bit
                        source[free] = k
                for p in range(list_size):
                    word[p, phase] = bit_of[p]
                    penalty[p] = costs[scratch_order[source[p]]]
                paths = list_size

        # Combine finished halves upwards.
        for p in range(paths):
            partial[p, 1] = word[p, phase]
            size = 1
            step = phase
            while step & 1:
                for i in range(size):
                    high = partial[p, size + i]
                    partial[p, 2 * size + i] = left[p, size + i] ^ high
                    partial[p, 3 * size + i] = high
                size *= 2
                step >>= 1
            if size < n:
                for i in range(size):
                    left[p, size + i] = partial[p, size + i]

    best = -1
    for p in range(paths):
        good = _crc16(word[p][places[:-CRC_BITS]])
        check = 0
        for place in places[-CRC_BITS:]:
            check = check * 2 + word[p, place]
        if good == check and (best < 0 or penalty[p] < penalty[best]):
            best = p
    bits = np.zeros(places.size, np.uint8)
    if best >= 0:
        for i in range(places.size):
            bits[i] = word[best, places[i]]
    return bits, best >= 0
