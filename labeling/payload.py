"""The 64-bit payload of the invisible mark and its parts.

::

    bit  63..60   59..40   39..0
         version  issuer   serial

The payload is a look-up number, never personal data: what it stands for is in the
record log of the issuer.
"""

from __future__ import annotations

import hashlib
import operator
import secrets
from dataclasses import dataclass
from typing import SupportsIndex

from .errors import UsageError

__all__ = ["ISSUER_MAX", "SERIAL_MAX", "Payload", "scramble", "unscramble"]

VERSION = 0
ISSUER_MAX = (1 << 20) - 1
SERIAL_MAX = (1 << 40) - 1

ROUNDS = 8

_TOPS = {"issuer": ISSUER_MAX, "serial": SERIAL_MAX, "version": 15}


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """What the invisible mark says: who issued it, and under which number.

    Parameters
    ----------
    issuer : int
        Number of the provider, 0 to 1,048,575 (20 bits).
    serial : int
        Number of the item, 0 to 1,099,511,627,775 (40 bits).
    version : int, optional
        Layout of the payload, 0 to 15 (4 bits).

    Raises
    ------
    UsageError
        A part is out of its range, or not a whole number.

    Examples
    --------
    >>> payload = Payload(issuer=7, serial=123456)
    >>> f"{int(payload):016x}"
    '000070000001e240'
    >>> Payload.from_int(int(payload)) == payload
    True
    """

    issuer: int
    serial: int
    version: int = VERSION

    def __post_init__(self) -> None:
        for name, top in _TOPS.items():
            value = _whole(getattr(self, name))
            if not 0 <= value <= top:
                raise UsageError(f"payload {name} {value} is outside 0..{top}")
            object.__setattr__(self, name, value)

    def __int__(self) -> int:
        return self.version << 60 | self.issuer << 40 | self.serial

    def __str__(self) -> str:
        return f"{int(self):016x}"

    @classmethod
    def from_int(cls, number: int) -> Payload:
        """Take a 64-bit number apart.

        Raises
        ------
        UsageError
            The number is negative or has more than 64 bits.
        """
        number = _whole(number)
        if not 0 <= number < 1 << 64:
            raise UsageError(f"payload {number} does not fit into 64 bits")
        return cls(
            version=number >> 60,
            issuer=number >> 40 & ISSUER_MAX,
            serial=number & SERIAL_MAX,
        )

    @classmethod
    def random(cls, issuer: int = 0) -> Payload:
        """Draw an unpredictable serial for the given issuer."""
        return cls(issuer=issuer, serial=secrets.randbelow(SERIAL_MAX + 1))


def _whole(value: SupportsIndex) -> int:
    """Return a plain int also of numpy's integers, which decoders deal in."""
    try:
        return operator.index(value)
    except TypeError as error:
        raise UsageError(f"payload part {value!r} is not a whole number") from error


def scramble(number: int, secret: bytes) -> int:
    """Permute the 64-bit numbers by a secret.

    Payloads of one issuer share 24 of their bits. Scrambled, any two look unrelated, so
    that marks of one key have nothing in common that the payload brought.

    Parameters
    ----------
    number : int
        64 bits.
    secret : bytes
        1 to 32 bytes.

    Returns
    -------
    int
        64 bits.

    Notes
    -----
    A Feistel network (Luby and Rackoff 1988) with keyed BLAKE2s (RFC 7693) as its
    round function.
    """
    left, right = number >> 32, number & 0xFFFFFFFF
    for step in range(ROUNDS):
        left, right = right, left ^ _round(right, step, secret)
    return left << 32 | right


def unscramble(number: int, secret: bytes) -> int:
    """Undo `scramble`."""
    left, right = number >> 32, number & 0xFFFFFFFF
    for step in reversed(range(ROUNDS)):
        left, right = right ^ _round(left, step, secret), left
    return left << 32 | right


def _round(half: int, step: int, secret: bytes) -> int:
    digest = hashlib.blake2s(
        half.to_bytes(4), digest_size=4, key=secret, salt=bytes([step])
    )
    return int.from_bytes(digest.digest())
