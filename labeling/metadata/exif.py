"""AIGC labels in EXIF comments (TC260-PG-20259A, annex B): found and blanked.

Only the two text fields that writers use are looked at. An EXIF block is never
rebuilt, so no offset in it moves.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from . import aigc

__all__ = [
    "COMMENTS",
    "EXIF_IFD",
    "Comment",
    "find_labels",
    "label_in",
    "without_labels",
]

EXIF_IFD = 0x8769
COMMENTS = {0x010E: "ImageDescription", 0x9286: "UserComment"}
# BYTE, ASCII and UNDEFINED, one byte each.
TEXT_TYPES = (1, 2, 7)
MAX_ENTRIES = 512
MAX_COMMENTS = 8

# JPEG needs this before the TIFF header, other writers put it there by mistake.
PREFIX = re.compile(rb"Exif\0.", re.DOTALL)
# The character code of a UserComment (Exif 2.32, 4.6.5), as strictly as it is kept.
CODE = re.compile(rb"(?:ASCII|JIS|UNICODE)?[\0 ]+", re.IGNORECASE)
UTF16 = {"<": ("utf-16-le", "utf-16-be"), ">": ("utf-16-be", "utf-16-le")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Comment:
    """A text field that holds a label.

    Parameters
    ----------
    place : str
        Name and directory of the field.
    start, stop : int
        Its text within the block, in bytes, after the character code.
    text : str
        The decoded text.
    """

    place: str
    start: int
    stop: int
    text: str


def find_labels(block: bytes) -> tuple[Comment, ...]:
    """Find the labels in UserComment and ImageDescription.

    Parameters
    ----------
    block : bytes
        An EXIF block, with or without the prefix ``Exif``. A malformed one is read
        as far as it goes.
    """
    prefix = PREFIX.match(block)
    base = prefix.end() if prefix else 0
    tiff = block[base:]
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None or len(tiff) < 8:
        return ()
    directories = {"IFD0": struct.unpack_from(f"{order}I", tiff, 4)[0]}
    for tag, _, _, value in _entries(tiff, directories["IFD0"], order):
        if tag == EXIF_IFD:
            directories["Exif IFD"] = value
    fields = [
        (
            f"EXIF {COMMENTS[tag]} in {directory}",
            start,
            start + min(count, aigc.MAX_BYTES),
        )
        for directory, offset in directories.items()
        for tag, kind, count, start in _entries(tiff, offset, order)
        # Up to four bytes stand in the entry itself: too short for a label.
        if tag in COMMENTS and kind in TEXT_TYPES and count > 4
    ]
    found = []
    for place, start, stop in fields[:MAX_COMMENTS]:
        if label := label_in(tiff[start:stop], order):
            skipped, text = label
            start, stop = base + start + skipped, base + min(stop, len(tiff))
            found.append(Comment(place=place, start=start, stop=stop, text=text))
    return tuple(found)


def label_in(value: bytes, order: str) -> tuple[int, str] | None:
    """Read the label in a text field; None if it holds none.

    Parameters
    ----------
    value : bytes
        The field, with its character code if it has one.
    order : str
        ``"<"`` or ``">"``, the byte order of its directory.

    Returns
    -------
    skipped : int
        Bytes in front of the text.
    text : str
        The label.
    """
    return next((one for one in _texts(value, order) if aigc.is_label(one[1])), None)


def without_labels(block: bytes) -> bytes:
    """Overwrite the labels in an EXIF block with zeros, in place."""
    blanked = bytearray(block)
    for comment in find_labels(block):
        blanked[comment.start : comment.stop] = bytes(comment.stop - comment.start)
    return bytes(blanked)


def _entries(
    block: bytes, offset: int, order: str
) -> Iterator[tuple[int, int, int, int]]:
    """Yield tag, type, count and value or offset of a directory's entries."""
    if offset + 2 > len(block):
        return
    (count,) = struct.unpack_from(f"{order}H", block, offset)
    for index in range(min(count, MAX_ENTRIES)):
        position = offset + 2 + 12 * index
        if position + 12 > len(block):
            return
        yield struct.unpack_from(f"{order}HHII", block, position)


def _texts(value: bytes, order: str) -> Iterator[tuple[int, str]]:
    """Yield the ways to read a field: bytes to skip, and the text after them."""
    if value[:7].upper() == b"UNICODE":
        for encoding in UTF16[order]:
            yield 8, value[8:].decode(encoding, "replace").strip(aigc.BLANKS)
    code = CODE.match(value)
    skipped = code.end() if code else 0
    yield skipped, aigc.decode(value[skipped:])
