"""Wordings of the notice, and what the law wants in them."""

from __future__ import annotations

import re
import unicodedata

from ..errors import UsageError
from .phrase import ELEMENTS, has_elements
from .typeset import can_shape, missing_characters, script_of

__all__ = [
    "CORE",
    "MAX_LENGTH",
    "SEPARATOR",
    "WORDINGS",
    "cells",
    "check_wording",
    "required_characters",
    "segments",
]

CORE = "AI生成"
"""The shortest legal wording, which fits where no other does."""

SEPARATOR = " · "
"""Stands between the legal wording and a translation of it, which is set smaller."""

WORDINGS = {"zh": CORE, "en": f"{CORE}{SEPARATOR}AI-generated"}
"""Default wording by language: the Chinese elements are due in all of them."""

MAX_LENGTH = 40
"""Longest wording, in characters."""

# What takes one place in a column: an ideograph, or a few letters side by side.
_CELL = re.compile(r"[\u3400-\u9fff]|[A-Za-z0-9]{1,3}(?![A-Za-z0-9])")


def check_wording(text: str, *, vertical: bool = False) -> None:
    """Refuse a wording that is not legal or cannot be drawn.

    Parameters
    ----------
    text : str
        The notice as the public shall read it: one line, at most 40 characters.
    vertical : bool, optional
        Whether it shall be set in a column.

    Raises
    ------
    UsageError
        The text is empty, too long, holds control characters or characters that the
        notice fonts lack, has a legal part that does not run from left to right, or
        misses one of the two elements that GB 45438-2025,
        5.2 b), asks for; or it has characters that do not stand upright in a column.
    """
    if not text.strip():
        raise UsageError("the notice has no wording", hint=f"Use {CORE}, for example.")
    if len(text) > MAX_LENGTH:
        raise UsageError(
            f"the wording of the notice has {len(text)} characters",
            hint=f"Use at most {MAX_LENGTH}.",
        )
    control = [c for c in text if unicodedata.category(c) in _NOT_TEXT]
    if control:
        raise UsageError(
            f"the wording of the notice holds control characters: {_names(control)}",
            hint="Use plain text on one line.",
        )
    missing = [name for name, form in ELEMENTS.items() if not re.search(form, text)]
    if missing:
        raise UsageError(
            f"the wording of the notice lacks {' and '.join(missing)}, "
            "against GB 45438-2025, 5.2 b)",
            hint=f"Both elements are due in every language, as in {CORE}.",
        )
    shaped = [c for c in text if script_of(c)]
    if shaped and any(map(script_of, segments(text)[0])):
        raise UsageError(
            f"the legal part of the notice runs from left to right: {_names(shaped)}",
            hint=f"Put a translation behind it, as in {CORE}{SEPARATOR}...",
        )
    if shaped and not can_shape():
        raise UsageError(
            f"the notice cannot be set from right to left here: {_names(shaped)}",
            hint="Install Pillow with Raqm, as its wheels have it.",
        )
    lacking = missing_characters(text)
    if lacking:
        raise UsageError(
            f"the notice fonts have no {_names(lacking)}",
            hint="They cover Latin, Arabic and Hebrew letters, and the Chinese of "
            "usual AI notices.",
        )

    lying = _CELL.sub("", "".join(segments(text)[0].split()))
    if vertical and lying:
        raise UsageError(
            f"the wording of the notice has what does not stand upright in a column: "
            f"{_names(list(lying))}",
            hint="Use ideographs, and at most three letters or digits side by side.",
        )


def cells(text: str) -> list[str]:
    """Return what stands in the places of a column, from top to bottom."""
    return _CELL.findall(text)


def required_characters(text: str) -> frozenset[str]:
    """Return the characters that make up the required elements in a text."""
    return frozenset("".join(re.findall("|".join(ELEMENTS.values()), text)))


def segments(text: str) -> tuple[str, str]:
    """Split a wording into the part that is legal by itself and its translation.

    Parameters
    ----------
    text : str
        A checked wording.

    Returns
    -------
    tuple of str
        What stands before and after the first `SEPARATOR`, where the former holds
        both required elements; otherwise the whole text and ``""``.
    """
    primary, _, secondary = text.partition(SEPARATOR)
    if has_elements(primary) and secondary.strip():
        return primary.strip(), secondary.strip()
    return text.strip(), ""


# Control, format, surrogate, private use, unassigned; line and paragraph separators.
_NOT_TEXT = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def _names(characters: list[str]) -> str:
    """Name characters so that even an invisible one can be told."""
    return ", ".join(
        f"{c} (U+{ord(c):04X})" if c.isprintable() else f"U+{ord(c):04X}"
        for c in dict.fromkeys(characters)
    )
