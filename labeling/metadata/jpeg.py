"""JPEG: XMP in an APP1 segment (XMP part 3, 1.1.3; TC260-PG-20259A, clause 6)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import DamagedMedia, MetadataError
from . import exif
from .carrier import MAX_CARRIERS, MAX_PARTS, Carrier, Kind, Survey

__all__ = ["MAX_PACKET_BYTES", "SIGNATURE", "read_carriers", "replace_xmp"]

SIGNATURE = b"\xff\xd8\xff"
MAX_PACKET_BYTES = 65_502

XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
EXIF = b"Exif\0"
MAX_EXTENDED_BYTES = 1 << 22

APP0, APP1 = 0xE0, 0xE1
START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9
STANDALONE = frozenset({0x01, *range(0xD0, 0xD8)})

MARKER = re.compile(rb"\xff++[^\0]")
# In a scan, FF is followed by zero, by a restart number or by another FF.
MARKER_IN_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """A marker with everything up to the next one; `payload` follows the length."""

    marker: int
    start: int
    payload: int
    stop: int


def read_carriers(content: bytes) -> Survey:
    """Find the XMP packets and EXIF blocks of a JPEG file."""
    segments, problem = _split(content)
    problems = [problem] if problem else []
    carriers: list[Carrier] = []
    extensions: dict[bytes, list[bytes]] = {}
    for segment in segments:
        payload = _payload(content, segment)
        if payload.startswith(XMP):
            packet = payload[len(XMP) :]
            carriers.append(Carrier(kind=Kind.XMP, place="XMP", content=packet))
        elif payload.startswith(EXTENDED_XMP):
            part = payload[len(EXTENDED_XMP) :]
            extensions.setdefault(part[:32], []).append(part[32:])
        elif payload.startswith(EXIF):
            carriers.append(Carrier(kind=Kind.EXIF, place="EXIF", content=payload))
    for parts in extensions.values():
        packet = _joined(parts)
        carriers.append(
            Carrier(kind=Kind.EXTENDED_XMP, place="extended XMP", content=packet)
        )
    complete = len(carriers) <= MAX_CARRIERS
    if not complete:
        problems.append(f"more than {MAX_CARRIERS} XMP packets and EXIF blocks")
    if segments and b"AIGC" in content[segments[-1].stop :] and not problem:
        problems.append("bytes after the end of the image mention AIGC")
    return Survey(
        carriers=tuple(carriers[:MAX_CARRIERS]),
        problems=tuple(problems),
        complete=complete,
    )


def replace_xmp(content: bytes, packet: bytes) -> bytes:
    """Put one XMP packet in the place of all, and blank labels in EXIF comments.

    The packet follows the leading APP0 and EXIF segments. All other bytes, extended
    XMP among them, stay as they are.

    Raises
    ------
    DamagedMedia
        The segments do not lead to the end of the image, or there is no picture.
    MetadataError
        The packet has more than 65,502 bytes.
    """
    if len(packet) > MAX_PACKET_BYTES:
        raise MetadataError(
            f"the XMP packet has {len(packet)} bytes, "
            f"above the {MAX_PACKET_BYTES} of a JPEG segment",
            hint="Write the picture with less XMP, or as PNG or WebP.",
        )
    segments, problem = _split(content)
    if not problem and all(s.marker != START_OF_SCAN for s in segments):
        problem = "it has no picture"
    if problem:
        raise DamagedMedia(f"is not a whole JPEG file: {problem}")
    parts = [content[:2]]
    placed = False
    for segment in segments:
        payload = _payload(content, segment)
        leads = segment.marker == APP0 or payload.startswith(EXIF)
        if not placed and not leads:
            length = 2 + len(XMP) + len(packet)
            parts += [b"\xff\xe1", length.to_bytes(2, "big"), XMP, packet]
            placed = True
        if payload.startswith(XMP):
            continue
        if payload.startswith(EXIF):
            parts.append(content[segment.start : segment.payload])
            parts.append(exif.without_labels(payload))
        else:
            parts.append(content[segment.start : segment.stop])
    parts.append(content[segments[-1].stop :])
    return b"".join(parts)


def _payload(content: bytes, segment: _Segment) -> bytes:
    """Return the payload of an APP1 segment, and nothing for all others."""
    if segment.marker != APP1:
        return b""
    return content[segment.payload : segment.stop]


def _split(content: bytes) -> tuple[list[_Segment], str]:
    """Cut the file into segments up to the end of the image.

    Returns
    -------
    tuple
        The segments, scans with their data, and the problem that ended the walk
        early, empty for none.
    """
    segments: list[_Segment] = []
    position = 2
    while len(segments) < MAX_PARTS:
        match = MARKER.match(content, position)
        if match is None:
            if content[position:].strip(b"\xff"):
                return segments, f"no marker at byte {position}"
            return segments, "it ends without an end-of-image marker"
        start, payload = match.span()
        marker = content[payload - 1]
        stop = payload
        if marker not in STANDALONE and marker != END_OF_IMAGE:
            length = int.from_bytes(content[payload : payload + 2], "big")
            stop = payload + length
            if length < 2 or stop > len(content):
                return segments, f"the segment at byte {start} is cut off"
            payload += 2
        if marker == START_OF_SCAN:
            following = MARKER_IN_SCAN.search(content, stop)
            if following is None:
                return segments, "it ends without an end-of-image marker"
            stop = following.start()
        segments.append(
            _Segment(marker=marker, start=start, payload=payload, stop=stop)
        )
        if marker == END_OF_IMAGE:
            return segments, ""
        position = stop
    return segments, f"it has more than {MAX_PARTS} segments"


def _joined(parts: list[bytes]) -> bytes:
    """Join the parts of an extended packet: size, offset and data each.

    Empty where they do not fit together, so that the packet counts as unreadable.
    """
    size = int.from_bytes(parts[0][:4], "big")
    if size > MAX_EXTENDED_BYTES:
        return b""
    packet = bytearray()
    for part in sorted(parts, key=lambda part: part[4:8]):
        if int.from_bytes(part[4:8], "big") != len(packet):
            return b""
        packet += part[8:]
    return bytes(packet) if len(packet) == size else b""
