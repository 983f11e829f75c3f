"""The keyed timeline, scheme ``audio-tf/1``: what writing and reading share.

Rows of cells follow each other for ever on a circle. A cell is a checkerboard of two
tiles by two bands, louder here and softer there, or the other way around. Some cells
of each row are known from the key and tell where on the circle a sound is, the others
hold the coded payload. Any 36 rows in a row hold every place of the code once.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...kernels import bands
from ..keys import Key, Purpose
from ..payload import Payload
from .words import Hit, Words

__all__ = [
    "PAIRS",
    "ROWS",
    "ROW_TICKS",
    "SCHEME",
    "TILE_TICKS",
    "Timeline",
    "timeline_of",
]

SCHEME = "audio-tf/1"

TILE_TICKS = 6  # 24 ms
ROW_TICKS = 2 * TILE_TICKS
PAIRS = bands.BANDS // 2
WORD_ROWS = 36  # rows that hold the codeword once: 1.73 s
WORDS = 8  # different ones until all repeats: 13.8 s
ROWS = WORDS * WORD_ROWS
KNOWN = 2  # cells of each row

Float = NDArray[np.float32]


class Timeline:
    """What a key decides: signs, which cells are known, where code bits stand.

    Parameters
    ----------
    key : Key

    Attributes
    ----------
    known : ndarray of float32, shape (ROWS, PAIRS)
        Signs of the cells that the key alone decides; 0 elsewhere.
    """

    def __init__(self, key: Key) -> None:
        self.key_id = key.id
        cells = ROWS * PAIRS
        slots = WORD_ROWS * (PAIRS - KNOWN)
        stream = key.stream(Purpose.AUDIO_TF_1, 4 * (2 * cells + slots))
        draws = np.frombuffer(stream, "<u4")
        order, signs, places = np.split(draws, [cells, 2 * cells])
        # Each row holds the same slots wherever it stands, but in other bands.
        places = np.argsort(places, kind="stable").reshape(WORD_ROWS, -1)
        columns = np.argsort(order.reshape(ROWS, PAIRS), axis=1, kind="stable")
        self._slots = np.full((ROWS, PAIRS), -1, np.int64)
        np.put_along_axis(
            self._slots, columns[:, KNOWN:], np.tile(places, (WORDS, 1)), axis=1
        )
        self._signs = (1.0 - 2.0 * (signs & 1)).astype(np.float32).reshape(ROWS, PAIRS)
        self._data = self._slots >= 0
        self.known = np.where(self._data, np.float32(0), self._signs)
        self._words = Words(key, slots)

    def pattern(self, payload: Payload) -> Float:
        """Return the sign of every cell, shape (ROWS, PAIRS)."""
        values = self._words.word(payload)
        return np.where(self._data, values[self._slots], 1) * self._signs

    def decode(self, folded: Float) -> Hit | None:
        """Return the codeword that agrees best with what the cells hold.

        Parameters
        ----------
        folded : ndarray of float32, shape (ROWS, PAIRS)
            Sum over all times that a cell was read.

        Returns
        -------
        Hit or None
            None if no agreement could be evidence.
        """
        values = folded[self._data]
        slots = self._slots[self._data]
        count = self._words.code.slots
        soft = np.bincount(slots, values * self._signs[self._data], count)
        power = float(values @ values)
        payload = self._words.nearest(soft.astype(np.float32), power)
        if payload is None:
            return None
        return Hit.of(payload, *self.evidence(folded, payload))

    def evidence(self, folded: Float, payload: Payload) -> tuple[Float, float]:
        """Return what the cells of the code hold, and how far one payload agrees.

        Returns
        -------
        values : ndarray of float32, shape (n,)
        agreement : float
            Sum of the values, each with its sign.
        """
        values = folded[self._data]
        return values, float(self.pattern(payload)[self._data] @ values)


@lru_cache(maxsize=64)
def timeline_of(key: Key) -> Timeline:
    """Return the timeline of a key, remembered for the keys used last."""
    return Timeline(key)
