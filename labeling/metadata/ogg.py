"""Ogg files (RFC 3533): the comment header of Vorbis, Opus (RFC 7845) and FLAC.

Only the pages of the headers are written anew. Should their number change, the
following pages of the stream get new numbers, and nothing else in them changes.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from ..errors import DamagedMedia
from . import vorbis
from .carrier import Survey
from .parts import MAX_METADATA_BYTES, Part, cut, size_of
from .times import Later

__all__ = ["edit", "survey"]

SIGNATURE = b"OggS"
CONTINUED, FIRST, LAST = 1, 2, 4
NO_POSITION = bytes([255] * 8)
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))

# How a first packet begins; how its comment packet begins; how many packets there are
# before the sound, and 0 where the first packet tells.
KINDS = (
    (b"\x01vorbis", b"\x03vorbis", 3),
    (b"OpusHead", b"OpusTags", 2),
    (b"\x7fFLAC", b"\x84", 0),
)
MAX_HEADERS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """A page: where it stands, its header, and the lengths of its segments."""

    start: int
    stop: int
    head: bytes
    lacing: bytes

    @property
    def serial(self) -> bytes:
        return self.head[14:18]

    @property
    def number(self) -> int:
        return int.from_bytes(self.head[18:22], "little")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Headers:
    """The header packets of the first stream, and the pages that they fill."""

    packets: tuple[bytes, ...]
    pages: tuple[_Page, ...]
    prefix: bytes
    problem: str = ""

    @property
    def comment(self) -> bytes:
        return self.packets[1][
            len(self.prefix) + (3 if self.prefix == b"\x84" else 0) :
        ]


def survey(file: BinaryIO) -> Survey:
    """Find the labels in the comment header of an Ogg file."""
    headers = _headers(file)
    if len(headers.packets) < 2:
        return Survey(carriers=(), problems=(headers.problem,))
    return vorbis.carriers(headers.comment)


def edit(
    file: BinaryIO,
    text: str,
    original: BinaryIO | None = None,
    later: Later | None = None,
) -> list[Part]:
    """Put one label into the comment header of an Ogg file.

    Parameters
    ----------
    file : binary file
        An Ogg file with Vorbis, Opus or FLAC.
    text : str
        The label.
    original : binary file, optional
        The file of the same coding that it was made from, whose comments are taken
        over.
    later : callable, optional
        Where points of that file are now; chapters follow it.

    Raises
    ------
    DamagedMedia
        The headers are cut off or malformed, or stand among other streams.
    """
    headers = _headers(file)
    if headers.problem:
        raise DamagedMedia(f"is not a whole Ogg file: {headers.problem}")
    comment = headers.comment
    if original is not None:
        other = _headers(original)
        if not other.problem and other.prefix == headers.prefix:
            comment = other.comment
            if later is not None:
                comment = vorbis.moved(comment, later)
    body = vorbis.with_label(comment, text)
    prefix = headers.prefix
    if prefix == b"\x84":
        # A FLAC block header, with the mark of the last block as it was.
        prefix = headers.packets[1][:1] + len(body).to_bytes(3)
    packets = [headers.packets[0], prefix + body, *headers.packets[2:]]
    first, *rest = headers.pages
    made = _paged(packets[1:], first, len(rest))
    parts: list[Part] = [range(first.start, first.stop), *made]
    behind = headers.pages[-1].stop
    shift = len(made) - len(rest)
    if shift:
        parts += _renumbered(file, behind, first.serial, shift)
    else:
        parts.append(range(behind, size_of(file)))
    return parts


def _headers(file: BinaryIO) -> _Headers:
    """Collect the header packets of the first stream."""
    packets: list[bytes] = []
    pages: list[_Page] = []
    prefix, wanted = b"", 1
    partial = bytearray()
    total = 0
    for page in _pages(file, 0):
        if pages and page.serial != pages[0].serial:
            return _Headers(packets=(), pages=(), prefix=b"", problem="it is mixed")
        pages.append(page)
        body = cut(file, page.start + 27 + len(page.lacing), page.stop)
        total += len(body)
        if total > MAX_METADATA_BYTES:
            break
        position = 0
        for size in page.lacing:
            partial += body[position : position + size]
            position += size
            if size < 255:
                packets.append(bytes(partial))
                partial.clear()
        if len(pages) == 1:
            prefix, wanted = _kind(packets[0] if packets else b"")
            if not prefix:
                break
        if len(packets) >= wanted:
            whole = not partial and len(packets) == wanted
            fits = packets[1].startswith(prefix) or (prefix == b"\x84" and packets[1])
            problem = "" if whole and fits else "its headers are not in order"
            if prefix == b"\x84" and packets[1][:1] not in (b"\x04", b"\x84"):
                problem = "its comments are missing"
            return _Headers(
                packets=tuple(packets),
                pages=tuple(pages),
                prefix=prefix,
                problem=problem,
            )
    return _Headers(packets=(), pages=(), prefix=b"", problem="its headers are missing")


def _kind(packet: bytes) -> tuple[bytes, int]:
    for head, prefix, count in KINDS:
        if packet.startswith(head):
            # The mapping of FLAC states the number of further headers, 0 for unknown.
            count = count or 1 + int.from_bytes(packet[7:9])
            return (prefix, count) if 1 < count <= MAX_HEADERS else (b"", 0)
    return b"", 0


def _pages(file: BinaryIO, position: int) -> Iterator[_Page]:
    """Yield the pages from a position on, up to the first that is none."""
    size = size_of(file)
    while True:
        head = cut(file, position, position + 27)
        if len(head) < 27 or not head.startswith(SIGNATURE):
            return
        lacing = cut(file, position + 27, position + 27 + head[26])
        stop = position + 27 + len(lacing) + sum(lacing)
        if len(lacing) < head[26] or stop > size:
            return
        yield _Page(start=position, stop=stop, head=head, lacing=lacing)
        position = stop


def _paged(packets: list[bytes], first: _Page, count: int) -> list[bytes]:
    """Put packets into as many pages as they had before, more where they must."""
    lacing = b"".join(
        b"\xff" * (len(packet) // 255) + bytes([len(packet) % 255])
        for packet in packets
    )
    body = b"".join(packets)
    count = max(count, -(-len(lacing) // 255))
    pages = []
    position = done = 0
    ends = False
    for index in range(count):
        left = count - index
        take = min(255, len(lacing) - done - (left - 1))
        segments = lacing[done : done + take]
        size = sum(segments)
        flags = CONTINUED if done and not ends else 0
        ends = bool(segments) and segments[-1] < 255
        granule = bytes(8) if min(segments, default=255) < 255 else NO_POSITION
        head = (
            SIGNATURE
            + bytes([0, flags])
            + granule
            + first.serial
            + (first.number + 1 + index).to_bytes(4, "little")
            + bytes(4)
            + bytes([len(segments)])
        )
        page = head + segments + body[position : position + size]
        pages.append(page[:22] + _checksum(page).to_bytes(4, "little") + page[26:])
        position += size
        done += len(segments)
    return pages


def _renumbered(
    file: BinaryIO, position: int, serial: bytes, shift: int
) -> Iterator[Part]:
    """Yield the following pages, those of the stream with shifted numbers."""
    end = position
    for page in _pages(file, position):
        end = page.stop
        if page.serial != serial:
            yield range(page.start, page.stop)
            continue
        number = (page.number + shift) & 0xFFFFFFFF
        change = (page.number ^ number).to_bytes(4, "little")
        # The checksum is linear: what changes in the page changes it by its own.
        behind = page.stop - page.start - 22
        update = _checksum(change + bytes(behind))
        checksum = int.from_bytes(page.head[22:26], "little") ^ update
        yield (
            page.head[:18]
            + number.to_bytes(4, "little")
            + checksum.to_bytes(4, "little")
        )
        yield range(page.start + 26, page.stop)
    yield range(end, size_of(file))


def _checksum(content: bytes) -> int:
    """Return the CRC-32 of RFC 3533: that of zlib with all bits the other way round."""
    value = zlib.crc32(content.translate(REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(value.to_bytes(4, "little").translate(REVERSED))
