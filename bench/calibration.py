"""Whether the stated p-value is true: how often chance reaches it without a mark.

A detector that finds nothing says p = 1, which no bench can count. So its own search
runs with a small code book in place of all 2**64 codewords, and its own bound is stated
for that: p = k (k + 1) n exp(-rarity(x, c.x)) for the best of n codewords c against the
soft values x of the k-th read.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from synthmark import Key, detect_image
from synthmark.kernels.chance import rarity

__all__ = ["FEWEST", "LEVELS", "LINES", "count", "sample"]

WORDS = 1024
SINGLES = 16  # of the codewords, which are looked at one by one too
KEYS = 4
FEWEST = 5  # p-values that make a share: fewer say little
STEP = math.log(10) / 4
LEVELS: NDArray[np.float64] = np.exp(-STEP * np.arange(41))  # p-values, 1 to 1e-10
LINES = {
    "codeword": "one codeword, one read",
    "read": f"best of {WORDS} codewords, one read",
    "search": f"best of {WORDS} codewords, whole search",
}

Pixels = NDArray[np.uint8]
Float = NDArray[np.float32]
Counts = NDArray[np.int64]


def sample(pictures: Sequence[Pixels], keys: Sequence[Key]) -> dict[str, Counts]:
    """Count the stated p-values of everything that some searches read.

    Parameters
    ----------
    pictures : sequence of ndarray of uint8, shape (height, width, 3)
        Pictures without a mark of the keys.
    keys : sequence of Key
        Each picture is searched for four of them at a time.

    Returns
    -------
    dict of str to ndarray of int64, shape (levels,)
        For each of `LINES`, how many p-values are at most each of `LEVELS`.
    """
    code = _code(keys[0])
    words = _codewords(code)
    totals = {line: np.zeros(len(LEVELS), np.int64) for line in LINES}
    for pixels in pictures:
        for start in range(0, len(keys), KEYS):
            reads = _search(pixels, keys[start : start + KEYS], code)
            for line, exponents in _exponents(reads, words).items():
                totals[line] += count(exponents)
    return totals


def count(exponents: NDArray[Any]) -> Counts:
    """Return how many p-values exp(-exponent) are at most each of `LEVELS`."""
    steps = np.clip(exponents / STEP, 0, len(LEVELS) - 1).astype(np.int64)
    return np.bincount(steps.ravel(), minlength=len(LEVELS))[::-1].cumsum()[::-1]


def _exponents(reads: Float, words: Float) -> dict[str, NDArray[np.float64]]:
    """Return -log p of single codewords, of every read, and of the search."""
    agreements = reads @ words.T
    codeword = [
        rarity(soft, float(agreement))
        for soft, row in zip(reads, agreements, strict=True)
        for agreement in row[:SINGLES]
    ]
    read = [
        rarity(soft, float(row.max())) - math.log(WORDS)
        for soft, row in zip(reads, agreements, strict=True)
    ]
    search = [r - math.log(k * (k + 1)) for k, r in enumerate(read, 1)]
    return {
        "codeword": np.array(codeword),
        "read": np.array(read),
        "search": np.array([max(search, default=0.0)]),
    }


def _search(pixels: Pixels, keys: Sequence[Key], code: Any) -> Float:
    """Return the soft values of all reads, in their order.

    The detector searches with a decoder that takes notes and finds nothing.
    """
    notes: list[Float] = []

    def decode(_: object, soft: Float, *__: object, **___: object) -> None:
        notes.append(soft.copy())

    with patch.object(type(code), "decode", decode):
        detect_image(pixels, keys)
    return np.array(notes, np.float32).reshape(len(notes), code.slots)


def _codewords(code: Any) -> Float:
    """Return valid codewords of random messages, as signs."""
    shape = WORDS, code.message_bits
    messages = np.random.default_rng(0).integers(0, 2, shape, np.uint8)
    return np.array([1 - 2.0 * code.encode(bits) for bits in messages], np.float32)


def _code(key: Key) -> Any:
    """Return the code of the mark: the one thing here that is not public."""
    from synthmark.labeling.marks.lattice import IMAGE, layout_of

    return layout_of(key, IMAGE).words.code
