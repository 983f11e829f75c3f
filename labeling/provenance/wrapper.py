"""A manifest store as characters that are not seen, at the end of a text.

Each byte becomes a variation selector; a mark stands in front of all, and what is
missing to a length that is known beforehand is filled up, because the signed hash says
how many bytes of the file are not part of the text.

References
----------
C2PA 2.4, annex A.8 (C2PATextManifestWrapper), still under review there; the padding is
that of its working draft and of the C2PA library from version 0.91.7.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = [
    "MAX_STORE_BYTES",
    "Wrapper",
    "fills_with_zeros",
    "find",
    "length_of",
    "unwrapped",
    "wrap",
]

MAX_STORE_BYTES = 1 << 20
"""Largest manifest store that is taken out of a text."""

_MARK = "\ufeff"
_MAGIC = b"C2PATXT\0"
_VERSION = 1
_HEADER = len(_MAGIC) + 1 + 4
# With four bytes a selector, any gap of six or more can be filled by threes and fours.
_SELECTOR_BYTES, _MARGIN = 4, 6

_SELECTORS = [*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
_TO_SELECTOR = dict(enumerate(_SELECTORS))
_TO_BYTE = {selector: byte for byte, selector in _TO_SELECTOR.items()}
_SELECTOR = (
    rb"(?:\xef\xb8[\x80-\x8f]|\xf3\xa0[\x84-\x86][\x80-\xbf]|\xf3\xa0\x87[\x80-\xaf])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wrapper:
    """A wrapper as it stands in a text.

    Parameters
    ----------
    start, length : int
        Where, in bytes of UTF-8.
    store : bytes or None
        The manifest store; None when the wrapper is cut off or damaged.
    """

    start: int
    length: int
    store: bytes | None


def wrap(store: bytes) -> bytes:
    """Return a manifest store as characters in UTF-8, `length_of` bytes of them."""
    framed = _framed(store)
    gap = length_of(len(store)) - len(framed)
    fours = gap % 3
    threes = (gap - _SELECTOR_BYTES * fours) // 3
    return framed + _selectors(b"\x00" * threes + b"\x10" * fours, mark="")


def fills_with_zeros(store: bytes) -> bool:
    """Tell whether zeros alone fill up what a store leaves of its length.

    Readers from before the working draft take no other filling.
    """
    return (length_of(len(store)) - len(_framed(store))) % 3 == 0


def length_of(store_bytes: int) -> int:
    """Return how many bytes a manifest store of so many bytes takes in a text."""
    return 3 + _SELECTOR_BYTES * (_HEADER + store_bytes) + _MARGIN


def find(content: bytes) -> list[Wrapper]:
    """Find the wrappers in a text.

    Parameters
    ----------
    content : bytes
        The text, in UTF-8.
    """
    return [
        Wrapper(
            start=found.start(),
            length=len(found[0]),
            store=_store(found[0]),
        )
        for found in _WRAPPER.finditer(content)
    ]


def unwrapped(content: bytes) -> bytes:
    """Return a text in UTF-8 without any wrapper, damaged ones included."""
    return _WRAPPER.sub(b"", content)


def _store(wrapper: bytes) -> bytes | None:
    if len(wrapper) > length_of(MAX_STORE_BYTES):
        return None
    run = bytes(map(_TO_BYTE.__getitem__, map(ord, wrapper.decode()[1:])))
    size = int.from_bytes(run[len(_MAGIC) + 1 : _HEADER], "big")
    store = run[_HEADER : _HEADER + size]
    whole = len(run) >= _HEADER and run[len(_MAGIC)] == _VERSION and len(store) == size
    # Whoever parses the store must see all of it, and nothing but boxes.
    framed = store[:4] == size.to_bytes(4, "big") and store[4:8] == b"jumb"
    return store if whole and framed else None


def _framed(store: bytes) -> bytes:
    size = len(store).to_bytes(4, "big")
    return _selectors(_MAGIC + bytes([_VERSION]) + size + store)


def _selectors(content: bytes, *, mark: str = _MARK) -> bytes:
    return (mark + content.decode("latin-1").translate(_TO_SELECTOR)).encode()


_WRAPPER = re.compile(re.escape(_selectors(_MAGIC)) + _SELECTOR + rb"*+")
