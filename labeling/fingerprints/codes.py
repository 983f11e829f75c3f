"""The 256-bit codes by which fingerprints are found among millions.

An item is stored under few codes and looked for by more: a picture in its eight
symmetries and without its borders, a sound from sixteen neighboring starts.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..errors import UsageError
from .audio import words_of
from .fingerprint import AUDIO, IMAGE, VIDEO, Fingerprint
from .image import HASH_BYTES, Portrait, mirrored
from .video import Reel

__all__ = ["Codes", "asked_codes", "stored_codes"]

SPREAD = 4  # words of a sound between those in a code: half a second
WORDS = 16
SPAN = SPREAD * (WORDS - 1) + 1
STRIDE = 16  # words between the codes that are stored: two seconds
MOST_FRAMES = 4  # of a video that are looked for, each also in the mirror
ALIKE = [0, 2]  # of the eight symmetries: as it is, and left to right
LEAST_HEARD = 13  # words of a code in which something was heard

NOTHING = np.zeros((1, HASH_BYTES), np.uint8)

Codes = NDArray[np.uint64]
"""Shape (n, 4): 256 bits in each row, never all zero."""


def stored_codes(fingerprint: Fingerprint) -> Codes:
    """Return the codes under which an item is stored, shape (n, 4).

    There are none for what has too little content to be found by.

    Raises
    ------
    UsageError
        The algorithm is not known, or the fingerprint is malformed.
    """
    if fingerprint.algorithm == IMAGE:
        return _codes(Portrait.whole_of(fingerprint.value))
    if fingerprint.algorithm == AUDIO:
        return _sound(fingerprint)[::STRIDE]
    return np.unique(_codes(_reel(fingerprint).hashes), axis=0)


def asked_codes(fingerprint: Fingerprint) -> Codes:
    """Return the codes by which an item is looked for, shape (n, 4).

    Raises
    ------
    UsageError
        The algorithm is not known, or the fingerprint is malformed.
    """
    if fingerprint.algorithm == IMAGE:
        portrait = Portrait.unpack(fingerprint.value)
        both = [one for one in (portrait.whole, portrait.inside) if one.any()]
        variants = [mirrored(one) for one in both]
        return np.unique(_codes(np.vstack([NOTHING, *variants])), axis=0)
    if fingerprint.algorithm == AUDIO:
        codes = _sound(fingerprint)
        start = max(0, (len(codes) - STRIDE) // 2)
        return codes[start : start + STRIDE]
    hashes = _reel(fingerprint).hashes
    places = np.linspace(0, len(hashes) - 1, min(len(hashes), MOST_FRAMES))
    variants = [mirrored(hashes[int(place)])[ALIKE] for place in places]
    return np.unique(_codes(np.vstack([NOTHING, *variants])), axis=0)


def _reel(fingerprint: Fingerprint) -> Reel:
    if fingerprint.algorithm != VIDEO:
        raise UsageError(f"fingerprints of {fingerprint.algorithm} are not known here")
    return Reel.unpack(fingerprint.value)


def _sound(fingerprint: Fingerprint) -> Codes:
    """Return a code from every start, of words half a second apart."""
    words = words_of(fingerprint)
    count = max(0, len(words) - SPAN + 1)
    places = np.arange(count)[:, None] + SPREAD * np.arange(WORDS)
    rows = words[places]
    heard = rows[np.count_nonzero(rows, axis=1) >= LEAST_HEARD]
    return np.asarray(heard.astype(">u2").view(">u8"), np.uint64)


def _codes(hashes: NDArray[np.uint8]) -> Codes:
    """Return bytes as words, without those that are all zero."""
    codes = np.ascontiguousarray(hashes).reshape(-1, HASH_BYTES).view(">u8")
    return np.asarray(codes[codes.any(axis=1)], np.uint64)
