"""What fingerprints and comparisons are, apart from how they are made.

A fingerprint describes content, not bytes: it stays nearly the same when a file is
compressed, scaled or cut, and says nothing about who made it.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from ..errors import UsageError

__all__ = ["AUDIO", "IMAGE", "MAX_BYTES", "VIDEO", "Comparison", "Fingerprint"]

IMAGE = "image-fingerprint/1"
AUDIO = "audio-fingerprint/1"
VIDEO = "video-fingerprint/1"
MAX_BYTES = 65_536

_ALGORITHM = re.compile(r"[a-z][a-z0-9.-]{0,47}/[1-9][0-9]{0,3}")
_MAX_TEXT = 64 + 4 * (MAX_BYTES // 3 + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """What one item is known by.

    Parameters
    ----------
    algorithm : str
        Versioned name of how it was made, for example ``"image-fingerprint/1"``.
    value : bytes
        At most 65,536 bytes, in a form that the algorithm defines.

    Raises
    ------
    UsageError
        The name is malformed, or the value is not of these sizes.
    """

    algorithm: str
    value: bytes

    def __post_init__(self) -> None:
        if not (
            isinstance(self.algorithm, str) and _ALGORITHM.fullmatch(self.algorithm)
        ):
            raise UsageError(
                "the name of the fingerprint's algorithm is malformed",
                hint=f"It looks like {IMAGE}.",
            )
        if not (isinstance(self.value, bytes) and 0 < len(self.value) <= MAX_BYTES):
            raise UsageError(f"a fingerprint has 1 to {MAX_BYTES:,} bytes")

    def __str__(self) -> str:
        text = base64.urlsafe_b64encode(self.value).rstrip(b"=").decode("ascii")
        return f"{self.algorithm}:{text}"

    @classmethod
    def parse(cls, text: str) -> Fingerprint:
        """Read what `str` gives, and nothing else.

        Parameters
        ----------
        text : str
            ``algorithm:value`` with the value in unpadded base64url (RFC 4648,
            section 5), in its one canonical spelling.

        Raises
        ------
        UsageError
            It is something else.
        """
        malformed = UsageError(
            "this is not a fingerprint",
            hint="It is written as algorithm:value, the value in base64url.",
        )
        if not isinstance(text, str) or len(text) > _MAX_TEXT or not text.isascii():
            raise malformed
        algorithm, colon, value = text.partition(":")
        if not colon or not re.fullmatch(r"[A-Za-z0-9_-]+", value):
            raise malformed
        try:
            content = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        except binascii.Error as error:
            raise malformed from error
        found = cls(algorithm=algorithm, value=content)
        if str(found) != text:
            raise malformed
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """How alike two items are.

    Parameters
    ----------
    similarity : float
        Agreement of what they have in common at the best alignment, 0 to 1.
    same : bool or None
        Whether they show the same content; None when that cannot be told, because
        there is too little in one of them, or the agreement is neither good nor bad.
    p_value : float
        Estimate of the chance that two items of different content agree as well,
        over all alignments that were tried; 1 when nothing speaks for the same
        content.
    """

    similarity: float
    same: bool | None
    p_value: float
