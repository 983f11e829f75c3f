"""Payloads as codewords, and what a codeword that was read is worth."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...kernels import chance
from ...kernels.ecc import TailBitingCode
from ..keys import Key, Purpose
from ..payload import Payload, scramble, unscramble

__all__ = ["Hit", "Words"]

PAYLOAD_BITS = 64
# Agreements that cannot become evidence: 44 nats go to the choice among 2^64 payloads.
HOPELESS_NATS = 50
# Of a p-value that a float can hold.
MOST_NATS = 690.0

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

    @classmethod
    def of(cls, payload: Payload, values: Float, agreement: float) -> Hit:
        """Weigh the payload whose signs agree best with what was read.

        Parameters
        ----------
        payload : Payload
        values : ndarray of float32, shape (n,)
            Everything that was read under keyed signs.
        agreement : float
            Sum of the values, each with its sign.
        """
        # Every payload is a chance for a codeword to agree.
        nats = chance.rarity(values, agreement) - PAYLOAD_BITS * math.log(2)
        energy = float(values @ values) * np.count_nonzero(values)
        return cls(
            payload=payload,
            p_value=math.exp(-min(max(0.0, nats), MOST_NATS)),
            score=agreement / math.sqrt(energy) if energy else 0.0,
        )


class Words:
    """The codewords of a key: scrambled payloads in a tail-biting code.

    Parameters
    ----------
    key : Key
    slots : int
        Length of the codewords.
    """

    def __init__(self, key: Key, slots: int) -> None:
        self.code = TailBitingCode(PAYLOAD_BITS, slots)
        self._secret = key.derive(Purpose.PAYLOAD)

    def word(self, payload: Payload) -> Float:
        """Return the code bits of a payload, shape (slots,), 1 for zero, -1 for one."""
        number = scramble(int(payload), self._secret)
        message = np.array([int(bit) for bit in f"{number:0{PAYLOAD_BITS}b}"], np.uint8)
        return (1.0 - 2.0 * self.code.encode(message)).astype(np.float32)

    def nearest(self, soft: Float, power: float) -> Payload | None:
        """Return the payload whose codeword agrees best with the evidence.

        Parameters
        ----------
        soft : ndarray of float32, shape (slots,)
            Evidence for each code bit, positive for zero.
        power : float
            Sum of the squares of what the evidence was added up from.

        Returns
        -------
        Payload or None
            None if no agreement could be evidence.
        """
        message = self.code.decode(soft, math.sqrt(2 * HOPELESS_NATS * power))
        if message is None:
            return None
        number = int("".join(map(str, message)), 2)
        return Payload.from_int(unscramble(number, self._secret))
