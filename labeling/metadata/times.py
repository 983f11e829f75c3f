"""Times within metadata: chapters, cue points, synchronized texts.

Where a sound becomes longer they follow, so that each still points to the same moment.

References
----------
ID3v2 Chapter Frame Addendum 1.0; ID3v2.4.0, native frames, 4.5, 4.7 and 4.9;
Vorbis comment field for chapters (Xiph.Org wiki, "Chapter Extension"); RFC 9639
(FLAC), 8.7; Multimedia Programming Interface and Data Specifications 1.0 (cue chunk);
Audio Interchange File Format AIFF 1.3, markers.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from typing import TypeAlias

__all__ = ["STALE_FRAMES", "Later", "comment", "cue_sheet", "cues", "frame", "markers"]

Later: TypeAlias = Callable[[float], float]
"""Tells where a point of the sound is in the longer one, both in seconds."""

STALE_FRAMES = {b"MLLT", b"MLL", b"ASPI", b"TLEN", b"TLE", b"TSIZ", b"TSI"}
"""ID3 frames about lengths and places of bytes, wrong once a file is encoded anew."""

_UNKNOWN = 0xFFFFFFFF
_MILLISECONDS = 2
_CHAPTER = re.compile(
    rb"(CHAPTER\d{3}=)(\d{1,4}):(\d{1,2}):(\d{1,2}(?:\.\d{1,9})?)\s*", re.IGNORECASE
)
_COMPACT_DISC = 0x80


def frame(name: bytes, content: bytes, later: Later) -> bytes:
    """Move the times of an ID3 frame.

    Parameters
    ----------
    name : bytes
        Its name, of any version.
    content : bytes
        Without its header, unpacked.
    later : callable

    Returns
    -------
    bytes
        The content; as it was where the frame has no times, and nothing where they are
        counted in frames of the sound that was.
    """
    if name == b"CHAP":
        head, zero, rest = content.partition(b"\0")
        if not zero or len(rest) < 16:
            return content
        times = b"".join(_milliseconds(rest[at : at + 4], later) for at in (0, 4))
        # Places of bytes may be left open, and times count then.
        return head + zero + times + struct.pack(">II", _UNKNOWN, _UNKNOWN) + rest[16:]
    if name in (b"SYLT", b"SLT"):
        return _lyrics(content, later)
    if name in (b"ETCO", b"ETC"):
        return _events(content, later)
    return content


def comment(field: bytes, later: Later) -> bytes:
    """Move the time in a Vorbis comment where it is the start of a chapter."""
    found = _CHAPTER.fullmatch(field)
    if found is None:
        return field
    name, hours, minutes, seconds = found.groups()
    start_s = 3600 * int(hours) + 60 * int(minutes) + float(seconds)
    whole, rest = divmod(round(1000 * later(start_s)), 60_000)
    time = f"{whole // 60:02}:{whole % 60:02}:{rest / 1000:06.3f}"
    return name + time.encode("ascii")


def cue_sheet(block: bytes, rate: int, later: Later) -> bytes:
    """Move the tracks and indices of a FLAC cue sheet.

    It becomes one of no compact disc, whose sectors it would not keep to.
    """
    content = bytearray(block)
    if len(content) < 396:
        return block
    content[128:136] = bytes(8)  # the lead-in of a disc
    content[136] &= ~_COMPACT_DISC
    position = 396
    for _ in range(content[395]):
        if position + 36 > len(content):
            return block
        start = int.from_bytes(content[position : position + 8])
        moved = _moved(start, rate, later)
        content[position : position + 8] = moved.to_bytes(8)
        count = content[position + 35]
        position += 36
        if position + 12 * count > len(content):
            return block
        for at in range(position, position + 12 * count, 12):
            index = start + int.from_bytes(content[at : at + 8])
            index = max(0, _moved(index, rate, later) - moved)
            content[at : at + 8] = index.to_bytes(8)
        position += 12 * count
    return bytes(content)


def cues(name: bytes, data: bytes, rate: int, later: Later) -> bytes:
    """Move the points of a ``cue`` chunk, or the loops of a ``smpl`` chunk, of WAV."""
    first, counted, places = {
        b"cue ": (4, 0, (4, 20)),
        b"smpl": (36, 28, (8, 12)),
    }[name]
    content = bytearray(data)
    count = int.from_bytes(content[counted : counted + 4], "little")
    for start in range(first, min(first + 24 * count, len(content) - 23), 24):
        for at in (start + place for place in places):
            frames = int.from_bytes(content[at : at + 4], "little")
            moved = _moved(frames, rate, later, _UNKNOWN)
            content[at : at + 4] = moved.to_bytes(4, "little")
    return bytes(content)


def markers(data: bytes, rate: int, later: Later) -> bytes:
    """Move the markers of a ``MARK`` chunk of AIFF."""
    content = bytearray(data)
    position = 2
    for _ in range(int.from_bytes(content[:2])):
        if position + 7 > len(content):
            break
        frames = int.from_bytes(content[position + 2 : position + 6])
        moved = _moved(frames, rate, later, _UNKNOWN)
        content[position + 2 : position + 6] = moved.to_bytes(4)
        # The text and the byte with its length fill an even number of bytes.
        position += 6 + (content[position + 6] + 2) // 2 * 2
    return bytes(content)


def _moved(units: int, rate: int, later: Later, most: int = (1 << 64) - 1) -> int:
    return min(round(later(units / rate) * rate), most)


def _milliseconds(stamp: bytes, later: Later) -> bytes:
    return _moved(int.from_bytes(stamp), 1000, later, _UNKNOWN).to_bytes(4)


def _events(content: bytes, later: Later) -> bytes:
    if content[:1] != bytes([_MILLISECONDS]):
        return b""
    parts = [content[:1]]
    for at in range(1, len(content) - 4, 5):
        parts += content[at : at + 1], _milliseconds(content[at + 1 : at + 5], later)
    return b"".join(parts)


def _lyrics(content: bytes, later: Later) -> bytes:
    """Move the times of synchronized texts, each behind its text and a zero."""
    if content[4:5] != bytes([_MILLISECONDS]):
        return b""
    width = 2 if content[:1] in (b"\1", b"\2") else 1
    first = _after_zero(content, 6, width)
    parts = [content[:first]]
    position = first
    while position < len(content):
        stop = _after_zero(content, position, width)
        stamp = content[stop : stop + 4]
        if len(stamp) < 4:
            break
        parts += content[position:stop], _milliseconds(stamp, later)
        position = stop + 4
    return b"".join(parts) + content[position:]


def _after_zero(content: bytes, start: int, width: int) -> int:
    """Return where a text of characters of some bytes has ended."""
    zero = bytes(width)
    at = content.find(zero, start)
    while at >= 0 and (at - start) % width:
        at = content.find(zero, at + 1)
    return len(content) if at < 0 else at + width
