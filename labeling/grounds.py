"""Why a notice was left out, and why somebody may be shown or heard.

References
----------
Labeling Measures, Art. 9: a version without a visible or audible label, at the request
of a user who was told and agreed. Provisions on Deep Synthesis, Art. 14: separate
consent of whoever's face or voice is edited.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from .errors import UsageError

__all__ = ["NO_PERSON", "Exemption", "reference"]

NO_PERSON: Final = "no-real-person"
"""Stands for a consent where nobody real is shown or heard."""

MAX_CHARACTERS = 200

# What ends a line, and what turns the direction in which it is read.
_STEERING = {"Cc", "Cs", "Zl", "Zp"}
_TURNING = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exemption:
    """Who asked for an item without a notice, and where that was agreed.

    Parameters
    ----------
    recipient : str
        The user, by name or number.
    agreement : str
        Reference of the agreement that leaves the labeling to them.

    Raises
    ------
    UsageError
        One is empty, longer than 200 characters, or no line of text.
    """

    recipient: str
    agreement: str

    def __post_init__(self) -> None:
        reference(self.recipient, "the recipient")
        reference(self.agreement, "the agreement")


def reference(text: str, what: str) -> str:
    """Return a reference as it is, if it can be kept.

    Parameters
    ----------
    text : str
        What the user calls it.
    what : str
        What it refers to, for the error.

    Raises
    ------
    UsageError
        It is empty, longer than 200 characters, or no line of text.
    """
    if not text.strip():
        raise UsageError(f"{what} has no name", hint="Give a name, number or address.")
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"{what} has {len(text)} characters, more than {MAX_CHARACTERS}"
        )
    if any(
        unicodedata.category(one) in _STEERING
        or unicodedata.bidirectional(one) in _TURNING
        for one in text
    ):
        raise UsageError(
            f"{what} holds a control character", hint="Write it in one line."
        )
    return text
