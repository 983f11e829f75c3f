"""PNG: XMP in an iTXt chunk, AIGC in any text chunk (TC260-PG-20259A, clause 6)."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from ..errors import DamagedMedia
from . import aigc, exif, tree
from .carrier import MAX_CARRIERS, MAX_PARTS, Carrier, Kind, Survey

__all__ = ["SIGNATURE", "read_carriers", "replace_xmp"]

SIGNATURE = b"\x89PNG\r\n\x1a\n"
XMP = b"XML:com.adobe.xmp"
TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt")
MAX_KEYWORD_BYTES = 79
MAX_PACKET_BYTES = tree.MAX_CHARACTERS


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """A chunk with its length, type and checksum; `start` is where its length is."""

    kind: bytes
    start: int
    stop: int

    def data(self, content: bytes) -> bytes:
        return content[self.start + 8 : self.stop - 4]

    def intact(self, content: bytes) -> bool:
        checksum = content[self.stop - 4 : self.stop]
        return checksum == _checksum(content[self.start + 4 : self.stop - 4])


def read_carriers(content: bytes) -> Survey:
    """Find the XMP packets, EXIF blocks and AIGC texts of a PNG file."""
    chunks, problem = _split(content)
    problems = [problem] if problem else []
    candidates = [chunk for chunk in chunks if _may_carry(chunk, content)]
    complete = len(candidates) <= MAX_CARRIERS
    if not complete:
        problems.append(f"more than {MAX_CARRIERS} XMP packets, EXIF and AIGC chunks")
    carriers = []
    for chunk in candidates[:MAX_CARRIERS]:
        carrier = _carrier(chunk, content)
        if carrier is None:
            continue
        carriers.append(carrier)
        if not chunk.intact(content):
            problems.append(f"wrong checksum in a {chunk.kind.decode()} chunk")
    if chunks and b"AIGC" in content[chunks[-1].stop :] and not problem:
        problems.append("bytes after the end of the image mention AIGC")
    return Survey(carriers=tuple(carriers), problems=tuple(problems), complete=complete)


def replace_xmp(content: bytes, packet: bytes) -> bytes:
    """Put one XMP packet before the pixels and take every other label out.

    XMP packets and AIGC texts go, labels in EXIF comments are blanked. All other
    chunks stay as they are.

    Raises
    ------
    DamagedMedia
        The chunks do not lead to the end of the image, or there is no picture.
    """
    chunks, problem = _split(content)
    kinds = [chunk.kind for chunk in chunks]
    if not problem and b"IDAT" not in kinds:
        problem = "it has no picture"
    if problem:
        raise DamagedMedia(f"is not a whole PNG file: {problem}")
    head = kinds.index(b"IDAT")
    parts = [SIGNATURE]
    for index, chunk in enumerate(chunks):
        if index == head:
            # No compression (flag and method), no language, no translated keyword.
            parts.append(_made(b"iTXt", XMP + bytes(5) + packet))
        if _may_carry(chunk, content):
            if chunk.kind == b"eXIf":
                parts.append(_without_labels(chunk, content))
                continue
            if _carrier(chunk, content) is not None:
                continue
        parts.append(content[chunk.start : chunk.stop])
    parts.append(content[chunks[-1].stop :])
    return b"".join(parts)


def _split(content: bytes) -> tuple[list[_Chunk], str]:
    """Cut the file into chunks up to IEND; also say what ended the walk early."""
    chunks: list[_Chunk] = []
    position = len(SIGNATURE)
    while len(chunks) < MAX_PARTS:
        length = int.from_bytes(content[position : position + 4], "big")
        kind = content[position + 4 : position + 8]
        stop = position + 12 + length
        if stop > len(content):
            return chunks, f"the chunk at byte {position} is cut off"
        chunks.append(_Chunk(kind=kind, start=position, stop=stop))
        if kind == b"IEND":
            return chunks, ""
        position = stop
    return chunks, f"it has more than {MAX_PARTS} chunks"


def _may_carry(chunk: _Chunk, content: bytes) -> bool:
    """Tell from the head of a chunk whether it is worth unpacking."""
    if chunk.kind not in TEXT_CHUNKS:
        return chunk.kind == b"eXIf"
    keyword = _keyword(chunk, content)
    return keyword == XMP or b"AIGC" in keyword.upper()


def _carrier(chunk: _Chunk, content: bytes) -> Carrier | None:
    """Return what a promising chunk carries, None if it is of another use."""
    data = chunk.data(content)
    if chunk.kind == b"eXIf":
        return Carrier(kind=Kind.EXIF, place="EXIF", content=data)
    keyword = _keyword(chunk, content)
    rest = data[len(keyword) + 1 :]
    if keyword == XMP:
        packet = _text(chunk.kind, rest, MAX_PACKET_BYTES)
        return Carrier(kind=Kind.XMP, place="XMP", content=packet)
    text = _text(chunk.kind, rest, aigc.MAX_BYTES)
    if keyword != b"AIGC" and not aigc.is_label(aigc.decode(text)):
        return None
    place = f"PNG {chunk.kind.decode()} chunk"
    return Carrier(kind=Kind.TEXT, place=place, content=text)


def _without_labels(chunk: _Chunk, content: bytes) -> bytes:
    data = chunk.data(content)
    blanked = exif.without_labels(data)
    if blanked == data:
        return content[chunk.start : chunk.stop]
    return _made(chunk.kind, blanked)


def _keyword(chunk: _Chunk, content: bytes) -> bytes:
    start = chunk.start + 8
    stop = min(start + MAX_KEYWORD_BYTES + 1, chunk.stop - 4)
    return content[start:stop].partition(b"\0")[0]


def _text(kind: bytes, rest: bytes, limit: int) -> bytes:
    """Return the text after the keyword, empty where it cannot be unpacked."""
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _inflated(rest[1:], limit)
    _, _, after_language = rest[2:].partition(b"\0")
    _, _, text = after_language.partition(b"\0")
    return _inflated(text, limit) if rest[:1] == b"\1" else text


def _inflated(data: bytes, limit: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        text = inflater.decompress(data, limit)
    except zlib.error:
        return b""
    return text if inflater.eof else b""


def _made(kind: bytes, data: bytes) -> bytes:
    return b"".join((len(data).to_bytes(4, "big"), kind, data, _checksum(kind + data)))


def _checksum(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "big")
