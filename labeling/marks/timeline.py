"""The keyed timeline, scheme ``audio-tf/1``: what writing and reading share.

Rows of cells follow each other for ever on a circle. A cell is a checkerboard of two
tiles by two bands, louder here and softer there, or the other way around. Some cells
of each row are known from the key and tell where on the circle a sound is, the others
hold the coded payload. Any 36 rows in a row hold every place of the code once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ...kernels import bands, chance
from ...kernels.ecc import TailBitingCode
from ..keys import Key, Purpose
from ..payload import Payload, scramble, unscramble

__all__ = [
    "PAIRS",
    "ROWS",
    "ROW_TICKS",
    "SCHEME",
    "TILE_TICKS",
    "Hit",
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
PAYLOAD_BITS = 64
# Of a p-value that a float can still hold, with room for a factor.
MOST_NATS = 690.0
# Agreements that cannot become evidence: 44 nats go to the choice among 2^64 payloads.
HOPELESS_NATS = 50

Float = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A codeword and how well it agrees with what was read.

    Parameters
    ----------
    payload : Payload
    p_value : float
        Bound on the chance that some codeword agrees as well when there is no mark.
    score : float
        Normalized correlation, 0 to 1.
    """

    payload: Payload
    p_value: float
    score: float


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
        self._code = TailBitingCode(PAYLOAD_BITS, slots)
        self._secret = key.derive(Purpose.PAYLOAD)

    def pattern(self, payload: Payload) -> Float:
        """Return the sign of every cell, shape (ROWS, PAIRS)."""
        number = scramble(int(payload), self._secret)
        bits = [int(bit) for bit in f"{number:0{PAYLOAD_BITS}b}"]
        word = self._code.encode(np.array(bits, np.uint8))
        values = (1.0 - 2.0 * word).astype(np.float32)
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
        soft = np.bincount(slots, values * self._signs[self._data], self._code.slots)
        power = float(values @ values)
        least = math.sqrt(2 * HOPELESS_NATS * power)
        message = self._code.decode(soft.astype(np.float32), least)
        if message is None:
            return None
        number = int("".join(map(str, message)), 2)
        payload = Payload.from_int(unscramble(number, self._secret))
        nats, score = self.evidence(folded, payload)
        # Every payload is a chance for a codeword to agree.
        nats -= PAYLOAD_BITS * math.log(2)
        return Hit(
            payload=payload,
            p_value=math.exp(-min(max(0.0, nats), MOST_NATS)),
            score=score,
        )

    def evidence(self, folded: Float, payload: Payload) -> tuple[float, float]:
        """Return how well one payload agrees with what the cells hold.

        Returns
        -------
        nats : float
            The chance to agree as well without a mark is at most ``exp(-nats)``.
        score : float
            Normalized correlation, -1 to 1.
        """
        values = folded[self._data]
        agreement = float(self.pattern(payload)[self._data] @ values)
        heard = float(values @ values) * np.count_nonzero(values)
        score = agreement / math.sqrt(heard) if heard else 0.0
        return chance.rarity(values, agreement), score


@lru_cache(maxsize=64)
def timeline_of(key: Key) -> Timeline:
    """Return the timeline of a key, remembered for the keys used last."""
    return Timeline(key)
